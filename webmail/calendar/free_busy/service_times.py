"""Service times: when guests are busy, as a person's own account at Google or Microsoft 365 tells of people in its organisation.

Off until the person says so in their settings. Pages show what was told last and note what is wanted, as of times that people
publish (`outside_times.py`, whose rows these are); the worker asks, of several guests at once, within bounds of time and bytes.
Nothing but times is read, and only guests with an address in the account's own domain are named to the service.
"""

from __future__ import annotations

import json
import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import peewee as pw

from webmail import preferences
from webmail.calendar.free_busy import outside_times
from webmail.calendar.free_busy.busy_people import ABSENT, BUSY, PERHAPS
from webmail.calendar.free_busy.outside_times import OutsideTimes
from webmail.collections.following.faults import FollowFault
from webmail.config.settings import Settings
from webmail.errors import MailError
from webmail.http_fetch import FetchedResponse, NotFetchedError
from webmail.models import ConnectedService, PublishedTimes, User
from webmail.services import connections, policy, providers, service_requests
from webmail.services.providers import CALENDAR, GOOGLE, MICROSOFT
from webmail.services.service_errors import ConsentEndedError, NoSuchServiceError, NotOfferedError, ServiceError, TryLaterError

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=10)
UNTOLD = "untold"  # `PublishedTimes.error`: the service answers, and says nothing of this person
AT_ONCE = 20  # guests of one request
_DAY = 86_400
_STEP, _SPAN = 14 * _DAY, 35 * _DAY  # what is asked begins every two weeks, and holds what any page shows: less than 42 days
_SECONDS, _LIMIT = 8.0, 1_000_000  # of one request
_LEASE = 60
_IN_A_ROUND = 10  # requests
_MOST_SPANS = 2_000  # of one person
_HEAD = "service:"
_OF_ANYBODY = frozenset((  # addresses of which say nothing of an organisation
    "gmail.com", "googlemail.com", "outlook.com", "outlook.fr", "hotmail.com", "hotmail.fr", "live.com", "live.fr", "msn.com",
))  # fmt: skip
_LEVELS = {"tentative": PERHAPS, "busy": BUSY, "oof": ABSENT, "workingelsewhere": PERHAPS, "unknown": PERHAPS}
Spans = list[tuple[int, int, int]]


def times_of(user: User, keys: Sequence[str], start: int, end: int, settings: Settings) -> dict[str, OutsideTimes]:
    """What the person's services know of the people with these addresses (normalised). What is not fresh is asked for soon.

    0 queries where the person did not say so; else 1 for the services, 1 where they have guests in their organisation, and 1,
    with 1 for each, for what is asked for.
    """
    if not keys or not preferences.value_in(user.preferences, "ask_services") or not policy.available(settings, user):
        return {}
    at = start - start % _STEP
    urls: dict[str, str] = {}
    titles: dict[str, str] = {}
    for one in _services_to_ask(user, settings):
        domain = one.login.rpartition("@")[2].lower()
        for key in keys:
            if key.rpartition("@")[2] == domain and domain not in _OF_ANYBODY and key not in urls:
                urls[key], titles[key] = f"{_HEAD}{one.id}:{at}:{key}", one.title
    known = outside_times.from_addresses(user, urls, start, end) if urls else {}
    return {key: replace(told, told_by=titles[key]) for key, told in known.items()}


def _services_to_ask(user: User, settings: Settings) -> list[ConnectedService]:
    """Those that may be asked. 1 query."""
    return [
        one for one in connections.for_user(user) if _may_tell(one, settings) and policy.is_offered(one.provider, settings, user)
    ]


def _may_tell(service: ConnectedService, settings: Settings) -> bool:
    provider = providers.find(service.provider, settings) if service.provider in (GOOGLE, MICROSOFT) else None
    return provider is not None and provider.allows(service.scopes, CALENDAR)


# --- what the worker does --------------------------------------------------------------------------------------------


def waiting() -> pw.Query:
    rows = PublishedTimes.select().where(PublishedTimes.wanted > 0, PublishedTimes.wanted <= int(time.time()))
    return rows.where(PublishedTimes.url.startswith(_HEAD))


def sweep(settings: Settings) -> int:
    """Ask for what is wanted, each row by one worker; returns of how many people the times came."""
    count, paused = 0, set[int]()
    for (number, at), rows in _groups(waiting().order_by(PublishedTimes.wanted, PublishedTimes.id).limit(500)):
        if number in paused:
            continue
        mine = [row for row in rows if _leased(row)]
        if mine:
            told = _outcomes(number, at, mine, settings)
            count += sum(not one["error"] for one in told.values())
            paused |= {number for one in told.values() if one["error"] not in ("", UNTOLD)}
            for row in mine:
                PublishedTimes.update(wanted=0, **told[row.id]).where(PublishedTimes.id == row.id).execute()
    return count


def _groups(rows: Iterable[PublishedTimes]) -> list[tuple[tuple[int, int], list[PublishedTimes]]]:
    """What can be asked together, the longest waiting of each service first, then the second of each."""
    found: defaultdict[tuple[int, int], list[PublishedTimes]] = defaultdict(list)
    for row in rows:
        number, at = _taken_apart(row.url)[:2]
        found[number, at].append(row)
    seen: defaultdict[int, int] = defaultdict(int)
    order = []
    for key, some in found.items():
        order.append((seen[key[0]], key, some[:AT_ONCE]))
        seen[key[0]] += 1
    return [(key, some) for _place, key, some in sorted(order, key=lambda one: one[0])[:_IN_A_ROUND]]


def _taken_apart(url: str) -> tuple[int, int, str]:
    _head, number, at, key = url.split(":", 3)
    return int(number), int(at), key


