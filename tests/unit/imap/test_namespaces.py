"""Whose a mailbox is, by the beginning of its name."""

from __future__ import annotations

from typing import Any

import pytest

from webmail.imap.mailbox_list.namespaces import Namespaces, namespaces_in

DOVECOT = [b'(("" "/")) (("shared/" "/")) NIL']
CYRUS = [b'(("INBOX." ".")) (("user." ".")) (("" "."))']
PUBLIC = [b'(("" "/")) NIL (("Public/" "/"))']


@pytest.mark.parametrize(
    ("told", "name", "owner", "prefix"),
    [
        (DOVECOT, "INBOX", "", ""),
        (DOVECOT, "Work/2026", "", ""),
        (DOVECOT, "shared/bob@x/Team", "bob@x", "shared/bob@x/"),
        (DOVECOT, "shared/bob@x", "bob@x", "shared/bob@x/"),
        (DOVECOT, "shared", "", ""),
        (DOVECOT, "sharedness", "", ""),
        (CYRUS, "INBOX.Work", "", ""),
        (CYRUS, "user.bob.Team", "bob", "user.bob."),
        (CYRUS, "news.local", "news", ""),
        (PUBLIC, "Public/Board", "Public", "Public/"),
        ([b"NIL NIL NIL"], "Work", "", ""),
        ([b"nonsense"], "Work", "", ""),
    ],
)
def test_the_beginning_of_a_name_tells_whose_a_mailbox_is(told: list[Any], name: str, owner: str, prefix: str) -> None:
    assert namespaces_in(told).owner_of(name) == (owner, prefix)


def test_reserved_names_are_where_the_folders_of_others_begin() -> None:
    found = namespaces_in(DOVECOT)
    assert found.reserved == {"shared"}
    assert found.is_prefix("shared")
    assert namespaces_in(CYRUS).root == ("INBOX.", ".")
    assert Namespaces().root == ("", "/")
