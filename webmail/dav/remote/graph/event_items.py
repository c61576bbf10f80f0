"""Events as items of a calendar at Graph: read whole, made, changed. A series takes several requests, which may be cut off.

So the first of them says in our extended property what is to come; whoever reads the event finishes it, unless somebody changed
it since. Guests are never written: Graph would invite them, which is done here already.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from urllib.parse import quote, urlencode

from webmail.dav.remote.graph import extra_lines
from webmail.dav.remote.graph.event_reading import (
    UnreadableEventError,
    cancelled_times,
    text_from,
    tree_from,
)
from webmail.dav.remote.graph.event_writing import (
    OWN,
    UnsendableEventError,
    WantedEvent,
    differing,
    extra_of,
    occurrence_of,
    time_key_of,
    wanted_from,
)
from webmail.dav.remote.graph.extra_lines import ExtraLines, time_key
from webmail.dav.remote.graph.graph_client import GraphAnswer, GraphClient, Json, values_in
from webmail.dav.remote.graph.graph_zones import zone_named
from webmail.dav.remote.graph.item_names import name_of

NAME_PROPERTY = "String {6f6f5c0f-7c1c-4d9e-9a53-2d1f3f0b7a41} Name TrabouleName"
_FIELDS = (
    "id,changeKey,iCalUId,type,seriesMasterId,subject,body,start,end,isAllDay,location,categories,showAs,sensitivity,importance,"
    "isReminderOn,reminderMinutesBeforeStart,recurrence,attendees,organizer,isOrganizer,isCancelled,isOnlineMeeting,onlineMeeting,"
    "onlineMeetingUrl,originalStart,originalStartTimeZone,lastModifiedDateTime,responseStatus"
)
_QUERY = urlencode({
    "$select": f"{_FIELDS},cancelledOccurrences",
    "$expand": f"exceptionOccurrences,singleValueExtendedProperties($filter=id eq '{extra_lines.PROPERTY}')",
}, quote_via=quote, safe="$,()'=")  # fmt: skip
_CHANGES = (400, 403, 404, 405, 409, 410, 412, 413, 422)
_BLOB = re.compile(r"_{20,}")  # how what Teams writes below a text begins
_COLOURS = (  # of categories, preset0 to preset24, by the names of CSS (RFC 7986, 5.9)
    "red", "orange", "peru", "gold", "green", "teal", "olive", "royalblue", "rebeccapurple", "mediumvioletred", "lightsteelblue",
    "steelblue", "silver", "gray", "black", "darkred", "darkorange", "sienna", "goldenrod", "darkgreen", "darkslategray",
    "darkolivegreen", "darkblue", "indigo", "maroon",
)  # fmt: skip
USUAL_COLOURS = {  # of the categories that each mailbox begins with, in both languages
    "Red category": "red", "Orange category": "orange", "Yellow category": "gold", "Green category": "green",
    "Blue category": "royalblue", "Purple category": "rebeccapurple",
    "Catégorie rouge": "red", "Catégorie orange": "orange", "Catégorie jaune": "gold", "Catégorie verte": "green",
    "Catégorie bleue": "royalblue", "Catégorie violette": "rebeccapurple",
}  # fmt: skip


# --- reading ---------------------------------------------------------------------------------------------------------


def question(name: str) -> str:
    return f"/me/events/{name}?{_QUERY}"


def read(event: Json, colours: Mapping[str, str]) -> tuple[str, str]:
    """Entity tag and text; "" for what can't be read."""
    try:
        return etag_of(event), text_from(event, colours)
    except UnreadableEventError:
        return etag_of(event), ""


def change_key(row: Json) -> str:
    return str(row.get("changeKey") or "") or str(row.get("@odata.etag") or "").removeprefix("W/").strip('"')


def etag_of(event: Json) -> str:
    """Of a series with its changed times: it is another one when any of them is."""
    key = change_key(event)
    if not event.get("recurrence"):
        return key[:200]
    changed = sorted(f"{one.get('id')} {change_key(one)}" for one in event.get("exceptionOccurrences") or [])
    cancelled = sorted(str(one) for one in event.get("cancelledOccurrences") or [])
    return f"{key[:200]}+{hashlib.sha256('|'.join([*changed, *cancelled]).encode()).hexdigest()[:16]}"


def odata_etag(etag: str) -> str:
    """The condition on one event that belongs to an entity tag of ours."""
    return f'W/"{etag.partition("+")[0]}"'


