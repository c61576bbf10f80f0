"""Messages: fetch one message, stream a part, append, find by Message-ID. Pages of many are in `listing.py`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import IO, Any

from webmail.account import Account
from webmail.errors import NoSuchMessageError, ServerAwayError, UnsafeValueError
from webmail.imap.connections.commands import flag_list, internal_date, mailbox_name, quoted, uid_set
from webmail.imap.connections.connection import Command, Connection, Spare
from webmail.imap.connections.pool import connect
from webmail.imap.connections.responses import fetched, flags_of, header_bytes_of, numbers_of, structure_of, when_of
from webmail.imap.mailbox_list.mailboxes import Overview, forget, note_seen, overview_commands, overview_in
from webmail.imap.reading import body_texts, encoded_messages, part_edges
from webmail.mail import Envelope, Message, Part, Structure, Trace
from webmail.mime import part_kinds, structure
from webmail.mime.headers import headers, list_headers, proof
from webmail.mime.html.scan import bare_words, scan
from webmail.mime.text import excuse, plain_text

_MESSAGE_HEADERS = (
    b"BODY.PEEK[HEADER.FIELDS (SUBJECT FROM REPLY-TO DATE MESSAGE-ID IN-REPLY-TO REFERENCES LIST-ID LIST-POST "
    b"LIST-UNSUBSCRIBE LIST-UNSUBSCRIBE-POST LIST-ARCHIVE LIST-HELP LIST-SUBSCRIBE LIST-OWNER "
    b"CONTENT-LANGUAGE)]<0.65536> "
    b"BODY.PEEK[HEADER.FIELDS (TO CC BCC)]<0.65536> "
    b"BODY.PEEK[HEADER.FIELDS (DISPOSITION-NOTIFICATION-TO ORIGINAL-RECIPIENT RETURN-PATH PRECEDENCE AUTO-SUBMITTED "
    b"SENDER RESENT-FROM X-TRABOULE-PROOF)]<0.8192> "
    b"BODY.PEEK[HEADER.FIELDS (CONTENT-TYPE AUTOCRYPT X-TRABOULE-KEPT)]<0.24576> "
    b"BODY.PEEK[HEADER.FIELDS (AUTHENTICATION-RESULTS RECEIVED)]<0.32768>"
)
_GLANCE = 16_384  # bytes of the text that are checked if the sender is unknown
_SCANNED = 131_072  # bytes of the HTML that are scanned for remote images
_OPENING = 20_000  # characters of the HTML in which days are looked for
_LARGEST_PROVEN = 2 * proof.LARGEST  # of a message that is read as a whole to verify its proof
_LARGEST_WHOLE = 20_000_000  # bytes fetched of a message whose BODYSTRUCTURE can't be parsed
_CHUNK = 512 * 1024


# --- one message -----------------------------------------------------------------------------------------------------


def fetch(connection: Connection, mailbox: str, uid: int, uidvalidity: int | None = None) -> Message:
    """Fetch one message: headers, structure and plain text bodies, no attachments. 2 round trips.

    Raises NoSuchMessageError, NoSuchMailboxError, MailboxChangedError.
    """
    values = _envelope_and_structure(connection, mailbox, uid, uidvalidity)
    shape = structure_of(values.get(b"BODYSTRUCTURE"))
    if shape is None:
        shape, bodies = _from_whole(connection, uid)
        return _message(connection, uid, values, shape, bodies, cut=body_texts.is_cut(shape.text))
    more = fetched(connection.run(*body_texts.commands(uid, shape.text))) if shape.text else {}
    return _message(connection, uid, values, shape, body_texts.read(shape.text, more.get(uid, {})))


def read(
    connection: Connection,
    mailbox: str,
    uid: int,
    uidvalidity: int | None = None,
    *,
    prefer_html: bool,
    mark: bool = True,
    stranger: Callable[[Envelope], str] = lambda envelope: "",
    whole: Callable[[Trace, Envelope], bool] = lambda trace, envelope: False,
) -> tuple[Message, Overview]:
    """Fetch one message for its page, with its neighbours and the folder overview, and mark it as read. 2 round trips.

    Without `mark` it stays unread (then call `mark_seen` once somebody sees it); the overview is that of a message that was read.
    With `prefer_html` a plain text that also exists as HTML is left out: the frame fetches the HTML. Small parts shown as cards
    (invitations, reports) are in `bodies` too. `stranger` maps the envelope to the address (ASCII) of an unknown sender, to
    fetch `glance` and note it for `earlier_messages`, or to "". `whole` decides whether a message of up to 1 MB is fetched as a
    whole too, to verify its proof (`mime/headers/proof.py`). Raises NoSuchMessageError, NoSuchMailboxError, MailboxChangedError.
    """
    values = _envelope_and_structure(connection, mailbox, uid, uidvalidity)
    shape = structure_of(values.get(b"BODYSTRUCTURE"))
    bodies: dict[str, str] = {}
    if shape is None:
        shape, bodies = _from_whole(connection, uid)
        wanted: tuple[Part, ...] = ()
        cut = body_texts.is_cut(shape.text)
    else:
        wanted = tuple(p for p in shape.text if not (prefer_html and shape.html and p.alternative))
        cut = body_texts.is_cut(wanted)
    cards = part_kinds.cards(shape, body_texts.LARGEST_TOGETHER - sum(p.size for p in wanted)) if not bodies else ()
    place = values.get(b"SEQ", 0)
    around = [p for p in (place - 1, place + 1) if 1 <= p <= connection.exists] if place else []
    html = shape.html[:1] if (prefer_html or excuse.may_be(shape)) and not bodies else ()
    hiding = part_edges.wanted(shape) if not bodies else []
    commands = (
        body_texts.commands(uid, wanted + cards) + body_texts.commands(uid, html, _SCANNED) + part_edges.commands(uid, hiding)
    )
    if around:
        commands.append((b"FETCH", uid_set(around), b"(UID)"))
    envelope, trace = headers.envelope(header_bytes_of(values)), _trace(values)
    if values.get(b"RFC822.SIZE", 0) <= _LARGEST_PROVEN and whole(trace, envelope):
        commands.append((b"UID FETCH", uid_set([uid]), b"(UID BODY.PEEK[]<0.%d>)" % _LARGEST_PROVEN))
    address = stranger(envelope)
    shown = shape.html[:1] or shape.text[:1]
    looked_at = tuple(p for p in shown if address and p.section not in bodies and p not in wanted)
    if address:
        missing = tuple(p for p in looked_at if p not in html)
        commands += _glance_commands(uid, missing)
    commands += overview_commands(connection)  # before the STORE, so the counts do not include it
    unseen = "\\Seen" not in flags_of(values) and not connection.read_only
    if unseen and mark:
        commands.append(_seen(uid))
    untagged = connection.run(*commands)
    more = fetched(untagged)
    bodies.update(body_texts.read(wanted + cards, more.get(uid, {})))
    beside = {v.get(b"SEQ"): u for u, v in more.items() if u != uid}
    message = _message(
        connection, uid, values, shape, bodies, newer=beside.get(place + 1), older=beside.get(place - 1), cut=cut,
        envelope=envelope, trace=trace,
    )  # fmt: skip
    shown_html = html if prefer_html or excuse.stands_for_html(shape, bodies) else ()
    scanned = body_texts.read(shown_html, more.get(uid, {}), _SCANNED)
    glances = [scan(part) for part in scanned.values()]
    message = replace(
        message, remote=sum(one.remote for one in glances), lies=tuple(lie for one in glances for lie in one.lies),
        opening="".join(scanned.values())[:_OPENING],
        html={s: text for s, text in scanned.items() if body_texts.is_whole(s, more.get(uid, {}), _SCANNED)},
        ends=part_edges.read(hiding, more.get(uid, {})), whole=more.get(uid, {}).get(b"BODY[]<0>") or b"",
    )  # fmt: skip
    if address:
        known = bodies | _glances(looked_at, more.get(uid, {}))
        glance = "".join(known.get(p.section, "")[:_GLANCE] for p in shown)
        message = replace(message, stranger=address, place=place, glance=glance)
    overview = overview_in(connection, untagged)
    if unseen and mark:
        note_seen(connection.account, mailbox)
    return message, overview.with_one_seen(mailbox) if unseen else overview


def mark_seen(connection: Connection, mailbox: str, uid: int, uidvalidity: int | None = None) -> None:
    """Mark a message as read that was read without `mark`: 2 round trips, 1 if it has been marked since. A server that refuses is
    not asked again, as in `read`. Raises NoSuchMessageError, NoSuchMailboxError, MailboxChangedError.
    """
    values = body_texts.ask(connection, mailbox, uid, uidvalidity, b"(UID FLAGS)")
    if not values:
        raise NoSuchMessageError(f"{mailbox}: no message has the UID {uid}")
    if "\\Seen" not in flags_of(values) and not connection.read_only:
        connection.run(_seen(uid))
        note_seen(connection.account, mailbox)


def _seen(uid: int) -> Spare:
    return Spare((b"UID STORE", uid_set([uid]), b"+FLAGS.SILENT", b"(\\Seen)"))


def _glance_commands(uid: int, looked_at: tuple[Part, ...]) -> list[Command]:
    """Fetch the beginning of these texts."""
    sections = b" ".join(b"BODY.PEEK[%s]<0.%d>" % (p.section.encode(), _GLANCE) for p in looked_at)
    return [(b"UID FETCH", uid_set([uid]), b"(UID " + sections + b")")] if sections else []


def _glances(parts: tuple[Part, ...], values: dict[bytes, Any]) -> dict[str, str]:
    found = {}
    for part in parts:
        data = (values.get(b"BODY[%s]<0>" % part.section.encode()) or b"")[:_GLANCE]
        content = plain_text.content(data, part)
        found[part.section] = bare_words(content) if part.type == "text/html" else content
    return found


def _envelope_and_structure(connection: Connection, mailbox: str, uid: int, uidvalidity: int | None) -> dict[bytes, Any]:
    items = b"(UID FLAGS RFC822.SIZE INTERNALDATE BODYSTRUCTURE " + _MESSAGE_HEADERS + b")"
    values = body_texts.ask(connection, mailbox, uid, uidvalidity, items)
    return values if b"RFC822.SIZE" in values else _without_structure(connection, uid)


def _message(
    connection: Connection, uid: int, values: dict[bytes, Any], shape: Structure, bodies: dict[str, str],
    newer: int | None = None, older: int | None = None, cut: bool = False, envelope: Envelope | None = None,
    trace: Trace | None = None,
) -> Message:  # fmt: skip
    """`envelope` and `trace`: where they have been parsed already."""
    head = header_bytes_of(values)
    return Message(
        mailbox=connection.mailbox, uidvalidity=connection.uidvalidity, uid=uid, flags=flags_of(values),
        size=values.get(b"RFC822.SIZE", 0), received=when_of(values), envelope=envelope or headers.envelope(head),
        structure=shape, bodies=bodies, newer=newer, older=older, cut=cut,
        trace=trace or _trace(values), list=list_headers.mailing_list(head),
    )  # fmt: skip


def _trace(values: dict[bytes, Any]) -> Trace:
    way = b"".join(v for k, v in values.items() if b"AUTHENTICATION-RESULTS" in k.upper() and isinstance(v, bytes))
    return headers.trace(header_bytes_of(values), way)


def _without_structure(connection: Connection, uid: int) -> dict[bytes, Any]:
    """Retry without BODYSTRUCTURE, which imapclient may have failed to parse: 1 round trip. Raises NoSuchMessageError."""
    items = b"(UID FLAGS RFC822.SIZE INTERNALDATE " + _MESSAGE_HEADERS + b")"
    values = fetched(connection.run((b"UID FETCH", uid_set([uid]), items))).get(uid)
    if values is None:
        raise NoSuchMessageError(f"{connection.mailbox}: no message has the UID {uid}")
    return values


def _from_whole(connection: Connection, uid: int) -> tuple[Structure, dict[str, str]]:
    """Structure and texts of a message fetched as a whole and parsed here: 1 round trip."""
    whole = structure.read(raw(connection, connection.mailbox, uid, limit=_LARGEST_WHOLE))
    shape = structure.classify(whole.root)
    room = body_texts.LARGEST_TOGETHER - sum(p.size for p in shape.text)
    return shape, body_texts.of_whole(whole, shape.text + part_kinds.cards(shape, room))


def raw(connection: Connection, mailbox: str, uid: int, uidvalidity: int | None = None, *, limit: int = 0) -> bytes:
    """The raw message, at most `limit` bytes of it (0: all): 1 round trip after the SELECT. Raises NoSuchMessageError."""
    connection.select(mailbox, uidvalidity)
    section = b"BODY.PEEK[]<0.%d>" % limit if limit else b"BODY.PEEK[]"
    return _section(connection, uid, section)


def _section(connection: Connection, uid: int, section: bytes) -> bytes:
    values = fetched(connection.run((b"UID FETCH", uid_set([uid]), b"(UID " + section + b")"))).get(uid)
    data = next((v for k, v in (values or {}).items() if k.startswith(b"BODY[")), None)
    if values is None:
        raise NoSuchMessageError(f"{connection.mailbox}: no message has the UID {uid}")
    return data or b""


def find_part(
    connection: Connection, mailbox: str, uid: int, section: str, uidvalidity: int | None = None
) -> tuple[Part, Structure]:
    """A part by its section, and the structure of the message it belongs to, which may be an attached one.

    1 round trip. Raises NoSuchMessageError.
    """
    if encoded_messages.is_inside(section):
        return encoded_messages.part(connection, mailbox, uid, section, uidvalidity)[:2]
    if not re.fullmatch(r"[1-9]\d{0,4}(\.[1-9]\d{0,4}){0,99}", section):
        raise NoSuchMessageError("not a section of a message")
    values = body_texts.ask(connection, mailbox, uid, uidvalidity, b"(UID BODYSTRUCTURE)")
    shape = structure_of(values.get(b"BODYSTRUCTURE"), around=section)
    if shape is None:
        shape, _ = _from_whole(connection, uid)
    part = shape.part(section)
    if part is None:
        raise NoSuchMessageError(f"{mailbox}: message {uid} has no part {section}")
    return part, shape


def part(connection: Connection, mailbox: str, uid: int, part: Part, uidvalidity: int | None = None) -> bytes:
    """The decoded content of a part: 1 round trip after the SELECT. For small parts; downloads use `stream`."""
    if encoded_messages.is_inside(part.section):
        return encoded_messages.part(connection, mailbox, uid, part.section, uidvalidity)[2]
    connection.select(mailbox, uidvalidity)
    data = _section(connection, uid, b"BODY.PEEK[%s]" % _safe_section(part).encode())
    return plain_text.decode_transfer(data, part.encoding)


def html(
    connection: Connection, mailbox: str, uid: int, uidvalidity: int | None = None, *,
    inside: str = "", cached: dict[str, str] | None = None,
) -> tuple[str, Structure, bool]:  # fmt: skip
    """The decoded HTML body (several are joined), the structure, and whether the HTML was truncated: 2 round trips.

    1 where all parts are `cached`, by section. `inside`: of the message attached at that section. Raises NoSuchMessageError,
    also if the message has no HTML.
    """
    values = body_texts.ask(connection, mailbox, uid, uidvalidity, b"(UID BODYSTRUCTURE)")
    if encoded_messages.is_inside(inside) or (inside and encoded_messages.is_at(values, inside)):
        return _wrapped_html(connection, mailbox, uid, inside)
    shape = structure_of(values.get(b"BODYSTRUCTURE"), inside=inside)
    if shape is None and inside:
        raise NoSuchMessageError(f"{mailbox}: no message is attached to {uid} at {inside}")
    if shape is None:
        whole = structure.read(raw(connection, mailbox, uid, limit=_LARGEST_WHOLE))
        shape = structure.classify(whole.root)
        found = body_texts.of_whole(whole, shape.html, body_texts.LARGEST_TOGETHER)
    else:
        found = {p.section: cached[p.section] for p in shape.html if cached and p.section in cached}
        if len(found) < len(shape.html):
            commands = body_texts.commands(uid, shape.html, body_texts.LARGEST_TOGETHER)
            more = fetched(connection.run(*commands)).get(uid, {}) if commands else {}
            found = body_texts.read(shape.html, more, body_texts.LARGEST_TOGETHER)
    if not shape.html:
        raise NoSuchMessageError(f"{mailbox}: message {uid} has no HTML")
    return "".join(found.values()), shape, body_texts.is_cut(shape.html, body_texts.LARGEST_TOGETHER)


def _wrapped_html(connection: Connection, mailbox: str, uid: int, section: str) -> tuple[str, Structure, bool]:
    whole = structure.read(encoded_messages.message(connection, mailbox, uid, section))
    shape = encoded_messages.shape(whole, section)
    if not shape.html:
        raise NoSuchMessageError(f"{mailbox}: the message in {uid} at {section} has no HTML")
    found = encoded_messages.read(whole, shape.html, body_texts.LARGEST_TOGETHER)
    return "".join(found.values()), shape, body_texts.is_cut(shape.html, body_texts.LARGEST_TOGETHER)


def stream(account: Account, mailbox: str, uid: int, part: Part, uidvalidity: int | None = None) -> Iterator[bytes]:
    """Stream the decoded content of a part in constant memory: 1 round trip per 512 KiB, each borrowing its own connection."""
    if encoded_messages.is_inside(part.section):
        with connect(account, mailbox) as connection:
            yield encoded_messages.part(connection, mailbox, uid, part.section, uidvalidity)[2]
        return
    decoder = plain_text.TransferDecoder(part.encoding)
    for chunk in _chunks(account, mailbox, uid, _safe_section(part).encode(), uidvalidity):
        if decoded := decoder.feed(chunk):
            yield decoded
    if rest := decoder.close():
        yield rest


def stream_raw(account: Account, mailbox: str, uid: int, uidvalidity: int | None = None) -> Iterator[bytes]:
    """Stream the raw message in constant memory: 1 round trip per 512 KiB."""
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
        raise UnsafeValueError("not a section of a message")
    return part.section


# --- adding and finding ----------------------------------------------------------------------------------------------


def append(
    connection: Connection, mailbox: str, content: bytes | IO[bytes], flags: Iterable[str] = ("\\Seen",),
    when: datetime | None = None, *, top: bytes = b"",
) -> tuple[int, int]:  # fmt: skip
    """Append a message, with `top` before its first line: 1 round trip. A file is sent from its start, in chunks.

    Returns (UIDVALIDITY, UID), or (0, 0) without UIDPLUS.
    Raises NoSuchMailboxError, OverQuotaError, NotAllowedError. Uses a non-synchronizing literal if the server supports it.
    """
    if when is not None and when.tzinfo is None:
        raise ValueError("when needs a time zone")
    words = b" ".join((b"APPEND", mailbox_name(mailbox), flag_list(flags), internal_date(when or datetime.now(UTC))))
    answers = connection.run_append(words, content, top)
    forget(connection.account)
    return _uid_pair(answers.get("APPENDUID"))


def _uid_pair(codes: Any) -> tuple[int, int]:
    words = (codes or [b""])[-1].split()
    return (int(words[0]), int(words[1])) if len(words) == 2 and words[1].isdigit() else (0, 0)


def find_message_id(connection: Connection, mailbox: str, message_id: str) -> list[int]:
    """The UIDs of the messages with this Message-ID: 1 round trip after the SELECT."""
    connection.select(mailbox)
    answer = connection.run((b"UID SEARCH", b"HEADER", b"Message-ID", quoted(message_id)))
    return numbers_of(answer.get("SEARCH", []))


# --- several parts at once -------------------------------------------------------------------------------------------


def parts(
    connection: Connection, mailbox: str, uid: int, parts: Iterable[Part], uidvalidity: int | None = None
) -> dict[str, bytes]:
    """The decoded contents of several small parts, by section: 1 round trip after the SELECT, and one per encoded message.

    Raises NoSuchMessageError, MailboxChangedError, and ServerAwayError if the response lacks one of them.
    """
    listed = list(parts)
    found = encoded_messages.contents(connection, mailbox, uid, [part.section for part in listed], uidvalidity)
    wanted = {b"BODY[%s]" % _safe_section(part).encode(): part for part in listed if part.section not in found}
    if not wanted:
        return found
    connection.select(mailbox, uidvalidity)
    sections = b" ".join(b"BODY.PEEK" + key.removeprefix(b"BODY") for key in wanted)
    values = fetched(connection.run((b"UID FETCH", uid_set([uid]), b"(UID " + sections + b")"))).get(uid)
    if values is None:
        raise NoSuchMessageError(f"{mailbox}: no message has the UID {uid}")
    if missing := [part.section for key, part in wanted.items() if key not in values]:
        raise ServerAwayError(f"{mailbox}: message {uid} came without its parts {', '.join(missing)}")
    return found | {part.section: plain_text.decode_transfer(values[key] or b"", part.encoding) for key, part in wanted.items()}
