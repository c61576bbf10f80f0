"""Nothing that a person or a message holds may become a second IMAP command."""

import pytest

from webmail.errors import (
    NoSuchMailboxError,
    OverQuotaError,
    RefusedError,
    SearchNotReadyError,
    ServerAwayError,
    UnsafeValueError,
)
from webmail.imap.connections.commands import expand_uid_set, flag_list, mailbox_name, quoted, refusal, uid_set
from webmail.imap.searching.search import parse

ATTACKS = ["a\r\nA1 LOGOUT", "a\nb", "a\rb", "a\0b", "\ud800"]


@pytest.mark.parametrize("value", ATTACKS)
def test_line_ends_nul_and_lone_surrogates_are_refused_everywhere(value: str) -> None:
    for command in (quoted, mailbox_name, parse, lambda v: flag_list([v])):
        with pytest.raises(UnsafeValueError):
            command(value)


def test_a_string_is_quoted_so_that_it_can_not_end_early() -> None:
    assert quoted('say "hi" \\ {10+}') == b'"say \\"hi\\" \\\\ {10+}"'


def test_a_string_that_is_not_ascii_is_a_literal_of_its_length_in_bytes() -> None:
    assert quoted("été") == b"{5+}\r\n\xc3\xa9t\xc3\xa9"


def test_a_mailbox_name_is_modified_utf7() -> None:
    assert mailbox_name("Envoyés & reçus/日本") == b'"Envoy&AOk-s &- re&AOc-us/&ZeVnLA-"'


def test_an_empty_or_endless_mailbox_name_is_no_mailbox() -> None:
    for name in ("", "x" * 2000):
        with pytest.raises(NoSuchMailboxError):
            mailbox_name(name)


def test_uids_become_ranges() -> None:
    assert uid_set([7, 1, 2, 3, 3, 9, 10]) == b"1:3,7,9:10"
    assert expand_uid_set("1:3,7,10:9") == [1, 2, 3, 7, 10, 9]


@pytest.mark.parametrize("uids", [[], [0], [-1], [2**32], ["1"], [1.5]])
def test_what_is_no_uid_is_refused(uids: list) -> None:
    with pytest.raises(UnsafeValueError):
        uid_set(uids)


@pytest.mark.parametrize("flag", ["", "a b", "a)", '"x"', "\\", "(x", "é", "x{1}", "%", "*"])
def test_what_is_no_flag_is_refused(flag: str) -> None:
    with pytest.raises(UnsafeValueError):
        flag_list([flag])


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (b"[NONEXISTENT] Mailbox doesn't exist: x", NoSuchMailboxError),
        (b"[OVERQUOTA] Quota exceeded", OverQuotaError),
        (b"[UNAVAILABLE] Later", ServerAwayError),
        (b"[INUSE] Mailbox is locked", ServerAwayError),
        (b"[INUSE] Timeout while waiting for indexing to finish (6.040 + 0.002 + 6.041 secs).", SearchNotReadyError),
        (b"Just no", RefusedError),
    ],
)
def test_a_refusal_is_the_error_that_its_code_stands_for(words: bytes, kind: type) -> None:
    assert type(refusal("SELECT", [words])) is kind


@pytest.mark.parametrize("value", ["1:30000000", "1:4294967296", "0", "4294967295:1"])
def test_a_set_of_uids_from_a_form_can_not_fill_the_memory(value: str) -> None:
    with pytest.raises(UnsafeValueError):
        expand_uid_set(value)
