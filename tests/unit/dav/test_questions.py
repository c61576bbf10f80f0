"""Questions about many items: what they may cost, where an answer is cut, and how one goes on from there."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.support.cpu_time import cpu_seconds
from tests.unit.dav.conftest import NAMES, Phone, card, event, zone_text
from webmail.database.connection import db
from webmail.dav.queries import budget
from webmail.models import CalendarObject, Collection, GoneItem, User

C, CR = "urn:ietf:params:xml:ns:caldav", "urn:ietf:params:xml:ns:carddav"


def fill(user: User, count: int, text: str = "") -> None:
    """Events into the calendar of this person, as one import writes them."""
    calendar = Collection.get(Collection.user == user, Collection.kind == "calendar")
    rows = [
        {
            "collection": calendar, "href": f"{n}.ics", "uid": f"u{n}", "component": "VEVENT", "etag": f"e{n}", "size": 10,
            "text": text or event(f"u{n}"), "first": 0, "last": 1, "seq": calendar.seq + n, "modified": datetime(2026, 1, 1),
            "created": datetime(2026, 1, 1),
        }
        for n in range(1, count + 1)
    ]  # fmt: skip
    with db.atomic():
        for at in range(0, count, 500):
            CalendarObject.insert_many(rows[at : at + 500]).execute()
        Collection.update(seq=calendar.seq + count, count=count).where(Collection.id == calendar.id).execute()


def sync(phone: Phone, token: str = "", more: str = "", inside: str = "") -> str:
    props = f"<d:prop><d:getetag/>{inside}</d:prop>"
    return (
        f"<d:sync-collection xmlns:d='DAV:' xmlns:c='{C}'><d:sync-token>{token}</d:sync-token><d:sync-level>1</d:sync-level>"
        f"{more}{props}</d:sync-collection>"
    )


def told(phone: Phone, body: str) -> tuple[str, set[str], set[str], bool]:
    """The token, the names of what is there, and of what is gone, and whether there is more."""
    root = phone.xml("REPORT", "calendar/", body)
    there, gone, more = set(), set(), False
    for response in root.findall("D:response", NAMES):
        status, name = response.findtext("D:status", "", NAMES), response.findtext("D:href", "", NAMES).rsplit("/", 1)[-1]
        if "507" in status:
            more = response.find("D:error/D:number-of-matches-within-limits", NAMES) is not None
        else:
            (gone if "404" in status else there).add(name)
    return root.findtext("D:sync-token", "", NAMES), there, gone, more


def test_each_name_counts_once_and_few_of_them(phone: Phone, alice: User) -> None:
    phone.ask("PROPFIND", "", Depth="1")
    fill(alice, 600)
    many = "<d:nothing/>" * 11_000
    with cpu_seconds(1.0):
        answer = phone.ask("PROPFIND", "calendar/", f"<d:propfind xmlns:d='DAV:'><d:prop>{many}</d:prop></d:propfind>", Depth="1")
    assert answer.status_code == 207 and answer.text.count("nothing") < 1_500 and len(answer.data) < 500_000
    assert answer.text.count("<href>") == 601
    several = "".join(f"<d:n{n}/>" for n in range(300))
    for method, body in (
        ("PROPFIND", f"<d:propfind xmlns:d='DAV:'><d:prop>{several}</d:prop></d:propfind>"),
        ("REPORT", sync(phone, inside=several)),
    ):
        answer = phone.ask(method, "calendar/", body, Depth="1")
        assert answer.status_code == 403 and "200 properties" in answer.text


def test_names_and_entity_tags_of_many_items_always_pass(phone: Phone, alice: User) -> None:
    phone.ask("PROPFIND", "", Depth="1")
    fill(alice, 20_000)
    with cpu_seconds(0.3 + 20_000 * 0.000_15):
        assert len(told(phone, sync(phone))[1]) == 20_000
    props = "<d:getetag/><d:getcontenttype/><d:resourcetype/>"
    with cpu_seconds(0.3 + 20_000 * 0.000_15):
        answer = phone.ask(
            "PROPFIND", "calendar/", f"<d:propfind xmlns:d='DAV:'><d:prop>{props}</d:prop></d:propfind>", Depth="1"
        )
    assert answer.text.count("<href>") == 20_001 and '"e20000"' in answer.text


@pytest.mark.parametrize("most", ["<d:limit><d:nresults>4</d:nresults></d:limit>", ""])
def test_a_synchronisation_that_is_cut_goes_on_where_it_was(
    phone: Phone, alice: User, monkeypatch: pytest.MonkeyPatch, most: str
) -> None:
    phone.put("calendar/early.ics", event("early"))
    phone.ask("DELETE", "calendar/early.ics")
    fill(alice, 10)
    if not most:
        monkeypatch.setattr(budget, "MOST_BYTES", 1_000)
    token, seen, rounds = "", set(), 0
    while True:
        if rounds == 1:  # meanwhile: one that was told is deleted, one changes, another is new, and old deletions are forgotten
            phone.ask("DELETE", "calendar/1.ics")
            phone.put("calendar/2.ics", event("u2", "SUMMARY:changed"))
            phone.put("calendar/new.ics", event("new"))
            GoneItem.delete().where(GoneItem.href == "early.ics").execute()
        token, there, gone, more = told(phone, sync(phone, token, most))
        assert len(there) <= 10 and "early.ics" not in gone
        seen = seen - gone | there
        rounds += 1
        if not more:
            break
        assert rounds < 20
    assert rounds > 2 and seen == {*(f"{n}.ics" for n in range(2, 11)), "new.ics"}
    assert told(phone, sync(phone, token)) == (token, set(), set(), False)


def test_what_one_import_brought_is_told_whole_though_it_is_cut(phone: Phone, alice: User) -> None:
    """All of it has the number of one change."""
    phone.ask("PROPFIND", "", Depth="1")
    fill(alice, 10)
    calendar = Collection.get(Collection.user == alice, Collection.kind == "calendar")
    CalendarObject.update(seq=calendar.seq).where(CalendarObject.collection == calendar).execute()
    token, seen, more = "", set(), True
    while more:
        token, there, _gone, more = told(phone, sync(phone, token, "<d:limit><d:nresults>4</d:nresults></d:limit>"))
        assert there and not there & seen
        seen |= there
    assert seen == {f"{n}.ics" for n in range(1, 11)}


def test_a_multiget_that_costs_too_much_is_refused(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    hrefs = "".join(f"<d:href>{phone.home}calendar/{n}.ics</d:href>" for n in range(11_000))
    body = f"<c:calendar-multiget xmlns:d='DAV:' xmlns:c='{C}'><d:prop><d:getetag/></d:prop>{hrefs}</c:calendar-multiget>"
    with cpu_seconds(0.9):
        answer = phone.ask("REPORT", "calendar/", body)
    assert answer.status_code in (207, 403)
    monkeypatch.setattr(budget, "SECONDS", 0.0)
    refused = phone.ask("REPORT", "calendar/", body)
    assert refused.status_code == 403 and "number-of-matches-within-limits" in refused.text


def query(inside: str, component: str = "VEVENT", outer: str = "") -> str:
    comp = f"<c:comp-filter name='{component}'>{inside}</c:comp-filter>"
    return (
        f"<c:calendar-query xmlns:d='DAV:' xmlns:c='{C}'><d:prop><d:getetag/></d:prop>"
        f"<c:filter><c:comp-filter name='VCALENDAR'>{outer}{comp}</c:comp-filter></c:filter></c:calendar-query>"
    )


RANGE = "<c:time-range start='20261101T000000Z' end='20261201T000000Z'/>"
INVALID = [
    query("", outer=RANGE),  # no time of a calendar as a whole
    query("<c:time-range/>"),
    query("<c:time-range start='x' end='y'/>"),
    query("<c:time-range start='20261201T000000Z' end='20261101T000000Z'/>"),
    query("<c:prop-filter name='UID'/>" * 101),
    query("<c:is-not-defined/><c:prop-filter name='UID'/>"),
    query("<c:prop-filter name='UID'><c:text-match negate-condition='perhaps'>a</c:text-match></c:prop-filter>"),
    query("").replace("VCALENDAR", "VEVENT"),
    query("").replace("<c:filter>", "<c:filter><c:comp-filter name='VCALENDAR'/>"),
]


@pytest.mark.parametrize("body", INVALID)
def test_invalid_filters_are_named_as_such(phone: Phone, body: str) -> None:
    answer = phone.ask("REPORT", "calendar/", body)
    assert answer.status_code == 403 and "valid-filter" in answer.text and "responsedescription" in answer.text


def test_a_way_to_compare_that_is_not_known(phone: Phone) -> None:
    words = "<c:prop-filter name='SUMMARY'><c:text-match collation='i;klingon'>a</c:text-match></c:prop-filter>"
    assert "supported-collation" in phone.ask("REPORT", "calendar/", query(words)).text


def found(phone: Phone, body: str, path: str = "calendar/") -> set[str]:
    root = phone.xml("REPORT", path, body)
    return {one.text.rpartition("/")[2] for one in root.iterfind(".//D:href", NAMES) if one.text}


@pytest.mark.parametrize(
    ("lines", "touches"),
    [
        (["DTSTART:20261110T100000Z", "DUE:20261112T100000Z"], True),
        (["DTSTART:20261010T100000Z", "DUE:20261012T100000Z"], False),
        (["DTSTART:20261030T100000Z", "DURATION:P5D"], True),
        (["DTSTART:20261010T100000Z"], False),
        (["DUE:20261110T100000Z"], True),
        (["DUE:20261101T000000Z"], False),
        (["CREATED:20260101T000000Z", "COMPLETED:20261110T100000Z"], True),
        (["COMPLETED:20261010T100000Z"], False),
        (["CREATED:20270101T000000Z"], False),
        ([], True),
        (["DTSTART:20260105T100000Z", "DUE:20260105T110000Z", "RRULE:FREQ=WEEKLY"], True),
        (["DTSTART:20260105T100000Z", "DUE:20260105T110000Z", "RRULE:FREQ=WEEKLY;UNTIL=20261001T000000Z"], False),
        (["DUE:20260105T110000Z", "RRULE:FREQ=MONTHLY"], True),
        (["DUE:20261201T000000Z", "RRULE:FREQ=YEARLY;COUNT=2"], True),  # due at the end of it
        (["DUE:20261031T000000Z", "RRULE:FREQ=DAILY;COUNT=2"], False),  # the second at its beginning
        (["DTSTART:20261130T000000Z", "RRULE:FREQ=DAILY;COUNT=2"], True),
        (["DTSTART:20261201T000000Z", "RRULE:FREQ=DAILY;COUNT=2"], False),
        (["DTSTART:20261030T000000Z", "DURATION:P1D", "RRULE:FREQ=DAILY;COUNT=2"], True),  # the second ends as it begins
    ],
)
def test_times_of_tasks(phone: Phone, lines: list[str], touches: bool) -> None:
    """RFC 4791, 9.9."""
    assert phone.put("calendar/t.ics", event("t", *lines, start="", component="VTODO")).status_code == 201
    assert found(phone, query(RANGE, "VTODO")) == ({"t.ics"} if touches else set())


def test_times_of_journals_and_alarms(phone: Phone) -> None:
    assert phone.ask("MKCALENDAR", "notes").status_code == 201
    text = event("j", start="20261130", component="VJOURNAL").replace("DTSTART:", "DTSTART;VALUE=DATE:")
    assert phone.put("notes/j.ics", text).status_code == 201
    assert found(phone, query(RANGE, "VJOURNAL"), "notes/") == {"j.ics"}
    assert found(phone, query(RANGE.replace("20261201", "20261115"), "VJOURNAL"), "notes/") == set()
    alarm = ["BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:x", "TRIGGER:-P2D", "END:VALARM"]
    phone.put("calendar/a.ics", event("a", *alarm, start="20261202T100000Z"))
    phone.put("calendar/w.ics", event("w", "RRULE:FREQ=WEEKLY", *alarm, start="20250101T100000Z"))
    phone.put("calendar/n.ics", event("n", start="20261110T100000Z"))
    asked = f"<c:comp-filter name='VALARM'>{RANGE}</c:comp-filter>"
    assert found(phone, query(asked)) == {"a.ics", "w.ics"}
    assert found(phone, query("<c:comp-filter name='VALARM'><c:is-not-defined/></c:comp-filter>")) == {"n.ics"}


def test_words_of_a_changed_time_at_another_one(phone: Phone) -> None:
    changed = event("a", "RECURRENCE-ID:20261104T100000Z", "DURATION:PT1H", "SUMMARY:changed", start="20261104T120000Z")
    text = event("a", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=5", "SUMMARY:series", start="20261102T100000Z")
    inner = changed.split("EN\r\n")[1].replace("END:VCALENDAR\r\n", "")
    phone.put("calendar/a.ics", text.replace("END:VCALENDAR", inner + "END:VCALENDAR"))
    words = "<c:prop-filter name='SUMMARY'><c:text-match>{}</c:text-match></c:prop-filter>"
    times = "<c:time-range start='202611{0:02}T000000Z' end='202611{0:02}T235959Z'/>"
    assert found(phone, query(times.format(3) + words.format("changed"))) == set()
    assert found(phone, query(times.format(4) + words.format("changed"))) == {"a.ics"}
    assert found(phone, query(times.format(3) + words.format("series"))) == {"a.ics"}


def test_a_recurring_task_with_a_zone_and_no_beginning(phone: Phone) -> None:
    """Its zone has beginnings, which are none of its own."""
    zone = zone_text("Nowhere", "-0500").split("EN\r\n")[1].replace("END:VCALENDAR\r\n", "")
    text = event("t", "DUE;TZID=Nowhere:20261201T110000", "RRULE:FREQ=DAILY;COUNT=2", start="", component="VTODO")
    phone.put("calendar/t.ics", text.replace("BEGIN:VTODO", zone + "BEGIN:VTODO"))
    assert found(phone, query(RANGE, "VTODO")) == set()
    assert found(phone, query(RANGE.replace("20261201T00", "20261201T16"), "VTODO")) == {"t.ics"}


def test_alarms_that_are_repeated(phone: Phone) -> None:
    """RFC 5545, 3.8.6.2: so many times again. At 9, 9.10 ... 9.50."""
    alarm = ["BEGIN:VALARM", "ACTION:AUDIO", "TRIGGER:-PT1H", "REPEAT:5", "DURATION:PT10M", "END:VALARM"]
    phone.put("calendar/once.ics", event("once", *alarm, start="20261202T100000Z"))
    phone.put("calendar/often.ics", event("often", "RRULE:FREQ=WEEKLY", *alarm, start="20261125T100000Z"))
    phone.put("calendar/odd.ics", event("odd", *[line.replace("5", "x") for line in alarm], start="20261202T100000Z"))
    early = [line.replace("-PT1H", "-P30D").replace("PT10M", "P1D") for line in alarm]
    phone.put("calendar/early.ics", event("early", "RRULE:FREQ=YEARLY", *early, start="20260101T093000Z"))

    def ring(start: str, end: str) -> set[str]:
        times = f"<c:time-range start='{start}' end='{end}'/>"
        return found(phone, query(f"<c:comp-filter name='VALARM'>{times}</c:comp-filter>"))

    assert ring("20261202T090000Z", "20261202T090001Z") == {"once.ics", "often.ics", "odd.ics"}
    assert ring("20261202T094500Z", "20261202T100000Z") == {"once.ics", "often.ics"}
    assert ring("20261202T095001Z", "20261202T100000Z") == ring("20261202T094001Z", "20261202T095000Z") == set()
    assert ring("20261207T090000Z", "20261207T100000Z") == {"early.ics"}  # 25 days before
    assert ring("20261208T090000Z", "20261208T100000Z") == set()


def test_properties_and_parameters(phone: Phone) -> None:
    phone.put("calendar/a.ics", event("a", "SUMMARY;LANGUAGE=fr:Réunion\\, salle", "CATEGORIES:Work", "STATUS:CONFIRMED"))
    phone.put("calendar/b.ics", event("b", "SUMMARY:Other", "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:x@y.example"))
    for inside, expected in (
        ("<c:prop-filter name='SUMMARY'><c:text-match>RÉUNION, S</c:text-match></c:prop-filter>", {"a.ics"}),
        ("<c:prop-filter name='SUMMARY'><c:text-match collation='i;octet'>réunion</c:text-match></c:prop-filter>", set()),
        ("<c:prop-filter name='SUMMARY'><c:text-match negate-condition='yes'>réunion</c:text-match></c:prop-filter>", {"b.ics"}),
        ("<c:prop-filter name='CATEGORIES'><c:is-not-defined/></c:prop-filter>", {"b.ics"}),
        ("<c:prop-filter name='SUMMARY'><c:param-filter name='LANGUAGE'/></c:prop-filter>", {"a.ics"}),
        (
            "<c:prop-filter name='ATTENDEE'><c:param-filter name='PARTSTAT'><c:text-match>needs-action</c:text-match>"
            "</c:param-filter></c:prop-filter>",
            {"b.ics"},
        ),
        (
            "<c:prop-filter name='DTSTAMP'><c:time-range start='20251231T000000Z' end='20260102T000000Z'/></c:prop-filter>",
            {"a.ics", "b.ics"},
        ),
        ("<c:prop-filter name='X-NONE'/>", set()),
    ):
        assert found(phone, query(inside)) == expected, inside


def test_questions_about_cards(phone: Phone) -> None:
    phone.put("contacts/a.vcf", card("a", "Élodie Cœur", "item1.EMAIL;TYPE=work:elodie@lycee.example"))
    phone.put("contacts/b.vcf", card("b", "Bob", "NICKNAME:Bobby", "TEL:+33 1"))

    def asked(filters: str, test: str = "") -> set[str]:
        body = (
            f"<r:addressbook-query xmlns:d='DAV:' xmlns:r='{CR}'><d:prop><d:getetag/></d:prop><r:filter{test}>{filters}</r:filter>"
            "</r:addressbook-query>"
        )
        return found(phone, body, "contacts/")

    name = (
        "<r:prop-filter name='FN'><r:text-match collation='i;unicode-casemap' match-type='{}'>{}</r:text-match></r:prop-filter>"
    )
    mail = "<r:prop-filter name='EMAIL'><r:text-match match-type='ends-with'>@LYCEE.example</r:text-match></r:prop-filter>"
    assert asked(name.format("starts-with", "élo")) == {"a.vcf"} and asked(name.format("equals", "bob")) == {"b.vcf"}
    assert asked(mail) == {"a.vcf"} and asked(name.format("equals", "bob") + mail) == {"a.vcf", "b.vcf"}
    assert asked(name.format("equals", "bob") + mail, " test='allof'") == set()
    assert asked("<r:prop-filter name='NICKNAME'><r:is-not-defined/></r:prop-filter>") == {"a.vcf"}
    assert asked("") == {"a.vcf", "b.vcf"}


def test_a_rule_in_a_changed_time_of_a_series_costs_nothing(phone: Phone) -> None:
    """600 bytes that a library would follow for half a minute."""
    text = event("bomb", "RECURRENCE-ID:20261105T100000Z", "RRULE:FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=29;BYHOUR=3")
    answer = phone.put("calendar/bomb.ics", text)
    for inside in (RANGE, "<c:comp-filter name='VALARM'/>", "<c:prop-filter name='SUMMARY'/>"):
        with cpu_seconds(0.3):
            assert phone.ask("REPORT", "calendar/", query(inside)).status_code == 207, answer.text


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("REPORT", "calendar/", "<d:sync-collection xmlns:d='DAV:'><d:sync-token/><d:sync-level>1</d:sync-level><d:prop/></d:sync-collection>"),
        ("REPORT", "calendar/", query("").replace("<d:getetag/>", "")),
        ("PROPFIND", "calendar/", "<d:propfind xmlns:d='DAV:'><d:prop/></d:propfind>"),
        ("PROPFIND", "calendar/a.ics", "<d:propfind xmlns:d='DAV:'><d:prop/></d:propfind>"),
        ("PROPFIND", "", "<d:propfind xmlns:d='DAV:'><d:prop/></d:propfind>"),
    ],
)  # fmt: skip
def test_who_asks_for_no_property_is_told_of_none(phone: Phone, method: str, path: str, body: str) -> None:
    phone.put("calendar/a.ics", event())
    root = phone.xml(method, path, body, Depth="1")
    responses = root.findall("D:response", NAMES)
    assert responses and all(len(one.findall("D:propstat", NAMES)) == 1 for one in responses)
    assert all(not len(props) for props in root.iterfind(".//D:prop", NAMES))
    assert {status.text for status in root.iterfind(".//D:propstat/D:status", NAMES)} == {"HTTP/1.1 200 OK"}


def test_levels_and_forms_that_there_are_not(phone: Phone) -> None:
    phone.put("calendar/a.ics", event())

    def sync(level: str) -> int:
        body = f"<d:sync-collection xmlns:d='DAV:'><d:sync-token/>{level}<d:prop><d:getetag/></d:prop></d:sync-collection>"
        return phone.ask("REPORT", "calendar/", body).status_code

    assert [sync(f"<d:sync-level>{one}</d:sync-level>") for one in ("1", "infinite", "bogus")] == [207, 207, 400]
    assert sync("") == 207

    def wanted(kind: str, data: str) -> tuple[int, str]:
        name, where = ("calendar", "calendar/") if kind == "c" else ("addressbook", "contacts/")
        body = f"<{kind}:{name}-query xmlns:d='DAV:' xmlns:c='{C}' xmlns:r='{CR}'><d:prop>{data}</d:prop></{kind}:{name}-query>"
        answer = phone.ask("REPORT", where, body)
        return answer.status_code, answer.text

    assert wanted("c", "<c:calendar-data content-type='text/calendar' version='2.0'/>")[0] == 207
    assert wanted("r", "<r:address-data content-type='text/vcard' version='4.0'/>")[0] == 207
    for kind, data, condition in (
        ("c", "<c:calendar-data content-type='application/calendar+json'/>", "supported-calendar-data"),
        ("c", "<c:calendar-data version='3.0'/>", "supported-calendar-data"),
        ("r", "<r:address-data content-type='text/vcard' version='2.1'/>", "supported-address-data"),
    ):
        status, text = wanted(kind, data)
        assert status == 403 and condition in text


def test_what_only_the_server_says_is_refused_property_by_property(phone: Phone) -> None:
    """RFC 4918, 9.2: all or nothing, and which."""
    props = "<d:displayname>New</d:displayname><d:resourcetype/>"
    body = f"<d:propertyupdate xmlns:d='DAV:'><d:set><d:prop>{props}</d:prop></d:set></d:propertyupdate>"
    answer = phone.ask("PROPPATCH", "calendar/", body)
    assert answer.status_code == 207 and "403 Forbidden" in answer.text and "200 OK" not in answer.text
    assert "New" not in phone.ask("PROPFIND", "calendar/").text