def colours_in(categories: Iterable[Json]) -> dict[str, str]:
    found = {}
    for one in categories:
        number = str(one.get("color") or "").lower().removeprefix("preset")
        if number.isascii() and number.isdigit() and int(number[:3]) < len(_COLOURS):
            found[str(one.get("displayName"))] = _COLOURS[int(number)]
    return found


def filter_by_name(name: str) -> str:
    escaped = name.replace("'", "''")
    return f"singleValueExtendedProperties/any(ep: ep/id eq '{NAME_PROPERTY}' and ep/value eq '{escaped}')"


# --- making and changing ---------------------------------------------------------------------------------------------


def create(client: GraphClient, where: str, name: str, text: str, zone_name: str) -> GraphAnswer:
    wanted = _wanted(text, zone_name)
    if wanted is None:
        return GraphAnswer(422, {})
    steps = bool(wanted.changed or wanted.cancelled)
    extra = extra_of(wanted)
    properties = _properties(extra, wanted, text if steps else "", None)
    properties.append({"id": NAME_PROPERTY, "value": name})
    made = client.request("POST", where, {**wanted.body, "singleValueExtendedProperties": properties}, refused=_CHANGES)
    if not 200 <= made.status < 300 or not steps:
        return made
    return _finish(client, name_of(made.body.get("id")), wanted, extra)


def change(client: GraphClient, name: str, text: str, etag: str, zone_name: str) -> GraphAnswer:
    """`etag`: what is there has it; "" for whatever is there."""
    wanted = _wanted(text, zone_name)
    if wanted is None:
        return GraphAnswer(422, {})
    found = client.request("GET", question(name), refused=(404, 410))
    if found.status >= 400:
        return found
    there = found.body
    if etag and etag_of(there) != etag:
        return GraphAnswer(412, there)
    return _change(client, name, wanted, text, there)


def finished(client: GraphClient, name: str, event: Json, zone_name: str) -> Json:
    """The event, once what was begun with it is done."""
    extra = extra_lines.of_event(event)
    if not extra.whole or extra.begun != _begun(event):
        return event
    wanted = _wanted(extra.whole, zone_name)
    if wanted is None:
        return event
    answer = _finish(client, name, wanted, extra_of(wanted, event))
    return answer.body if 200 <= answer.status < 300 else event


def _wanted(text: str, zone_name: str) -> WantedEvent | None:
    try:
        return wanted_from(text, zone_named(zone_name) or UTC, zone_name)
    except UnsendableEventError:
        return None


def _change(client: GraphClient, name: str, wanted: WantedEvent, text: str, there: Json) -> GraphAnswer:
    """Write what differs, in as few requests as it takes."""
    before = _body_there(there)
    patch = differing(wanted.body, before)
    if there.get("isOrganizer") is False and set(patch) - OWN:
        return GraphAnswer(403, there)  # only whoever invited changes these
    if "body" in patch and there.get("isOnlineMeeting"):
        patch = _with_meeting(client, name, patch)
    changed, cancelled = _times_there(there)
    resets = bool(
        set(cancelled) - set(wanted.cancelled) - set(wanted.changed) or set(changed) - set(wanted.changed) - set(wanted.cancelled)
    )
    if resets and "recurrence" in wanted.body:
        patch["recurrence"] = wanted.body["recurrence"]  # written anew, a series forgets what was changed in it
    if "recurrence" in before and "recurrence" not in wanted.body:
        patch["recurrence"] = None
    steps = _is_series(wanted) and bool(
        _steps(wanted, {} if "recurrence" in patch else changed, {} if "recurrence" in patch else cancelled)
    )
    extra = extra_of(wanted, there)
    patch["singleValueExtendedProperties"] = _properties(extra, wanted, text if steps else "", there)
    condition = {"If-Match": odata_etag(change_key(there))}
    answer = client.request("PATCH", f"/me/events/{name}", patch, condition, refused=_CHANGES)
    if not 200 <= answer.status < 300 or not _is_series(wanted):
        return answer
    return _finish(client, name, wanted, extra)


def _is_series(wanted: WantedEvent) -> bool:
    return bool(wanted.body.get("recurrence"))


def _body_there(there: Json) -> Json:
    """What is there, as a text from here would say it: so that only what differs is written."""
    try:
        return wanted_from(str(tree_from({**there, "exceptionOccurrences": [], "cancelledOccurrences": []})), UTC, "UTC").body
    except (UnreadableEventError, UnsendableEventError):
        return {}


