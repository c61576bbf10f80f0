"""Rights in folders: told, given and taken back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.fake_connection import FakeConnection
from webmail.errors import NotAllowedError, UnsafeValueError
from webmail.imap.mailbox_list import acl
from webmail.rights import Rights


def test_rights_say_what_one_may() -> None:
    reader, writer = Rights("lrs"), Rights(acl.LEVELS["write"])
    assert reader.may_read
    assert reader.may_see
    assert not (reader.may_flag or reader.may_insert or reader.may_delete or reader.may_manage or reader.may_remove)
    assert writer.may_flag
    assert writer.may_insert
    assert writer.may_delete
    assert not writer.may_manage


def test_one_folder_that_is_refused_does_not_hide_the_rights_in_others() -> None:
    connection: Any = FakeConnection(set(), [NotAllowedError("b"), {"MYRIGHTS": [b"a lrs"]}, NotAllowedError("b")])
    found = acl.rights(connection, ["a", "b"])
    assert {name: rights.letters for name, rights in found.items()} == {"a": "lrs", "b": ""}


def test_everybody_with_access_is_told_whatever_the_server_writes() -> None:
    told = {"ACL": [b'"Projet &AOk-" "bob x" lrs -eve r 2024 lrswipcda ann lrwstipekxacd']}
    connection: Any = FakeConnection(set(), [told])
    found = {entry.identifier: (entry.rights.letters, entry.level) for entry in acl.entries(connection, "Projet é")}
    assert found["bob x"] == ("lrs", "read")
    assert found["-eve"] == ("r", "")
    assert found["2024"] == ("lrswipkxtea", "manage"), "RFC 2086 has two letters for five"
    assert found["ann"][1] == "manage"


def test_an_old_server_is_given_the_letters_it_knows() -> None:
    new: Any = FakeConnection({"ACL", "RIGHTS=texk"}, [])
    acl.grant(new, ["A"], "bob", acl.LEVELS["manage"])
    assert new.sent == [b'SETACL "A" "bob" "lrswipkxtea"']
    old: Any = FakeConnection({"ACL"}, [])
    acl.grant(old, ["A"], "bob", acl.LEVELS["manage"])
    assert old.sent == [b'SETACL "A" "bob" "lrswipcda"']


@pytest.mark.parametrize("who", ["", "-bob", 'x"\r\nA1 DELETE INBOX', "nul\0", "x" * 300])
def test_nobody_breaks_out_of_the_command(who: str) -> None:
    connection: Any = FakeConnection({"ACL", "RIGHTS=texk"}, [])
    for verb in (lambda: acl.grant(connection, ["A"], who, "lr"), lambda: acl.revoke(connection, ["A"], who)):
        with pytest.raises(UnsafeValueError):
            verb()
    for letters in ("", "l r", 'lr"', "lré", "l\r\n"):
        with pytest.raises(UnsafeValueError):
            acl.grant(connection, ["A"], "bob", letters)
    assert connection.sent == []


def test_a_quoted_name_stays_one_word() -> None:
    connection: Any = FakeConnection({"ACL", "RIGHTS=texk"}, [])
    acl.grant(connection, ['a" b'], 'x" y', "lr")
    assert connection.sent == [b'SETACL "a\\" b" "x\\" y" "lr"']
