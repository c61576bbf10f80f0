"""Lists of addresses in headers, good, broken and endless."""

from __future__ import annotations

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.mail import Address
from webmail.mime.headers import headers


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"ann@example.org", [("", "ann@example.org")]),
        (b"Ann <ann@example.org>", [("Ann", "ann@example.org")]),
        (b'"Smith, Ann" <ann@example.org>', [("Smith, Ann", "ann@example.org")]),
        (rb'"a \"quoted\" name" <a@example.org>', [('a "quoted" name', "a@example.org")]),
        (b"=?utf-8?Q?Ren=C3=A9e?= <r@example.org>", [("Renée", "r@example.org")]),
        (b"=?utf-8?Q?Doe, John?= <j@example.org>", [("Doe, John", "j@example.org")]),
        (b'"=?utf-8?Q?Ren=C3=A9e?=" <r@example.org>', [("Renée", "r@example.org")]),
        (b"ann@example.org (Ann)", [("Ann", "ann@example.org")]),
        (b"Ann (at (home)) <ann@example.org>", [("Ann", "ann@example.org")]),
        (b"friends: ann@example.org, Bob <b@example.org>;, c@example.org",
         [("", "ann@example.org"), ("Bob", "b@example.org"), ("", "c@example.org")]),
        (b"undisclosed-recipients:;", []),
        (b"a@example.org; b@example.org", [("", "a@example.org"), ("", "b@example.org")]),
        (b"a@example.org,,, ,b@example.org,", [("", "a@example.org"), ("", "b@example.org")]),
        (b"a@example.org, a@example.org", [("", "a@example.org"), ("", "a@example.org")]),
        (b"<@relay,@other:ann@example.org>", [("", "ann@example.org")]),
        (b"MAILER-DAEMON", [("", "MAILER-DAEMON")]),
        (b"Some Person", [("Some Person", "")]),
        (b"Ann ann@example.org", [("Ann", "ann@example.org")]),
        (b'"Ann <ann@example.org>', [('Ann', "ann@example.org")]),
        ("Zoë <zoë@exämple.org>".encode(), [("Zoë", "zoë@exämple.org")]),
        (b"Ann\x00\x1b <ann@example.org>", [("Ann", "ann@example.org")]),
        (b"boss@example.org <thief@example.net>", [("boss@example.org", "thief@example.net")]),
        (b"", []),
    ],
)  # fmt: skip
def test_address_lists_are_read(value, expected):
    assert headers.addresses([value]) == tuple(Address(name, email) for name, email in expected)


def test_a_hundred_thousand_recipients_are_counted_but_not_all_read():
    value = b", ".join(b'"P, %d" <p%d@example.org>' % (i, i) for i in range(100_000))
    with cpu_seconds(2):
        assert len(headers.addresses([value], limit=20)) == 20
        assert headers.count_addresses([value]) == 100_000


@pytest.mark.parametrize("mark", [b'"', b'\\"', b"(", b"<", b":", b"[", b",", b"=?a?q?", b"()", b"<>", b'a"b,', b"(\\"])
def test_many_marks_take_no_time(mark):
    value = (mark * 300_000)[:300_000]  # quadratic time would be minutes
    with cpu_seconds(1.2):
        headers.addresses([value])
        headers.count_addresses([value])
        headers.decode(value)
