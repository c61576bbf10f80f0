"""The working week: `calendar-availability` of the inbox (RFC 7953, 7.2.4): hours, as telephones show and change them."""

from __future__ import annotations

from http import client
from xml.etree import ElementTree as ET

from radicale import xmlutils

from webmail import preferences
from webmail.calendar.free_busy import working_hours
from webmail.dav import client_quirks
from webmail.dav.answers import XML, Answer, failed
from webmail.dav.queries.multistatus import response_of
from webmail.dav.scheduling import properties
from webmail.dav.scheduling.properties import INBOX
from webmail.dav.visit import current
from webmail.mime.formats.calendars.availability import UnusableAvailabilityError

_tag = xmlutils.make_clark
NAMES = (_tag("C:calendar-availability"), _tag("CS:calendar-availability"))  # of the RFC, and of Apple before it


def values() -> dict[str, ET.Element]:
    """The hours of who asks, under both names."""
    visit = current.get()
    text = working_hours.for_devices(visit.user, visit.settings)
    found = {name: ET.Element(name) for name in NAMES}
    for one in found.values():
        one.text = text
    return found


def change(base: str, root: ET.Element | None) -> Answer:
    """A PROPPATCH of the inbox: hours are chosen, or the usual ones again; nothing else can be changed there."""
    visit, href = current.get(), properties.href(base, INBOX, "")
    kept = {one.tag: one for one in root.iterfind(f"{_tag('D:set')}/{_tag('D:prop')}/*")} if root is not None else {}
    removed = [one.tag for one in root.iterfind(f"{_tag('D:remove')}/{_tag('D:prop')}/*")] if root is not None else []
    named = [*kept, *removed]
    if not named or set(named) - set(NAMES):
        return client.MULTI_STATUS, {"Content-Type": XML}, [client_quirks.unchangeable(root, href)]
    try:
        for element in kept.values():
            working_hours.take_from_device(visit.user, element.text or "", visit.settings)
    except UnusableAvailabilityError as error:
        return failed(client.FORBIDDEN, "C:valid-calendar-data", f"These are no usual hours of a week: {error}.")
    if removed and not kept:
        preferences.change(visit.user, work_hours="")
    return properties.told([response_of(href, {name: ET.Element(name) for name in named}, named)])
