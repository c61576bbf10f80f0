"""Verbs on messages: list a page, fetch one, stream a part, append, find."""

from __future__ import annotations

import re
from builtins import list as List  # `list` is this module's verb
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from webmail.account import Account
from webmail.imap.actions import delete, set_flags
from webmail.imap.bodystructure import tree
from webmail.imap.commands import flag_list, mailbox_name, quoted, uid_set
from webmail.imap.connection import Command, Connection, fetched
from webmail.imap.mailboxes import Overview, forget, overview_commands, overview_in
from webmail.imap.pool import connect
from webmail.imap.search import criteria
from webmail.imap.summaries import known, remember
from webmail.mail import Message, NoSuchMessage, Part, Structure, Summary, UnsafeValue
from webmail.mime import headers, structure, text

__all__ = [
    "Listing", "append", "delete", "fetch", "find_message_id", "find_part", "html", "list", "neighbours", "part", "raw",
    "read", "set_flags", "stream", "stream_raw",
]  # fmt: skip

SORTS = {"date": b"REVERSE ARRIVAL", "from": b"FROM", "subject": b"SUBJECT", "size": b"REVERSE SIZE"}

_ROW_HEADERS = b"BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE)]"
_MESSAGE_HEADERS = (
    b"BODY.PEEK[HEADER.FIELDS (SUBJECT FROM REPLY-TO DATE MESSAGE-ID IN-REPLY-TO REFERENCES LIST-ID LIST-POST)]<0.65536> "
    b"BODY.PEEK[HEADER.FIELDS (TO CC BCC)]<0.65536>"
)
_LARGEST_TEXT = 1_000_000  # bytes of a body that a page shows
_LARGEST_WHOLE = 20_000_000  # bytes read of a message whose structure the server can't tell
_CHUNK = 512 * 1024
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a mailbox or of a search. `total` counts what matches; pages start at 1."""

    mailbox: str
    uidvalidity: int
    total: int
    page: int
    size: int
    rows: tuple[Summary, ...]
    overview: Overview

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))

    @property
    def first(self) -> int:
        return (self.page - 1) * self.size + 1 if self.total else 0

    @property
    def last(self) -> int:
        return min(self.page * self.size, self.total)


def list(connection: Connection, mailbox: str, *, page: int = 1, size: int = 50, query: str = "", sort: str = "date") -> Listing:
    """A page of summaries, newest first, with the folders beside it: at most 3 round trips whatever the mailbox's size.

    SELECT or NOOP; SEARCH or SORT only for a query or another order; then FETCH (of flags alone for rows that are known),
    LIST and GETQUOTAROOT together; once more FETCH when the guess of what is known was wrong. Raises NoSuchMailbox, UnsafeValue.
    """
    connection.select(mailbox)
    if query or (sort != "date" and sort in SORTS and connection.has("SORT")):
        uids = _matching(connection, query, sort)
        total = len(uids)
        page = _within(page, size, total)
        shown = uids[(page - 1) * size : page * size]
        rows, overview = _rows(connection, _commands_by_uid(connection, shown), shown)
    else:
        total = connection.exists
        page = _within(page, size, total)
        high = total - (page - 1) * size
        rows, overview = _rows(connection, _commands_by_place(connection, max(high - size + 1, 1), high) if total else [])
        rows.sort(key=lambda row: (row.received, row.uid), reverse=True)  # one that was moved back has a new UID, not a new date
    return Listing(mailbox, connection.uidvalidity, total, page, size, tuple(rows), overview)


def _within(page: int, size: int, total: int) -> int:
    return min(max(page, 1), max(1, -(-total // size)))


def _matching(connection: Connection, query: str, sort: str) -> List[int]:
    """All UIDs that match, in the order shown: 1 round trip."""
    keys = criteria(query)
    order = b"DISPLAYFROM" if sort == "from" and connection.has("SORT=DISPLAY") else SORTS.get(sort, b"")  # RFC 5957
    if connection.has("SORT") and sort in SORTS and sort != "date":
        answer = connection.run((b"UID SORT", b"(" + order + b")", b"UTF-8", keys))
        return _numbers(answer.get("SORT", []))
    charset = () if keys.isascii() else (b"CHARSET UTF-8",)
    answer = connection.run((b"UID SEARCH", *charset, keys))
    uids = _numbers(answer.get("SEARCH", []))
    uids.sort(reverse=True)  # UIDs ascend in the order of arrival
    return uids


def _numbers(lines: List[Any]) -> List[int]:
    return [int(word) for line in lines for word in (line or b"").split() if word.isdigit()]


def _details(connection: Connection) -> bytes:
    """What a row needs beside its flags. PREVIEW is RFC 8970; BODYSTRUCTURE only where no keyword tells of attachments."""
    items = b"UID FLAGS RFC822.SIZE INTERNALDATE " + _ROW_HEADERS
    if connection.has("PREVIEW"):
        items += b" PREVIEW"
    if not connection.flags & {"$HasAttachment", "$HasNoAttachment"}:
        items += b" BODYSTRUCTURE"
    return b"(" + items + b")"


def _commands_by_place(connection: Connection, low: int, high: int) -> List[Command]:
    """FETCH of a range of sequence numbers: flags alone where the rows are known, as far as one can guess."""
    memory = known(connection)
    everything = b"%d:%d" % (low, high)
    unknown = [place for place in range(low, high + 1) if memory.uid_at.get(place) not in memory.rows]
    if len(unknown) * 2 > high - low + 1:
        return [(b"FETCH", everything, _details(connection))]
    commands: List[Command] = [(b"FETCH", everything, b"(UID FLAGS)")]
    return commands + ([(b"FETCH", uid_set(unknown), _details(connection))] if unknown else [])


def _commands_by_uid(connection: Connection, uids: List[int]) -> List[Command]:
    """FETCH of these UIDs: flags alone for those that are known."""
    memory = known(connection)
    commands: List[Command] = []
    if seen := [uid for uid in uids if uid in memory.rows]:
        commands.append((b"UID FETCH", uid_set(seen), b"(UID FLAGS)"))
    if new := [uid for uid in uids if uid not in memory.rows]:
        commands.append((b"UID FETCH", uid_set(new), _details(connection)))
    return commands


def _rows(connection: Connection, commands: List[Command], order: List[int] | None = None) -> tuple[List[Summary], Overview]:
    """Rows in the order of these UIDs (else newest first) and the folders: 1 round trip, 2 when a guess was wrong."""
    untagged = connection.run(*commands, *overview_commands(connection))
    answers = fetched(untagged)
    memory = known(connection)
    uids = [uid for uid in order if uid in answers] if order is not None else []
    if order is None:
        uids = sorted(answers, key=lambda uid: answers[uid].get(b"SEQ", uid), reverse=True)
        memory.uid_at.update({values[b"SEQ"]: uid for uid, values in answers.items() if b"SEQ" in values})
    fresh = {uid: _summary(uid, values) for uid, values in answers.items() if b"RFC822.SIZE" in values}
    if missing := [uid for uid in uids if uid not in memory.rows and uid not in fresh]:
        more = fetched(connection.run((b"UID FETCH", uid_set(missing), _details(connection))))
        fresh.update({uid: _summary(uid, values) for uid, values in more.items()})
    remember(memory, fresh)
    rows = [replace(fresh.get(uid) or memory.rows.get(uid) or _unreadable(uid), flags=_flags(answers[uid])) for uid in uids]
    return rows, overview_in(connection, untagged)


def _summary(uid: int, values: dict[bytes, Any]) -> Summary:
    fields = headers.fields(_header_bytes(values))
    preview = values.get(b"PREVIEW")
    flags = _flags(values)
    attached = "$HasAttachment" in flags
    if b"BODYSTRUCTURE" in values and not flags & {"$HasAttachment", "$HasNoAttachment"}:
        shape = _structure(values[b"BODYSTRUCTURE"])
        attached = bool(shape and shape.attachments)
    return Summary(
        uid=uid,
        flags=flags,
        size=values.get(b"RFC822.SIZE", 0),
        received=_when(values),
        subject=headers.decode(fields.get("subject", [b""])[0]),
        sender=headers.addresses(fields.get("from", []), limit=5),
        to=headers.addresses(fields.get("to", []), limit=5),
        sent=headers.date(fields["date"][0]) if "date" in fields else None,
        snippet=headers.decode(preview)[:200] if isinstance(preview, bytes) else "",
        has_attachment=attached,
    )


def _unreadable(uid: int) -> Summary:
    """A row for a message whose answer could not be parsed: it can still be opened, moved, deleted."""
    return Summary(uid=uid, flags=frozenset(), size=0, received=_EPOCH, subject="", sender=())


def _flags(values: dict[bytes, Any]) -> frozenset[str]:
    return frozenset(flag.decode("ascii", "replace") for flag in values.get(b"FLAGS", ()) if isinstance(flag, bytes))


def _when(values: dict[bytes, Any]) -> datetime:
    received = values.get(b"INTERNALDATE")
    return received.astimezone(UTC) if isinstance(received, datetime) else _EPOCH


def _header_bytes(values: dict[bytes, Any]) -> bytes:
    blocks = [v for k, v in values.items() if k.startswith(b"BODY[HEADER.FIELDS") and isinstance(v, bytes)]
    return b"".join(block.rstrip(b"\r\n") + b"\r\n" for block in blocks)


def _structure(body: Any) -> Structure | None:
    try:
        return structure.classify(tree(body))
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None


# --- one message -----------------------------------------------------------------------------------------------------


def fetch(connection: Connection, mailbox: str, uid: int, uidvalidity: int | None = None) -> Message:
    """One message with its text: headers, structure, plain text bodies; never an attachment's bytes. 2 round trips.

    Raises NoSuchMessage, NoSuchMailbox, MailboxChanged.
    """
    values = _envelope_and_structure(connection, mailbox, uid, uidvalidity)
    shape = _structure(values.get(b"BODYSTRUCTURE"))
    if shape is None:
        return _message(connection, uid, values, *_from_whole(connection, uid))
    more = fetched(connection.run(*_text_commands(uid, shape.text))) if shape.text else {}
    return _message(connection, uid, values, shape, _texts(shape.text, more.get(uid, {})))


def read(
    connection: Connection, mailbox: str, uid: int, uidvalidity: int | None = None, *, prefer_html: bool
) -> tuple[Message, Overview]:
    """One message for its page, with its neighbours, and the folders beside it; marks it as read. 2 round trips.

    With `prefer_html` a plain text that is there as HTML too is left out: the HTML is fetched by its own page. Raises
    NoSuchMessage, NoSuchMailbox, MailboxChanged.
    """
    values = _envelope_and_structure(connection, mailbox, uid, uidvalidity)
    shape = _structure(values.get(b"BODYSTRUCTURE"))
    bodies: dict[str, str] = {}
    if shape is None:
        shape, bodies = _from_whole(connection, uid)
        wanted: tuple[Part, ...] = ()
    else:
        wanted = tuple(p for p in shape.text if not (prefer_html and shape.html and p.alternative))
    place = values.get(b"SEQ", 0)
    around = [p for p in (place - 1, place + 1) if 1 <= p <= connection.exists] if place else []
    commands = _text_commands(uid, wanted)
    if around:
        commands.append((b"FETCH", uid_set(around), b"(UID)"))
    commands += overview_commands(connection)  # before the STORE: the counts are those of just before
    unseen = "\\Seen" not in _flags(values) and not connection.read_only
    if unseen:
        commands.append((b"UID STORE", uid_set([uid]), b"+FLAGS.SILENT", b"(\\Seen)"))
    untagged = connection.run(*commands)
    more = fetched(untagged)
    bodies.update(_texts(wanted, more.get(uid, {})))
    beside = {v.get(b"SEQ"): u for u, v in more.items() if u != uid}
    message = _message(connection, uid, values, shape, bodies, newer=beside.get(place + 1), older=beside.get(place - 1))
    overview = overview_in(connection, untagged)
    if unseen:
        forget(connection.account)
        overview = overview.with_one_seen(mailbox)
    return message, overview


def _envelope_and_structure(connection: Connection, mailbox: str, uid: int, uidvalidity: int | None) -> dict[bytes, Any]:
    items = b"(UID FLAGS RFC822.SIZE INTERNALDATE BODYSTRUCTURE " + _MESSAGE_HEADERS + b")"
    values = fetched(connection.select(mailbox, uidvalidity, (b"UID FETCH", uid_set([uid]), items))).get(uid, {})
    return values if b"RFC822.SIZE" in values else _without_structure(connection, uid)


def _text_commands(uid: int, parts: Iterable[Part]) -> List[Command]:
    sections = b" ".join(b"BODY.PEEK[%s]<0.%d>" % (p.section.encode(), _LARGEST_TEXT) for p in parts)
    return [(b"UID FETCH", uid_set([uid]), b"(UID " + sections + b")")] if sections else []


def _texts(parts: Iterable[Part], values: dict[bytes, Any]) -> dict[str, str]:
    data = {p: values.get(b"BODY[%s]<0>" % p.section.encode()) or b"" for p in parts}
    return {p.section: text.decode_text(raw_text, p.encoding, p.charset) for p, raw_text in data.items()}


def _message(
    connection: Connection, uid: int, values: dict[bytes, Any], shape: Structure, bodies: dict[str, str],
    newer: int | None = None, older: int | None = None,
) -> Message:  # fmt: skip
    return Message(
        mailbox=connection.mailbox, uidvalidity=connection.uidvalidity, uid=uid, flags=_flags(values),
        size=values.get(b"RFC822.SIZE", 0), received=_when(values), envelope=headers.envelope(_header_bytes(values)),
        structure=shape, bodies=bodies, newer=newer, older=older,
    )  # fmt: skip


def neighbours(connection: Connection, mailbox: str, uid: int, *, query: str, sort: str) -> tuple[int | None, int | None]:
    """UIDs before and after `uid` in a search or another order (newer, older): 1 round trip after the SELECT."""
    connection.select(mailbox)
    uids = _matching(connection, query, sort)
    if uid not in uids:
        return None, None
    place = uids.index(uid)
    return (uids[place - 1] if place else None), (uids[place + 1] if place + 1 < len(uids) else None)


def _without_structure(connection: Connection, uid: int) -> dict[bytes, Any]:
    """Second try for a message whose structure imapclient can't parse, or that is gone: 1 round trip."""
    items = b"(UID FLAGS RFC822.SIZE INTERNALDATE " + _MESSAGE_HEADERS + b")"
    values = fetched(connection.run((b"UID FETCH", uid_set([uid]), items))).get(uid)
    if values is None:
        raise NoSuchMessage(f"{connection.mailbox}: no message has the UID {uid}")
    return values


