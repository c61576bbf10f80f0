"""Every button above a list has its record; each record says of what it does, and what is done has an undo unless it can't."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from webmail.compose import views as compose
from webmail.contacts import views as contacts
from webmail.errors import NoSuchMailboxError, UnsafeValueError
from webmail.filters import views as filters
from webmail.mail import Role
from webmail.mailbox import views as mailbox
from webmail.mailbox.actions import ACTIONS, apply_action
from webmail.mailbox.views.actions import LIST_ACTIONS, asking_actions, filing_actions, marking_actions
from webmail.message import views as message
from webmail.rights import ALL_RIGHTS, Rights
from webmail.web.frame.list_buttons import LIST_BUTTONS

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"


def names(actions):
    return [action.name for action in actions]


def test_every_button_of_the_lists_forms_has_a_record() -> None:
    assert all(area.blueprint for area in (mailbox, contacts, compose, filters, message))  # imported, they have registered theirs
    known = LIST_ACTIONS.keys() | LIST_BUTTONS.keys()
    lists = ("_macros.html", "mailbox/_bar.html", "message/show.html")
    asked = ("mailbox/_choose_folder.html", "mailbox/_choose_tags.html", "mailbox/choose.html", "mailbox/destroy.html")
    for file in (*lists, *asked):
        for tag in re.findall(r"<button[^>]*>", (TEMPLATES / file).read_text()):
            if 'name="action"' in tag and (value := re.search(r' value="([^":{]+)', tag)):
                assert value[1] in known, f"{file}: {tag}"


def test_what_is_done_to_messages_can_be_pressed_and_is_told() -> None:
    assert ACTIONS.keys() <= LIST_ACTIONS.keys()
    nothing_told = {name for name in ACTIONS if LIST_ACTIONS[name].says is LIST_ACTIONS["tags"].says}
    assert nothing_told == set()


def test_only_what_is_deleted_for_good_has_no_undo() -> None:
    assert {name for name, action in ACTIONS.items() if not action.undo} == {"destroy"}


def test_what_moves_messages_is_done_one_at_a_time() -> None:
    moves = {name for name, action in ACTIONS.items() if action.undo == "move"}
    assert moves | {"make", "retag", "snooze"} == {name for name, action in LIST_ACTIONS.items() if action.one_at_a_time}


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (Role.INBOX, ["archive", "moveto", "delete", "junk"]),
        (None, ["archive", "moveto", "delete", "junk"]),
        (Role.ARCHIVE, ["moveto", "delete", "junk"]),
        (Role.SENT, ["archive", "moveto", "delete"]),
        (Role.DRAFTS, ["moveto", "delete"]),
        (Role.TRASH, ["moveto", "delete"]),
        (Role.JUNK, ["moveto", "delete", "notjunk"]),
    ],
)
def test_each_folder_offers_what_makes_sense_in_it(role, expected) -> None:
    assert names(filing_actions(role, ALL_RIGHTS)) == expected


def test_what_one_may_not_do_is_not_offered() -> None:
    assert filing_actions(Role.INBOX, Rights("lrsw")) == []
    assert names(marking_actions(Rights("lrs"))) == ["read", "unread"]
    assert names(marking_actions(Rights("lr"))) == []
    assert names(asking_actions(ALL_RIGHTS)) == ["tags", "later"]
    assert names(asking_actions(Rights("lr"))) == []


def test_an_action_is_refused_before_the_server_is_asked() -> None:
    connection = None  # nothing is asked of it
    with pytest.raises(UnsafeValueError):
        apply_action(connection, [], "explode")
    with pytest.raises(UnsafeValueError):
        apply_action(connection, [], "tag")
    with pytest.raises(UnsafeValueError):
        apply_action(connection, [], "archive", archive_by="decade")
    with pytest.raises(NoSuchMailboxError):
        apply_action(connection, [], "move")
