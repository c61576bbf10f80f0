"""The protocol: Radicale's code for PROPFIND, REPORT, PROPPATCH, MOVE and new collections; our own for GET, PUT and DELETE.

Radicale writes anew what it is sent, and loses some of it by that; here items stay as they are, byte for byte.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from http import client
from io import BytesIO
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import tostring

from radicale import config, pathutils, xmlutils
from radicale.app import Application
from radicale.item import check_and_sanitize_props
from radicale.log import logger

from webmail.calendar.free_busy import host_events
from webmail.calendar.free_busy.host_events import KeptHereError
from webmail.calendar.guests import device_scheduling
from webmail.calendar.objects import UidTakenError
from webmail.calendar.privacy import will_be_hidden
from webmail.collections import store
from webmail.collections.store import BOOK, CALENDAR, SHARED, Access
from webmail.config.settings import Settings
from webmail.contacts.device_cards import UnusableCardError
from webmail.contacts.store import ContactChangedElsewhereError
from webmail.dav import client_quirks, item_writes
from webmail.dav.answers import FORBIDDEN, NOT_FOUND, NOT_HERE, XML, Answer, failed, plain
from webmail.dav.directory_book import DIRECTORY
from webmail.dav.item import DavItem
from webmail.dav.item_writes import CheckedItem
from webmail.dav.queries import collection_queries, principal_search
from webmail.dav.rights import Auth, DavRights
from webmail.dav.scheduling import implicit, inbox, outbox, properties
from webmail.dav.scheduling.implicit import PlannedChange
from webmail.dav.storage import MOST_PROPS, DavStorage
from webmail.dav.visit import current
from webmail.errors import LimitReachedError
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.models import CalendarObject, Collection

_TYPES = {BOOK: "text/vcard; charset=utf-8", CALENDAR: "text/calendar; charset=utf-8"}
_NAME = re.compile(r"[^/\x00-\x1f\x7f]{1,190}")
_LONGEST_HREF = 255
_ALL = "VEVENT,VTODO,VJOURNAL"  # what a calendar takes that a device made without saying


def make(settings: Settings) -> DavApplication:
    logger.setLevel("ERROR")  # it would write every request, with names, into the log
    configuration = config.load()
    configuration.update(
        {
            "server": {"delay_on_error": 0, "max_resource_size": settings.item_limit_kb * 1024},
            "auth": {"type": Auth, "delay": 0},
            "rights": {"type": DavRights, "permit_delete_collection": True, "permit_overwrite_collection": False},
            "storage": {"type": DavStorage},
            "web": {"type": "none"},
            # it counts events that are not expanded too
            "reporting": {"max_expand_occurrence": 10_000_000, "max_freebusy_occurrence": 1},
        },
        "traboule",
        privileged=True,
    )
    return DavApplication(configuration)


class DavApplication(Application):
    def answer(self, method: str, environ: dict[str, Any], prefix: str, path: str) -> Answer:
        """The answer to a request that the edge has let in. `path` begins with a slash and is sanitised."""
        if properties.is_place(parts := _parts(path)):
            return self._scheduling(method, environ, prefix, parts)
        if method == "POST":
            return NOT_HERE
        if method in ("DELETE", "PROPPATCH", "MOVE") and parts[1:2] == [DIRECTORY]:
            return FORBIDDEN
        if method in ("GET", "HEAD"):
            return self.get(path)
        if method == "PUT":
            return self.put(environ, prefix, path)
        if method == "DELETE":
            return self.delete(environ, prefix, path)
        if method in ("MKCOL", "MKCALENDAR"):
            return self.make_collection(method, environ, path)
        if method == "PROPPATCH" and (len(_parts(path)) != 2 or client_quirks.is_protected(current.get().xml)):
            return self._unchangeable(prefix, path)
        if method == "MOVE":
            return self.move(environ, prefix, path)
        return self._question(method, environ, prefix, path)

    def _scheduling(self, method: str, environ: Mapping[str, Any], prefix: str, parts: list[str]) -> Answer:
        """What is asked of the person's inbox and outbox (RFC 6638)."""
        visit = current.get()
        if parts[1] == properties.INBOX:
            return inbox.answer(method, prefix, parts, environ.get("HTTP_DEPTH", "0"), visit.xml)
        if method == "POST" and len(parts) == 2:
            return outbox.post(visit.body)
        return properties.of_outbox(prefix, visit.xml) if method == "PROPFIND" and len(parts) == 2 else NOT_HERE

    def _question(self, method: str, environ: dict[str, Any], prefix: str, path: str) -> Answer:
        """PROPFIND, REPORT and PROPPATCH: about items by our own code, about collections by Radicale's."""
        visit, parts = current.get(), _parts(path)
        root = visit.xml
        program = environ.get("HTTP_USER_AGENT", "")
        try:
            if collection_queries.once_each(root):
                assert root is not None
                _give(environ, tostring(root, encoding="utf-8"))
        except collection_queries.TooManyNamesError as error:
            return plain(client.FORBIDDEN, f"{error}.")
        if parts[:1] in ([principal_search.ROOMS], [principal_search.PEOPLE]) and method == "PROPFIND":
            return principal_search.propfind(prefix, parts, root)
        access = visit.access(parts[1]) if len(parts) in (2, 3) and parts[0] == visit.user.address else None
        if method == "REPORT" and root is not None:
            if (rooms := principal_search.report(prefix, root)) is not None:
                return rooms
            answer = collection_queries.report(self, prefix, path, access, root)
            if answer is not None:
                return client_quirks.status_for(program, answer[0], answer[2]), answer[1], answer[2]
        with_items = method == "PROPFIND" and len(parts) == 2 and access is not None and environ.get("HTTP_DEPTH", "0") != "0"
        if with_items:
            environ["HTTP_DEPTH"] = "0"
        status, headers, body, _xml = getattr(self, f"do_{method}")(
            environ, prefix, path, visit.user.address, set(), _INFO | {"path": path}
        )
        data = body.encode() if isinstance(body, str) else body or b""
        if method == "PROPFIND" and status == client.MULTI_STATUS:
            data = client_quirks.completed(data, prefix)
            if with_items:
                assert access is not None
                return collection_queries.propfind(self, prefix, access, root, data)
        return status, dict(headers), [data]

    # --- items -------------------------------------------------------------------------------------------------------

    def get(self, path: str) -> Answer:
        parts = _parts(path)
        if len(parts) != 3:
            return NOT_HERE if len(parts) < 3 else NOT_FOUND
        item = next(iter(self._storage.discover(path)), None)
        if not isinstance(item, DavItem):
            return NOT_FOUND
        kind = BOOK if item.name == "VCARD" else CALENDAR
        headers = {"Content-Type": _TYPES[kind], "ETag": item.etag, "Last-Modified": item.last_modified or ""}
        text = item.serialize()
        if kind == CALENDAR and device_scheduling.concerns(text):
            headers["Schedule-Tag"] = f'"{item.row.schedule_tag}"'
        return client.OK, headers, [text.encode()]

    def put(self, environ: dict[str, Any], base: str, path: str) -> Answer:
        parts, visit = _parts(path), current.get()
        access = visit.access(parts[1]) if len(parts) == 3 and parts[0] == visit.user.address else None
        if access is None:
            return NOT_HERE if len(parts) < 3 else plain(client.CONFLICT, "There is no such collection.")
        if not access.writes:
            return FORBIDDEN
        if len(parts[2]) > _LONGEST_HREF:
            return plain(client.BAD_REQUEST, "The name is too long.")
        prefix = "CR" if access.collection.kind == BOOK else "C"
        try:
            prepared = item_writes.prepare(access.collection, visit.body)
        except item_writes.WrongComponentError:
            return failed(client.FORBIDDEN, "C:supported-calendar-component")
        except (UnusableCardError, UnusableCalendarError) as error:
            data = "address" if prefix == "CR" else "calendar"
            return failed(client.FORBIDDEN, f"{prefix}:valid-{data}-data", str(error))
        return self._again(base, lambda: self._put(environ, parts, access, prepared))

    def _again(self, base: str, work: Callable[[], Answer]) -> Answer:
        """Plan and write a change, anew where somebody else wrote in between."""
        for _attempt in range(implicit.ATTEMPTS):
            try:
                return work()
            except implicit.MeetingChangedError:
                continue
            except UnusableCalendarError as error:
                return failed(client.FORBIDDEN, "C:valid-calendar-data", str(error))
            except implicit.REFUSALS as error:
                return implicit.refusal(error, base)
        return implicit.BUSY

    def _put(self, environ: dict[str, Any], parts: list[str], access: Access, item: CheckedItem) -> Answer:
        """Raises implicit.MeetingChangedError, implicit.REFUSALS."""
        visit, prefix = current.get(), "CR" if access.collection.kind == BOOK else "C"
        change = PlannedChange.nothing(item)
        if prefix == "C" and visit.schedules:
            there = item_writes.event_at(access.collection, parts[2])
            if (unmet := _precondition(environ, access, there)) is not None:
                return unmet
            change = implicit.planned(access, parts[2], there, item, environ)
        stored = change.item or item
        try:
            with visit.writing(access.name, others=change.plan.calendars, tells=change.plan.sends):
                now_there = visit.access(parts[1])
                if now_there is None or not now_there.writes:
                    return FORBIDDEN
                access = now_there
                row = item_writes.row_at(access.collection, parts[2])
                if item_writes.is_hidden(access, row):
                    return _PRIVATE
                if (unmet := _precondition(environ, access, row)) is not None:
                    return unmet
                if (refusal := _booked_refusal(row, stored)) is not None:
                    return refusal
                implicit.check_unchanged(change, row)
                written = item_writes.write(access.collection, parts[2], stored, row, visit.settings, visit.user)
                implicit.tell(change)
        except (UidTakenError, ContactChangedElsewhereError):
            return failed(client.CONFLICT, f"{prefix}:no-uid-conflict")
        except LimitReachedError:
            return failed(client.INSUFFICIENT_STORAGE, "D:quota-not-exceeded")
        item_writes.tell(access.collection)
        # RFC 4791, 5.3.4: only where they would be told the same one, of what they have
        seen = stored.as_sent and (prefix == "CR" or not will_be_hidden(access, stored.text))
        headers = {"ETag": f'"{item_writes.etag_of(written)}"'} if seen else {}
        return client.NO_CONTENT if row is not None else client.CREATED, headers | implicit.tag_header(written), []

    def delete(self, environ: dict[str, Any], base: str, path: str) -> Answer:
        parts, visit = _parts(path), current.get()
        if len(parts) not in (2, 3) or parts[0] != visit.user.address:
            return FORBIDDEN
        if len(parts) == 3:
            return self._again(base, lambda: self._delete(environ, parts))
        with visit.writing(parts[1]):
            access = visit.access(parts[1])
            return NOT_FOUND if access is None else self._delete_collection(access)

    def _delete(self, environ: dict[str, Any], parts: list[str]) -> Answer:
        """Raises implicit.MeetingChangedError, implicit.REFUSALS."""
        visit = current.get()
        change, before = PlannedChange.nothing(None), visit.access(parts[1])
        if before is not None and before.writes and before.collection.kind == CALENDAR and visit.schedules:
            there = item_writes.event_at(before.collection, parts[2])
            if there is not None and (unmet := _precondition(environ, before, there)) is None:
                change = implicit.planned(before, parts[2], there, None, environ)
        with visit.writing(parts[1], others=change.plan.calendars, tells=change.plan.sends):
            access = visit.access(parts[1])
            row = item_writes.row_at(access.collection, parts[2]) if access is not None else None
            if access is None or row is None or not (access.reads or access.writes):
                return NOT_FOUND
            if not access.writes:
                return FORBIDDEN
            if item_writes.is_hidden(access, row):
                return _PRIVATE
            if (unmet := _precondition(environ, access, row)) is not None:
                return unmet
            if (refusal := _booked_refusal(row)) is not None:
                return refusal
            implicit.check_unchanged(change, row)
            item_writes.trash(access.collection, [row], visit.user.address, visit.device.name)
            implicit.tell(change)
        item_writes.tell(access.collection)
        return client.NO_CONTENT, {}, []

    def _delete_collection(self, access: Access) -> Answer:
        """The owner's: all of it goes into the trash. What is shared with somebody is not theirs to delete."""
        if access.rights != "own":
            return FORBIDDEN
        visit = current.get()
        try:
            host_events.check_none_kept(access.collection)
        except KeptHereError:
            return _KEPT
        item_writes.trash_all(access.collection, visit.user.address, visit.device.name)
        item_writes.tell(access.collection)
        return client.NO_CONTENT, {}, []

    def move(self, environ: dict[str, Any], prefix: str, path: str) -> Answer:
        """An item to another collection or name (RFC 4918, 9.9)."""
        target = pathutils.sanitize_path(unquote(urlsplit(environ.get("HTTP_DESTINATION", "")).path))
        parts, to, visit = _parts(path), _parts(target.removeprefix(prefix)), current.get()
        if not target.startswith(prefix + "/") or len(parts) != 3 or len(to) != 3 or len(to[2]) > _LONGEST_HREF:
            return FORBIDDEN
        if not target.isprintable():
            return FORBIDDEN
        if {parts[0], to[0]} != {visit.user.address}:
            return FORBIDDEN
        with visit.writing(parts[1], to[1]):
            source, goal = visit.access(parts[1]), visit.access(to[1])
            row = item_writes.row_at(source.collection, parts[2]) if source is not None else None
            if source is None or row is None:
                return NOT_FOUND
            if goal is None:
                return plain(client.CONFLICT, "There is no such collection.")
            if not source.writes or not goal.writes or source.collection.kind != goal.collection.kind:
                return FORBIDDEN
            there = item_writes.row_at(goal.collection, to[2])
            if item_writes.is_hidden(source, row) or item_writes.is_hidden(goal, there) or item_writes.will_be_hidden(goal, row):
                return _PRIVATE
            if there is not None and environ.get("HTTP_OVERWRITE", "T").upper() == "F":
                return plain(client.PRECONDITION_FAILED, "There is something of that name.")
            if there is not None and there == row:
                return FORBIDDEN
            if source.collection.user_id != goal.collection.user_id and (refusal := _booked_refusal(row)) is not None:
                return refusal
            if there is not None and item_writes.uid_of(there) != item_writes.uid_of(
                row
            ):  # RFC 4791, 5.3.2.1: a name keeps its UID
                return failed(client.CONFLICT, f"{'CR' if goal.collection.kind == BOOK else 'C'}:no-uid-conflict")
            try:
                item_writes.move(row, goal.collection, to[2], there, visit)
            except (UidTakenError, ContactChangedElsewhereError):
                prefix_of = "CR" if goal.collection.kind == BOOK else "C"
                return failed(client.CONFLICT, f"{prefix_of}:no-uid-conflict")
            except item_writes.WrongComponentError:
                return failed(client.FORBIDDEN, "C:supported-calendar-component")
            except LimitReachedError:
                return failed(client.INSUFFICIENT_STORAGE, "D:quota-not-exceeded")
        for one in {source.collection, goal.collection}:
            item_writes.tell(one)
        return client.NO_CONTENT if there is not None else client.CREATED, {}, []

    # --- collections -------------------------------------------------------------------------------------------------

    def make_collection(self, method: str, environ: dict[str, Any], path: str) -> Answer:
        """MKCALENDAR (RFC 4791, 5.3.1) and MKCOL with a type (RFC 5689)."""
        parts, visit = _parts(path), current.get()
        if len(parts) != 2 or parts[0] != visit.user.address or not _NAME.fullmatch(parts[1]) or parts[1].startswith(SHARED):
            return FORBIDDEN
        if words := client_quirks.bad_zone(visit.xml):
            return failed(client.FORBIDDEN, "C:valid-calendar-data", words)
        _give(environ, client_quirks.texts_of_choices(visit.xml))
        asked = xmlutils.props_from_request(self._read_xml_request_body(environ, dict(_INFO)))
        if method == "MKCALENDAR":
            asked["tag"] = "VCALENDAR"
        props = check_and_sanitize_props(asked)
        kind = {"VADDRESSBOOK": BOOK, "VCALENDAR": CALENDAR}.get(props.pop("tag", "") or "")
        components = props.pop("C:supported-calendar-component-set", "") or (_ALL if kind == CALENDAR else "")
        if kind in visit.device.hidden or components in visit.device.hidden:
            return _HIDDEN
        if kind not in visit.device.kinds:
            return FORBIDDEN
        text = json.dumps(props, ensure_ascii=False)
        if len(text) > MOST_PROPS or len(components) > 60:
            return plain(client.REQUEST_ENTITY_TOO_LARGE, "Too many properties.")
        with visit.writing():
            if visit.access(parts[1]) is not None or _is_taken(visit.user, parts[1]):
                return failed(client.METHOD_NOT_ALLOWED if method == "MKCOL" else client.CONFLICT, "D:resource-must-be-null")
            if store.count_of(visit.user) >= visit.settings.collections_per_person:
                return failed(client.INSUFFICIENT_STORAGE, "D:quota-not-exceeded")
            store.create(visit.user, parts[1], kind, components, text)
        return client.CREATED, {}, []

    def do_PROPPATCH(self, environ: Any, base_prefix: str, path: str, *more: Any) -> Any:
        access = current.get().access(_parts(path)[1])
        if access is None:
            status, headers, body = NOT_FOUND
            return status, headers, b"".join(body), None
        if words := client_quirks.bad_zone(current.get().xml):
            answer = client_quirks.without_zone(current.get().xml, xmlutils.make_href(base_prefix, path), words)
            return client.MULTI_STATUS, {"Content-Type": XML}, answer, None
        _give(environ, client_quirks.texts_of_choices(current.get().xml))
        return super().do_PROPPATCH(environ, base_prefix, path, *more)

    def _unchangeable(self, prefix: str, path: str) -> Answer:
        if next(iter(self._storage.discover(path)), None) is None:
            return NOT_FOUND
        answer = client_quirks.unchangeable(current.get().xml, xmlutils.make_href(prefix, path))
        return client.MULTI_STATUS, {"Content-Type": XML}, [answer]


