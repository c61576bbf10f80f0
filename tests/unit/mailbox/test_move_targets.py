"""Where messages may go: the list as people look for it, and what a typed name stands for."""

from __future__ import annotations

import pytest

from webmail.imap.mailbox_list.mailboxes import Overview
from webmail.mail import Mailbox, Role
from webmail.mailbox.folders import BadFolderNameError, NameFault, NewFolder
from webmail.mailbox.move_targets import grouped, matches, targets, typed_folder

FOUND = Overview(
    (
        Mailbox("INBOX", role=Role.INBOX),
        Mailbox("Drafts", role=Role.DRAFTS),
        Mailbox("Archive", role=Role.ARCHIVE),
        Mailbox("Archive/2025"),
        Mailbox("Trash", role=Role.TRASH),
        Mailbox("Projets", selectable=False),
        Mailbox("Projets/Été"),
        Mailbox("shared/bob/Team", owner="bob", prefix="shared/bob/"),
    )
)
PATHS = {m.name: m.name for m in FOUND.mailboxes} | {"Archive": "Archives", "Archive/2025": "Archives/2025", "INBOX": "Réception"}


def shown(recent: list[str], *sources: str) -> dict[str, list[str]]:
    groups = grouped(FOUND, targets(FOUND, set(sources)), recent)
    return {group.name: [("" if row.is_target else "-") + row.mailbox.name for row in group.rows] for group in groups}


def test_own_folders_stand_first_under_those_used_lately() -> None:
    assert shown(["Archive/2025", "gone", "Drafts"], "INBOX") == {
        "recent": ["Archive/2025"],
        "own": ["-Projets", "Projets/Été"],
        "special": ["Archive", "Archive/2025", "Trash"],
        "shared": ["shared/bob/Team"],
    }


def test_only_where_all_messages_are_is_no_target() -> None:
    assert "INBOX" in shown([], "INBOX", "Archive")["special"]
    assert "Archive" in shown([], "INBOX", "Archive")["special"]
    assert shown([], "Archive")["special"] == ["INBOX", "-Archive", "Archive/2025", "Trash"]


@pytest.mark.parametrize("typed", ["", " ", "été", "ETE", "jets/e", "ete proj", "Projets/Été"])
def test_the_filter_finds_any_part_whatever_the_accents(typed: str) -> None:
    assert matches("Projets/Été", typed)


@pytest.mark.parametrize("typed", ["etes", "%", "*", "pro été x"])
def test_the_filter_leaves_out_what_does_not_hold_the_words(typed: str) -> None:
    assert not matches("Projets/Été", typed)


@pytest.mark.parametrize(
    ("typed", "name"),
    [("archives", "Archive"), ("Archives / 2025", "Archive/2025"), ("projets/été", "Projets/Été"), ("réception", "INBOX")],
)
def test_a_path_as_it_is_shown_is_that_folder(typed: str, name: str) -> None:
    place = typed_folder(typed, FOUND, PATHS)
    assert isinstance(place, Mailbox) and place.name == name


@pytest.mark.parametrize(
    ("typed", "name", "above"),
    [
        ("Neu", "Neu", ()), ("Archives/2026", "Archive/2026", ()), ("Archives/2025/05", "Archive/2025/05", ()),
        ("Neu/a/b", "Neu/a/b", ("Neu", "Neu/a")), ("Projets", "Projets", ()),
    ],
)  # fmt: skip
def test_another_path_is_a_folder_to_be_made(typed: str, name: str, above: tuple[str, ...]) -> None:
    place = typed_folder(typed, FOUND, PATHS)
    assert isinstance(place, NewFolder) and (place.name, place.above) == (name, above)


@pytest.mark.parametrize(
    ("there", "typed", "name"),
    [
        ("Straße", "straße/2026", "Straße/2026"),
        ("Straße", "STRASSE/2026", "Straße/2026"),
        ("İzmir", "İzmir/2026/a", "İzmir/2026/a"),
    ],
)
def test_letters_that_grow_when_case_is_ignored_take_nothing_from_the_name(there: str, typed: str, name: str) -> None:
    place = typed_folder(typed, Overview((Mailbox(there),)), {there: there})
    assert isinstance(place, NewFolder) and place.name == name


def test_of_names_that_differ_in_case_only_the_very_one_is_meant() -> None:
    found = Overview((Mailbox("team"), Mailbox("Team"), Mailbox("TEAM")))
    for name in ("team", "Team", "TEAM"):
        place = typed_folder(name, found, {m.name: m.name for m in found.mailboxes})
        assert isinstance(place, Mailbox) and place.name == name
        inside = typed_folder(f"{name}/a", found, {m.name: m.name for m in found.mailboxes})
        assert isinstance(inside, NewFolder) and inside.name == f"{name}/a"


@pytest.mark.parametrize(
    ("typed", "fault"),
    [("", NameFault.EMPTY), ("/", NameFault.EMPTY), ("a//b", NameFault.DELIMITER), ("x" * 300, NameFault.LONG),
     ("Réception/x", NameFault.RESERVED), ("inbox", NameFault.RESERVED), ("a\x07", NameFault.CONTROL)],
)  # fmt: skip
def test_a_name_that_can_not_be_is_refused(typed: str, fault: NameFault) -> None:
    with pytest.raises(BadFolderNameError) as caught:
        typed_folder(typed, FOUND, PATHS)
    assert caught.value.fault in (fault, NameFault.DELIMITER if typed == "/" else fault)
