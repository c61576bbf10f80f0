"""Delivery reports (RFC 3464) and receipts (RFC 8098)."""

from __future__ import annotations

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.mime.formats.delivery_report import RECIPIENTS_LIMIT, Reason, delivery, reason, receipt

BOUNCE = """Reporting-MTA: dns; mx.lycee.example
Arrival-Date: Tue, 24 Nov 2026 14:02:00 +0100

Original-Recipient: rfc822; ann@x.example
Final-Recipient: rfc822; a.nn@mail.x.example
Action: failed
Status: 5.2.2 (mailbox full)
Remote-MTA: dns; mail.x.example
Diagnostic-Code: smtp; 552 5.2.2 Over
  quota

Final-Recipient: rfc822;bob@y.example
Action: delayed
Status: 4.4.1
Will-Retry-Until: Thu, 26 Nov 2026 14:02:00 +0100
"""


def test_each_recipient_with_what_became_of_it() -> None:
    found = delivery(BOUNCE)
    assert found and found.reporter == "mx.lycee.example" and found.failed
    ann, bob = found.recipients
    assert (ann.address, ann.action, ann.status, ann.reason) == ("ann@x.example", "failed", "5.2.2", Reason.FULL)
    assert ann.words == "552 5.2.2 Over quota" and ann.server == "mail.x.example"
    assert (bob.address, bob.action, bob.reason) == ("bob@y.example", "delayed", Reason.AWAY)
    assert bob.retried_until and bob.retried_until.day == 26


@pytest.mark.parametrize(
    ("status", "words", "expected"),
    [
        ("5.1.1", "", Reason.NO_SUCH_PERSON),
        ("5.1.2", "", Reason.NO_SUCH_DOMAIN),
        ("5.4.4", "", Reason.NO_SUCH_DOMAIN),
        ("5.3.4", "", Reason.TOO_LARGE),
        ("4.4.7", "", Reason.TOO_LONG),
        ("5.7.1", "", Reason.NOT_ALLOWED),
        ("5.7.99", "", Reason.NOT_ALLOWED),
        ("5.7.26", "", Reason.DISTRUSTED),
        ("5.9.9", "", Reason.UNKNOWN),
        ("", "452 try later", Reason.FULL),
        ("", "", Reason.UNKNOWN),
    ],
)
def test_why(status: str, words: str, expected: Reason) -> None:
    assert reason(status, words) is expected


def test_the_other_servers_code_is_better_than_none() -> None:
    found = delivery(
        "Final-Recipient: rfc822; a@x.example\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550-5.1.1 no such user 192.0.2.1\n"
    )
    assert found and found.recipients[0].status == "5.1.1"


@pytest.mark.parametrize("text", ["", "\n\n", "hello", "Reporting-MTA: dns; x\n", "\x00" * 100, ":" * 1000])
def test_what_speaks_of_nobody_is_no_report(text: str) -> None:
    assert delivery(text) is None and receipt(text) is None


def test_many_recipients_are_bounded_and_counted() -> None:
    found = delivery("\n\n".join(f"Final-Recipient: rfc822; p{n}@x.example\nAction: failed" for n in range(RECIPIENTS_LIMIT + 7)))
    assert found and len(found.recipients) == RECIPIENTS_LIMIT and found.more == 7


def test_hostile_reports_take_no_time() -> None:
    with cpu_seconds(1):
        for text in ("\n" * 300_000, "a\n\n" * 100_000, "Final-Recipient: " + "x" * 300_000, " \n" * 150_000):
            delivery(text)
            receipt(text)


def test_a_receipt() -> None:
    found = receipt(
        "Reporting-UA: x\nOriginal-Recipient: rfc822;zoe@x.example\nFinal-Recipient: rfc822;z@x.example\n"
        "Original-Message-ID: <1@x>\nDisposition: automatic-action/MDN-sent-automatically; deleted/error\n"
    )
    assert found and found.address == "zoe@x.example" and found.disposition == "deleted"
    assert found.automatic and found.original == "<1@x>"