def _from_whole(connection: Connection, uid: int) -> tuple[Structure, dict[str, str]]:
    """Structure and texts of a message parsed here: 1 round trip."""
    whole = raw(connection, connection.mailbox, uid, limit=_LARGEST_WHOLE)
    shape = structure.classify(structure.from_bytes(whole))
    bodies = {
        p.section: text.decode_text(structure.content(whole, p.section)[:_LARGEST_TEXT], p.encoding, p.charset)
        for p in shape.text
    }
    return shape, bodies


def raw(connection: Connection, mailbox: str, uid: int, uidvalidity: int | None = None, *, limit: int = 0) -> bytes:
    """The message as it is, at most `limit` bytes of it (0: all): 1 round trip after the SELECT. Raises NoSuchMessage."""
    connection.select(mailbox, uidvalidity)
    section = b"BODY.PEEK[]<0.%d>" % limit if limit else b"BODY.PEEK[]"
    return _section(connection, uid, section)


def _section(connection: Connection, uid: int, section: bytes) -> bytes:
    values = fetched(connection.run((b"UID FETCH", uid_set([uid]), b"(UID " + section + b")"))).get(uid)
    data = next((v for k, v in (values or {}).items() if k.startswith(b"BODY[")), None)
    if values is None:
        raise NoSuchMessage(f"{connection.mailbox}: no message has the UID {uid}")
    return data or b""


