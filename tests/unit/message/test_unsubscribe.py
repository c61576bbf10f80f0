"""How a list can be left, and by whom our server lets itself be sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from webmail import http_fetch
from webmail.config.settings import Settings
from webmail.mail import Address, Envelope, MailingList, Message, Structure, Trace
from webmail.message.unsubscribe import UnsubscribeOptions, UnsubscribeOutcome, leave, ways

OFFER = MailingList("https://list.example/u", True, "leave@list.example")
SETTINGS = Settings(authserv_id="mx.lycee.example")


def message(results: str = "", offer: MailingList = OFFER) -> Message:
    envelope = Envelope(sender=(Address("", "news@list.example"),))
    trace = Trace(results=((0, results),) if results else ())
    return Message("INBOX", 1, 1, frozenset(), 1, datetime.now(UTC), envelope, Structure(), trace=trace, list=offer)


SIGNED = "mx.lycee.example; dkim=pass header.d=list.example"


@pytest.mark.parametrize(
    ("results", "one_click"),
    [
        (SIGNED, True), ("", True), (SIGNED.replace("mx.", "mx2."), True),  # nobody checks here, or somebody we don't know says so
        ("mx.lycee.example; dkim=fail header.d=list.example", False), ("mx.lycee.example; dkim=none; spf=pass smtp.mailfrom=list.example", False),
        (f"{SIGNED}; dmarc=fail header.from=list.example", False),
    ],
)  # fmt: skip
def test_our_own_request_needs_a_signature_where_they_are_checked(results: str, one_click: bool) -> None:
    found = ways(message(results), SETTINGS)
    assert bool(found.one_click) is one_click
    assert (found.page, found.mail, found.host) == ("https://list.example/u", "leave@list.example", "list.example")


def test_other_ways() -> None:
    assert ways(message(offer=MailingList("http://list.example/u")), SETTINGS) == UnsubscribeOptions(
        "", "http://list.example/u", "", "list.example"
    )
    assert not ways(message(offer=MailingList()), SETTINGS).any
    assert not ways(message(SIGNED), replace(SETTINGS, remote_images="never")).one_click


@pytest.mark.parametrize(
    ("said", "outcome"),
    [(http_fetch.FetchedResponse("", status, "", b""), outcome) for status, outcome in
     ((200, UnsubscribeOutcome.ACCEPTED), (202, UnsubscribeOutcome.ACCEPTED), (204, UnsubscribeOutcome.ACCEPTED), (302, UnsubscribeOutcome.ELSEWHERE), (404, UnsubscribeOutcome.REFUSED), (500, UnsubscribeOutcome.REFUSED))]
    + [(http_fetch.NotFetchedError("x"), UnsubscribeOutcome.AWAY), (http_fetch.AddressForbiddenError("x"), UnsubscribeOutcome.FORBIDDEN)],
)  # fmt: skip
def test_what_became_of_it(
    monkeypatch: pytest.MonkeyPatch, said: http_fetch.FetchedResponse | Exception, outcome: UnsubscribeOutcome
) -> None:
    sent = []

    def post(url: str, form: bytes, **_options: float) -> http_fetch.FetchedResponse:
        sent.append((url, form))
        if isinstance(said, Exception):
            raise said
        return said

    monkeypatch.setattr(http_fetch, "post", post)
    assert leave("https://list.example/u") is outcome
    assert sent == [("https://list.example/u", b"List-Unsubscribe=One-Click")]


def test_our_server_asks_nothing_inside() -> None:
    for url in (
        "https://127.0.0.1/u",
        "https://localhost/u",
        "https://10.0.0.1/u",
        "https://[::1]/u",
        "https://list.example:8443/u",
    ):
        assert leave(url) is UnsubscribeOutcome.FORBIDDEN
