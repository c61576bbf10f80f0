"""Days and times without a zone in questions about a time: in the zone of the question, the calendar's, or the installation's
(Europe/Paris here). RFC 4791, 5.2.2, 7.8 and 9.8."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.support.cpu_time import cpu_seconds
from tests.unit.dav.conftest import NAMES, Phone, event, zone_text
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.mime.formats.zones import zone_definition

SPACES = f"xmlns:d='DAV:' xmlns:c='{NAMES['C']}'"
NEW_YORK, NOWHERE = zone_text(), zone_text("Nowhere", "-0500")  # the machine knows one of them
DAY = event("day", start="20270110").replace("DTSTART:", "DTSTART;VALUE=DATE:")


def asked(inside: str, zone: str = "", component: str = "VEVENT", data: str = "") -> str:
    comp = f"<c:comp-filter name='{component}'>{inside}</c:comp-filter>"
    told = f"<c:timezone>{zone}</c:timezone>" if zone else ""
    return (
        f"<c:calendar-query {SPACES}><d:prop><d:getetag/>{data}</d:prop><c:filter><c:comp-filter name='VCALENDAR'>{comp}"
        f"</c:comp-filter></c:filter>{told}</c:calendar-query>"
    )


def time_range(start: str = "", end: str = "") -> str:
    given = "".join(f" {name}='{value}'" for name, value in (("start", start), ("end", end)) if value)
    return f"<c:time-range{given}/>"


def found(phone: Phone, body: str, path: str = "calendar/") -> set[str]:
    root = phone.xml("REPORT", path, body)
    return {one.text.rpartition("/")[2].removesuffix(".ics") for one in root.iterfind(".//D:href", NAMES) if one.text}


def set_zone(phone: Phone, text: str) -> None:
    props = f"<d:set><d:prop><c:calendar-timezone>{text}</c:calendar-timezone></d:prop></d:set>"
    assert phone.ask("PROPPATCH", "calendar/", f"<d:propertyupdate {SPACES}>{props}</d:propertyupdate>").status_code == 207


@pytest.fixture
def filled(phone: Phone) -> Phone:
    """On 10 January 2027: a whole day, a series of days, ten to eleven without a zone, and in zones."""
    texts = {
        "day": DAY,
        "days": event("days", "RRULE:FREQ=DAILY;COUNT=2", start="20270109").replace("DTSTART:", "DTSTART;VALUE=DATE:"),
        "floating": event("floating", "DURATION:PT1H", start="20270110T100000"),
        "series": event("series", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=3", start="20270108T100000"),
        "paris": event("paris", "DURATION:PT1H", start="20270110T100000").replace("DTSTART:", "DTSTART;TZID=Europe/Paris:"),
        "meant": event("meant", "DURATION:PT1H", start="20270110T100000").replace("BEGIN:VEV", "X-WR-TIMEZONE:Europe/Paris\r\nBEGIN:VEV"),
        "utc": event("utc", "DURATION:PT1H", start="20270110T090000Z"),
    }  # fmt: skip
    for name, text in texts.items():
        assert phone.put(f"calendar/{name}.ics", text).status_code == 201
    return phone


FIXED = {"paris", "meant", "utc"}


@pytest.mark.parametrize("zone", [NEW_YORK, NOWHERE])
@pytest.mark.parametrize("given", ["question", "calendar"])
def test_of_whom_the_zone_is(filled: Phone, zone: str, given: str) -> None:
    if given == "calendar":
        set_zone(filled, zone)
    in_question = zone if given == "question" else ""
    for start, end, expected in (
        ("20270110T080000Z", "20270110T093000Z", FIXED | {"day", "days"}),  # 3 to 4.30 in the morning in New York
        ("20270110T150000Z", "20270110T153000Z", {"day", "days", "floating", "series"}),  # ten there
        ("20270111T030000Z", "20270111T040000Z", {"day", "days"}),
        ("20270111T050000Z", "", {"days", "series"}),  # a series may end later than it does, where no end is asked for
        ("", "20270109T050000Z", {"series"}),  # only on the 8th, which has gone by
        ("", "20270109T050001Z", {"series", "days"}),
        ("", "20270110T050001Z", {"series", "days", "day"}),
        ("20270110T155959Z", "", {"day", "days", "floating", "series"}),
    ):
        assert found(filled, asked(time_range(start, end), in_question)) == expected, (start, end)


def test_without_one_it_is_the_installation_s(filled: Phone) -> None:
    assert found(filled, asked(time_range("20270109T230000Z", "20270109T233000Z"))) == {"day", "days"}
    assert found(filled, asked(time_range("20270110T230000Z", "20270110T233000Z"))) == set()
    assert found(filled, asked(time_range("20270110T090000Z", "20270110T091500Z"))) == FIXED | {
        "day",
        "days",
        "floating",
        "series",
    }
    set_zone(filled, NEW_YORK)  # the question's comes first
    paris = zone_text("Europe/Paris", "+0100")
    assert found(filled, asked(time_range("20270109T230000Z", "20270109T233000Z"), paris)) == {"day", "days"}


@pytest.mark.parametrize("zone", ["", NEW_YORK])
def test_far_from_what_the_table_has(phone: Phone, zone: str) -> None:
    phone.put("calendar/far.ics", event("far", "DURATION:PT1H", "RRULE:FREQ=YEARLY", start="20050110T100000"))
    phone.put(
        "calendar/days.ics", event("days", "RRULE:FREQ=YEARLY", start="20050110").replace("DTSTART:", "DTSTART;VALUE=DATE:")
    )
    year = datetime.now().year + 6
    hours = ("0900", "0930") if not zone else ("1500", "1530")
    assert found(phone, asked(time_range(*(f"{year}0110T{one}00Z" for one in hours)), zone)) == {"far", "days"}
    edge = ("2230", "2300") if not zone else ("0430", "0500")
    day = 9 if not zone else 10
    assert found(phone, asked(time_range(*(f"{year}01{day:02}T{one}00Z" for one in edge)), zone)) == set()


def test_tasks_journal_entries_and_dates_of_properties(phone: Phone) -> None:
    phone.put("calendar/t.ics", event("t", "DUE;VALUE=DATE:20270111", start="20270110", component="VTODO").replace("DTSTART:", "DTSTART;VALUE=DATE:"))  # fmt: skip
    early, late = time_range("20270110T020000Z", "20270110T040000Z"), time_range("20270111T030000Z", "20270111T040000Z")
    assert found(phone, asked(early, component="VTODO")) == {"t"} and found(phone, asked(late, component="VTODO")) == set()
    assert found(phone, asked(early, NEW_YORK, "VTODO")) == set() and found(phone, asked(late, NEW_YORK, "VTODO")) == {"t"}
    phone.put("calendar/e.ics", event("e", start="20270110T100000"))
    begins = f"<c:prop-filter name='DTSTART'>{time_range('20270110T150000Z', '20270110T150001Z')}</c:prop-filter>"
    assert found(phone, asked(begins)) == set() and found(phone, asked(begins, NEW_YORK)) == {"e"}


def test_free_and_busy(filled: Phone) -> None:
    def told() -> set[str]:
        body = f"<c:free-busy-query {SPACES}>{time_range('20270110T000000Z', '20270112T000000Z')}</c:free-busy-query>"
        lines = filled.ask("REPORT", "calendar/", body).text.splitlines()
        return {line.partition(":")[2] for line in lines if line.startswith("FREEBUSY")}

    for name in ("day", "days"):
        filled.ask("DELETE", f"calendar/{name}.ics")
    assert told() == {"20270110T090000Z/20270110T100000Z"}
    set_zone(filled, NOWHERE)
    assert told() == {"20270110T090000Z/20270110T100000Z", "20270110T150000Z/20270110T160000Z"}
    filled.put("calendar/day.ics", DAY)
    assert told() == {"20270110T050000Z/20270111T050000Z"}


def test_each_time_by_itself(filled: Phone) -> None:
    span = "start='20270111T010000Z' end='20270111T020000Z'"
    data = f"<c:calendar-data><c:expand {span}/></c:calendar-data>"
    for zone, there in (("", 0), (NEW_YORK, 1)):
        body = asked(f"<c:time-range {span}/>", zone, data=data)
        answer = filled.ask("REPORT", "calendar/", body).text
        assert answer.count("DTSTART;VALUE=DATE:20270110") == there * 2 and "20270109" not in answer


def test_each_time_thousands_of_years_ahead_is_too_much(phone: Phone) -> None:
    phone.put("calendar/w.ics", event("w", "RRULE:FREQ=DAILY"))
    span = "start='90000101T000000Z' end='90000201T000000Z'"
    body = asked(f"<c:time-range {span}/>", data=f"<c:calendar-data><c:expand {span}/></c:calendar-data>")
    with cpu_seconds(0.9):
        answer = phone.ask("REPORT", "calendar/", body)
    assert answer.status_code == 403 and "number-of-matches-within-limits" in answer.text


def test_a_zone_of_a_question_that_is_none(filled: Phone) -> None:
    answer = filled.ask("REPORT", "calendar/", asked(time_range("20270110T000000Z"), event()))
    assert answer.status_code == 403 and "valid-calendar-data" in answer.text


def test_a_zone_that_costs_much_is_bounded(filled: Phone) -> None:
    """Rules from 1601 on, and a task in 9999."""
    changes = "".join(
        f"BEGIN:STANDARD\r\nDTSTART:16010{n}01T000000\r\nTZOFFSETFROM:+0000\r\nTZOFFSETTO:+0{n}00\r\n"
        f"RRULE:FREQ=YEARLY;BYMONTH={n};BYDAY=-1SU\r\nEND:STANDARD\r\n"
        for n in range(1, 9)
    )
    slow = f"BEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nTZID:Slow\r\n{changes}END:VTIMEZONE\r\nEND:VCALENDAR\r\n"
    filled.put("calendar/t.ics", event("t", "DUE:99991230T000000", start="", component="VTODO"))
    with cpu_seconds(0.9):
        assert found(filled, asked(time_range("20270110T000000Z"), slow, "VTODO")) == {"t"}
        assert found(filled, asked(time_range("20270110T060000Z", "20270110T070000Z"), slow))
    many = slow.replace(changes, changes * 3)
    with cpu_seconds(0.3):
        assert filled.ask("REPORT", "calendar/", asked(time_range("20270110T000000Z"), many)).status_code == 403


def test_a_definition_of_ones_own_is_as_the_machine_s() -> None:
    """As Windows writes that of Paris, from 1601 on."""
    changes = [("STANDARD", "0300", "+0200", "+0100", 10), ("DAYLIGHT", "0200", "+0100", "+0200", 3)]
    text = "".join(
        f"BEGIN:{name}\r\nDTSTART:16010101T{at}00\r\nTZOFFSETFROM:{before}\r\nTZOFFSETTO:{after}\r\n"
        f"RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH={month}\r\nEND:{name}\r\n"
        for name, at, before, after, month in changes
    )
    zone = zone_definition.read(f"BEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nTZID:Own\r\n{text}END:VTIMEZONE\r\nEND:VCALENDAR\r\n")
    paris, at = ZoneInfo("Europe/Paris"), datetime(2026, 1, 1, tzinfo=UTC)
    while at.year < 2028:
        assert at.astimezone(zone).replace(tzinfo=None) == at.astimezone(paris).replace(tzinfo=None)
        at += timedelta(hours=1)


@pytest.mark.parametrize(
    "rule", ["BYMONTH=2;BYMONTHDAY=30", "BYDAY=MO,TU,WE,TH,FR,SA,SU", "BYMONTH=1;UNTIL=20", "BYMONTH=1;UNTIL=99991301T000000Z"]
)
def test_definitions_that_go_on_for_ever(rule: str) -> None:
    observance = zone_text("Own").split("\r\n")[5:10]
    observance.insert(4, f"RRULE:FREQ=YEARLY;{rule}")
    text = "\r\n".join(["BEGIN:VCALENDAR", "BEGIN:VTIMEZONE", "TZID:Own", *observance * 15, "END:VTIMEZONE", "END:VCALENDAR", ""])
    with cpu_seconds(0.6), pytest.raises(UnusableCalendarError):
        zone_definition.read(text)


def test_years_beyond_those_of_a_definition() -> None:
    zone: Any = zone_definition.read(NOWHERE)
    for year in (1, 1601, 2000, 9999):
        assert str(datetime(year, 2, 28, tzinfo=zone))[-6:] == "-05:00"
    assert str(datetime(2400, 2, 29, tzinfo=zone))[-6:] == "-05:00"