def _times_there(there: Json) -> tuple[dict[str, Json], dict[str, date | datetime]]:
    changed = {time_key_of(one, there): one for one in there.get("exceptionOccurrences") or []}
    cancelled = {time_key(at): at for at in cancelled_times(there)} if there.get("recurrence") else {}
    return changed, cancelled


def _steps(wanted: WantedEvent, changed: Mapping[str, Json], cancelled: Mapping[str, object]) -> list[tuple[str, Json | None]]:
    """What is still to be done to times of a series: their keys, with what is written; None: they are cancelled."""
    found: list[tuple[str, Json | None]] = [(key, None) for key in wanted.cancelled if key not in cancelled]
    for key, body in wanted.changed.items():
        usual = _body_there(changed[key]) if key in changed else occurrence_of(wanted.body, wanted.originals[key])
        if patch := differing(body, usual):
            found.append((key, patch))
    return found


def _finish(client: GraphClient, name: str, wanted: WantedEvent, extra: ExtraLines) -> GraphAnswer:
    """Bring the times of a series to what they are to be, then say that it is done."""
    answer = client.request("GET", question(name), refused=(404, 410))
    if answer.status >= 400:
        return answer
    there = answer.body
    changed, cancelled = _times_there(there)
    for key, patch in _steps(wanted, changed, cancelled):
        identifier = (
            changed[key].get("id")
            if key in changed
            else _occurrence(client, name, wanted.cancelled.get(key) or wanted.originals[key])
        )
        if not identifier:
            continue  # the series has no such time
        where = f"/me/events/{name_of(identifier)}"
        if patch is None:
            done = client.request("DELETE", where, refused=(404, 410))
        else:
            done = client.request("PATCH", where, patch, refused=_CHANGES)
        if done.status >= 400 and done.status not in (404, 410):
            return done
    if extra_lines.of_event(there).whole:
        values = {"singleValueExtendedProperties": extra_lines.as_property(ExtraLines(extra.uid, extra.parts))}
        client.request("PATCH", f"/me/events/{name}", values)
    return client.request("GET", question(name), refused=(404, 410))


def _occurrence(client: GraphClient, name: str, at: date | datetime) -> str:
    """What a time of a series is called there; "" if there is none."""
    moment = at.astimezone(UTC) if isinstance(at, datetime) else datetime(at.year, at.month, at.day, tzinfo=UTC)
    window = {
        "startDateTime": f"{moment - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}",
        "endDateTime": f"{moment + timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}",
        "$select": "id,start,originalStart,isAllDay",
    }  # fmt: skip
    for page in client.pages(f"/me/events/{name}/instances?{urlencode(window, safe='$,:')}"):
        for one in values_in(page):
            started = str(one.get("originalStart") or (one.get("start") or {}).get("dateTime") or "")[:19]
            if started == f"{moment:%Y-%m-%dT%H:%M:%S}":
                return str(one.get("id") or "")
    return ""


def _properties(extra: ExtraLines, wanted: WantedEvent, whole: str, there: Json | None) -> list[dict[str, str]]:
    """What is stored beside an event; `whole`: what is to come in further steps."""
    if whole:
        event = {**(there or {}), **wanted.body, "originalStartTimeZone": wanted.body["start"]["timeZone"]}
        extra = ExtraLines(extra.uid, extra.parts, whole, _begun(event))
    return extra_lines.as_property(extra)


def _begun(event: Json) -> str:
    """What the first step gave: where it is otherwise, somebody else has been there."""
    body = _body_there(event)
    return hashlib.sha256(repr(sorted((key, repr(value)) for key, value in body.items())).encode()).hexdigest()[:16]


def _with_meeting(client: GraphClient, name: str, patch: Json) -> Json:
    """A new text above what Teams has written below the old one: without that, nobody can join the meeting any more."""
    answer = client.request("GET", f"/me/events/{name}?$select=body", None, {"Prefer": 'IdType="ImmutableId"'})
    before = str((answer.body.get("body") or {}).get("content") or "")
    mark = _BLOB.search(before)
    rest = {key: value for key, value in patch.items() if key != "body"}
    if mark is None:
        return rest
    begins = before.rfind("<", 0, mark.start())
    own = _BLOB.split(str(patch["body"]["content"]), maxsplit=1)[0].strip()
    lines = "<br>".join(html.escape(line) for line in own.split("\n"))
    return {**rest, "body": {"contentType": "html", "content": f"<html><body><div>{lines}</div><br>{before[max(begins, 0) :]}"}}
