"""Actions: set flags on, move, copy and delete messages. Each returns what changed, so that it can be undone.

Each takes any number of UIDs. Callers with many messages call it once for each of `pieces`, or of `paced` for what takes long:
servers limit the length of a command and must respond before the timeout, and if one piece fails, it is known what was done
before. What changes messages is waited for longer than other things, and raises Unconfirmed if no answer came.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from webmail.errors import (
    NoSuchMailboxError,
    NotAllowedError,
    OutOfTimeError,
    RefusedError,
    ServerAwayError,
    UnconfirmedError,
    UnsafeValueError,
)
from webmail.imap.connections.commands import expand_uid_set, flag_list, imap_day, mailbox_name, uid_set
from webmail.imap.connections.connection import Command, Connection
from webmail.imap.connections.responses import numbers_of
from webmail.imap.mailbox_list.mailboxes import create, forget

_MOST_AT_ONCE = 5000  # messages per command
_AT_FIRST, _FEWEST = 1000, 500  # of `paced`: in a mailbox of a million, Dovecot moves some hundreds a second
_AIM = 4.0  # seconds that a command may take before the next names fewer messages
_ALTOGETHER = 50.0  # seconds in which pieces may begin: nginx waits 90 for a page (deploy/nginx.conf)
_LONGER = 4.0  # times as long as for other answers: 30 s, half of what proxies wait for a page
_LONGEST_SET = 8000  # bytes of a UID set in one command line (RFC 7162 section 4)
_MOST_SENT = 24_000  # bytes of commands sent at once: beyond the buffers, client and server would wait for each other to read


class KeepsNoTagsError(NotAllowedError):
    """The mailbox accepts no new keywords (RFC 3501 section 7.1, PERMANENTFLAGS without \\*)."""


@dataclass(frozen=True, slots=True)
class MovedMessages:
    """Where messages are now: `uids` in the target mailbox; `sources` are their old UIDs, in the same order.

    Both are empty if the server has no UIDPLUS.
    """

    mailbox: str
    uidvalidity: int
    uids: tuple[int, ...]
    sources: tuple[int, ...] = ()


def pieces(uids: Iterable[int]) -> Iterator[list[int]]:
    """Split UIDs, in ascending order, into pieces that each fit in one command."""
    piece: list[int] = []
    length = 0
    for uid in sorted(set(uids)):
        follows = bool(piece) and uid == piece[-1] + 1  # extends the range: no longer
        length += 0 if follows else 22
        if piece and (len(piece) >= _MOST_AT_ONCE or length > _LONGEST_SET):
            yield piece
            piece, length = [], 22
        piece.append(uid)
    if piece:
        yield piece


def last_moment() -> float:
    """Until when, by the monotonic clock, an action that begins now may begin pieces."""
    return time.monotonic() + _ALTOGETHER


def paced(uids: Iterable[int], until: float = float("inf")) -> Iterator[list[int]]:
    """As `pieces`, each as large as the server's pace lets it be: that is told by how long the caller took over the last one.

    Raises OutOfTimeError instead of beginning one after `until`.
    """
    numbers = sorted(set(uids))
    at, most = 0, _AT_FIRST
    while at < len(numbers):
        if (began := time.monotonic()) > until:
            raise OutOfTimeError(f"{len(numbers) - at} messages are left")
        piece = next(pieces(numbers[at : at + min(most, _MOST_AT_ONCE)]))
        yield piece
        at += len(piece)
        in_time = int(len(piece) * _AIM / max(time.monotonic() - began, 0.001))
        most = min(max(in_time, _FEWEST), 4 * most, _MOST_AT_ONCE)


def set_flags(
    connection: Connection,
    mailbox: str,
    uids: Iterable[int],
    flags: Iterable[str],
    add: bool = True,
    uidvalidity: int | None = None,
) -> None:
    """Add or remove flags: 1 round trip after the SELECT. Messages that no longer exist are ignored.

    Raises KeepsNoTagsError for a keyword that the mailbox does not accept, NotAllowedError if no flags may be changed.
    """
    names = list(flags)
    connection.select(mailbox, uidvalidity)
    _writable(connection)
    if any(name.startswith("\\") and not connection.keeps(name) for name in names):
        raise NotAllowedError(f"{mailbox}: {' '.join(names)} may not be changed")  # the server would respond OK anyway
    if add and not all(connection.keeps(name) for name in names):
        flaggable(connection)
        raise KeepsNoTagsError(f"{mailbox} keeps no keyword such as {' '.join(names)}")
    _change(connection, (b"UID STORE", uid_set(uids), b"+FLAGS.SILENT" if add else b"-FLAGS.SILENT", flag_list(names)))
    forget(connection.account, sizes=False)


def with_flag(
    connection: Connection, mailbox: str, uids: Iterable[int], flag: bytes, uidvalidity: int | None = None
) -> list[int]:
    """Those of `uids` that match a SEARCH key such as b"UNSEEN": 1 round trip after the SELECT."""
    connection.select(mailbox, uidvalidity)
    answer = connection.run((b"UID SEARCH", b"UID", uid_set(uids), flag))
    return numbers_of(answer.get("SEARCH", []))


def tallies(connection: Connection, mailbox: str, uids: Sequence[int], keywords: Sequence[str]) -> list[int]:
    """For each keyword, how many of `uids` have it: 1 round trip for each 24 KB of commands, after the SELECT."""
    connection.select(mailbox)
    among = uid_set(uids)
    counts: list[int] = []
    step = max(1, _MOST_SENT // (len(among) + 60))
    for first in range(0, len(keywords), step):
        asked = [(b"UID SEARCH", b"UID", among, b"KEYWORD", keyword(name)) for name in keywords[first : first + step]]
        lines = connection.run(*asked).get("SEARCH", [])
        if len(lines) != len(asked):
            raise RefusedError("the server does not answer each SEARCH")
        counts += [len(numbers_of([line])) for line in lines]
    return counts


def keyword(name: str) -> bytes:
    """A keyword for the SEARCH keys KEYWORD and UNKEYWORD. Raises UnsafeValueError if it is not a valid keyword."""
    if name.startswith("\\"):
        raise UnsafeValueError("a system flag is no keyword")
    return flag_list([name]).strip(b"()")


def by_date(
    connection: Connection, mailbox: str, uids: Sequence[int], spans: Sequence[tuple[date, date]], uidvalidity: int | None = None
) -> list[list[int]]:
    """For each span (first day, day after the last) those of `uids` received in it: 1 round trip after the SELECT."""
    connection.select(mailbox, uidvalidity)
    among = uid_set(uids)
    found = []
    answer = connection.run(
        *((b"UID SEARCH", b"UID", among, b"SINCE", imap_day(first), b"BEFORE", imap_day(after)) for first, after in spans)
    )
    lines = answer.get("SEARCH", [])
    if len(lines) != len(spans):
        raise RefusedError("the server does not answer each SEARCH")
    for line in lines:
        found.append(numbers_of([line]))
    return found


def move(connection: Connection, mailbox: str, uids: Iterable[int], to: str, uidvalidity: int | None = None) -> MovedMessages:
    """Move messages: 1 round trip after the SELECT (RFC 6851), 3 on servers without MOVE.

    Raises NoSuchMailboxError (either), OverQuotaError, NotAllowedError; then nothing was moved.
    """
    connection.select(mailbox, uidvalidity)
    _writable(connection)
    forget(connection.account)
    wanted = uid_set(uids)
    if connection.has("MOVE"):
        return _moved(to, _change(connection, (b"UID MOVE", wanted, mailbox_name(to))))
    removable(connection)
    answers = _change(connection, (b"UID COPY", wanted, mailbox_name(to)))
    _expunge(connection, wanted)
    return _moved(to, answers)


def move_back(
    connection: Connection, mailbox: str, uids: Iterable[int], to: str, uidvalidity: int | None, without: Sequence[str]
) -> MovedMessages:
    """Undo a move and remove the keywords in `without`, which the server sets when messages leave a mailbox (a Sieve script that
    trains its junk filter): 2 more round trips than `move`. Raises what `move` raises."""
    moved = move(connection, mailbox, uids, to, uidvalidity)
    if without and moved.uids:
        set_flags(connection, to, moved.uids, without, False, moved.uidvalidity)
    return moved


def move_making(
    connection: Connection, mailbox: str, uids: Sequence[int], to: str, uidvalidity: int | None = None
) -> MovedMessages:
    """Move to a mailbox, creating it if missing (3 more round trips). Raises what `move` and `create` raise."""
    try:
        return move(connection, mailbox, uids, to, uidvalidity)
    except NoSuchMailboxError:
        if connection.mailbox != mailbox:
            raise  # the source is missing
        make(connection, to)
        return move(connection, mailbox, uids, to, uidvalidity)


def make(connection: Connection, mailbox: str) -> None:
    """Create a mailbox unless it exists, perhaps just created by another session: 2 or 3 round trips. Raises RefusedError."""
    try:
        create(connection, mailbox)
    except RefusedError as refused:
        try:
            connection.run((b"STATUS", mailbox_name(mailbox), b"(UIDNEXT)"))
        except (NoSuchMailboxError, RefusedError):
            raise refused from None
        forget(connection.account, sizes=False)  # a folder that the overview does not know


def copy(connection: Connection, mailbox: str, uids: Iterable[int], to: str, uidvalidity: int | None = None) -> MovedMessages:
    """Copy messages: 1 round trip after the SELECT.

    Raises NoSuchMailboxError (either), OverQuotaError, NotAllowedError; then nothing was copied.
    """
    connection.select(mailbox, uidvalidity)
    forget(connection.account)
    return _moved(to, _change(connection, (b"UID COPY", uid_set(uids), mailbox_name(to))))


def delete(connection: Connection, mailbox: str, uids: Iterable[int], uidvalidity: int | None = None) -> None:
    """Permanently delete these messages: 2 round trips after the SELECT. Raises NotAllowedError."""
    connection.select(mailbox, uidvalidity)
    removable(connection)
    forget(connection.account)
    _expunge(connection, uid_set(uids))


def flaggable(connection: Connection) -> None:
    """Raises NotAllowedError if this person may not change flags in the selected mailbox (RFC 4314 section 4)."""
    if connection.read_only or not connection.keeps("\\Flagged"):
        raise NotAllowedError(f"the flags of {connection.mailbox} may not be changed")


def _writable(connection: Connection) -> None:
    if connection.read_only:
        raise NotAllowedError(f"{connection.mailbox} may only be read")


def removable(connection: Connection) -> None:
    """Raises NotAllowedError if this person may not delete messages of the selected mailbox."""
    _writable(connection)
    if not connection.keeps("\\Deleted"):  # STORE and EXPUNGE would respond OK and do nothing (RFC 4314 section 4)
        raise NotAllowedError(f"messages of {connection.mailbox} may not be deleted")


def _expunge(connection: Connection, uids: bytes) -> None:
    _change(connection, (b"UID STORE", uids, b"+FLAGS.SILENT", b"(\\Deleted)"))
    _change(connection, (b"UID EXPUNGE", uids) if connection.has("UIDPLUS") else (b"EXPUNGE",))


def _change(connection: Connection, command: Command) -> dict[str, list[Any]]:
    """Raises UnconfirmedError where the answer did not come."""
    try:
        with connection.waiting(_LONGER):
            return connection.run(command)
    except ServerAwayError as error:
        if connection.in_step:
            raise  # that is an answer
        raise UnconfirmedError(f"{command[0].decode()} was sent: {error}") from error


def _moved(to: str, answers: dict[str, list[Any]]) -> MovedMessages:
    """The COPYUID response code: UIDVALIDITY, source UIDs, target UIDs (RFC 4315 section 3)."""
    words = (answers.get("COPYUID") or [b""])[-1].decode("ascii", "replace").split()
    if len(words) != 3:
        return MovedMessages(to, 0, ())
    return MovedMessages(to, int(words[0]), tuple(expand_uid_set(words[2])), tuple(expand_uid_set(words[1])))
