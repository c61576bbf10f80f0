"""Message actions: flags, tags, move, copy, archive, junk and delete, with the steps that undo them (see `undo.py`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

from webmail import imap
from webmail.errors import MailError, NoSuchMailboxError, UnsafeValueError
from webmail.imap.bulk.actions import MovedMessages
from webmail.imap.connections.connection import Connection
from webmail.mail import Role
from webmail.mailbox.selection import Selection
from webmail.mailbox.undo import UndoSteps

Undone = Literal["flags", "move", "delete", ""]  # the kind of steps in `mailbox.undo` that undo an action; "": no undo


@dataclass(slots=True)
class ActionResult:
    """The outcome of an action: the number of messages changed, and the steps that undo it (none if that is impossible).

    `failed` is the error that stopped it after some messages were processed.
    """

    action: str
    to: str = ""
    keyword: str = ""
    count: int = 0
    undo: UndoSteps = field(default_factory=UndoSteps)
    failed: MailError | None = None


@dataclass(frozen=True, slots=True)
class MessageAction:
    """An action on messages: its name, a function that applies it to those of one mailbox, and its kind of undo.

    `needs` is the required argument.
    """

    name: str
    apply: Callable[[Connection, Selection, ActionResult, str], None]  # the str is `archive_by`
    undo: Undone = ""
    needs: Literal["folder", "keyword", ""] = ""


ARCHIVES = ("", "year", "month")


def apply_action(
    connection: Connection, chosen: Sequence[Selection], name: str, *, to: str = "", keyword: str = "", archive_by: str = ""
) -> ActionResult:
    """Carry out one of ACTIONS: about 4 round trips per mailbox and 500 to 5,000 messages; archiving by date also searches.

    `to` is the target of "move" and "copy", `keyword` that of a tag. Raises UnsafeValueError for an unknown action,
    NoSuchMailboxError for a missing target, and what `imap.actions` raises; an error after some messages were processed is in the
    result instead.
    """
    action = ACTIONS.get(name)
    if action is None or (action.needs == "keyword" and not keyword) or archive_by not in ARCHIVES:
        raise UnsafeValueError("not an action")
    if action.needs == "folder" and not to:
        raise NoSuchMailboxError("a move needs a folder")
    result = ActionResult(name, to if action.needs == "folder" else "", keyword)
    until = imap.actions.last_moment()
    try:
        for group in chosen:
            for piece in imap.actions.paced(group.uids, until):
                connection.select(group.mailbox, group.uidvalidity)  # before anything is created: the list may be stale
                action.apply(connection, replace(group, uids=tuple(piece)), result, archive_by)
    except MailError as error:
        if not result.count:
            raise
        result.failed = error
    return result


# --- what each does --------------------------------------------------------------------------------------------------


def _flag(flag: str, *, add: bool, changes: bytes) -> Callable[..., None]:
    """Set or remove a flag on the messages that match the SEARCH key `changes`; the others have that state already."""

    def apply(connection: Connection, group: Selection, result: ActionResult, _archive_by: str) -> None:
        _set_flag(connection, group, result, flag, add, changes)

    return apply


def _tag(connection: Connection, group: Selection, result: ActionResult, _archive_by: str) -> None:
    _set_flag(connection, group, result, result.keyword, True, b"UNKEYWORD " + imap.actions.keyword(result.keyword))


def _untag(connection: Connection, group: Selection, result: ActionResult, _archive_by: str) -> None:
    _set_flag(connection, group, result, result.keyword, False, b"KEYWORD " + imap.actions.keyword(result.keyword))


def _destroy(connection: Connection, group: Selection, result: ActionResult, _archive_by: str) -> None:
    imap.actions.delete(connection, group.mailbox, group.uids, group.uidvalidity)
    result.count += len(group.uids)


def _move_to_role(role: Role) -> Callable[..., None]:
    def apply(connection: Connection, group: Selection, result: ActionResult, _archive_by: str) -> None:
        result.to = result.to or imap.mailboxes.for_role(connection, role)
        _move(connection, group, result, result.to)

    return apply


def _move_to_chosen(connection: Connection, group: Selection, result: ActionResult, _archive_by: str) -> None:
    _move(connection, group, result, result.to)


def _set_flag(connection: Connection, group: Selection, result: ActionResult, flag: str, add: bool, key: bytes) -> None:
    changing = imap.actions.with_flag(connection, group.mailbox, group.uids, key, group.uidvalidity)
    if changing:
        imap.actions.set_flags(connection, group.mailbox, changing, [flag], add, group.uidvalidity)
        result.count += len(changing)
        result.undo.flag(group.mailbox, connection.uidvalidity, changing, flag, not add)


def _copy(connection: Connection, group: Selection, result: ActionResult, _archive_by: str) -> None:
    copied = imap.actions.copy(connection, group.mailbox, group.uids, result.to, group.uidvalidity)
    result.count += _how_many(connection, group, copied)
    result.undo.delete(copied.mailbox, copied.uidvalidity, copied.uids)


def _move(connection: Connection, group: Selection, result: ActionResult, target: str, *, making: bool = False) -> None:
    if target == group.mailbox:
        return
    ham = _known_as_ham(connection, group, result.action, target)
    verb = imap.actions.move_making if making else imap.actions.move
    moved = verb(connection, group.mailbox, group.uids, target, group.uidvalidity)
    result.count += _how_many(connection, group, moved)
    if ham is None:
        result.undo.move(moved.mailbox, moved.uidvalidity, moved.uids, group.mailbox)
        return
    before = dict(zip(moved.uids, moved.sources, strict=False))
    result.undo.move(moved.mailbox, moved.uidvalidity, [uid for uid, was in before.items() if was in ham], group.mailbox)
    others = [uid for uid, was in before.items() if was not in ham]
    result.undo.move_unjunked(moved.mailbox, moved.uidvalidity, others, group.mailbox)


def _known_as_ham(connection: Connection, group: Selection, action: str, target: str) -> set[int] | None:
    """UIDs with $NotJunk before a move to junk; the server removes it there, and adds it on the way back. None if not to junk."""
    into_junk = action == "junk"
    if action == "move":
        found = imap.mailboxes.overview(connection).get(target)
        into_junk = found is not None and found.role is Role.JUNK
    if not into_junk:
        return None
    return set(imap.actions.with_flag(connection, group.mailbox, group.uids, b"KEYWORD $NotJunk", group.uidvalidity))


def _how_many(connection: Connection, group: Selection, moved: MovedMessages) -> int:
    """The number of messages moved; without UIDPLUS the number requested, since the server does not report which existed."""
    return len(moved.uids) if connection.has("UIDPLUS") else len(group.uids)


# --- the archive -----------------------------------------------------------------------------------------------------


def _archive(connection: Connection, group: Selection, result: ActionResult, by: str) -> None:
    archive = imap.mailboxes.for_role(connection, Role.ARCHIVE)
    result.to = result.to or archive
    if not by:
        _move(connection, group, result, archive)
        return
    overview = imap.mailboxes.overview(connection)
    found = overview.get(archive)
    delimiter = (found.delimiter if found else "") or "/"
    for first, uids in _by_year(connection, group, by):
        parts = [archive, f"{first.year:04d}"] + ([f"{first.month:02d}"] if by == "month" else [])
        target = delimiter.join(parts)
        if by == "month" and overview.get(year := delimiter.join(parts[:2])) is None:
            imap.actions.make(connection, year)  # explicitly: a parent created implicitly can't be opened
            overview = imap.mailboxes.overview(connection)
        result.to = target
        _move(connection, replace(group, uids=tuple(uids)), result, target, making=True)


_OLDEST = 1970
_YEARS_AT_ONCE = 8


def _by_year(connection: Connection, group: Selection, by: str) -> Iterator[tuple[date, list[int]]]:
    """Group the messages by the year (or month) they were received in, the latest first. 1 round trip per 8 years."""
    left = set(group.uids)
    this = date.today().year + 1  # internal dates may be slightly in the future
    for latest in range(this, _OLDEST - 1, -_YEARS_AT_ONCE):
        years = range(latest, max(latest - _YEARS_AT_ONCE, _OLDEST - 1), -1)
        spans = [(date(year, 1, 1), date(year + 1, 1, 1)) for year in years]
        for (first, _after), uids in zip(spans, _found(connection, group, left, spans), strict=True):
            here = left.intersection(uids)
            left -= here
            if here and by == "month":
                yield from _by_month(connection, group, first, here)
            elif here:
                yield first, sorted(here)
        if not left:
            return
    yield date(_OLDEST, 1, 1), sorted(left)  # older dates, and messages that no longer exist


def _by_month(connection: Connection, group: Selection, first: date, uids: set[int]) -> Iterator[tuple[date, list[int]]]:
    begins = [date(first.year, month, 1) for month in range(1, 13)]
    spans = list(zip(begins, [*begins[1:], date(first.year + 1, 1, 1)], strict=True))
    for (begin, _after), found in zip(spans, _found(connection, group, uids, spans), strict=True):
        if found:
            yield begin, found


def _found(connection: Connection, group: Selection, uids: set[int], spans: list[tuple[date, date]]) -> list[list[int]]:
    return imap.actions.by_date(connection, group.mailbox, sorted(uids), spans, group.uidvalidity)


ACTIONS = {
    action.name: action
    for action in (
        MessageAction("read", _flag("\\Seen", add=True, changes=b"UNSEEN"), undo="flags"),
        MessageAction("unread", _flag("\\Seen", add=False, changes=b"SEEN"), undo="flags"),
        MessageAction("flag", _flag("\\Flagged", add=True, changes=b"UNFLAGGED"), undo="flags"),
        MessageAction("unflag", _flag("\\Flagged", add=False, changes=b"FLAGGED"), undo="flags"),
        MessageAction("tag", _tag, undo="flags", needs="keyword"),
        MessageAction("untag", _untag, undo="flags", needs="keyword"),
        MessageAction("archive", _archive, undo="move"),
        MessageAction("delete", _move_to_role(Role.TRASH), undo="move"),
        MessageAction("junk", _move_to_role(Role.JUNK), undo="move"),
        MessageAction("notjunk", _move_to_role(Role.INBOX), undo="move"),
        MessageAction("move", _move_to_chosen, undo="move", needs="folder"),
        MessageAction("copy", _copy, undo="delete", needs="folder"),
        MessageAction("destroy", _destroy),
    )
}