def find_part(
    connection: Connection, mailbox: str, uid: int, section: str, uidvalidity: int | None = None
) -> tuple[Part, Structure]:
    """One part's description by its section: 1 round trip. Raises NoSuchMessage."""
    if not re.fullmatch(r"[1-9]\d{0,4}(\.[1-9]\d{0,4}){0,99}", section):
        raise NoSuchMessage("not a section of a message")
    answers = connection.select(mailbox, uidvalidity, (b"UID FETCH", uid_set([uid]), b"(UID BODYSTRUCTURE)"))
    shape = _structure(fetched(answers).get(uid, {}).get(b"BODYSTRUCTURE"))
    if shape is None:
        shape, _ = _from_whole(connection, uid)
    part = shape.part(section)
    if part is None:
        raise NoSuchMessage(f"{mailbox}: message {uid} has no part {section}")
    return part, shape


def part(connection: Connection, mailbox: str, uid: int, part: Part, uidvalidity: int | None = None) -> bytes:
    """Decoded content of a part: 1 round trip after the SELECT. For small parts; `stream` is for downloads."""
    connection.select(mailbox, uidvalidity)
    data = _section(connection, uid, b"BODY.PEEK[%s]" % _safe_section(part).encode())
    return text.decode_transfer(data, part.encoding)


