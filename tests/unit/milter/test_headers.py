"""From headers as deploy/milter reads them: strictly after sign-in, with suspicion from outside."""

from __future__ import annotations

import pytest

from deploy.milter.headers import Mailbox, UnreadableError, domain_of, hidden_domains, mailboxes, mentioned, possible_authors
from tests.support.cpu_time import cpu_seconds

ME = "alice@lycee.example"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (ME, ""),
        (f" <{ME}>", ""),
        (f"Alice Leroy <{ME}>", "Alice Leroy"),
        (f"Dr. O'Neil-Leroy <{ME}>", "Dr. O'Neil-Leroy"),
        (f'"Leroy, \\"Alice\\"" <{ME}>', 'Leroy, "Alice"'),
        (f"=?utf-8?Q?Ren=C3=A9e?=\r\n =?utf-8?Q?_Roux?= <{ME}>", "Renée Roux"),
        (f"Renée <{ME}>", "Renée"),
        (f"{ME} (Alice (from home))", ""),
        (f"\r\n\t<{ME}>\r\n ", ""),
        (f"=?nonsense?Q?x?= <{ME}>", "=?nonsense?Q?x?="),
    ],
)
def test_a_plain_mailbox_is_read_with_its_name(value: str, name: str) -> None:
    assert mailboxes(value) == [Mailbox(ME, name)]


def test_several_are_all_read() -> None:
    assert [one.address for one in mailboxes(f'"a, b" <{ME}>, bob@x.example,C <c@x.example>')] == [
        ME,
        "bob@x.example",
        "c@x.example",
    ]


@pytest.mark.parametrize(
    "value",
    [
        "", "Alice", "<>", "<alice>", "alice@localhost", f"<{ME}", f"{ME}>", f"<{ME}> x", f"x <{ME}> <{ME}>", f"bob@x.example <{ME}>",
        f"g: {ME};", "g:;", f"{ME},", f",{ME}", f"<@x.example:{ME}>", '"a"@x.example', f"{ME} (bob@x.example)", f'"open <{ME}>', f"({ME}",
        f"{ME}\0", f"{ME}\r\nFrom: x@x.example", f"<{ME}\udcff>", "a b@x.example", "a@b@x.example", "a@x..example", "a@[127.0.0.1]",
        "a" * 9000 + "@x.example", ", ".join([ME] * 21),
    ],
)  # fmt: skip
def test_whatever_is_not_plain_is_unreadable(value: str) -> None:
    with pytest.raises(UnreadableError):
        mailboxes(value)


@pytest.mark.parametrize(
    "value", ['"' * 8000, "(" * 8000, "\\" * 8000, "<" * 8000, "a@" * 4000, "=?" * 4000, "(" * 4000 + ")" * 4000]
)
def test_hostile_headers_take_no_time(value: str) -> None:
    with cpu_seconds(2):
        possible_authors([value])
        hidden_domains([value, f"{value}\\ \\ {' ' * 8000}"], ["lycee.example"])


def test_from_outside_whatever_might_be_an_address_counts() -> None:
    assert possible_authors([f"Alice <{ME}>"]) == ([ME], True)
    assert possible_authors([f"g: {ME};"]) == ([ME], False)
    assert possible_authors([f"{ME} <eve@far.example>"]) == ([ME, "eve@far.example"], False)
    assert possible_authors(["=?utf-8?B?YWxpY2VAbHljZWUuZXhhbXBsZQ==?="]) == ([ME], False)
    assert possible_authors([]) == ([], True)


def test_an_address_in_a_name_is_seen_in_any_dress() -> None:
    for name in (f"the {ME}!", f"'{ME}'", "alice＠lycee.example"):
        assert any(domain_of(one).startswith("lycee.example") for one in mentioned(name)), name


@pytest.mark.parametrize(
    ("address", "domain"), [("A@Lycee.EXAMPLE.", "lycee.example"), ("a@école.example", "xn--cole-9oa.example"), ("a", "a")]
)
def test_domains_are_compared_in_one_form(address: str, domain: str) -> None:
    assert domain_of(address) == domain
