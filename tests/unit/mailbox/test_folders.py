"""Folder names that people type, on servers that separate them by "/" and by "."."""

from __future__ import annotations

import pytest

from webmail.imap.mailbox_list.mailboxes import Overview
from webmail.imap.mailbox_list.namespaces import Namespaces
from webmail.mail import Mailbox
from webmail.mailbox.folders import BadFolderNameError, NameFault, path_of, planned

SLASH = Overview((Mailbox("INBOX"), Mailbox("Work"), Mailbox("Place", selectable=False)))
DOT = Overview(
    (Mailbox("INBOX", delimiter="."), Mailbox("INBOX.Work", delimiter=".")), namespaces=Namespaces(personal=(("INBOX.", "."),))
)


@pytest.mark.parametrize(
    ("found", "label", "parent", "name", "above"),
    [
        (SLASH, "New", "", "New", ()),
        (SLASH, "a/b/c", "", "a/b/c", ("a", "a/b")),
        (SLASH, "work/b", "", "Work/b", ()),
        (SLASH, " b / c ", "Work", "Work/b/c", ("Work/b",)),
        (SLASH, "Place", "", "Place", ()),
        (SLASH, "Place/a", "", "Place/a", ()),
        (SLASH, "a.b", "", "a.b", ()),
        (DOT, "New", "", "INBOX.New", ()),
        (DOT, "Work.2026", "", "INBOX.Work.2026", ()),
        (DOT, "a.b", "INBOX.Work", "INBOX.Work.a.b", ("INBOX.Work.a",)),
        (DOT, "a/b", "", "INBOX.a/b", ()),
    ],
)
def test_a_path_names_what_is_missing(found: Overview, label: str, parent: str, name: str, above: tuple[str, ...]) -> None:
    new = planned(label, parent, found)
    assert (new.name, new.above) == (name, above)


def test_a_name_is_told_without_the_servers_prefix() -> None:
    assert path_of("INBOX.Work.2026", DOT) == "Work.2026"


@pytest.mark.parametrize(
    ("found", "label", "fault"),
    [
        (DOT, "a..b", NameFault.DELIMITER),
        (DOT, ".", NameFault.DELIMITER),
        (DOT, "Work", NameFault.TAKEN),
        (SLASH, "a/..", NameFault.RESERVED),
        (SLASH, "a/b/c/d/e/f/g/h/i/j", NameFault.DEEP),
        (SLASH, "a" * 200 + "/" + "b" * 240 + "/" + "c" * 240 + "/" + "d" * 240, NameFault.LONG),
    ],
)
def test_other_paths_are_refused(found: Overview, label: str, fault: NameFault) -> None:
    with pytest.raises(BadFolderNameError) as refused:
        planned(label, "", found)
    assert refused.value.fault is fault