def html(connection: Connection, mailbox: str, uid: int, uidvalidity: int | None = None) -> tuple[str, Structure]:
    """The HTML body, decoded (several are joined), and the structure: 2 round trips.

    Raises NoSuchMessage, also when the message has no HTML.
    """
    answers = connection.select(mailbox, uidvalidity, (b"UID FETCH", uid_set([uid]), b"(UID BODYSTRUCTURE)"))
    shape = _structure(fetched(answers).get(uid, {}).get(b"BODYSTRUCTURE"))
    if shape is None:
        whole = raw(connection, mailbox, uid, limit=_LARGEST_WHOLE)
        shape = structure.classify(structure.from_bytes(whole))
        contents = {p.section: structure.content(whole, p.section)[: 2 * _LARGEST_TEXT] for p in shape.html}
    else:
        sections = b" ".join(b"BODY.PEEK[%s]<0.%d>" % (p.section.encode(), 2 * _LARGEST_TEXT) for p in shape.html)
        command = (b"UID FETCH", uid_set([uid]), b"(UID " + sections + b")")
        values = fetched(connection.run(command)).get(uid, {}) if sections else {}
        contents = {p.section: values.get(b"BODY[%s]<0>" % p.section.encode()) or b"" for p in shape.html}
    if not shape.html:
        raise NoSuchMessage(f"{mailbox}: message {uid} has no HTML")
    return "".join(text.decode_text(contents[p.section], p.encoding, p.charset) for p in shape.html), shape