_KEPT = plain(client.FORBIDDEN, "Somebody has booked this appointment: move or cancel it on the pages of appointments.")
_PRIVATE = plain(client.FORBIDDEN, "This event is private: you see only when it is, and can't change it.")
_HIDDEN = plain(client.FORBIDDEN, "Your establishment does not offer this here.")
_INFO: dict[str, Any] = {"method": "", "login": "", "path": "", "useragent": "", "host": ""}


def _give(environ: dict[str, Any], body: bytes) -> None:
    """Have Radicale's code read this."""
    environ |= {"CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body)}


def _parts(path: str) -> list[str]:
    stripped = pathutils.strip_path(path)
    return stripped.split("/") if stripped else []


def _is_taken(user: Any, name: str) -> bool:
    """By a collection of a kind that this device does not see."""
    return bool(Collection.select().where(Collection.user == user, Collection.name == name).exists())


def _booked_refusal(row: item_writes.Item | None, item: CheckedItem | None = None) -> Answer | None:
    """The refusal to delete (without `item`) or move an event whose time other people count on."""
    if not isinstance(row, CalendarObject) or not host_events.keeper_of(row):
        return None
    return _KEPT if item is None or host_events.is_moved(row, item.found[1].takings) else None


def _precondition(environ: Mapping[str, Any], access: Access, row: item_writes.Item | None) -> Answer | None:
    """The answer if If-Match or If-None-Match (RFC 9110, 13.1), or If-Schedule-Tag-Match (RFC 6638, 8.3) forbid the change."""
    etag = f'"{item_writes.etag_seen(access, row)}"' if row is not None else ""
    if (match := environ.get("HTTP_IF_SCHEDULE_TAG_MATCH")) is not None and not _names(match, item_writes.schedule_tag_of(row)):
        return plain(client.PRECONDITION_FAILED, "It was changed meanwhile.")
    if (match := environ.get("HTTP_IF_MATCH")) is not None and not _names(match, etag):
        return plain(client.PRECONDITION_FAILED, "It was changed meanwhile.")
    if (match := environ.get("HTTP_IF_NONE_MATCH")) is not None and _names(match, etag):
        return plain(client.PRECONDITION_FAILED, "It is there already.")
    return None


def _names(header: str, etag: str) -> bool:
    return bool(etag) and (header.strip() == "*" or etag in [one.strip().removeprefix("W/") for one in header.split(",")])
