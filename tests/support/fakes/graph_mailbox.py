"""Calendars and contacts of Graph as a fake, from its published reference: with a state, in this process, strict about what it is told.

`ask` is what a client asks by. What somebody does in Outlook are methods: `make`, `change`, `cancel`, `remove`. Errors are ordered by
`faults`, `broken` (items answered 500), `forget` (410), `missed` (changes that delta does not tell of).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from webmail.http_fetch import FetchedResponse, NotFetchedError

Json = dict[str, Any]
BASE = "https://graph.microsoft.com/v1.0"
_WRITABLE = {
    "subject", "body", "start", "end", "isAllDay", "location", "categories", "showAs", "sensitivity", "importance", "isReminderOn",
    "reminderMinutesBeforeStart", "recurrence", "attendees", "isOnlineMeeting", "singleValueExtendedProperties", "transactionId",
}  # fmt: skip
_CONTACT = {
    "displayName", "givenName", "surname", "middleName", "title", "generation", "nickName", "emailAddresses", "mobilePhone",
    "businessPhones", "homePhones", "homeAddress", "businessAddress", "otherAddress", "companyName", "department", "jobTitle",
    "businessHomePage", "imAddresses", "birthday", "personalNotes", "categories", "singleValueExtendedProperties",
}  # fmt: skip
_ENUMS = {
    "showAs": {"free", "tentative", "busy", "oof", "workingElsewhere", "unknown"},
    "sensitivity": {"normal", "personal", "private", "confidential"}, "importance": {"low", "normal", "high"},
}  # fmt: skip
_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_INDEX = {"first": 0, "second": 1, "third": 2, "fourth": 3, "last": -1}


class Refused(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, code: str, **headers: str) -> None:
        super().__init__(code)
        self.status, self.code, self.headers = status, code, headers


def _schedules_in(body: Json) -> list[str]:
    start, end = (datetime.fromisoformat(body[name]["dateTime"]) for name in ("startTime", "endTime"))
    if not timedelta(0) < end - start < timedelta(days=42) or not 5 <= body["availabilityViewInterval"] <= 1440:
        raise Refused(400, "ErrorInvalidRequest")
    if len(body["schedules"]) > 20:
        raise Refused(400, "ErrorInvalidParameter")
    return list(body["schedules"])


@dataclass
class FakeEvent:
    """A single event or a series. `own` is what was written; times are kept as local ones of `zone`."""

    id: str
    calendar: str
    own: Json
    seq: int = 0
    key: str = ""  # changeKey
    removed: bool = False
    told: bool = False  # as one of a window
    changed: dict[date, Json] = field(default_factory=dict)  # by the day it was to be: what is otherwise
    changed_keys: dict[date, str] = field(default_factory=dict)
    cancelled: dict[date, int] = field(default_factory=dict)  # with the sequence of the change


class GraphMailbox:
    """`page`: how many rows a page has at most. `refuses`: scopes whose requests are answered 403."""

    def __init__(self) -> None:
        self.base = BASE
        self.calendars: dict[str, Json] = {"AAMkCal=": {"name": "Calendar", "hexColor": "#0078d4", "canEdit": True}}
        self.folders: dict[str, str] = {}
        self.events: dict[str, FakeEvent] = {}
        self.contacts: dict[str, Json] = {}  # with "_folder", "_seq", "_removed"
        self.categories: list[Json] = [{"displayName": "Cours", "color": "preset7"}]
        self.seq = self.made = 0
        self.oldest_token = 0
        self.page = 200
        self.asked: list[tuple[str, str]] = []
        self.faults: list[tuple[str, int, str, dict[str, str]]] = []  # part of "METHOD path", status, code, headers: each once
        self.missed: set[str] = set()
        self.broken: set[str] = set()
        self.answers: list[tuple[str, str]] = []  # to organisers: the word and the comment
        self.schedules: dict[str, list[tuple[str, str, str]]] = {}  # of colleagues, by address: status, start, end in UTC
        self.refuses: tuple[str, ...] = ()
        self.before: Callable[[str, str], None] = lambda _method, _path: None
        self.after: Callable[[str, str], None] = lambda _method, _path: None

    # --- asked by a client -------------------------------------------------------------------------------------------

    def ask(self, method: str, url: str, body: bytes, headers: dict[str, str], *, limit: int, seconds: float) -> FetchedResponse:
        assert url.startswith(self.base + "/"), url
        status, told, content = self.answer(method, url.removeprefix(self.base), body, headers)
        text = json.dumps(content).encode() if content is not None else b""
        assert len(text) <= limit
        return FetchedResponse(url, status, "application/json", text, told)

    def answer(self, method: str, target: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str], Json | None]:
        """Status, headers and content."""
        path = target.partition("?")[0]
        self.asked.append((method, path))
        self.before(method, path)
        try:
            status, content = self._answer(method, target, json.loads(body) if body else {}, headers)
            told: dict[str, str] = {}
        except Refused as refused:
            status, told = refused.status, {name.lower().replace("_", "-"): text for name, text in refused.headers.items()}
            content = {"error": {"code": refused.code, "message": refused.code}}
        self.after(method, path)
        return status, told, content

    def _answer(self, method: str, target: str, body: Json, headers: dict[str, str]) -> tuple[int, Json | None]:
        parts = urlsplit(target)
        self._fault(method, parts.path)
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        told = {name.lower(): value for name, value in headers.items()}
        if parts.path == "/$batch":
            return 200, {"responses": [self._part(one) for one in body["requests"]]}
        words = [unquote(word) for word in parts.path.strip("/").split("/")]
        if self.broken & set(words):
            raise Refused(500, "ErrorInternalServerError")
        if words[0] != "me":
            raise Refused(404, "ResourceNotFound")
        if any(scope in parts.path for scope in self.refuses):
            raise Refused(403, "ErrorAccessDenied")
        match method, words[1:]:
            case "GET", ["calendars"]:
                return 200, {"value": [{"id": key, **one} for key, one in self.calendars.items()]}
            case "POST", ["calendar", "getSchedule"]:
                return 200, {"value": [self._schedule(one, told) for one in _schedules_in(body)]}
            case "GET", ["outlook", "masterCategories"]:
                return 200, {"value": self.categories}
            case "GET", ["calendars", calendar, "events"]:
                rows = [one for one in self._events_in(calendar) if not one.removed and _is_named(one.own, query)]
                return 200, self._paged(parts.path, query, [self._shown(one, query) for one in rows])
            case "POST", ["calendars", calendar, "events"]:
                return 201, self._shown(self._post(calendar, body), {})
            case "GET", ["calendars", calendar, "calendarView", "delta"]:
                return 200, self._delta(calendar, query, told)
            case "GET", ["events", name]:
                return 200, self._one(name, query, told)
            case "GET", ["events", name, "instances"]:
                return 200, self._paged(parts.path, query, self._instances(self._event(name), query))
            case "POST", ["events", name, "accept" | "tentativelyAccept" | "decline" as word]:
                self._answer_invitation(name, word, body)
                return 202, None
            case "PATCH", ["events", name]:
                return 200, self._patch(name, body, told)
            case "DELETE", ["events", name]:
                self._delete(name, told)
                return 204, None
            case _:
                return self._of_contacts(method, words[1:], parts.path, query, body, told)

    def _answer_invitation(self, name: str, word: str, body: Json) -> None:
        """What its organiser is told is in `answers`; what is declined leaves the calendar."""
        event = self._event(name)
        assert set(body) <= {"comment", "sendResponse", "proposedNewTime"} and isinstance(body.get("sendResponse", True), bool)
        if event.own.get("isOrganizer", True) or not event.own.get("responseRequested", True):
            raise Refused(400, "ErrorInvalidRequest")
        self.answers.append((word, body.get("comment", "")))
        said = {"accept": "accepted", "tentativelyAccept": "tentativelyAccepted", "decline": "declined"}[word]
        event.own["responseStatus"] = {"response": said, "time": "2026-12-01T12:00:00Z"}
        event.removed = word == "decline"
        self._touch(event)

    def _schedule(self, address: str, told: dict[str, str]) -> Json:
        assert told.get("prefer") == 'outlook.timezone="UTC"'
        if address not in self.schedules:
            said = {"message": "Unable to resolve mailbox.", "responseCode": "ErrorMailRecipientNotFound"}
            return {"scheduleId": address, "availabilityView": "", "error": said}
        items = [
            {
                "status": status,
                "start": {"dateTime": f"{start}.0000000", "timeZone": "UTC"},
                "end": {"dateTime": f"{end}.0000000", "timeZone": "UTC"},
            }
            for status, start, end in self.schedules[address]
        ]
        return {"scheduleId": address, "availabilityView": "0", "scheduleItems": items}

    def _part(self, one: Json) -> Json:
        assert len(one["url"]) and not one["url"].startswith("http")
        status, told, content = self.answer(
            one["method"], one["url"], json.dumps(one.get("body") or {}).encode(), one.get("headers", {})
        )
        return {"id": one["id"], "status": status, "headers": told, "body": content or {}}

    def _fault(self, method: str, path: str) -> None:
        for fault in self.faults:
            part, status, code, headers = fault
            if part in f"{method} {path}":
                self.faults.remove(fault)
                if status == 0:
                    raise NotFetchedError("the connection broke")
                raise Refused(status, code, **headers)

    def _paged(self, path: str, query: dict[str, str], rows: list[Json]) -> Json:
        at, most = int(query.get("$skip", "0")), min(int(query.get("$top", "10")), 1000)
        found: Json = {"value": rows[at : at + most]}
        if at + most < len(rows):
            more = "&".join(f"{name}={value}" for name, value in {**query, "$skip": str(at + most)}.items())
            found["@odata.nextLink"] = f"{self.base}{path}?{more}"
        return found

    # --- events ------------------------------------------------------------------------------------------------------

    def _events_in(self, calendar: str) -> list[FakeEvent]:
        if calendar not in self.calendars:
            raise Refused(404, "ErrorItemNotFound")
        return [one for one in self.events.values() if one.calendar == calendar]

    def _event(self, name: str) -> FakeEvent:
        found = self.events.get(name.partition(".occ.")[0])
        if found is None or found.removed:
            raise Refused(404, "ErrorItemNotFound")
        return found

    def _touch(self, event: FakeEvent) -> None:
        self.seq += 1
        event.seq, event.key = self.seq, f"DwAAABYA{self.seq:06}"

    def _post(self, calendar: str, body: Json) -> FakeEvent:
        self._events_in(calendar)
        if "start" not in body or "end" not in body:
            raise Refused(400, "ErrorPropertyValidationFailure")
        self.made += 1
        made = FakeEvent(
            f"AAMkAD{self.made:05}=",
            calendar,
            {"iCalUId": f"040000008200E00074C5B7101A82E008{self.made:08}", "isOrganizer": True},
        )
        self._write(made, body)
        self.events[made.id] = made
        self._touch(made)
        return made

    def _write(self, event: FakeEvent, body: Json) -> None:
        self._check(body, _WRITABLE)
        new = {**event.own, **{key: value for key, value in body.items() if key != "singleValueExtendedProperties"}}
        for one in body.get("singleValueExtendedProperties") or []:
            new.setdefault("_stored", {})
            new["_stored"] = {**new["_stored"], one["id"]: one["value"]}
        if new.get("isAllDay") and any(not new[key]["dateTime"][11:19] == "00:00:00" for key in ("start", "end")):
            raise Refused(400, "ErrorInvalidRequest")
        if _local(new["end"]) < _local(new["start"]):
            raise Refused(400, "ErrorPropertyValidationFailure")
        if new.get("recurrence"):
            first = next(_days_of(new["recurrence"], _local(new["start"]).date() + timedelta(days=5000)), None)
            if first != _local(new["start"]).date():
                raise Refused(400, "ErrorRecurrenceHasNoOccurrence")
        if "body" in body:  # an online meeting is told by what stands in its text
            new["body"] = {
                "contentType": body["body"].get("contentType", "text"),
                "content": body["body"].get("content", "").replace("\n", "\r\n"),
            }
        event.own = new
        if {"recurrence", "start", "isAllDay"} & set(body):  # a series written anew forgets what was changed in it
            event.changed, event.changed_keys, event.cancelled = {}, {}, {}

    def _check(self, body: Json, names: set[str]) -> None:
        for key, value in body.items():
            if key not in names:
                raise Refused(400, "ErrorInvalidProperty")
            if key in _ENUMS and value not in _ENUMS[key]:
                raise Refused(400, "BadRequest")
        for one in body.get("singleValueExtendedProperties") or []:
            if not re.fullmatch(r"String \{[0-9a-f-]{36}\} Name \w+", one["id"]) or len(one["value"]) > 32_000:
                raise Refused(400, "ErrorInvalidArgument")

    def _conditions(self, key: str, told: dict[str, str]) -> None:
        wanted = told.get("if-match")
        if wanted is not None and wanted != f'W/"{key}"':
            raise Refused(412, "ErrorIrresolvableConflict")

    def _one(self, name: str, query: dict[str, str], told: dict[str, str]) -> Json:
        event, day = self._event(name), _day_in(name)
        if day is None:
            return self._shown(event, query, told)
        self._check_day(event, day)
        return self._time(event, day)

    def _patch(self, name: str, body: Json, told: dict[str, str]) -> Json:
        event, day = self._event(name), _day_in(name)
        if day is None:
            self._conditions(event.key, told)
            self._write(event, body)
            self._touch(event)
            return self._shown(event, {})
        self._check(body, _WRITABLE - {"recurrence"})
        self._check_day(event, day)
        whole = {**self._time(event, day), **body}
        if _local(whole["end"]) < _local(whole["start"]):
            raise Refused(400, "ErrorPropertyValidationFailure")
        event.changed[day] = {**event.changed.get(day, {}), **body}
        self._touch(event)
        event.changed_keys[day] = event.key
        return self._time(event, day)

    def _delete(self, name: str, told: dict[str, str]) -> None:
        event, day = self._event(name), _day_in(name)
        if day is None:
            self._conditions(event.key, told)
            event.removed = True
            self._touch(event)
            return
        self._check_day(event, day)
        event.changed.pop(day, None)
        self._touch(event)
        event.cancelled[day] = event.seq

    def _check_day(self, event: FakeEvent, day: date) -> None:
        if day in event.cancelled or not event.own.get("recurrence") or day not in _until(event.own["recurrence"], day):
            raise Refused(404, "ErrorItemNotFound")

    def _shown(self, event: FakeEvent, query: dict[str, str], told: dict[str, str] | None = None) -> Json:
        series = bool(event.own.get("recurrence"))
        found: Json = {
            "@odata.etag": f'W/"{event.key}"', "id": event.id, "changeKey": event.key, "type": "seriesMaster" if series else "singleInstance",
            "lastModifiedDateTime": "2026-11-30T10:00:00Z", **_told(event.own, told or {}),
        }  # fmt: skip
        if "cancelledOccurrences" in query.get("$select", "") and series:
            found["cancelledOccurrences"] = [f"OID.{event.id}.{day.isoformat()}" for day in sorted(event.cancelled)]
        if "exceptionOccurrences" in query.get("$expand", "") and series:
            found["exceptionOccurrences"] = [self._time(event, day) for day in sorted(event.changed)]
        if asked := re.search(r"ep/id|\(\$filter=id eq '([^']*)'\)", query.get("$expand", "")):
            stored = event.own.get("_stored", {})
            if asked[1] in stored:
                found["singleValueExtendedProperties"] = [{"id": asked[1], "value": stored[asked[1]]}]
        return _selected(found, query)

    def _time(self, event: FakeEvent, day: date) -> Json:
        """One time of a series."""
        start, end = _local(event.own["start"]), _local(event.own["end"])
        at = datetime.combine(day, start.time(), start.tzinfo)
        zone = event.own["start"]["timeZone"]
        usual = {
            **{key: value for key, value in event.own.items() if key not in ("recurrence", "_stored")},
            "start": {"dateTime": at.isoformat()[:19], "timeZone": zone},
            "end": {"dateTime": (at.replace(tzinfo=None) + (end.replace(tzinfo=None) - start.replace(tzinfo=None))).isoformat()[:19], "timeZone": zone},
        }  # fmt: skip
        own = {**usual, **event.changed.get(day, {})}
        key = event.changed_keys.get(day, event.key)
        original = at.astimezone(UTC) if not event.own.get("isAllDay") else at.replace(tzinfo=UTC)
        return {
            "@odata.etag": f'W/"{key}"', "id": f"{event.id}.occ.{day.isoformat()}", "changeKey": key, "seriesMasterId": event.id,
            "type": "exception" if day in event.changed else "occurrence", "originalStart": f"{original:%Y-%m-%dT%H:%M:%SZ}",
            "lastModifiedDateTime": "2026-11-30T10:00:00Z", **_told(own, {}),
        }  # fmt: skip

    def _instances(self, event: FakeEvent, query: dict[str, str]) -> list[Json]:
        first, last = (_asked(query[name]) for name in ("startDateTime", "endDateTime"))
        days = [day for day in _days_of(event.own["recurrence"], last.date() + timedelta(days=1)) if day not in event.cancelled]
        times = [self._time(event, day) for day in days]
        return [one for one in times if _told_at(one["start"]) < last and _told_at(one["end"]) > first]

    def _delta(self, calendar: str, query: dict[str, str], told: dict[str, str]) -> Json:
        if "$skiptoken" in query:
            state = json.loads(query["$skiptoken"])
        elif "$deltatoken" in query:
            state = {**json.loads(query["$deltatoken"]), "at": 0}
            if state["seq"] < self.oldest_token:
                raise Refused(410, "SyncStateNotFound")
            state |= {"since": state["seq"], "seq": self.seq}
        else:
            if {"$select", "$expand", "$filter", "$orderby", "$search"} & set(query):
                raise Refused(400, "ErrorInvalidUrlQuery")
            state = {"from": query["startDateTime"], "to": query["endDateTime"], "since": -1, "seq": self.seq, "at": 0}
        rows = list(self._rows(calendar, state))
        most = int(found[1]) if (found := re.search(r"maxpagesize=(\d+)", told.get("prefer", ""))) else 10
        at, most = state["at"], min(most, self.page)
        path = f"{self.base}/me/calendars/{calendar}/calendarView/delta"
        answer: Json = {"value": rows[at : at + most]}
        if at + most < len(rows):
            return {
                **answer,
                "@odata.nextLink": f"{path}?$skiptoken={json.dumps({**state, 'at': at + most}, separators=(',', ':'))}",
            }
        kept = {name: state[name] for name in ("from", "to", "seq")}
        return {**answer, "@odata.deltaLink": f"{path}?$deltatoken={json.dumps(kept, separators=(',', ':'))}"}

    def _rows(self, calendar: str, state: Json) -> Iterator[Json]:
        first, last = _asked(state["from"]), _asked(state["to"])
        for event in self._events_in(calendar):
            if not state["since"] < event.seq <= state["seq"] or (event.id in self.missed and state["since"] >= 0):
                continue
            if event.removed:
                if state["since"] >= 0:
                    yield {"id": event.id, "@removed": {"reason": "deleted"}}
                continue
            if not event.own.get("recurrence"):
                if _told_at(event.own["start"], own=True) < last and _told_at(event.own["end"], own=True) > first:
                    event.told = True
                    yield self._shown(event, {})
                elif state["since"] >= 0 and event.told:
                    yield {"id": event.id, "@removed": {"reason": "changed"}}
                continue
            newly = [day for day, seq in event.cancelled.items() if state["since"] < seq]
            if (
                newly and state["since"] >= 0 and event.cancelled[newly[-1]] == event.seq
            ):  # of a cancelled time nothing else is told
                for day in newly:
                    yield {"id": f"{event.id}.occ.{day.isoformat()}", "@removed": {"reason": "deleted"}}
                continue
            window = {"startDateTime": state["from"], "endDateTime": state["to"]}
            times = self._instances(event, window)
            if times:
                yield self._shown(event, {})
                for one in times:
                    brief = {key: one[key] for key in ("id", "type", "seriesMasterId", "start", "end")}
                    yield one if one["type"] == "exception" else brief

    # --- what somebody does in Outlook -------------------------------------------------------------------------------

    def make(
        self, subject: str, start: str, end: str, zone: str = "Romance Standard Time", calendar: str = "AAMkCal=", **values: Any
    ) -> str:
        times = {"start": {"dateTime": start, "timeZone": zone}, "end": {"dateTime": end, "timeZone": zone}}
        written = {key: value for key, value in values.items() if key in _WRITABLE}
        event = self._post(calendar, {"subject": subject, **times, **written})
        event.own |= {key: value for key, value in values.items() if key not in _WRITABLE}
        return event.id

    def change(self, name: str, day: str = "", **values: Any) -> None:
        self._patch(f"{name}.occ.{day}" if day else name, values, {})

    def cancel(self, name: str, day: str) -> None:
        self._delete(f"{name}.occ.{day}", {})

    def remove(self, name: str) -> None:
        self._delete(name, {})

    def forget(self) -> None:
        """No token that was given is known any more."""
        self.seq += 1
        self.oldest_token = self.seq

    def alive(self) -> dict[str, FakeEvent]:
        return {key: one for key, one in self.events.items() if not one.removed}

    # --- contacts ----------------------------------------------------------------------------------------------------

    def _of_contacts(
        self, method: str, words: list[str], path: str, query: dict[str, str], body: Json, told: dict[str, str]
    ) -> tuple[int, Json | None]:
        folder = ""
        if words[0] == "contactFolders":
            if len(words) == 1:
                return 200, {"value": [{"id": key, "displayName": name} for key, name in self.folders.items()]}
            if words[1] not in self.folders:
                raise Refused(404, "ErrorItemNotFound")
            folder, words = words[1], words[2:]
        match method, words:
            case "GET", ["contacts"]:
                rows = [
                    one
                    for one in self.contacts.values()
                    if one["_folder"] == folder and not one["_removed"] and _is_named(one, query)
                ]
                return 200, self._paged(path, query, [_contact(one, query) for one in rows])
            case "POST", ["contacts"]:
                self._check(body, _CONTACT)
                self.made += 1
                made = {"id": f"AAMkCo{self.made:05}=", "_folder": folder, "_removed": False}
                self.contacts[made["id"]] = made
                return 201, self._write_contact(made, body)
            case "GET", ["contacts", "delta"]:
                return 200, self._contact_delta(folder, path, query)
            case "GET", ["contacts", name]:
                return 200, _contact(self._contact_named(name), query)
            case "PATCH", ["contacts", name]:
                found = self._contact_named(name)
                self._conditions(found["changeKey"], told)
                self._check(body, _CONTACT)
                return 200, self._write_contact(found, body)
            case "DELETE", ["contacts", name]:
                found = self._contact_named(name)
                self._conditions(found["changeKey"], told)
                self.seq += 1
                found |= {"_removed": True, "_seq": self.seq}
                return 204, None
        raise Refused(404, "ResourceNotFound")

    def _contact_named(self, name: str) -> Json:
        found = self.contacts.get(name)
        if found is None or found["_removed"]:
            raise Refused(404, "ErrorItemNotFound")
        return found

    def _write_contact(self, contact: Json, body: Json) -> Json:
        self.seq += 1
        stored = {one["id"]: one["value"] for one in body.get("singleValueExtendedProperties") or []}
        contact |= {key: value for key, value in body.items() if key != "singleValueExtendedProperties"}
        contact |= {"_stored": {**contact.get("_stored", {}), **stored}, "_seq": self.seq, "changeKey": f"EQAAABYA{self.seq:06}"}
        return _contact(contact, {})

    def _contact_delta(self, folder: str, path: str, query: dict[str, str]) -> Json:
        if "$skiptoken" in query:
            state = json.loads(query["$skiptoken"])
        elif "$deltatoken" in query:
            since = int(query["$deltatoken"])
            if since < self.oldest_token:
                raise Refused(410, "SyncStateNotFound")
            state = {"since": since, "seq": self.seq, "at": 0}
        else:
            state = {"since": -1, "seq": self.seq, "at": 0}
        rows: list[Json] = []
        for one in self.contacts.values():
            if (
                one["_folder"] != folder
                or not state["since"] < one["_seq"] <= state["seq"]
                or (one["id"] in self.missed and state["since"] >= 0)
            ):
                continue
            if one["_removed"]:
                rows += [{"id": one["id"], "@removed": {"reason": "deleted"}}] if state["since"] >= 0 else []
            else:
                rows.append(_contact(one, query))
        at = state["at"]
        answer: Json = {"value": rows[at : at + self.page]}
        if at + self.page < len(rows):
            return {
                **answer,
                "@odata.nextLink": f"{self.base}{path}?$skiptoken={json.dumps({**state, 'at': at + self.page}, separators=(',', ':'))}",
            }
        return {**answer, "@odata.deltaLink": f"{self.base}{path}?$deltatoken={state['seq']}"}


# --- helpers ---------------------------------------------------------------------------------------------------------


def _contact(contact: Json, query: dict[str, str]) -> Json:
    found = {key: value for key, value in contact.items() if not key.startswith("_")}
    found["@odata.etag"] = f'W/"{contact["changeKey"]}"'
    asked = re.search(r"\(\$filter=id eq '([^']*)'\)", query.get("$expand", ""))
    if asked and asked[1] in contact.get("_stored", {}):
        found["singleValueExtendedProperties"] = [{"id": asked[1], "value": contact["_stored"][asked[1]]}]
    return _selected(found, query)


def _selected(found: Json, query: dict[str, str]) -> Json:
    if "$select" not in query:
        return found
    named = {*query["$select"].split(","), "id", "@odata.etag", "exceptionOccurrences", "singleValueExtendedProperties"}
    return {key: value for key, value in found.items() if key in named}


def _is_named(own: Json, query: dict[str, str]) -> bool:
    """By a filter for an extended property, the only one that is known here."""
    if "$filter" not in query:
        return True
    found = re.fullmatch(
        r"singleValueExtendedProperties/any\(ep: ep/id eq '([^']*)' and ep/value eq '((?:[^']|'')*)'\)", query["$filter"]
    )
    if found is None:
        raise Refused(400, "ErrorInvalidUrlQueryFilter")
    return bool(own.get("_stored", {}).get(found[1]) == found[2].replace("''", "'"))


def _zone(name: str) -> Any:
    if name in ("UTC", "tzone://Microsoft/Utc"):
        return UTC
    try:
        return ZoneInfo(WINDOWS_TO_OLSON.get(name, name))
    except (ValueError, LookupError, OSError) as error:
        raise Refused(400, "TimeZoneNotSupportedException") from error


def _local(value: Json) -> datetime:
    return datetime.fromisoformat(value["dateTime"][:19]).replace(tzinfo=_zone(value["timeZone"]))


def _told_at(value: Json, *, own: bool = False) -> datetime:
    return _local(value).astimezone(UTC)


def _asked(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _told(own: Json, told: dict[str, str]) -> Json:
    """As Graph tells of an event that is asked for in UTC, its text as a text."""
    found = {key: value for key, value in own.items() if not key.startswith("_")}
    for key in ("start", "end"):
        if own.get("isAllDay"):
            found[key] = {"dateTime": f"{own[key]['dateTime'][:10]}T00:00:00.0000000", "timeZone": "UTC"}
        else:
            found[key] = {"dateTime": f"{_local(own[key]).astimezone(UTC):%Y-%m-%dT%H:%M:%S}.0000000", "timeZone": "UTC"}
    found["originalStartTimeZone"] = own["start"]["timeZone"]
    body = own.get("body") or {"contentType": "text", "content": ""}
    if body["contentType"] == "html" and (not told or "text" in told.get("prefer", "")):
        text = re.sub(r"<br>|</div>", "\r\n", body["content"])
        body = {"contentType": "text", "content": re.sub("<[^>]*>", "", text)}
    found["body"] = body
    return {
        "showAs": "busy",
        "sensitivity": "normal",
        "importance": "normal",
        "isReminderOn": False,
        "categories": [],
        "attendees": [],
        **found,
    }


def _day_in(name: str) -> date | None:
    _master, mark, day = name.partition(".occ.")
    return date.fromisoformat(day) if mark else None


def _until(recurrence: Json, day: date) -> set[date]:
    return set(_days_of(recurrence, day))


def _days_of(recurrence: Json, last: date) -> Iterator[date]:
    """The days of a series up to `last`, found day by day."""
    pattern, span = recurrence["pattern"], recurrence["range"]
    begin = date.fromisoformat(span["startDate"])
    if span["type"] == "endDate":
        last = min(last, date.fromisoformat(span["endDate"]))
    left = span["numberOfOccurrences"] if span["type"] == "numbered" else 10**6
    day = begin
    while day <= last and left > 0:
        if _fits(pattern, begin, day):
            yield day
            left -= 1
        day += timedelta(days=1)


def _fits(pattern: Json, begin: date, day: date) -> bool:
    every, kind = pattern["interval"], pattern["type"]
    if every < 1:
        raise Refused(400, "ErrorInvalidRequest")
    months = (day.year - begin.year) * 12 + day.month - begin.month
    last = ((day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)).day
    match kind:
        case "daily":
            return (day - begin).days % every == 0
        case "weekly":
            first = _DAYS.index(pattern["firstDayOfWeek"])
            week = ((begin - timedelta(days=(begin.weekday() - first) % 7)), (day - timedelta(days=(day.weekday() - first) % 7)))
            return _DAYS[day.weekday()] in pattern["daysOfWeek"] and ((week[1] - week[0]).days // 7) % every == 0
        case "absoluteMonthly":
            return months % every == 0 and day.day == min(pattern["dayOfMonth"], last)
        case "absoluteYearly":
            return (
                (day.year - begin.year) % every == 0
                and day.month == pattern["month"]
                and day.day == min(pattern["dayOfMonth"], last)
            )
        case "relativeMonthly" | "relativeYearly":
            if kind == "relativeYearly" and (day.month != pattern["month"] or (day.year - begin.year) % every):
                return False
            if kind == "relativeMonthly" and months % every:
                return False
            days = [one for one in range(1, last + 1) if _DAYS[day.replace(day=one).weekday()] in pattern["daysOfWeek"]]
            return day.day == days[_INDEX[pattern["index"]]]
    raise Refused(400, "ErrorInvalidRequest")
