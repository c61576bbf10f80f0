"""What a person does to messages of a list or to the one being read. How it is taken back is in `undo.py`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from webmail import imap
from webmail.errors import MailError, NoSuchMailbox, UnsafeValue
from webmail.imap.actions import MovedMessages
from webmail.imap.connection import Connection
from webmail.mail import Role
from webmail.mailbox.selection import Selection
from webmail.mailbox.undo import UndoSteps

_FLAGS = {  # action: (flag, add it?, SEARCH key of those that it changes)
    "read": ("\\Seen", True, b"UNSEEN"),
    "unread": ("\\Seen", False, b"SEEN"),
    "flag": ("\\Flagged", True, b"UNFLAGGED"),
    "unflag": ("\\Flagged", False, b"FLAGGED"),
}
_TAGS = {"tag": True, "untag": False}
_ROLES = {"archive": Role.ARCHIVE, "delete": Role.TRASH, "junk": Role.JUNK, "notjunk": Role.INBOX}
_CHOSEN = ("move", "copy")
ACTIONS = (*_FLAGS, *_TAGS, *_ROLES, *_CHOSEN, "destroy")
ARCHIVES = ("", "year", "month")


@dataclass(slots=True)
class ActionResult:
    """What an action did to how many messages, and the steps that take it back (none where it can't be).

    `failed` is what stopped it after a part was done.
    """

    action: str
    to: str = ""
    keyword: str = ""
    count: int = 0
    undo: UndoSteps = field(default_factory=UndoSteps)
    failed: MailError | None = None


def act(
    connection: Connection, chosen: Sequence[Selection], action: str, *, to: str = "", keyword: str = "", archive_by: str = ""
) -> ActionResult:
    """Carry out one of ACTIONS: about 4 round trips for each mailbox and each 5,000 messages; archiving by date searches too.

    `to` is where to for "move" and "copy", `keyword` is the tag's. Raises UnsafeValue for an unknown action, NoSuchMailbox for
    a move to nowhere, and what `imap.actions` raise; an error after a part was done is in the answer instead.
    """
    if action not in ACTIONS or (action in _TAGS and not keyword) or archive_by not in ARCHIVES:
        raise UnsafeValue("not an action")
    if action in _CHOSEN and not to:
        raise NoSuchMailbox("a move needs a folder")
    done = ActionResult(action, to if action in _CHOSEN else "", keyword)
    try:
        for group in chosen:
            for piece in imap.actions.pieces(group.uids):
                _carry_out(connection, replace(group, uids=tuple(piece)), done, archive_by)
    except MailError as error:
        if not done.count:
            raise
        done.failed = error
    return done


def _carry_out(connection: Connection, group: Selection, done: ActionResult, archive_by: str) -> None:
    connection.select(group.mailbox, group.uidvalidity)  # before anything is created: the list may be of another age
    if done.action in _FLAGS:
        _set_flag(connection, group, done, *_FLAGS[done.action])
    elif done.action in _TAGS:
        add = _TAGS[done.action]
        key = b"UNKEYWORD " if add else b"KEYWORD "
        _set_flag(connection, group, done, done.keyword, add, key + imap.actions.keyword(done.keyword))
    elif done.action == "destroy":
        imap.actions.delete(connection, group.mailbox, group.uids, group.uidvalidity)
        done.count += len(group.uids)
    elif done.action == "copy":
        _copy(connection, group, done)
    elif done.action == "archive":
        _archive(connection, group, done, archive_by)
    else:
        done.to = done.to or imap.mailboxes.for_role(connection, _ROLES[done.action])
        _move(connection, group, done, done.to)


def _set_flag(connection: Connection, group: Selection, done: ActionResult, flag: str, add: bool, key: bytes) -> None:
    changing = imap.actions.with_flag(connection, group.mailbox, group.uids, key, group.uidvalidity)
    if changing:
        imap.actions.set_flags(connection, group.mailbox, changing, [flag], add, group.uidvalidity)
        done.count += len(changing)
        done.undo.flag(group.mailbox, connection.uidvalidity, changing, flag, not add)


def _copy(connection: Connection, group: Selection, done: ActionResult) -> None:
    copied = imap.actions.copy(connection, group.mailbox, group.uids, done.to, group.uidvalidity)
    done.count += _how_many(connection, group, copied)
    done.undo.delete(copied.mailbox, copied.uidvalidity, copied.uids)


def _move(connection: Connection, group: Selection, done: ActionResult, target: str, *, making: bool = False) -> None:
    if target == group.mailbox:
        return
    ham = _known_as_ham(connection, group, done.action, target)
    verb = imap.actions.move_making if making else imap.actions.move
    moved = verb(connection, group.mailbox, group.uids, target, group.uidvalidity)
    done.count += _how_many(connection, group, moved)
    if ham is None:
        done.undo.move(moved.mailbox, moved.uidvalidity, moved.uids, group.mailbox)
        return
    before = dict(zip(moved.uids, moved.sources, strict=False))
    done.undo.move(moved.mailbox, moved.uidvalidity, [uid for uid, was in before.items() if was in ham], group.mailbox)
    others = [uid for uid, was in before.items() if was not in ham]
    done.undo.move_unjunked(moved.mailbox, moved.uidvalidity, others, group.mailbox)


def _known_as_ham(connection: Connection, group: Selection, action: str, target: str) -> set[int] | None:
    """Those that have $NotJunk, which goes in the junk folder and comes with leaving it; None for a move to elsewhere."""
    into_junk = action == "junk"
    if action == "move":
        found = imap.mailboxes.overview(connection).get(target)
        into_junk = found is not None and found.role is Role.JUNK
    if not into_junk:
        return None
    return set(imap.actions.with_flag(connection, group.mailbox, group.uids, b"KEYWORD $NotJunk", group.uidvalidity))


def _how_many(connection: Connection, group: Selection, moved: MovedMessages) -> int:
    """Without UIDPLUS a server does not tell which of them were still there."""
    return len(moved.uids) if connection.has("UIDPLUS") else len(group.uids)


# --- the archive -----------------------------------------------------------------------------------------------------


def _archive(connection: Connection, group: Selection, done: ActionResult, by: str) -> None:
    archive = imap.mailboxes.for_role(connection, Role.ARCHIVE)
    done.to = done.to or archive
    if not by:
        _move(connection, group, done, archive)
        return
    overview = imap.mailboxes.overview(connection)
    found = overview.get(archive)
    delimiter = (found.delimiter if found else "") or "/"
    for first, uids in _by_year(connection, group, by):
        parts = [archive, f"{first.year:04d}"] + ([f"{first.month:02d}"] if by == "month" else [])
        target = delimiter.join(parts)
        if by == "month" and overview.get(year := delimiter.join(parts[:2])) is None:
            imap.actions.make(connection, year)  # by itself: a folder that only its months make can't be opened
            overview = imap.mailboxes.overview(connection)
        done.to = target
        _move(connection, replace(group, uids=tuple(uids)), done, target, making=True)


_OLDEST = 1970
_YEARS_AT_ONCE = 8


def _by_year(connection: Connection, group: Selection, by: str) -> Iterator[tuple[date, list[int]]]:
    """The messages by the year (or month) they were received in, the latest first: 1 round trip for each 8 years."""
    left = set(group.uids)
    this = date.today().year + 1  # a message may say it is of tomorrow
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
    yield date(_OLDEST, 1, 1), sorted(left)  # those that came before there was mail, and those that are gone


def _by_month(connection: Connection, group: Selection, first: date, uids: set[int]) -> Iterator[tuple[date, list[int]]]:
    begins = [date(first.year, month, 1) for month in range(1, 13)]
    spans = list(zip(begins, [*begins[1:], date(first.year + 1, 1, 1)], strict=True))
    for (begin, _after), found in zip(spans, _found(connection, group, uids, spans), strict=True):
        if found:
            yield begin, found


def _found(connection: Connection, group: Selection, uids: set[int], spans: list[tuple[date, date]]) -> list[list[int]]:
    return imap.actions.by_date(connection, group.mailbox, sorted(uids), spans, group.uidvalidity)
