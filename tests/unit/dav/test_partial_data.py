"""Parts of items that a question asks for (RFC 4791, 9.6; RFC 6352, 10.4): what is left of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.cpu_time import cpu_seconds
from tests.unit.dav.conftest import NAMES, Phone, card, event
from webmail.dav.queries.partial_data import WantedPart, selected
from webmail.models import Collection, CollectionShare, User

SPACES = f"xmlns:d='DAV:' xmlns:c='{NAMES['C']}' xmlns:r='{NAMES['CR']}'"
ALARM = ["BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:x", "TRIGGER:-P2D", "END:VALARM"]


def data_of(phone: Phone, asked: str, path: str = "calendar/a.ics") -> str:
    folder = path.rpartition("/")[0] + "/"
    name, tag = ("c:calendar", "C:calendar-data") if "calendar-data" in asked else ("r:addressbook", "CR:address-data")
    body = f"<{name}-multiget {SPACES}><d:prop><d:getetag/>{asked}</d:prop><d:href>{phone.home}{path}</d:href></{name}-multiget>"
    return phone.xml("REPORT", folder, body).findtext(f".//{tag}", "", NAMES)


def parts(inside: str) -> str:
    return f"<c:calendar-data><c:comp name='VCALENDAR'>{inside}</c:comp></c:calendar-data>"


def lines(text: str) -> list[str]:
    return text.splitlines()


BEGIN, END = ["BEGIN:VCALENDAR"], ["END:VCALENDAR"]


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("<c:comp name='vevent'><c:prop name='summary'/></c:comp>", [*BEGIN, "BEGIN:VEVENT", "SUMMARY;LANGUAGE=fr:Réunion", "END:VEVENT", *END]),
        ("<c:prop name='VERSION'/><c:comp name='VEVENT'><c:prop name='SUMMARY' novalue='yes'/><c:prop name='UID' novalue='no'/></c:comp>",
         [*BEGIN, "VERSION:2.0", "BEGIN:VEVENT", "UID:a", "SUMMARY:", "END:VEVENT", *END]),
        ("<c:prop name='VERSION'/>", [*BEGIN, "VERSION:2.0", *END]),
        ("<c:comp name='VTODO'/>", [*BEGIN, *END]),
        ("<c:comp name='VEVENT'><c:prop name='UID'/><c:allcomp/></c:comp>", [*BEGIN, "BEGIN:VEVENT", "UID:a", *ALARM, "END:VEVENT", *END]),
        ("<c:comp name='VEVENT'><c:prop name='UID'/><c:comp name='VALARM'><c:prop name='ACTION'/></c:comp></c:comp>",
         [*BEGIN, "BEGIN:VEVENT", "UID:a", "BEGIN:VALARM", "ACTION:DISPLAY", "END:VALARM", "END:VEVENT", *END]),
    ],
)  # fmt: skip
def test_components_and_properties(phone: Phone, inside: str, expected: list[str]) -> None:
    phone.put("calendar/a.ics", event("a", "SUMMARY;LANGUAGE=fr:Réu\r\n nion", "DESCRIPTION:SUMMARY:no", *ALARM))
    assert lines(data_of(phone, parts(inside)).replace("\n ", "")) == expected


@pytest.mark.parametrize("inside", ["", "<c:allprop/><c:allcomp/>", "<c:allprop/><c:comp name='VEVENT'/>"])
def test_all_of_it_is_all_of_it(phone: Phone, inside: str) -> None:
    text = event("a", "SUMMARY:x", *ALARM)
    phone.put("calendar/a.ics", text)
    assert lines(data_of(phone, parts(inside))) == lines(text)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("<r:prop name='FN'/><r:prop name='EMAIL'/>", ["FN:Élodie", "item1.EMAIL:a@x.example", "EMAIL:b@x.example"]),
        ("<r:prop name='item1.email'/>", ["item1.EMAIL:a@x.example"]),
        ("<r:prop name='EMAIL' novalue='yes'/>", ["ITEM1.EMAIL:", "EMAIL:"]),
        ("<r:prop name='PHOTO'/>", []),
    ],
)
def test_properties_of_cards(phone: Phone, asked: str, expected: list[str]) -> None:
    text = card("a", "Élodie", "item1.EMAIL:a@x.example", "EMAIL:b@x.example", "NOTE:long")
    phone.put("contacts/a.vcf", text)
    told = data_of(phone, f"<r:address-data>{asked}</r:address-data>", "contacts/a.vcf")
    assert lines(told) == ["BEGIN:VCARD", *expected, "END:VCARD"]
    assert lines(data_of(phone, "<r:address-data><r:allprop/></r:address-data>", "contacts/a.vcf")) == lines(text)


def test_only_of_times_of_a_series_at_a_time(phone: Phone) -> None:
    """RFC 4791, 9.6.6: as they are now, or would have been."""
    changed = [
        event("a", "RECURRENCE-ID:20270104T100000Z", "DURATION:PT1H", "SUMMARY:in", start="20270104T120000Z"),
        event("a", "RECURRENCE-ID:20270105T100000Z", "DURATION:PT1H", "SUMMARY:out", start="20270105T120000Z"),
        event("a", "RECURRENCE-ID:20270106T100000Z", "DURATION:PT1H", "SUMMARY:moved in", start="20270104T080000Z"),
        event("a", "RECURRENCE-ID:20270104T100000Z", "DURATION:PT1H", "SUMMARY:moved out", start="20270120T080000Z"),
        event("a", "RECURRENCE-ID;RANGE=THISANDFUTURE:20270102T100000Z", "SUMMARY:later ones", start="20270102T110000Z"),
    ]  # fmt: skip
    text = event("a", "DURATION:PT1H", "RRULE:FREQ=DAILY", "SUMMARY:series", start="20270101T100000Z")
    inner = "".join(one.split("EN\r\n")[1].replace("END:VCALENDAR\r\n", "") for one in changed)
    phone.put("calendar/a.ics", text.replace("END:VCALENDAR", inner + "END:VCALENDAR"))
    span = "start='20270104T000000Z' end='20270105T000000Z'"
    told = data_of(phone, f"<c:calendar-data><c:limit-recurrence-set {span}/></c:calendar-data>")
    assert [line[8:] for line in lines(told) if line.startswith("SUMMARY")] == [
        "series",
        "in",
        "moved in",
        "moved out",
        "later ones",
    ]
    both = f"<c:calendar-data><c:comp name='VCALENDAR'><c:comp name='VEVENT'><c:prop name='SUMMARY'/></c:comp></c:comp><c:limit-recurrence-set {span}/></c:calendar-data>"
    assert data_of(phone, both).count("BEGIN:VEVENT") == 5 and "DTSTART" not in data_of(phone, both)
    each = both.replace("limit-recurrence-set", "expand").replace("20270105T000000Z", "20270104T220000Z")
    assert "RECURRENCE-ID" not in data_of(phone, each) and "SUMMARY:in" in data_of(phone, each)


def test_what_is_private_is_masked_before(phone: Phone, phone_of: Callable[..., Phone], alice: User, bob: User) -> None:
    phone.put("calendar/a.ics", event("a", "CLASS:PRIVATE", "SUMMARY:Doctor", "DESCRIPTION:secret", "LOCATION:there"))
    calendar = Collection.get(Collection.user == alice, Collection.kind == "calendar")
    CollectionShare.create(collection=calendar, user=bob, rights="read")
    every = "".join(f"<c:prop name='{name}'/>" for name in ("SUMMARY", "DESCRIPTION", "LOCATION", "DTSTART"))
    told = data_of(phone_of(bob), parts(f"<c:comp name='VEVENT'>{every}</c:comp>"), f"shared-{calendar.id}/a.ics")
    assert lines(told) == [*BEGIN, "BEGIN:VEVENT", "SUMMARY:Busy", "DTSTART:20261105T100000Z", "END:VEVENT", *END]


@pytest.mark.parametrize(
    "asked",
    [
        "<c:calendar-data><c:comp name='VEVENT'/></c:calendar-data>",
        "<c:calendar-data><c:comp name='VCALENDAR'/><c:comp name='VCALENDAR'/></c:calendar-data>",
        parts("<c:comp/>"), parts("<c:prop/>"), parts("<c:prop name='A'/>" * 301),
    ],
)  # fmt: skip
def test_what_are_no_parts(phone: Phone, asked: str) -> None:
    phone.put("calendar/a.ics", event("a"))
    body = (
        f"<c:calendar-multiget {SPACES}><d:prop>{asked}</d:prop><d:href>{phone.home}calendar/a.ics</d:href></c:calendar-multiget>"
    )
    assert phone.ask("REPORT", "calendar/", body).status_code == 400


def test_a_large_object_takes_as_long_as_its_lines() -> None:
    text = event("a", *(f"X-{n}:{'y' * 60}\r\n {'z' * 60}" for n in range(8_000)))
    with cpu_seconds(0.2):
        wanted = WantedPart("VCALENDAR", {}, {"VEVENT": WantedPart("VEVENT", {"UID": True}, {})})
        assert len(selected(text, wanted)) < 100
    assert selected("no calendar", wanted) == "" and selected("END:VCALENDAR\r\nEND:X\r\n", wanted) == ""
