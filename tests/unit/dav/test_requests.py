"""Requests as programs send them, written anew from what their sources, logs and documentation have: the answer that each needs.

A row of the table is one request to somebody who has some events, a task and two contacts. No row changes what another one sees.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

import pytest
from radicale.item import filter as radicale_filter

from tests.unit.dav.conftest import NAMES, Phone, card, event, zone_text

_SPACES = (
    "xmlns='DAV:' xmlns:C='urn:ietf:params:xml:ns:caldav' xmlns:R='urn:ietf:params:xml:ns:carddav' "
    "xmlns:S='http://calendarserver.org/ns/' xmlns:I='http://apple.com/ns/ical/'"
)
IOS, MACOS = "iOS/18.1 (22B83) dataaccessd/1.0", "macOS/15.1 (24B83) dataaccessd/1.0"
DAVX5, THUNDERBIRD = (
    "DAVx5/4.4.5-ose (dav4jvm; okhttp/4.12.0) Android/14",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Thunderbird/140.0",
)
EVOLUTION, KDE = "Evolution/3.54.2", "Mozilla/5.0 (X11; Linux x86_64) KHTML/5.116.0 (like Gecko) Konqueror/5 KIO/5.116"


def props(*names: str) -> str:
    return "<prop>" + "".join(f"<{name}/>" for name in names) + "</prop>"


def propfind(*names: str) -> str:
    return f"<propfind {_SPACES}>{props(*names)}</propfind>"


def report(name: str, *inside: str) -> str:
    return f"<{name} {_SPACES}>{''.join(inside)}</{name}>"


def calendar_query(component: str, inside: str = "", data: str = "<C:calendar-data/>") -> str:
    inner = f"<C:comp-filter name='VCALENDAR'><C:comp-filter name='{component}'>{inside}</C:comp-filter></C:comp-filter>"
    return report("C:calendar-query", f"<prop><getetag/>{data}</prop><C:filter>{inner}</C:filter>")


def book_query(inside: str, test: str = "anyof", more: str = "") -> str:
    return report(
        "R:addressbook-query", f"<prop><getetag/><R:address-data/></prop><R:filter test='{test}'>{inside}</R:filter>{more}"
    )


@dataclass
class Asked:
    program: str
    what: str
    method: str
    path: str  # below the person's list of collections, or from the root
    body: str = ""
    depth: str = ""
    status: int = 207
    there: list[str] = field(default_factory=list)  # XPaths that find something, with ='text' at the end: with this text
    not_there: list[str] = field(default_factory=list)
    hrefs: set[str] | None = None  # the last parts of the addresses in the answer
    headers: dict[str, str] = field(default_factory=dict)
    answered: dict[str, str] = field(default_factory=dict)  # headers of the answer, and what is in them


_HOME = "/dav/alice%40lycee.example/"
_OK = "D:propstat[D:status='HTTP/1.1 200 OK']/D:prop"
_MINE = [f".//{name}='{_HOME}'" for name in ("C:calendar-home-set/D:href", "CR:addressbook-home-set/D:href")]
_TIME = "<C:time-range start='20261105T000000Z' end='20261106T000000Z'/>"
_EVERY_EVENT = {"lunch.ics", "weekly.ics", "holidays.ics"}

ASKED = [
    # --- finding the way ---------------------------------------------------------------------------------------------
    Asked(IOS, "who it is, at the root", "PROPFIND", "/dav/", propfind("current-user-principal", "principal-URL", "resourcetype"),
        "0", there=[f".//D:current-user-principal/D:href='{_HOME}'"]),
    Asked(IOS, "what it may do", "OPTIONS", "", status=200,
        answered={"DAV": "calendar-access", "Allow": "MKCALENDAR"}),
    Asked(MACOS, "the homes and the addresses", "PROPFIND", "", propfind("C:calendar-home-set", "R:addressbook-home-set",
        "C:calendar-user-address-set", "displayname", "principal-URL", "resource-id", "S:email-address-set", "C:schedule-inbox-URL",
        "S:notification-URL", "principal-collection-set", "supported-report-set"), "0",
        there=[*_MINE, ".//C:calendar-user-address-set/D:href='mailto:alice@lycee.example'", f".//D:principal-URL/D:href='{_HOME}'"],
        not_there=[f".//{_OK}/C:schedule-inbox-URL", f".//{_OK}/S:notification-URL"]),
    Asked(MACOS, "by what principals are searched", "REPORT", "", report("principal-search-property-set"), "0", status=200,
        there=[".//D:principal-search-property"]),
    Asked(DAVX5, "whether the root is a collection or knows one", "PROPFIND", "/dav/", propfind("resourcetype", "displayname",
        "C:calendar-description", "I:calendar-color", "C:calendar-timezone", "C:supported-calendar-component-set",
        "C:calendar-home-set", "R:addressbook-home-set", "current-user-principal"), "0",
        there=[f".//D:current-user-principal/D:href='{_HOME}'"]),
    Asked(DAVX5, "its homes, and groups and deputies that there are none of", "PROPFIND", "", propfind("displayname", "C:calendar-home-set",
        "R:addressbook-home-set", "S:calendar-proxy-read-for", "S:calendar-proxy-write-for", "group-membership"), "0", there=_MINE),
    Asked(DAVX5, "an address with a slash too little", "PROPFIND", "/dav", propfind("current-user-principal"), "0",
        there=[f".//D:current-user-principal/D:href='{_HOME}'"]),
    Asked(THUNDERBIRD, "whether the root is a calendar", "PROPFIND", "/dav/", propfind("resourcetype", "owner", "displayname",
        "current-user-principal", "current-user-privilege-set", "I:calendar-color", "C:calendar-home-set"), "0",
        there=[f".//D:current-user-principal/D:href='{_HOME}'"], not_there=[f".//{_OK}/D:resourcetype/C:calendar"]),
    Asked(THUNDERBIRD, "whether a file of events lies at the root", "HEAD", "/dav/", status=405),
    Asked(KDE, "the homes", "PROPFIND", "", propfind("C:calendar-home-set", "R:addressbook-home-set"), "0", there=_MINE),
    Asked(EVOLUTION, "without saying what", "PROPFIND", "", "", "0", there=[".//D:resourcetype/D:principal"]),
    Asked(EVOLUTION, "all properties", "PROPFIND", "calendar/", report("propfind", "<allprop/>"), "0",
        there=[".//D:displayname='Calendar'", ".//D:sync-token"]),
    # --- the list of collections -------------------------------------------------------------------------------------
    Asked(IOS, "the calendars", "PROPFIND", "", propfind("displayname", "resourcetype", "S:getctag", "sync-token", "I:calendar-color",
        "I:calendar-order", "C:supported-calendar-component-set", "current-user-privilege-set", "owner", "C:calendar-timezone",
        "S:allowed-sharing-modes", "add-member", "quota-available-bytes"), "1", hrefs={"", "calendar", "contacts"},
        there=[".//C:comp[@name='VEVENT']", ".//S:getctag", ".//D:sync-token", ".//D:privilege/D:write-content"],
        headers={"Brief": "t"}),
    Asked(IOS, "only what has changed", "PROPFIND", "", propfind("S:getctag", "sync-token"), "1", hrefs={"", "calendar", "contacts"}),
    Asked(MACOS, "the books", "PROPFIND", "", propfind("displayname", "resourcetype", "S:getctag", "sync-token", "R:max-image-size",
        "R:max-resource-size", "S:me-card", "current-user-privilege-set", "supported-report-set", "owner"), "1",
        there=[".//CR:addressbook"], headers={"Prefer": "return=minimal"}),
    Asked(DAVX5, "the calendars, and who may write", "PROPFIND", "", propfind("resourcetype", "displayname", "owner",
        "current-user-privilege-set", "I:calendar-color", "C:calendar-timezone", "C:supported-calendar-component-set", "S:source"), "1",
        hrefs={"", "calendar", "contacts"}, there=[".//D:privilege/D:write", f".//D:owner/D:href='{_HOME}'"]),
    Asked(KDE, "the calendars by their components", "PROPFIND", "", propfind("displayname", "resourcetype", "I:calendar-color",
        "C:supported-calendar-component-set", "current-user-privilege-set", "S:getctag"), "1", there=[".//C:comp[@name='VTODO']"]),
    Asked(EVOLUTION, "of one calendar", "PROPFIND", "calendar/", propfind("displayname", "resourcetype", "C:calendar-description",
        "C:supported-calendar-component-set", "I:calendar-color", "current-user-privilege-set", "getetag", "S:getctag",
        "supported-report-set"), "0", there=[".//D:report/D:sync-collection", ".//D:report/C:calendar-multiget"]),
    Asked(THUNDERBIRD, "whether it is a calendar", "PROPFIND", "calendar/", propfind("resourcetype", "owner", "current-user-principal",
        "current-user-privilege-set", "supported-report-set", "C:supported-calendar-component-set", "S:getctag"), "0",
        there=[".//D:resourcetype/C:calendar", ".//D:privilege/D:write", ".//D:report/D:sync-collection", ".//C:comp[@name='VTODO']"]),
    Asked(DAVX5, "how cards may be written", "PROPFIND", "contacts/", propfind("R:max-resource-size", "R:supported-address-data",
        "supported-report-set", "S:getctag", "sync-token"), "0",
        there=[".//CR:address-data-type[@version='4.0']", ".//D:report/D:sync-collection"]),
    # --- what is in a calendar ---------------------------------------------------------------------------------------
    Asked(IOS, "all at first", "REPORT", "calendar/", report("sync-collection", "<sync-token/><sync-level>1</sync-level>",
        props("getcontenttype", "getetag")), "1", hrefs={*_EVERY_EVENT, "task.ics"}, there=["D:sync-token", f".//{_OK}/D:getcontenttype"]),
    Asked(DAVX5, "all at first, with Depth 0", "REPORT", "contacts/", report("sync-collection", "<sync-token/><sync-level>1</sync-level>",
        props("getetag")), "0", hrefs={"elodie.vcf", "zoe.vcf"}, there=["D:sync-token"]),
    Asked(THUNDERBIRD, "the tags of a book", "PROPFIND", "contacts/", propfind("resourcetype", "getetag", "S:getctag"), "1",
        hrefs={"contacts", "elodie.vcf", "zoe.vcf"}),
    Asked(KDE, "the tags of a book", "PROPFIND", "contacts/", propfind("getetag", "resourcetype"), "1",
        hrefs={"contacts", "elodie.vcf", "zoe.vcf"}),
    Asked(EVOLUTION, "the tags of a calendar", "PROPFIND", "calendar/", propfind("getetag"), "1",
        hrefs={"calendar", *_EVERY_EVENT, "task.ics"}),
    Asked(IOS, "some events, of which one is gone", "REPORT", "calendar/", report("C:calendar-multiget",
        props("getetag", "C:calendar-data", "C:schedule-tag", "S:created-by"),
        *(f"<href>{_HOME}calendar/{name}.ics</href>" for name in ("lunch", "gone"))), "0", hrefs={"lunch.ics", "gone.ics"},
        there=[f".//{_OK}/C:calendar-data", "D:response[D:status='HTTP/1.1 404 Not Found']"]),
    Asked(THUNDERBIRD, "an event by an address that it wrote itself", "REPORT", "calendar/", report("C:calendar-multiget",
        props("getetag", "C:calendar-data"), "<href>/dav/alice@lycee.example/calendar/lunch.ics</href>"), "1", hrefs={"lunch.ics"},
        there=[f".//{_OK}/C:calendar-data"]),
    Asked(EVOLUTION, "an event by a whole address", "REPORT", "calendar/", report("C:calendar-multiget",
        props("getetag", "C:calendar-data"), f"<href>http://localhost{_HOME}calendar/lunch.ics</href>"), "1", hrefs={"lunch.ics"},
        there=[f".//{_OK}/C:calendar-data"]),
    Asked(DAVX5, "events with a version", "REPORT", "calendar/", report("C:calendar-multiget",
        "<prop><getcontenttype/><getetag/><C:schedule-tag/><C:calendar-data content-type='text/calendar' version='2.0'/></prop>",
        f"<href>{_HOME}calendar/lunch.ics</href>"), "0", there=[f".//{_OK}/C:calendar-data"]),
    Asked(DAVX5, "cards of version 4", "REPORT", "contacts/", report("R:addressbook-multiget",
        "<prop><getcontenttype/><getetag/><R:address-data content-type='text/vcard' version='4.0'/></prop>",
        f"<href>{_HOME}contacts/elodie.vcf</href>"), "0", there=[f".//{_OK}/CR:address-data"]),
    Asked(DAVX5, "events since a day", "REPORT", "calendar/", calendar_query("VEVENT", "<C:time-range start='20261110T000000Z'/>", ""), "1",
        hrefs={"weekly.ics", "holidays.ics"}),
    Asked(DAVX5, "tasks", "REPORT", "calendar/", calendar_query("VTODO", "", ""), "1", hrefs={"task.ics"}),
    Asked(MACOS, "events of a day", "REPORT", "calendar/", calendar_query("VEVENT", _TIME), "1", hrefs={"lunch.ics", "weekly.ics"}),
    Asked(IOS, "tasks that are not done", "REPORT", "calendar/", calendar_query("VTODO",
        "<C:prop-filter name='COMPLETED'><C:is-not-defined/></C:prop-filter>"), "1", hrefs={"task.ics"}),
    Asked(EVOLUTION, "tags and identifiers of all events", "REPORT", "calendar/", calendar_query("VEVENT", "",
        "<C:calendar-data><C:comp name='VCALENDAR'><C:comp name='VEVENT'><C:prop name='UID'/></C:comp></C:comp></C:calendar-data>"), "1",
        hrefs=_EVERY_EVENT),
    Asked(KDE, "tags of all tasks", "REPORT", "calendar/", report("C:calendar-query", props("getetag", "resourcetype"),
        "<C:filter><C:comp-filter name='VCALENDAR'><C:comp-filter name='VTODO'/></C:comp-filter></C:filter>"), "1", hrefs={"task.ics"}),
    Asked(KDE, "tags of journal entries, of which there are none", "REPORT", "calendar/", calendar_query("VJOURNAL", "", ""), "1", hrefs=set()),
    Asked(EVOLUTION, "an event by its UID", "REPORT", "calendar/", calendar_query("VEVENT",
        "<C:prop-filter name='UID'><C:text-match collation='i;octet'>weekly</C:text-match></C:prop-filter>"), "1", hrefs={"weekly.ics"}),
    Asked("caldav", "a week, each time by itself", "REPORT", "calendar/", calendar_query("VEVENT", _TIME,
        "<C:calendar-data><C:expand start='20261105T000000Z' end='20261112T000000Z'/></C:calendar-data>"), "1",
        hrefs={"lunch.ics", "weekly.ics"}, not_there=[]),
    Asked("caldav", "words in a title", "REPORT", "calendar/", calendar_query("VEVENT",
        "<C:prop-filter name='SUMMARY'><C:text-match collation='i;ascii-casemap'>LUNCH</C:text-match></C:prop-filter>"), "1",
        hrefs={"lunch.ics"}),
    # --- what is in a book -------------------------------------------------------------------------------------------
    Asked(MACOS, "a card by an address", "REPORT", "contacts/", book_query(
        "<R:prop-filter name='EMAIL'><R:text-match collation='i;unicode-casemap' match-type='contains'>ELODIE@</R:text-match></R:prop-filter>"),
        "1", hrefs={"elodie.vcf"}),
    Asked(THUNDERBIRD, "cards by name, nickname or address", "REPORT", "contacts/", book_query("".join(
        f"<R:prop-filter name='{name}'><R:text-match match-type='contains'>zo</R:text-match></R:prop-filter>"
        for name in ("FN", "NICKNAME", "EMAIL"))), "1", hrefs={"zoe.vcf"}),
    Asked(EVOLUTION, "cards of which the name begins so", "REPORT", "contacts/", book_query(
        "<R:prop-filter name='FN'><R:text-match match-type='starts-with'>Élo</R:text-match></R:prop-filter>"), "1", hrefs={"elodie.vcf"}),
    Asked(EVOLUTION, "cards that fulfil both", "REPORT", "contacts/", book_query(
        "<R:prop-filter name='FN'><R:text-match>o</R:text-match></R:prop-filter>"
        "<R:prop-filter name='TEL'><R:is-not-defined/></R:prop-filter>", "allof"), "1", hrefs={"zoe.vcf"}),
    Asked(KDE, "an address exactly", "REPORT", "contacts/", book_query(
        "<R:prop-filter name='EMAIL'><R:text-match match-type='equals'>zoe@lycee.example</R:text-match></R:prop-filter>"), "1",
        hrefs={"zoe.vcf"}),
    # --- items and searches for people -------------------------------------------------------------------------------
    Asked(KDE, "an event", "GET", "calendar/lunch.ics", status=200, answered={"ETag": '"', "Content-Type": "text/calendar"}),
    Asked(IOS, "whether an event is there", "HEAD", "calendar/lunch.ics", status=200, answered={"ETag": '"'}),
    Asked(THUNDERBIRD, "people by their address", "REPORT", "/dav/", report("principal-property-search",
        f"<property-search>{props('C:calendar-user-address-set')}<match>bob</match></property-search>", props("C:schedule-inbox-URL")), "0",
        hrefs=set()),
    Asked(MACOS, "people by their name", "REPORT", "", report("principal-property-search",
        f"<property-search>{props('displayname')}<match>Bob</match></property-search>", props("displayname")), "0", hrefs=set()),
    Asked(MACOS, "deputies and groups, with their properties", "REPORT", "", report("expand-property",
        "<property name='calendar-proxy-write-for' namespace='http://calendarserver.org/ns/'><property name='displayname'/></property>"),
        "0"),
]  # fmt: skip


@pytest.fixture
def somebody(phone: Phone) -> Phone:
    there = [
        ("calendar/lunch.ics", event("lunch", "DTEND:20261105T110000Z", "SUMMARY:Lunch")),
        ("calendar/weekly.ics", event("weekly", "RRULE:FREQ=WEEKLY", "SUMMARY:Meeting", start="20261029T140000Z")),
        (
            "calendar/holidays.ics",
            event("holidays", "SUMMARY:Holidays", start="20261221").replace("DTSTART:", "DTSTART;VALUE=DATE:"),
        ),
        ("calendar/task.ics", event("task", "SUMMARY:Homework", start="", component="VTODO")),
        ("contacts/elodie.vcf", card("elodie", "Élodie Cœur", "EMAIL:elodie@lycee.example", "TEL:+33612345678")),
        ("contacts/zoe.vcf", card("zoe", "Zoé Petit", "EMAIL:zoe@lycee.example")),
    ]
    for path, text in there:
        assert phone.put(path, text).status_code == 201
    return phone


def found_in(root: ET.Element, path: str) -> bool:
    """Whether this is in an answer."""
    where, _, text = path.rpartition("='") if path.endswith("'") else (path, "", "")
    spaces = NAMES | {"S": "http://calendarserver.org/ns/", "I": "http://apple.com/ns/ical/"}
    return any(not text or (one.text or "") == text[:-1] for one in root.iterfind(where or path, spaces))


def wrong_in_answer(somebody: Phone, asked: Asked) -> list[object]:
    """What is there that should not be, or is not though it should: of status, headers, XPaths and addresses."""
    sent = {"User_Agent": asked.program} | ({"Depth": asked.depth} if asked.depth else {}) | asked.headers
    answer = somebody.ask(asked.method, asked.path, asked.body, **sent)
    if answer.status_code != asked.status:
        return [answer.status_code, answer.text]
    wrong: list[object] = [name for name, part in asked.answered.items() if part not in answer.headers.get(name, "")]
    if asked.status == 207:
        root = ET.fromstring(answer.data)
        wrong += [path for path in asked.there if not found_in(root, path)]
        wrong += [path for path in asked.not_there if found_in(root, path)]
        hrefs = [one.findtext("D:href", "", NAMES).removeprefix(_HOME).rstrip("/") for one in root.iterfind("D:response", NAMES)]
        found = {one.rpartition("/")[2] for one in hrefs}
        wrong += [found] if asked.hrefs not in (None, found) else []
    return [*wrong, answer.text] if wrong else []


def test_each_request_gets_the_answer_that_it_needs(somebody: Phone) -> None:
    """All of one person, since none changes anything."""
    found = {f"{asked.program}: {asked.what}": wrong_in_answer(somebody, asked) for asked in ASKED}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


# --- what programs change --------------------------------------------------------------------------------------------


def test_a_calendar_of_macos_keeps_what_was_set(phone: Phone) -> None:
    set_ = (
        "<displayname>Work</displayname><I:calendar-color symbolic-color='custom'>#FF2968FF</I:calendar-color><I:calendar-order>3</I:calendar-order>"
        "<C:calendar-free-busy-set><YES/></C:calendar-free-busy-set>"
        f"<C:calendar-timezone>{zone_text()}</C:calendar-timezone>"
        "<C:schedule-calendar-transp><C:transparent/></C:schedule-calendar-transp>"
        "<C:supported-calendar-component-set><C:comp name='VEVENT'/></C:supported-calendar-component-set>"
    )
    made = phone.ask("MKCALENDAR", "B7A1/", report("C:mkcalendar", f"<set><prop>{set_}</prop></set>"), User_Agent=MACOS)
    assert made.status_code == 201
    asked = propfind("displayname", "I:calendar-color", "I:calendar-order", "C:calendar-timezone", "C:schedule-calendar-transp")
    root = phone.xml("PROPFIND", "B7A1/", asked, Depth="0")
    for path in (".//I:calendar-color='#FF2968FF'", ".//I:calendar-order='3'", ".//C:schedule-calendar-transp/C:transparent"):
        assert found_in(root, path), path
    change = "<set><prop><C:schedule-calendar-transp><C:opaque/></C:schedule-calendar-transp></prop></set>"
    change += "<remove><prop><C:calendar-timezone/></prop></remove>"
    assert phone.ask("PROPPATCH", "B7A1/", report("propertyupdate", change)).status_code == 207
    root = phone.xml("PROPFIND", "B7A1/", asked, Depth="0")
    assert found_in(root, ".//C:schedule-calendar-transp/C:opaque") and not found_in(root, f".//{_OK}/C:calendar-timezone")


def test_a_calendar_of_davx5_for_everything_takes_journal_entries_too(phone: Phone) -> None:
    set_ = "<resourcetype><collection/><C:calendar/></resourcetype><displayname>All</displayname><I:calendar-color>#3366FFFF</I:calendar-color>"
    assert (
        phone.ask("MKCALENDAR", "all/", report("C:mkcalendar", f"<set><prop>{set_}</prop></set>"), User_Agent=DAVX5).status_code
        == 201
    )
    assert phone.put("all/note.ics", event("note", "SUMMARY:Note", component="VJOURNAL"), If_None_Match="*").status_code == 201


def test_what_has_no_properties_to_change_says_so_for_each(somebody: Phone) -> None:
    alarm = "<set><prop><C:default-alarm-vevent-date>BEGIN:VALARM\r\nEND:VALARM</C:default-alarm-vevent-date></prop></set>"
    for path in ("", "calendar/lunch.ics"):
        root = somebody.xml("PROPPATCH", path, report("propertyupdate", alarm), User_Agent=MACOS)
        assert found_in(root, ".//D:propstat[D:status='HTTP/1.1 403 Forbidden']/D:prop/C:default-alarm-vevent-date")
    assert somebody.ask("PROPPATCH", "calendar/gone.ics", report("propertyupdate", alarm)).status_code == 404
    assert somebody.ask("PROPPATCH", "").status_code == 207


@pytest.mark.parametrize(("program", "status"), [(THUNDERBIRD, 400), (IOS, 403), (DAVX5, 403)])
def test_a_token_that_is_no_good_has_each_program_begin_anew(somebody: Phone, program: str, status: int) -> None:
    body = report("sync-collection", "<sync-token>data:,traboule-1-1</sync-token><sync-level>1</sync-level>", props("getetag"))
    answer = somebody.ask("REPORT", "contacts/", body, User_Agent=program)
    assert answer.status_code == status and "valid-sync-token" in answer.text


@pytest.mark.parametrize("depth", ["1,noroot", "Infinity", "infinity"])
def test_other_depths_are_understood(somebody: Phone, depth: str) -> None:
    assert len(somebody.xml("PROPFIND", "contacts/", propfind("getetag"), Depth=depth)) == 3


def test_the_first_of_equal_changes_wins_for_each_program(phone: Phone) -> None:
    new = phone.put("calendar/a.ics", event("a"), If_None_Match="*", User_Agent=THUNDERBIRD)
    assert new.status_code == 201 and phone.put("calendar/a.ics", event("a"), If_None_Match="*").status_code == 412
    changed = phone.put("calendar/a.ics", event("a", "SUMMARY:x"), If_Match=new.headers["ETag"], User_Agent=IOS)
    assert changed.status_code == 204 and changed.headers["ETag"] != new.headers["ETag"]
    assert phone.ask("DELETE", "calendar/a.ics", If_Match=new.headers["ETag"], User_Agent=DAVX5).status_code == 412
    assert phone.ask("DELETE", "calendar/a.ics", If_Match=changed.headers["ETag"], User_Agent=DAVX5).status_code == 204


# --- one odd thing among others --------------------------------------------------------------------------------------


def test_an_event_that_the_library_cannot_read_hides_no_other(somebody: Phone) -> None:
    odd = event("odd", "SUMMARY:Odd lunch", "BEGIN:VALARM", "TRIGGER:garbage", "ACTION:DISPLAY", "END:VALARM")
    assert somebody.put("calendar/odd.ics", odd).status_code == 201
    words = "<C:prop-filter name='SUMMARY'><C:text-match>lunch</C:text-match></C:prop-filter>"
    root = somebody.xml("REPORT", "calendar/", calendar_query("VEVENT", words), Depth="1")
    assert {one.text.rpartition("/")[2] for one in root.iterfind(".//D:href", NAMES)} == {"lunch.ics", "odd.ics"}
    wrong = calendar_query("VEVENT", "<C:prop-filter name='SUMMARY'><C:no-such-test/></C:prop-filter>")
    answer = somebody.ask("REPORT", "calendar/", wrong)
    assert answer.status_code == 403 and "valid-filter" in answer.text and "no-such-test" in answer.text


def test_words_at_a_time_are_found_without_going_through_rules(somebody: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    """When something takes place is known already: only the words are looked at. Here in exceptions without their series too."""
    first = event("alone", "RECURRENCE-ID:20261105T160000Z", "SUMMARY:Lunch talk", start="20261105T170000Z")
    second = event("alone", "RECURRENCE-ID:20261106T160000Z", "SUMMARY:Talk", start="20261106T170000Z")
    both = first.replace("END:VCALENDAR\r\n", "") + second[second.index("BEGIN:VEVENT") :]
    assert somebody.put("calendar/alone.ics", both).status_code == 201
    words = "<C:prop-filter name='SUMMARY'><C:text-match>lunch</C:text-match></C:prop-filter>"
    monkeypatch.setattr(radicale_filter, "time_range_match", lambda *_asked: pytest.fail("it went through rules"))
    root = somebody.xml("REPORT", "calendar/", calendar_query("VEVENT", _TIME + words))
    assert {one.text.rpartition("/")[2] for one in root.iterfind(".//D:href", NAMES)} == {"lunch.ics", "alone.ics"}


def test_an_event_in_a_zone_of_notes_is_taken(phone: Phone) -> None:
    zone = [
        "BEGIN:VTIMEZONE", "TZID:Eastern", "BEGIN:STANDARD", "DTSTART:19501029T020000", "TZOFFSETFROM:-0400", "TZOFFSETTO:-0500",
        "RRULE:FREQ=YEARLY;BYMINUTE=0;BYHOUR=2;BYDAY=-1SU;BYMONTH=10", "END:STANDARD", "END:VTIMEZONE", "BEGIN:VEVENT",
    ]  # fmt: skip
    text = event("notes", start="20261105T100000").replace("DTSTART:", "DTSTART;TZID=Eastern:")
    assert phone.put("calendar/notes.ics", text.replace("BEGIN:VEVENT", "\r\n".join(zone))).status_code == 201
    worse = "\r\n".join(zone).replace("BYHOUR=2", "BYHOUR=" + ",".join(map(str, range(24))))
    assert phone.put("calendar/worse.ics", text.replace("BEGIN:VEVENT", worse)).status_code == 403
    assert phone.xml("REPORT", "calendar/", calendar_query("VEVENT", _TIME)).find("D:response", NAMES) is not None


def test_a_card_that_the_library_cannot_read_hides_no_other(somebody: Phone) -> None:
    assert somebody.put("contacts/odd.vcf", card("odd", "Odd", 'TEL;TYPE="x:1', "EMAIL:odd@lycee.example")).status_code == 201
    of_school = "<R:prop-filter name='EMAIL'><R:text-match>@lycee.example</R:text-match></R:prop-filter>"
    root = somebody.xml("REPORT", "contacts/", book_query(of_school))
    names = {"elodie.vcf", "zoe.vcf", "odd.vcf"}
    assert {one.text.rpartition("/")[2] for one in root.iterfind(".//D:href", NAMES)} == names
    everybody = somebody.xml("REPORT", "contacts/", book_query(""))
    assert {one.text.rpartition("/")[2] for one in everybody.iterfind(".//D:href", NAMES)} == names


def test_each_time_of_an_event_is_told_by_itself(somebody: Phone) -> None:
    """With one of which only an exception came, as an invitation to one meeting of a series is."""
    lines = ["RECURRENCE-ID:20261105T160000Z", "SUMMARY:Only this", "DURATION:PT1H"]
    assert somebody.put("calendar/alone.ics", event("alone", *lines, start="20261105T170000Z")).status_code == 201
    changed = event(
        "daily",
        "RRULE:FREQ=DAILY;COUNT=4",
        "EXDATE:20261106T080000Z",
        "SUMMARY:Swim",
        "DTEND:20261105T090000Z",
        start="20261105T080000Z",
    )
    moved = event("daily", "RECURRENCE-ID:20261107T080000Z", "SUMMARY:Swim late", start="20261107T200000Z")
    both = changed.replace("END:VCALENDAR\r\n", "") + moved[moved.index("BEGIN:VEVENT") :]
    assert somebody.put("calendar/daily.ics", both).status_code == 201
    span = "start='20261105T000000Z' end='20261110T000000Z'"
    body = calendar_query("VEVENT", f"<C:time-range {span}/>", f"<C:calendar-data><C:expand {span}/></C:calendar-data>")
    root = somebody.xml("REPORT", "calendar/", body, Depth="1")
    texts = {
        one.findtext("D:href", "", NAMES).rpartition("/")[2]: one.findtext(".//C:calendar-data", "", NAMES)
        for one in root.iterfind("D:response", NAMES)
    }
    assert set(texts) == {"lunch.ics", "weekly.ics", "alone.ics", "daily.ics"}
    assert not any(word in "".join(texts.values()) for word in ("RRULE", "EXDATE"))
    assert re.findall(r"DTSTART:(\S+)", texts["daily.ics"]) == ["20261105T080000Z", "20261107T200000Z", "20261108T080000Z"]
    assert "RECURRENCE-ID:20261107T080000Z" in texts["daily.ics"] and "RECURRENCE-ID:20261105T160000Z" in texts["alone.ics"]
    assert "RECURRENCE-ID" not in texts["lunch.ics"] and "SUMMARY:Swim late" in texts["daily.ics"]
