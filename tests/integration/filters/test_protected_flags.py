"""Rows show which messages are signed or encrypted, by keywords that arrival sets (deploy/dovecot/before.sieve.in)."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from tests.support.visits import Visitor


@pytest.mark.parametrize(
    ("kind", "label"),
    [
        ('multipart/encrypted; protocol="application/pgp-encrypted"; boundary=b', "Encrypted"),
        ("application/pkcs7-mime; smime-type=enveloped-data", "Encrypted"),
        ("application/pkcs7-mime; smime-type=signed-data", "Signed"),
        ('multipart/signed; protocol="application/pgp-signature"; boundary=b', "Signed"),
        ("text/plain", ""),
    ],
)
def test_rows_show_what_is_signed_or_encrypted(person: Visitor, deliver, kind: str, label: str) -> None:
    one = EmailMessage()
    one["From"], one["To"], one["Subject"] = "bob@outside.example", person.address, "sealed"
    one.set_content("--b\n\ntext\n--b--\n")
    del one["Content-Type"]
    one["Content-Type"] = kind
    deliver(person.address, one)
    row = person.get("/mailbox/INBOX").one("[data-row]")
    labels = [str(icon["aria-label"]) for icon in row.select("svg[aria-label]")]
    assert [one for one in labels if one in ("Encrypted", "Signed")] == ([label] if label else [])
    assert not row.select(".tag")


def test_they_are_set_beside_filters_of_ones_own(person: Visitor, deliver) -> None:
    person.submit(person.get("/filters/senders"), "#sender-form", sender="bad@outside.example", action="blocked")
    one = EmailMessage()
    one["From"], one["To"], one["Subject"] = "bob@outside.example", person.address, "sealed"
    one["Content-Type"] = "application/pkcs7-mime; smime-type=enveloped-data"
    deliver(person.address, one)
    assert person.get("/mailbox/INBOX").one("[data-row] svg[aria-label=Encrypted]")