def _leased(row: PublishedTimes) -> bool:
    same = (PublishedTimes.id == row.id) & (PublishedTimes.wanted == row.wanted)
    return bool(PublishedTimes.update(wanted=int(time.time()) + _LEASE).where(same).execute())


def _outcomes(number: int, at: int, rows: Sequence[PublishedTimes], settings: Settings) -> dict[int, dict[str, Any]]:
    """By the id of each row, what is written of it."""
    moment = int(time.time())
    keys = {row.id: _taken_apart(row.url)[2] for row in rows}
    try:
        found = _schedules(number, rows[0].user, at, list(keys.values()), settings)
    except TryLaterError as error:  # what was tried in the future is asked for again so much later
        later = moment + max(error.seconds - outside_times.FRESH, 0)
        return {row.id: {"error": str(FollowFault.BUSY), "tried": later} for row in rows}
    except (MailError, NotFetchedError, ValueError) as error:
        log.info("busy times of connected service %d: %s", number, error)
        return {row.id: {"error": _fault_of(error), "tried": moment} for row in rows}
    return {row: _values(found.get(key), at, moment) for row, key in keys.items()}


def _fault_of(error: Exception) -> str:
    if isinstance(error, ConsentEndedError | NoSuchServiceError):
        return str(FollowFault.PASSWORD)
    return str(FollowFault.REFUSED if isinstance(error, NotOfferedError) else FollowFault.AWAY)


def _values(spans: Spans | None, at: int, moment: int) -> dict[str, Any]:
    if spans is None:
        return {"error": UNTOLD, "tried": moment, "fetched": 0, "spans": "[]"}
    inside = ((max(start, at), min(end, at + _SPAN), level) for start, end, level in spans)
    told = sorted(one for one in inside if one[0] < one[1])[:_MOST_SPANS]
    return {"error": "", "tried": moment, "fetched": moment, "first": at, "last": at + _SPAN, "spans": json.dumps(told)}


def _schedules(number: int, user: User, at: int, keys: Sequence[str], settings: Settings) -> dict[str, Spans | None]:
    """What the service says, by address; None of whom it says nothing. One request. Raises ServiceError, ValueError."""
    if not preferences.value_in(user.preferences, "ask_services"):
        raise NotOfferedError(f"{user.address} has no service asked")
    service = connections.find(user, number)
    if not _may_tell(service, settings):
        raise NotOfferedError(f"connected service {number} has no right to calendars")
    ask, read = (_ask_google, _read_google) if service.provider == GOOGLE else (_ask_graph, _read_graph)
    answer = ask(service, at, keys, settings)
    if answer.status != 200:
        raise NotOfferedError(f"busy times: {answer.status}")
    try:
        body = json.loads(answer.content)
        found = {key.lower(): read(one) for key, one in _people(body)}
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError) as error:
        raise ServiceError(f"busy times can't be read: {type(error).__name__}") from error
    return {key: found.get(key) for key in keys}


def _people(body: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    if "calendars" in body:
        return body["calendars"].items()
    return [(str(one["scheduleId"]), one) for one in body["value"]]


def _ask_google(service: ConnectedService, at: int, keys: Sequence[str], settings: Settings) -> FetchedResponse:
    """Calendar v3, `freebusy.query`."""
    asked = {"timeMin": _iso(at), "timeMax": _iso(at + _SPAN), "items": [{"id": key} for key in keys]}
    return _post(service, f"{settings.google_addresses.api.rstrip('/')}/calendar/v3/freeBusy", asked, {}, settings)


def _read_google(schedule: Mapping[str, Any]) -> Spans | None:
    if schedule.get("errors"):
        return None
    return [(_seconds(span["start"]), _seconds(span["end"]), BUSY) for span in schedule.get("busy", ())]


def _ask_graph(service: ConnectedService, at: int, keys: Sequence[str], settings: Settings) -> FetchedResponse:
    asked = {
        "schedules": list(keys), "availabilityViewInterval": 60,
        "startTime": {"dateTime": _iso(at)[:19], "timeZone": "UTC"},
        "endTime": {"dateTime": _iso(at + _SPAN)[:19], "timeZone": "UTC"},
    }  # fmt: skip
    url = f"{settings.microsoft_addresses.graph.rstrip('/')}/v1.0/me/calendar/getSchedule"
    return _post(service, url, asked, {"Prefer": 'outlook.timezone="UTC"'}, settings)


def _read_graph(schedule: Mapping[str, Any]) -> Spans | None:
    if schedule.get("error"):
        return None
    found = []
    for item in schedule.get("scheduleItems") or ():
        if level := _LEVELS.get(str(item.get("status")).lower()):
            found.append((_seconds(item["start"]["dateTime"][:19] + "Z"), _seconds(item["end"]["dateTime"][:19] + "Z"), level))
    return found


def _post(
    service: ConnectedService, url: str, question: Mapping[str, Any], headers: dict[str, str], settings: Settings
) -> FetchedResponse:
    sent = {"Content-Type": "application/json", "Accept": "application/json", **headers}
    body = json.dumps(question).encode()
    return service_requests.request(service, settings, "POST", url, headers=sent, body=body, limit=_LIMIT, seconds=_SECONDS)


def _iso(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _seconds(text: str) -> int:
    found = datetime.fromisoformat(text)
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())


def service_removed(service: ConnectedService, _keep: bool, _settings: Settings) -> None:
    """Before a service is disconnected: what it told goes, whatever stays of its calendars."""
    mine = (PublishedTimes.user == service.user_id) & PublishedTimes.url.startswith(f"{_HEAD}{service.id}:")
    PublishedTimes.delete().where(mine).execute()
