"""Implicit scheduling: a PUT or DELETE of a meeting with what it tells others, in one transaction (RFC 6638, 3.2).

It is planned from what is there, outside the transaction that writes; where somebody else was quicker, it is planned anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import client
from typing import Any
from xml.etree import ElementTree as ET

from radicale import xmlutils

from webmail.calendar import objects
from webmail.calendar.guests import device_scheduling
from webmail.calendar.guests.device_scheduling import DeviceChange, DevicePlan, OtherCopyError, TooManyInvitedError
from webmail.collections.store import CALENDAR, Access
from webmail.dav.answers import XML, Answer, failed, plain
from webmail.dav.item_writes import CheckedItem
from webmail.dav.visit import current
from webmail.errors import MailError
from webmail.itip.device_changes import ForbiddenChangeError, MeetingRole
from webmail.models import CalendarObject
from webmail.rate_limits import TooManyRequestsError

ATTEMPTS = 5
BUSY = plain(client.SERVICE_UNAVAILABLE, "Others change this meeting. Try again in a moment.")
REFUSALS = (ForbiddenChangeError, TooManyInvitedError, OtherCopyError, MailError, TooManyRequestsError)


class MeetingChangedError(Exception):
    """Somebody else wrote since this was planned."""


@dataclass(slots=True)
class PlannedChange:
    """`etag`: of what was there, "" for nothing; `before`: its text; `item`: what is to be stored, None for nothing."""

    plan: DevicePlan
    etag: str = ""
    before: str = ""
    item: CheckedItem | None = None
    place: str = ""

    @classmethod
    def nothing(cls, item: CheckedItem | None) -> PlannedChange:
        """Nobody is told anything."""
        return cls(DevicePlan(item.text if item is not None else ""), item=item)


def planned(
    access: Access, href: str, row: CalendarObject | None, item: CheckedItem | None, environ: Mapping[str, Any]
) -> PlannedChange:
    """What is to be written and told. Raises REFUSALS, and UnusableCalendarError."""
    visit = current.get()
    before = row.text if row is not None else ""
    found = PlannedChange(DevicePlan(""), row.etag if row else "", before, item, f"{access.collection.id}/{href}")
    after = item.text if item is not None else ""
    if access.collection.kind != CALENDAR or not visit.schedules or not device_scheduling.concerns(before, after):
        found.plan.text = after
        return found
    replies = environ.get("HTTP_SCHEDULE_REPLY", "").strip().upper() != "F"
    change = DeviceChange(before, after, replies, "HTTP_IF_SCHEDULE_TAG_MATCH" in environ)
    found.plan = device_scheduling.plan(visit.user, access, change, visit.settings)
    if item is not None and found.plan.text != item.text:
        text = found.plan.text
        found.item = CheckedItem(text, len(text.encode()), objects.prepared(text, visit.zone), as_sent=False)
    return found


def check_unchanged(found: PlannedChange, row: object) -> None:
    """Raises MeetingChangedError if something else is there than what was planned for."""
    etag = row.etag if isinstance(row, CalendarObject) else ""
    if found.plan.role is not MeetingRole.NONE and etag != found.etag:
        raise MeetingChangedError


def tell(found: PlannedChange) -> None:
    """Queue what leaves, in the transaction that writes. Raises REFUSALS."""
    visit = current.get()
    if found.plan.sends and visit.outside is not None:
        posting = visit.outside.posting(visit.user)
        visit.queued = device_scheduling.carry_out(found.plan, visit.user, found.before, found.place, posting)


def tag_header(row: object) -> dict[str, str]:
    """The header that a meeting has besides its entity tag (RFC 6638, 8.3)."""
    if isinstance(row, CalendarObject) and device_scheduling.concerns(row.text):
        return {"Schedule-Tag": f'"{objects.schedule_tag(row)}"'}
    return {}


def refusal(error: Exception, base: str) -> Answer:
    """The answer to what is not done. `base`: the path of `/dav/`."""
    if isinstance(error, ForbiddenChangeError):
        return failed(client.FORBIDDEN, f"C:{error.condition}")
    if isinstance(error, TooManyInvitedError):
        return failed(client.FORBIDDEN, "C:max-attendees-per-instance")
    if isinstance(error, OtherCopyError):
        other = next((one for one in current.get().accesses() if one.collection.id == error.calendar), None)
        told = xmlutils.webdav_error("C:unique-scheduling-object-resource")
        if other is not None:
            href = ET.SubElement(told[0], xmlutils.make_clark("D:href"))
            href.text = xmlutils.make_href(base, f"/{current.get().user.address}/{other.name}/{error.href}")
        return client.FORBIDDEN, {"Content-Type": XML}, [ET.tostring(told, encoding="utf-8", xml_declaration=True)]
    if isinstance(error, TooManyRequestsError):
        status, headers, body = plain(client.TOO_MANY_REQUESTS, "Too many people are written to.")
        return status, {**headers, "Retry-After": str(error.seconds)}, body
    return plain(getattr(error, "status", client.FORBIDDEN), "What guests are told of this can't be sent.")
