"""Header blocks, dates and envelopes, good and broken."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from webmail.mail import Address
from webmail.mime.headers import headers


class TestFields:
    def test_it_unfolds_and_keeps_the_order(self):
        found = headers.fields(b"Received: one\r\nReceived: two\r\nSubject: a\r\n  b\r\n\tc\r\n\r\nSubject: body\r\n")
        assert found == {"received": [b"one", b"two"], "subject": [b"a  b\tc"]}

    def test_it_passes_over_what_is_no_header(self):
        found = headers.fields(b"From ann Mon Feb 2\nnonsense\n: empty\nbad name: x\nTo : ann@example.org\n")
        assert found == {"to": [b"ann@example.org"]}

    def test_it_reads_old_macintosh_line_ends(self):
        assert headers.fields(b"Subject: a\rTo: b\r\rbody") == {"subject": [b"a"], "to": [b"b"]}

    def test_it_looks_at_a_megabyte_only(self):
        found = headers.fields(b"X: y\r\n" * 400_000 + b"Subject: far away\r\n")
        assert "subject" not in found


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"Tue, 3 Feb 2026 10:00:00 +0100", datetime(2026, 2, 3, 9, tzinfo=UTC)),
        (b"3 Feb 26 10:00 GMT", datetime(2026, 2, 3, 10, tzinfo=UTC)),
        (b"Tue, 3 Feb 2026 10:00:60 -0000 (a leap second)", datetime(2026, 2, 3, 10, 0, 59, tzinfo=UTC)),
        (b"Tue, 31 Feb 2026 10:00:00 +0100", None),
        (b"Tue, 3 Feb 2026 10:00:00 +9999", None),
        (b"Tue, 3 Feb 99999 10:00:00 +0000", None),
        (b"Mon, 1 Jan 1800 00:00:00 +1200", None),
        (b"soon", None),
        (b"\xff\xfe", None),
        (b"", None),
        (b" " * 50, None),
        (b"1 2 3 4 5", None),
    ],
)
def test_dates_are_in_utc_or_none(value, expected):
    assert headers.date(value) == expected


class TestEnvelope:
    def test_a_whole_message(self, sample):
        found = headers.envelope(sample("alternative.eml"))
        assert found.subject == "État des lieux"
        assert found.sender == (Address("Renée Dupont", "renee@example.org"),)
        assert found.to == (Address("Smith, Ann", "ann@example.org"), Address("Bob", "bob@example.org"))
        assert found.sent == datetime(2026, 2, 3, 9, tzinfo=UTC)
        assert found.message_id == "<one@example.org>"
        assert found.in_reply_to == ("<half@example.org>",)
        assert found.references == ("<zero@example.org>", "<half@example.org>")
        assert (found.list_id, found.list_post) == ("tenants.example.org", "tenants@example.org")

    def test_a_broken_one(self, sample):
        found = headers.envelope(sample("broken.eml"))
        assert found.subject == "café éé"
        assert found.sender == (Address("Ann", "ann@example.org"),)
        assert found.sent is None

    def test_nothing_at_all(self):
        assert headers.envelope(b"").subject == ""

    def test_message_ids_without_brackets_get_them(self):
        assert headers.message_ids(b"a@example.org") == ("<a@example.org>",)

    def test_of_ten_thousand_references_the_first_and_the_latest_stay(self):
        ids = headers.message_ids(b" ".join(b"<%d@example.org>" % i for i in range(10_000)))
        assert len(ids) == 100
        assert (ids[0], ids[-1]) == ("<0@example.org>", "<9999@example.org>")

    def test_a_list_that_nobody_may_post_to(self):
        assert headers.envelope(b"List-Post: NO\r\n").list_post == ""


def test_fifty_rows_are_read_in_no_time():
    rows = [
        f"From: =?utf-8?Q?Ren=C3=A9e_{i}?= <renee{i}@example.org>\r\nTo: \"Smith, Ann\" <ann@example.org>\r\n"
        f"Subject: =?UTF-8?B?w4l0YXQgZGVzIGxpZXV4?= {i}\r\nDate: Tue, 3 Feb 2026 10:{i:02}:00 +0100\r\n\r\n".encode()
        for i in range(50)
    ]  # fmt: skip
    best = 1.0
    for _ in range(5):
        started = time.process_time()
        for row in rows:
            found = headers.fields(row)
            headers.decode(found["subject"][0])
            headers.addresses(found["from"])
            headers.addresses(found["to"])
            headers.date(found["date"][0])
        best = min(best, time.process_time() - started)
    assert best < 0.01  # 1.3 ms on the machine it was written on
