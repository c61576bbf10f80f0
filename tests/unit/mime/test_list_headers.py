"""What a list offers in its headers, as lists and attackers write it."""

from __future__ import annotations

import pytest

from webmail.mail import ListContact, MailingList
from webmail.mime.headers.list_headers import mailing_list


def of(*lines: str) -> MailingList:
    return mailing_list("\r\n".join(lines).encode() + b"\r\n\r\n")


def test_a_list_of_today() -> None:
    found = of(
        "List-Unsubscribe: <mailto:leave@list.example?subject=leave%20me&body=a%0D%0Ab+c>,",
        " <https://list.example/u?x=1&",
        "  y=2>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "List-Archive: (the archive) <https://list.example/archive>",
        "List-Help: <mailto:help@list.example>, <http://list.example/help> (Web)",
    )
    assert found == MailingList(
        "https://list.example/u?x=1&y=2",
        True,
        "leave@list.example",
        "leave me",
        "a\nb+c",
        "https://list.example/archive",
        "http://list.example/help",
        (
            ListContact("help", "http://list.example/help", "help@list.example"),
            ListContact("archive", "https://list.example/archive"),
        ),
    )
    assert found.can_be_left


@pytest.mark.parametrize(
    "lines",
    [
        ("List-Unsubscribe: <http://list.example/u>", "List-Unsubscribe-Post: List-Unsubscribe=One-Click"),
        ("List-Unsubscribe: <https://list.example/u>", "List-Unsubscribe-Post: Something=Else"),
        ("List-Unsubscribe: <https://list.example/u>",),
        ("List-Unsubscribe: <mailto:a@b.example>", "List-Unsubscribe-Post: List-Unsubscribe=One-Click"),
    ],
)
def test_one_click_needs_both_headers_and_https(lines: tuple[str, ...]) -> None:
    assert not of(*lines).one_click


@pytest.mark.parametrize(
    "value",
    ["<javascript:alert(1)>", "<ftp://x.example/>", "https://x.example/", "<//x.example/>", "<>", "<mailto:>", "<mailto:a@b.example,c@d.example>",
     "<mailto:a@b.example%0ABcc:c@d.example>", "NO", "", "<mailto:?to=a@b.example>", "<data:text/html,x>", "<https://>"],
)  # fmt: skip
def test_other_addresses_are_passed_over(value: str) -> None:
    assert not of(f"List-Unsubscribe: {value}").can_be_left


def test_how_a_list_is_reached() -> None:
    found = of(
        "List-Archive: <https://list.example/a>",
        "List-Owner: <mailto:owner@list.example?subject=Bonjour%20%C3%A0%20vous> (Contact)",
        "List-Subscribe: <javascript:alert(1)>, <https://list.example/join>, <mailto:join@list.example>",
        "List-Post: NO (announcements)",
        "List-Help: <ftp://list.example/help>",
    )
    assert found.contacts == (
        ListContact("subscribe", "https://list.example/join", "join@list.example"),
        ListContact("owner", "", "owner@list.example", "Bonjour à vous"),
        ListContact("archive", "https://list.example/a"),
    )


def test_what_a_mail_address_asks_for_is_bounded() -> None:
    found = of(
        "List-Unsubscribe: <mailto:a@b.example?bcc=x@y.example&subject="
        + "s" * 3000
        + "%0D%0ABcc:z&body="
        + "b" * 3000
        + "&attach=/etc/passwd>"
    )
    assert len(found.leave_subject) == 200
    assert "\n" not in found.leave_subject
    assert len(found.leave_body) == 1000
    assert found.leave_mail == "a@b.example"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"List-Unsubscribe: " + b"<" * 100_000,
        b"List-Unsubscribe: \xff\xfe<https://\xe9.example/>",
        b"List-Unsubscribe: =?utf-8?q?<https://x/>?=",
    ],
)
def test_it_never_raises(raw: bytes) -> None:
    assert isinstance(mailing_list(raw), MailingList)
