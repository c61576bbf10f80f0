"""Refusals: what a device was refused, noted for its owner after the answer was sent, and forgotten once the item was taken.

Noting neither fails nor delays the answer: it comes when the last of it is sent (`Noting.close`), by two threads at most of
a process, and what finds those at work is left out: the device tries again.
"""

from __future__ import annotations

import html
import logging
import quopri
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from http import client
from typing import Any
from urllib.parse import unquote, urlsplit

from webmail.auth.devices import refused_changes
from webmail.auth.devices.refused_changes import DeviceRefusal, RefusalReason
from webmail.auth.sessions.user_agent import describe
from webmail.collections import look
from webmail.collections.store import Access
from webmail.collections.trash import UNNAMED
from webmail.database.connection import DATABASE_AWAY, advice
from webmail.dav import item_writes
from webmail.dav.visit import Visit
from webmail.mime.formats.calendars.calendar_object import plain
from webmail.models import Contact

log = logging.getLogger(__name__)

METHODS = ("PUT", "DELETE", "MOVE", "MKCOL", "MKCALENDAR")
_PASSING = (client.UNAUTHORIZED, client.NOT_FOUND, client.PRECONDITION_FAILED)  # what devices settle by themselves
_HEAD = 64_000  # bytes of an item in which its title is looked for
_TITLE = re.compile(r"^(?:[\w-]{1,40}\.)?(?:SUMMARY|FN)((?:;[^:\"\n]*(?:\"[^\"\n]*\"[^:\"\n]*)*)?):(.*)$", re.I | re.M)
_CONDITIONS = {
    "supported-calendar-component": RefusalReason.COMPONENT,
    "no-uid-conflict": RefusalReason.UID_TAKEN,
    "quota-not-exceeded": RefusalReason.FULL,
    "resource-must-be-null": RefusalReason.NAME_TAKEN,
    "allowed-attendee-scheduling-object-change": RefusalReason.MEETING,
    "allowed-organizer-scheduling-object-change": RefusalReason.MEETING,
    "same-organizer-in-all-components": RefusalReason.MEETING,
    "unique-scheduling-object-resource": RefusalReason.UID_TAKEN,
    "max-attendees-per-instance": RefusalReason.GUESTS,
}
# how what readers say begins (calendar_object.py, recurrence_rules.py, device_cards.py ...); else it is UNREADABLE
WORDS = {
    "control characters": RefusalReason.CHARACTERS,
    "it contains NUL": RefusalReason.CHARACTERS,
    "not UTF-8": RefusalReason.CHARACTERS,
    "vCard 2.1": RefusalReason.OLD_CARD,
    "no UID": RefusalReason.NO_UID,
    "no usable UID": RefusalReason.NO_UID,
    "not one": RefusalReason.SEVERAL,
    "too many": RefusalReason.TOO_MANY,
    "DTSTART or DUE is no date": RefusalReason.DATES,
    "an event without a beginning": RefusalReason.DATES,
    "no date": RefusalReason.DATES,
    "a rule": RefusalReason.RULE,
    "two rules": RefusalReason.RULE,
    "EXRULE": RefusalReason.RULE,
}
_turns = threading.BoundedSemaphore(2)


class Noting:
    """An answer's body, and what is done when it was sent, or its reader has gone (PEP 3333, `close`)."""

    def __init__(
        self, body: Iterable[bytes], note: Callable[[], None], prepare: Callable[[], None], end: Callable[[], None]
    ) -> None:
        self._body, self._note, self._prepare, self._end = body, note, prepare, end

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        if not _turns.acquire(blocking=False):
            return
        try:
            self._prepare()
            self._note()
        except DATABASE_AWAY as error:
            log.warning("what a device was refused was not noted: the database %s", advice(error))
        finally:
            self._end()
            _turns.release()


def noting(
    visit: Visit, method: str, path: str, environ: dict[str, Any], status: int, body: Sequence[bytes]
) -> Callable[[], None] | None:
    """What is to be noted of an answer, once it is sent; None where nothing is."""
    if method not in METHODS or len(parts := path.strip("/").split("/")) not in (2, 3) or parts[0] != visit.user.address:
        return None
    place = "/".join(parts[1:])
    if status < client.BAD_REQUEST or (method == "DELETE" and status == client.NOT_FOUND):
        places = [place, *([_target(environ, visit.user.address)] if method == "MOVE" else [])]
        return lambda: refused_changes.accepted(visit.user, *places)
    if status in _PASSING or status >= client.INTERNAL_SERVER_ERROR and status != client.INSUFFICIENT_STORAGE:
        return None
    reason, program = _reason(status, b"".join(body).decode("utf-8", "replace")), environ.get("HTTP_USER_AGENT", "")
    return lambda: refused_changes.note(visit.user, _refusal(visit, parts[1:], reason, program))


def _target(environ: dict[str, Any], address: str) -> str:
    return unquote(urlsplit(environ.get("HTTP_DESTINATION", "")).path).rpartition(f"/{address}/")[2]


def _reason(status: int, answer: str) -> RefusalReason:
    found = re.search(r"<(?:\w+:)?error\b[^>]*>\s*<(?:\w+:)?([\w-]+)", answer)
    if found is not None and found[1] in _CONDITIONS:
        return _CONDITIONS[found[1]]
    if status == client.REQUEST_ENTITY_TOO_LARGE:
        return RefusalReason.LARGE
    if status == client.TOO_MANY_REQUESTS:
        return RefusalReason.RECIPIENTS
    if found is not None:
        said = re.search(r"responsedescription>([^<]*)<", answer)
        words = said[1] if said is not None else ""
        return next((reason for begin, reason in WORDS.items() if words.startswith(begin)), RefusalReason.UNREADABLE)
    if status == client.CONFLICT:
        return RefusalReason.NO_COLLECTION
    return RefusalReason.READ_ONLY if status == client.FORBIDDEN else RefusalReason.UNREADABLE


def _refusal(visit: Visit, names: list[str], reason: RefusalReason, program: str) -> DeviceRefusal:
    access = visit.access(names[0]) if len(names) == 2 else None
    title = title_in(visit.body) if len(names) == 2 else _asked_name(visit.body)
    if not title and access is not None and access.rights == "own":  # of others' events not all may be seen
        title = _known_title(access, names[1])
    device = look.one_line(describe(program)) if visit.device.name == UNNAMED else visit.device.name
    return DeviceRefusal(
        "/".join(names), reason, access.collection.kind if access is not None else "",
        look.title_of(access.props) if access is not None else "", title, device,
    )  # fmt: skip


def _known_title(access: Access, href: str) -> str:
    """What is there already. 1 query."""
    row = item_writes.row_at(access.collection, href)
    return row.name if isinstance(row, Contact) else title_in(row.text.encode()) if row is not None else ""


def _asked_name(request: bytes) -> str:
    """What a new collection was to be called."""
    found = re.search(rb"displayname[^<>]*>([^<]{1,400})<", request[:_HEAD])
    return look.one_line(html.unescape(found[1].decode("utf-8", "replace"))) if found is not None else ""


def title_in(item: bytes) -> str:
    """The title of an event or the name of a contact, though it is badly written; "" if there is none."""
    text = re.sub("\r?\n[ \t]", "", item[:_HEAD].decode("utf-8", "replace")).replace("\r", "")
    if (found := _TITLE.search(text)) is None:
        return ""
    value = found[2][:2_000]
    if "QUOTED-PRINTABLE" in found[1].upper():
        value = quopri.decodestring(value.encode()).decode("utf-8", "replace")
    return look.one_line(plain(value))
