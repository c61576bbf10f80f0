"""Whom a folder may be shared with, where the accounts are not ours."""

from __future__ import annotations

import pytest

from webmail.config.settings import Settings
from webmail.mailbox import sharing
from webmail.mailbox.sharing import NotSharedError, ShareWarning
from webmail.models import User

ANN = User(address="ann@x.example", local="ann", domain="x.example")


@pytest.mark.parametrize(
    ("words", "settings", "who"),
    [
        ("bob@y.example", Settings(), "bob@y.example"),
        (" Bob ", Settings(), "bob@x.example"),
        ("bob", Settings(login_name="local", domain="x.example"), "bob"),
    ],
)
def test_a_person_is_taken_as_typed_and_called_as_the_server_does(words: str, settings: Settings, who: str) -> None:
    assert sharing.person(words, ANN, settings) == who


@pytest.mark.parametrize(
    ("words", "doubt"),
    [
        ("", ShareWarning.EMPTY),
        ("ann", ShareWarning.ONESELF),
        ("ANN@x.example", ShareWarning.ONESELF),
        ("anyone", ShareWarning.ODD),
        ("-bob", ShareWarning.ODD),
        ("$staff", ShareWarning.ODD),
        ("bob\r\n", ShareWarning.ODD),
        ("b\0b", ShareWarning.ODD),
        ("a b", ShareWarning.ODD),
    ],
)
def test_what_is_no_person_is_not_let_in(words: str, doubt: ShareWarning) -> None:
    if words.strip() != words:
        words = "x" + words + "x"
    with pytest.raises(NotSharedError) as caught:
        sharing.person(words, ANN, Settings())
    assert caught.value.doubt is doubt


def test_groups_only_where_the_server_has_some() -> None:
    assert sharing.group("staff", ANN, Settings(group_prefix="group:")) == "group:staff"
    assert sharing.everyone(ANN, Settings(group_prefix="$", sign_in="accounts")) == "$x.example"
    assert sharing.everyone(ANN, Settings(group_prefix="$")) == "", "only the server knows its groups"
    for words, settings in (("staff", Settings()), ("", Settings(group_prefix="$")), ("a\nb", Settings(group_prefix="$"))):
        with pytest.raises(NotSharedError):
            sharing.group(words, ANN, settings)
