"""What an arriving message says of the one that it answers, and who wrote it: a person, or a program."""

from __future__ import annotations

import pytest

from webmail.mime.headers import answer_headers
from webmail.mime.headers.answer_headers import WriterKind

TO_IT = "From: Bob <Bob@x.example>\r\nIn-Reply-To: <1@me>\r\n"


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ("", WriterKind.PERSON),
        ("Auto-Submitted: no\r\n", WriterKind.PERSON),
        ("Precedence: list\r\nList-Id: <a.example>\r\n", WriterKind.PERSON),
        ("Precedence: bulk\r\nList-Id: <a.example>\r\n", WriterKind.PERSON),
        ("Return-Path: <bob@x.example>\r\n", WriterKind.PERSON),
        ("Content-Type: multipart/report; report-type=feedback\r\n", WriterKind.REPORT),
        ("Auto-Submitted: auto-replied (vacation)\r\n", WriterKind.AUTOMATIC),
        ("AUTO-SUBMITTED:auto-generated; x=y\r\n", WriterKind.AUTOMATIC),
        ("X-Autoreply: yes\r\n", WriterKind.AUTOMATIC),
        ("X-Autorespond: away\r\n", WriterKind.AUTOMATIC),
        ("Precedence: auto_reply\r\n", WriterKind.AUTOMATIC),
        ("Precedence: junk\r\n", WriterKind.AUTOMATIC),
        ("Return-Path: <>\r\n", WriterKind.AUTOMATIC),
        ('Content-Type: multipart/report; boundary="a";\r\n report-type="delivery-status"\r\n', WriterKind.REPORT),
        ("X-Failed-Recipients: bob@x.example\r\n", WriterKind.REPORT),
        ("Content-Type: multipart/report; report-type=disposition-notification\r\n", WriterKind.RECEIPT),
    ],
)
def test_who_wrote_it(more, kind):
    found = answer_headers.read((TO_IT + more + "\r\n").encode())
    assert (found.kind, found.ids, found.sender, found.email) == (kind, {"<1@me>"}, "Bob", "bob@x.example")


def test_every_message_of_the_thread_is_answered():
    found = answer_headers.read(b"References: <1@me> <2@x>\r\n <3@me>\r\nIn-Reply-To: Your message of Monday <4@me>\r\n\r\n")
    assert found.ids == {"<1@me>", "<2@x>", "<3@me>", "<4@me>"}


@pytest.mark.parametrize(
    "raw", [b"", b"\xff\xfe", b"From: \r\nReferences: <\r\n", b"In-Reply-To: " + b"<" * 100_000, b"\r\n\r\n" * 9]
)
def test_nothing_that_somebody_sends_breaks_it(raw):
    assert answer_headers.read(raw).ids == frozenset() and answer_headers.returned(raw) == (frozenset(), "")


def test_of_a_report_it_is_told_who_did_not_get_it():
    report = (
        "Message-ID: <b@x>\r\n\r\n--B\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
        "Final-Recipient: rfc822; bob@x.example\r\nAction: {}\r\nStatus: 5.1.1\r\n\r\n--B\r\n"
        "Content-Type: message/rfc822\r\n\r\nmessage-id: <1@me>\r\n\r\n--B--\r\n"
    )
    assert answer_headers.returned(report.format("failed").encode()) == ({"<b@x>", "<1@me>"}, "bob@x.example")
    assert answer_headers.returned(report.format("delayed").encode())[1] == ""


def test_a_report_brings_no_id_that_databases_refuse_nor_thousands():
    ids, _failed = answer_headers.returned(b"Message-ID: <a\0b@x>\r\nMessage-ID: <c@x>\r\n")
    assert ids == {"<c@x>"}
    assert len(answer_headers.returned(b"".join(b"Message-ID: <%d@x>\r\n" % number for number in range(5000)))[0]) == 100
