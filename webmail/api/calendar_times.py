"""Busy times for scripts: one's own, and those of colleagues as far as one may know them on the pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from webmail.api import answer_bodies
from webmail.api.operations import ApiAnswer, ApiCall, Operation
from webmail.api.problems import ProblemError
from webmail.api.schemas import moment, text
from webmail.calendar.free_busy import busy_people
from webmail.calendar.free_busy.busy_people import ABSENT, BUSY, PERHAPS, BusySpan
from webmail.errors import BadAddressError
from webmail.mail import Address
from webmail.mime.headers.address_input import parse_addresses
from webmail.web.current import time_zone
from webmail.web.formatting import lazy_text as _l

_LONGEST = timedelta(days=92)
_LEVELS = {PERHAPS: "tentative", BUSY: "busy", ABSENT: "absent"}


def show(call: ApiCall) -> ApiAnswer:
    start, end = (_moment(call, name) for name in ("from", "to"))
    if not timedelta(0) < end - start <= _LONGEST:
        raise ProblemError("invalid", errors=[{"at": "?to", "fault": f"must be after “from”, within {_LONGEST.days} days"}])
    bounds = int(start.timestamp()), int(end.timestamp())
    people = _people(call)
    found = busy_people.times_of(call.person, people, *bounds, time_zone(), call.settings)
    return answer_bodies.answer(
        {
            "people": [
                {
                    "address": one.person.email, "name": one.person.name, "known": one.is_known,
                    "busy": [_span(span, *bounds) for span in one.spans],
                }
                for one in found
            ]
        }
    )  # fmt: skip


def _span(span: BusySpan, start: int, end: int) -> dict[str, Any]:
    """Titles are nobody's business here, of one's own events too: a script that shows them elsewhere is soon written."""
    at = (datetime.fromtimestamp(one, UTC).replace(tzinfo=None) for one in (max(span.start, start), min(span.end, end)))
    begins, ends = (answer_bodies.moment(one) for one in at)
    return {"from": begins, "to": ends, "level": _LEVELS.get(span.level, "busy")}


def _moment(call: ApiCall, name: str) -> datetime:
    try:
        found = datetime.fromisoformat(call.query[name])
    except ValueError as error:
        raise ProblemError("invalid", errors=[{"at": f"?{name}", "fault": "is no moment"}]) from error
    if not 2000 <= found.year < 2200:
        raise ProblemError("invalid", errors=[{"at": f"?{name}", "fault": "is not in these centuries"}])
    return found


def _people(call: ApiCall) -> list[Address]:
    try:
        found = parse_addresses(call.query.get("people", "")) or (Address("", call.person.address),)
    except BadAddressError as error:
        raise ProblemError("invalid", errors=[{"at": "?people", "fault": "must be email addresses"}]) from error
    if len(found) > busy_people.MOST_PEOPLE:
        raise ProblemError("invalid", errors=[{"at": "?people", "fault": f"must be {busy_people.MOST_PEOPLE} at most"}])
    return list(found)


OPERATIONS = (
    Operation(
        name="show_free_busy", method="GET", path="/free-busy", words=_l("When people are busy: you, or colleagues"), act=show,
        query={
            "from": moment("“+” in a zone is written %2B"), "to": moment(),
            "people": text(4000, "Addresses, separated by commas; yours if empty"),
        },
        required=("from", "to"), answer="FreeBusy", tag="calendar", area="calendar", problems=("invalid",),
    ),
)  # fmt: skip
