"""Folders: validating names, renaming, moving and deleting; updates drafts, searches and preferences that refer to a folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from webmail import imap, preferences
from webmail.errors import MailError, NoSuchMailboxError, NotAllowedError
from webmail.imap.connections.connection import Connection
from webmail.imap.mailbox_list.mailboxes import Overview
from webmail.mail import Mailbox, Role
from webmail.models import DraftRow, Outbox, RecentFolder, SavedSearch, Snoozed, User

_MOST_BYTES = 240  # of one level: file systems allow 255
_MOST_LEVELS = 8  # folders that one typed path may make above the last
_MOST_CHARACTERS = 900  # of a full name; commands.py allows 1000


class NameFault(StrEnum):
    """What is wrong with a folder name."""

    EMPTY = "empty"
    LONG = "long"
    CONTROL = "control"  # control or invisible characters
    DELIMITER = "delimiter"  # nothing before or after it
    DEEP = "deep"
    RESERVED = "reserved"
    TAKEN = "taken"
    INSIDE = "inside"  # a folder can't be moved into itself


class BadFolderNameError(MailError):
    """The folder name is not allowed; `fault` says why, `name` is the mailbox that has it already, where that is the fault."""

    status = 422

    def __init__(self, fault: NameFault, name: str = "") -> None:
        super().__init__(f"not a name for a folder: {fault}")
        self.fault, self.name = fault, name


@dataclass(frozen=True, slots=True)
class MovedFolder:
    """The new name of a folder, the one before, and the folders that were made for it."""

    name: str
    before: str
    made: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NewFolder:
    """A folder to be made: its full name, the missing ones above it (outermost first), and its own label."""

    name: str
    above: tuple[str, ...]
    label: str


def delimiter_of(found: Overview) -> str:
    """The hierarchy delimiter, "/" on most servers."""
    return next((m.delimiter for m in found.mailboxes if m.delimiter), found.namespaces.root[1] or "/")


def planned(label: str, parent: str, found: Overview) -> NewFolder:
    """Validate `label` as a folder inside `parent` ("" for the top level); with the server's delimiter it is a path, whose
    missing folders are made too. A folder that differs only in upper and lower case counts as there already.

    Raises BadFolderNameError, NoSuchMailboxError.
    """
    delimiter = delimiter_of(found)
    if parent and found.get(parent) is None:
        raise NoSuchMailboxError("no such folder to put one into")
    *above, last = (part.strip() for part in label.strip().split(delimiter))
    if len(above) >= _MOST_LEVELS:
        raise BadFolderNameError(NameFault.DEEP)
    if above and not all((*above, last)):
        raise BadFolderNameError(NameFault.DELIMITER)
    made: list[str] = []
    for part in above:
        parent = _checked(part, parent, found)
        if there := _named(parent, found):
            parent = there.name
        else:
            made.append(parent)
    name = _checked(last, parent, found)
    if (there := _named(name, found)) and there.selectable:
        raise BadFolderNameError(NameFault.TAKEN, there.name)
    return NewFolder(name, tuple(made), last)


def _checked(label: str, parent: str, found: Overview) -> str:
    """The full name of one level. Raises BadFolderNameError."""
    if not label:
        raise BadFolderNameError(NameFault.EMPTY)
    if not label.isprintable():  # Cc, Cf, surrogates, line separators; a space is printable
        raise BadFolderNameError(NameFault.CONTROL)
    name = parent + delimiter_of(found) + label if parent else found.namespaces.root[0] + label
    if len(label.encode()) > _MOST_BYTES or len(name) > _MOST_CHARACTERS:
        raise BadFolderNameError(NameFault.LONG)
    if label in (".", "..") or label.startswith("~") or (not parent and _reserved(label, found)):
        raise BadFolderNameError(NameFault.RESERVED)
    return name


def _named(name: str, found: Overview) -> Mailbox | None:
    """The mailbox of this name, else one that differs in case only."""
    return found.get(name) or next((m for m in found.mailboxes if m.name.casefold() == name.casefold()), None)


def _reserved(label: str, found: Overview) -> bool:
    return label.upper() == "INBOX" or label in found.namespaces.reserved


def path_of(name: str, found: Overview) -> str:
    """A full name as a person would type it, without the prefix that some servers put before it."""
    return name.removeprefix(found.namespaces.root[0])


def make(connection: Connection, new: NewFolder) -> None:
    """Create a folder and those above it: 2 round trips each. Raises RefusedError, NotAllowedError; what was made before
    stays."""
    for name in (*new.above, new.name):
        imap.mailboxes.create(connection, name)


def rename(connection: Connection, user: User, found: Overview, mailbox: Mailbox, label: str, parent: str) -> MovedFolder:
    """Rename or move a folder and update references to it; what is missing above it is made. Raises BadFolderNameError and what
    imap.folders.rename raises."""
    if parent == mailbox.name or mailbox.holds(parent):
        raise BadFolderNameError(NameFault.INSIDE)
    others = [m for m in found.mailboxes if m.name != mailbox.name]  # so that "team" can be renamed to "Team"
    new = planned(label, parent, Overview(tuple(others), namespaces=found.namespaces))
    if mailbox.name in new.above or mailbox.holds(new.name):
        raise BadFolderNameError(NameFault.INSIDE)
    above = found.get(new.name.rpartition(delimiter_of(found))[0])
    if new.name != mailbox.name:
        for name in new.above:
            imap.mailboxes.create(connection, name)
        imap.folders.rename(connection, found, mailbox, new.name)
        carry(user, mailbox, new.name, trashed=bool(above and in_trash(found, above)))
    return MovedFolder(new.name, mailbox.name, new.above)


def in_trash(found: Overview, mailbox: Mailbox) -> bool:
    """Whether this is the trash folder or inside it."""
    trash = found.with_role(Role.TRASH)
    return bool(trash and not mailbox.owner and (mailbox.name == trash.name or trash.holds(mailbox.name)))


def to_trash(connection: Connection, user: User, found: Overview, mailbox: Mailbox) -> MovedFolder:
    """Move a folder with its subfolders to the trash.

    Raises RefusedError if the trash can't contain folders, BadFolderNameError if the trash is inside this folder.
    """
    trash = imap.mailboxes.for_role(connection, Role.TRASH)
    if mailbox.holds(trash):
        raise BadFolderNameError(NameFault.INSIDE)
    taken = {m.name.casefold() for m in found.mailboxes}
    place, count = trash + (mailbox.delimiter or delimiter_of(found)) + mailbox.label, 1
    name = place
    while name.casefold() in taken:
        count += 1
        name = f"{place} ({count})"
    imap.folders.rename(connection, found, mailbox, name)
    carry(user, mailbox, name, trashed=True)
    return MovedFolder(name, mailbox.name)


def own_place(mailbox: Mailbox) -> None:
    """Raises NotAllowedError for a folder with a special use, or one that the user has no right to move."""
    if mailbox.role or not mailbox.rights.may_remove:
        raise NotAllowedError(f"{mailbox.name} keeps its name and its place")


def put_back(connection: Connection, user: User, found: Overview, name: str, before: str) -> MovedFolder:
    """Undo a move. Raises NoSuchMailboxError if the folder is gone, NotAllowedError, BadFolderNameError if its former name is
    taken."""
    mailbox = found.get(name)
    if mailbox is None or not before:
        raise NoSuchMailboxError("the folder is no longer where it was put")
    own_place(mailbox)
    delimiter = delimiter_of(found)
    if _reserved(before.partition(delimiter)[0], found) and before.partition(delimiter)[0] != "INBOX":
        raise BadFolderNameError(NameFault.RESERVED)
    if found.get(before) is not None:
        raise BadFolderNameError(NameFault.TAKEN)
    imap.folders.rename(connection, found, mailbox, before)
    carry(user, mailbox, before)
    return MovedFolder(before, name)


def delete(connection: Connection, user: User, found: Overview, mailbox: Mailbox) -> None:
    """Delete a folder and its subfolders permanently. Raises what imap.folders.delete raises."""
    imap.folders.delete(connection, found, mailbox)
    carry(user, mailbox, "")


# --- references to folders -------------------------------------------------------------------------------------------

_POINTERS: tuple[tuple[Any, str], ...] = (
    (SavedSearch, "mailbox"),
    (Snoozed, "mailbox"),
    (Snoozed, "folder"),
    (RecentFolder, "mailbox"),
    (DraftRow, "source_mailbox"),
    (DraftRow, "saved_mailbox"),
    (Outbox, "source_mailbox"),
    (Outbox, "saved_mailbox"),
)


Follower = Callable[[User, Callable[[str], str], bool], object]
_followers: list[Follower] = []


def followed_by(act: Follower) -> None:
    """Tell `act` of each folder that is renamed or deleted: whose it is, how to find the name of any folder now ("" for one that
    is gone), and whether it went away: deleted, or into the trash. Also where the trash or other special folders are others now.
    For areas that come after this one.
    """
    _followers.append(act)


def roles_changed(user: User) -> None:
    """Tell those areas that other folders are special now."""
    for act in _followers:
        act(user, str, False)


def carry(user: User, mailbox: Mailbox, to: str, trashed: bool = False) -> None:
    """Update all references to this mailbox, or one inside it, to the new name `to`; empty if it was deleted.

    Saved searches of a deleted folder search everywhere; messages snoozed from a deleted or trashed folder return to the inbox,
    and such a folder loses its special use.
    """

    def now(name: str) -> str:
        if name != mailbox.name and not mailbox.holds(name):
            return name
        return to + name.removeprefix(mailbox.name) if to else ""

    before = preferences.for_user(user)
    after = {
        "favourites": [now(name) for name in before.favourites if now(name)],
        "conversation_folders": [now(name) for name in before.conversation_folders if now(name)],
        "scattered_folders": [now(name) for name in before.scattered_folders if now(name)],
        "roles": {r: now(n) for r, n in before.roles.items() if now(n) and (now(n) == n or not trashed)},
    }
    if after != {name: _plain(getattr(before, name)) for name in after}:
        preferences.change(user, **after)
    for table, name in _POINTERS:
        column = getattr(table, name)
        concerned = table.select(table.id, column).where(table.user == user, column.startswith(mailbox.name))
        for row_id, old in list(concerned.tuples()):
            if (new := now(old)) != old:
                table.update(_elsewhere(table, name, new, trashed)).where(table.id == row_id).execute()
    for act in _followers:
        act(user, now, trashed or not to)


def _elsewhere(table: Any, name: str, new: str, trashed: bool) -> dict[str, str]:
    if table is Snoozed and name == "mailbox" and (trashed or not new):
        return {name: "INBOX"}
    if table is SavedSearch and not new:
        return {name: "INBOX", "scope": "all"}
    return {name: new}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
