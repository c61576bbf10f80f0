"""A message that came over TLS, and one that did not: the page of each says so, from what Postfix wrote."""

from __future__ import annotations

import ssl

import pytest

from tests.support.visits import Visitor

FAR = "jean@far.example"
FORGED = "Received: from x (x [203.0.113.7]) by mail.lycee.example with ESMTPS id 1; Tue, 1 Dec 2026 10:00:00 +0100\r\n"


@pytest.mark.parametrize("encrypted", [True, False])
def test_the_page_says_how_it_came(
    from_outside, app, make_account, arrives, imap_of, trust: ssl.SSLContext, encrypted: bool
) -> None:
    """Of mail in clear from this very machine nothing is said: what the message brought with it does not count."""
    reader = make_account()
    there = from_outside()
    if encrypted:
        trust.check_hostname = False
        there.starttls(context=trust)
        there.ehlo("far.example")
    there.sendmail(FAR, [reader], f"{FORGED}From: {FAR}\r\nTo: {reader}\r\nSubject: way\r\n\r\nBonjour\r\n".encode())
    uid = arrives(imap_of(reader), ["SUBJECT", "way"])
    page = Visitor(app, reader).sign_in().get(f"/message/{uid}/INBOX")
    said = [one.get_text() for one in page.all("dd.check-result") if "last stretch" in one.get_text()]
    assert said == (["Encrypted (TLS) on the last stretch to your mail server."] if encrypted else [])