def stream(account: Account, mailbox: str, uid: int, part: Part, uidvalidity: int | None = None) -> Iterator[bytes]:
    """Decoded content of a part in constant memory: 1 round trip for each 512 KiB, each on a connection of its own loan."""
    decoder = text.TransferDecoder(part.encoding)
    for chunk in _chunks(account, mailbox, uid, _safe_section(part).encode(), uidvalidity):
        if decoded := decoder.feed(chunk):
            yield decoded
    if rest := decoder.close():
        yield rest


def stream_raw(account: Account, mailbox: str, uid: int, uidvalidity: int | None = None) -> Iterator[bytes]:
    """The message as it is, in constant memory: 1 round trip for each 512 KiB."""
    return _chunks(account, mailbox, uid, b"", uidvalidity)


def _chunks(account: Account, mailbox: str, uid: int, section: bytes, uidvalidity: int | None) -> Iterator[bytes]:
    offset = 0
    while True:
        with connect(account, mailbox) as connection:
            connection.select(mailbox, uidvalidity)
            data = _section(connection, uid, b"BODY.PEEK[%s]<%d.%d>" % (section, offset, _CHUNK))
        if data:
            yield data
        if len(data) < _CHUNK:
            return
        offset += len(data)


def _safe_section(part: Part) -> str:
    if not re.fullmatch(r"[\d.]+", part.section):
        raise UnsafeValue("not a section of a message")
    return part.section


# --- adding and finding ----------------------------------------------------------------------------------------------


def append(
    connection: Connection, mailbox: str, content: bytes, flags: Iterable[str] = ("\\Seen",), when: datetime | None = None
) -> tuple[int, int]:
    """Add a message; returns (UIDVALIDITY, UID), (0, 0) where the server does not tell (no UIDPLUS): 1 round trip.

    Raises NoSuchMailbox, OverQuota, NotAllowed. Sent as a non-synchronising literal where the server takes them.
    """
    stamp = (when or datetime.now(UTC)).strftime('"%d-%b-%Y %H:%M:%S %z"').encode()
    if when is not None and when.tzinfo is None:
        raise ValueError("when needs a time zone")
    words = b" ".join((b"APPEND", mailbox_name(mailbox), flag_list(flags), stamp))
    answers = connection.run_append(words, content)
    forget(connection.account)
    return _uid_pair(answers.get("APPENDUID"))


def _uid_pair(codes: Any) -> tuple[int, int]:
    words = (codes or [b""])[-1].split()
    return (int(words[0]), int(words[1])) if len(words) == 2 and words[1].isdigit() else (0, 0)


def find_message_id(connection: Connection, mailbox: str, message_id: str) -> List[int]:
    """UIDs of the messages with this Message-ID: 1 round trip after the SELECT."""
    connection.select(mailbox)
    answer = connection.run((b"UID SEARCH", b"HEADER", b"Message-ID", quoted(message_id)))
    return _numbers(answer.get("SEARCH", []))
