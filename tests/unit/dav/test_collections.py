"""Collections: made, named, coloured and shared; what is asked about them; what is told of their changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest

from tests.unit.dav.conftest import NAMES, Phone, card, event, zone_text
from webmail.collections import store
from webmail.dav import busy
from webmail.models import Collection, CollectionShare, GoneItem, GroupMember, PeopleGroup, User, now
from webmail.people import policies
from webmail.people.policies import Policy

C = NAMES["C"]
A = busy.href_of("a.ics")  # for those who see busy times alone
PROP = "<d:%s xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav' xmlns:a='http://apple.com/ns/ical/'>%s</d:%s>"
TASKS = (  # the request for a new list of tasks
    f"<c:mkcalendar xmlns:c='{C}' xmlns:d='DAV:'><d:set><d:prop><d:displayname>Work</d:displayname>"
    "<c:supported-calendar-component-set><c:comp name='VTODO'/></c:supported-calendar-component-set></d:prop></d:set></c:mkcalendar>"
)


def patch(**values: str) -> str:
    words = {"name": "d:displayname", "colour": "a:calendar-color", "order": "a:calendar-order"}
    inner = "".join(f"<{words[key]}>{value}</{words[key]}>" for key, value in values.items())
    return PROP % ("propertyupdate", f"<d:set><d:prop>{inner}</d:prop></d:set>", "propertyupdate")


def look(phone: Phone, path: str) -> tuple[str, str, str]:
    asked = PROP % ("propfind", "<d:prop><d:displayname/><a:calendar-color/><a:calendar-order/></d:prop>", "propfind")
    root = phone.xml("PROPFIND", path, asked, Depth="0")
    apple = "{http://apple.com/ns/ical/}"
    return tuple(
        root.findtext(f".//{tag}", "") for tag in ("{DAV:}displayname", f"{apple}calendar-color", f"{apple}calendar-order")
    )  # type: ignore[return-value]


def query(start: str, end: str, component: str = "VEVENT", more: str = "") -> str:
    when = (
        f"<c:time-range{f' start={chr(39)}{start}{chr(39)}' if start else ''}{f' end={chr(39)}{end}{chr(39)}' if end else ''}/>"
    )
    return (
        f"<c:calendar-query xmlns:d='DAV:' xmlns:c='{C}'><d:prop><d:getetag/><c:calendar-data>{more}</c:calendar-data></d:prop>"
        f"<c:filter><c:comp-filter name='VCALENDAR'><c:comp-filter name='{component}'>{when}</c:comp-filter></c:comp-filter>"
        "</c:filter></c:calendar-query>"
    )


def names(root: ET.Element) -> set[str]:
    return {one.findtext("D:href", "", NAMES).rsplit("/", 1)[-1] for one in root.iterfind("D:response", NAMES)}


def test_collections_are_made_named_coloured_and_deleted(phone: Phone, alice: User) -> None:
    assert phone.ask("MKCALENDAR", "work", TASKS).status_code == 201
    assert phone.ask("MKCALENDAR", "work").status_code == 409
    assert look(phone, "work/")[0] == "Work"
    assert phone.put("work/a.ics", event()).status_code == 403
    assert phone.put("work/a.ics", event("u", start="", component="VTODO")).status_code == 201
    assert phone.ask("PROPPATCH", "work/", patch(name="Job", colour="#ff0000ff", order="3")).status_code == 207
    assert look(phone, "work/") == ("Job", "#ff0000ff", "3")
    book = "<d:mkcol xmlns:d='DAV:' xmlns:r='urn:ietf:params:xml:ns:carddav'><d:set><d:prop><d:resourcetype><d:collection/>"
    book += "<r:addressbook/></d:resourcetype><d:displayname>Club</d:displayname></d:prop></d:set></d:mkcol>"
    assert phone.ask("MKCOL", "club", book).status_code == 201
    assert phone.put("club/a.vcf", card()).status_code == 201 and phone.put("contacts/a.vcf", card()).status_code == 201
    assert phone.ask("MKCOL", "plain").status_code == 403  # of no kind
    assert phone.ask("PROPPATCH", "work/", patch(name="x" * 30_000)).status_code == 400
    assert phone.ask("DELETE", "work/").status_code == 204 and phone.ask("PROPFIND", "work/").status_code == 404
    assert phone.ask("DELETE", "").status_code == 403 and "403 Forbidden" in phone.ask("PROPPATCH", "", patch(name="x")).text


def test_synchronising_tells_what_changed(phone: Phone) -> None:
    token, found = phone.sync("calendar/")
    assert found == {}
    for name in "abc":
        phone.put(f"calendar/{name}.ics", event(name))
    token, found = phone.sync("calendar/", token)
    assert found == {"a.ics": "there", "b.ics": "there", "c.ics": "there"}
    phone.put("calendar/a.ics", event("a", "SUMMARY:new"))
    phone.ask("DELETE", "calendar/b.ics")
    token, found = phone.sync("calendar/", token)
    assert found == {"a.ics": "there", "b.ics": "gone"}
    phone.put("calendar/b.ics", event("b"))
    assert phone.sync("calendar/", token)[1] == {"b.ics": "there"}


def test_a_token_that_is_too_old_is_refused(phone: Phone, alice: User) -> None:
    phone.put("calendar/a.ics", event("a"))
    old, _ = phone.sync("calendar/")
    phone.put("calendar/b.ics", event("b"))
    phone.ask("DELETE", "calendar/b.ics")
    phone.ask("DELETE", "calendar/a.ics")
    latest, _ = phone.sync("calendar/")
    GoneItem.update(at=now() - timedelta(days=100)).execute()
    assert store.forget_gone() == 2
    body = (
        f"<d:sync-collection xmlns:d='DAV:'><d:sync-token>{old}</d:sync-token><d:prop><d:getetag/></d:prop></d:sync-collection>"
    )
    answer = phone.ask("REPORT", "calendar/", body)
    assert answer.status_code == 403 and "valid-sync-token" in answer.text
    assert phone.sync("calendar/", latest)[1] == {}


def test_questions_about_a_time(phone: Phone) -> None:
    phone.put("calendar/one.ics", event("one", "DURATION:PT1H", start="20261105T100000Z"))
    phone.put("calendar/weekly.ics", event("weekly", "DURATION:PT1H", "RRULE:FREQ=WEEKLY", start="20250106T100000Z"))
    phone.put("calendar/past.ics", event("past", "RRULE:FREQ=WEEKLY;UNTIL=20200201T000000Z", start="20200106T100000Z"))
    phone.put("calendar/day.ics", event("day", start="20261224").replace("DTSTART:", "DTSTART;VALUE=DATE:"))
    phone.put("calendar/todo.ics", event("todo", start="", component="VTODO"))

    def ask(start: str, end: str, component: str = "VEVENT") -> set[str]:
        return names(phone.xml("REPORT", "calendar/", query(start, end, component)))

    assert ask("20261105T103000Z", "20261105T113000Z") == {"one.ics"}
    assert ask("20261105T110000Z", "20261105T120000Z") == set()
    assert ask("20261101T000000Z", "20261201T000000Z") == {"one.ics", "weekly.ics"}
    assert ask("20261224T000000Z", "20261225T000000Z") == {"day.ics"}
    assert ask("20200101T000000Z", "20200301T000000Z") == {"past.ics"}  # before the table begins
    assert ask("20340101T000000Z", "20340201T000000Z") == {"weekly.ics"}  # after it ends
    assert ask("20900101T000000Z", "20900201T000000Z") == {"weekly.ics"}  # without expanding it until then
    assert ask("20261101T000000Z", "") == {"one.ics", "weekly.ics", "day.ics"}
    assert ask("", "20250101T000000Z") == {"past.ics"}
    assert ask("20261101T000000Z", "20261201T000000Z", "VTODO") == {"todo.ics"}


def test_questions_about_words_and_identifiers(phone: Phone) -> None:
    phone.put("calendar/a.ics", event("uid-a", "SUMMARY:Lunch"))
    phone.put("calendar/b.ics", event("uid-b", "SUMMARY:Class"))
    for kind, name, value, expected in (
        ("VEVENT", "UID", "uid-b", {"b.ics"}), ("VEVENT", "SUMMARY", "lunch", {"a.ics"}), ("VEVENT", "UID", "uid-z", set()),
        ("VTODO", "UID", "uid-b", set()),
    ):  # fmt: skip
        body = f"<c:calendar-query xmlns:d='DAV:' xmlns:c='{C}'><d:prop><d:getetag/></d:prop><c:filter><c:comp-filter name='VCALENDAR'>"
        body += f"<c:comp-filter name='{kind}'><c:prop-filter name='{name}'><c:text-match>{value}</c:text-match></c:prop-filter>"
        body += "</c:comp-filter></c:comp-filter></c:filter></c:calendar-query>"
        assert names(phone.xml("REPORT", "calendar/", body)) == expected
    phone.put("contacts/a.vcf", card("a", "Élodie", "EMAIL:elodie@x.example"))
    phone.put("contacts/b.vcf", card("b", "Bob"))
    body = f"<r:addressbook-query xmlns:d='DAV:' xmlns:r='{NAMES['CR']}'><d:prop><d:getetag/></d:prop><r:filter>"
    body += "<r:prop-filter name='EMAIL'><r:text-match>elodie</r:text-match></r:prop-filter></r:filter></r:addressbook-query>"
    assert names(phone.xml("REPORT", "contacts/", body)) == {"a.vcf"}


def test_several_at_once(phone: Phone) -> None:
    phone.put("calendar/a.ics", event("a"))
    hrefs = "".join(f"<d:href>{phone.home}calendar/{name}.ics</d:href>" for name in "ab")
    body = f"<c:calendar-multiget xmlns:d='DAV:' xmlns:c='{C}'><d:prop><d:getetag/><c:calendar-data/></d:prop>{hrefs}</c:calendar-multiget>"
    root = phone.xml("REPORT", "calendar/", body)
    found = {one.findtext("D:href", "", NAMES)[-5:]: one for one in root.iterfind("D:response", NAMES)}
    assert "UID:a" in found["a.ics"].findtext(".//C:calendar-data", "", NAMES)
    assert "404" in found["b.ics"].findtext("D:status", "", NAMES)


def test_free_and_busy(phone: Phone) -> None:
    phone.put("calendar/a.ics", event("a", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=3", start="20261105T100000Z"))
    phone.put("calendar/b.ics", event("b", "DURATION:PT1H", "STATUS:TENTATIVE", start="20261105T150000Z"))
    phone.put("calendar/c.ics", event("c", "DURATION:PT1H", "TRANSP:TRANSPARENT", start="20261105T170000Z"))
    phone.put("calendar/d.ics", event("d", "DURATION:PT2H", start="20261106T103000Z"))
    body = f"<c:free-busy-query xmlns:c='{C}'><c:time-range start='20261105T103000Z' end='20261107T000000Z'/></c:free-busy-query>"
    lines = phone.ask("REPORT", "calendar/", body).text.split("\r\n")
    assert [line for line in lines if line.startswith("FREEBUSY")] == [
        "FREEBUSY;FBTYPE=BUSY:20261105T103000Z/20261105T110000Z",
        "FREEBUSY;FBTYPE=BUSY:20261106T100000Z/20261106T123000Z",
        "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20261105T150000Z/20261105T160000Z",
    ]


def test_expansion_is_bounded(phone: Phone) -> None:
    phone.put("calendar/a.ics", event("a", "DURATION:PT1H", "RRULE:FREQ=DAILY", start="20261105T100000Z"))

    def ask(end: str) -> ET.Element | int:
        more = f"<c:expand start='20261105T000000Z' end='{end}'/>"
        answer = phone.ask("REPORT", "calendar/", query("20261105T000000Z", end, more=more))
        return answer.text.count("BEGIN:VEVENT") if answer.status_code == 207 else -answer.status_code

    assert ask("20261108T000000Z") == 3 and ask("20401105T000000Z") == -403
    more = "<c:expand start='20261105T000000Z' end='20401105T000000Z'/>"
    one = phone.ask("REPORT", "calendar/a.ics", query("20261105T000000Z", "20401105T000000Z", more=more))
    assert one.status_code == 403 and "number-of-matches-within-limits" in one.text


# --- sharing ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def shared(phone: Phone, alice: User, bob: User) -> Collection:
    phone.put(
        "calendar/a.ics",
        event("secret-uid@surgery.example", "SUMMARY:Surgery", "LOCATION:Hospital", "DESCRIPTION:private", "DURATION:PT1H",
              "ATTENDEE;CN=Dr X:mailto:x@y.example", "RRULE:FREQ=WEEKLY", "BEGIN:VALARM", "TRIGGER:-PT5M", "DESCRIPTION:words",
              "END:VALARM"),
    )  # fmt: skip
    phone.put("calendar/free.ics", event("free", "SUMMARY:Birthday", "TRANSP:TRANSPARENT"))
    phone.put("calendar/todo.ics", event("todo", "SUMMARY:buy", start="", component="VTODO"))
    return Collection.get(Collection.user == alice, Collection.kind == "calendar")


def test_nobody_sees_what_is_not_shared(phone_of: Callable[..., Phone], shared: Collection, bob: User) -> None:
    assert phone_of(bob).ask("PROPFIND", f"shared-{shared.id}/").status_code in (403, 404)


@pytest.mark.parametrize(("rights", "writes"), [("read", False), ("write", True)])
def test_reading_and_writing(
    phone_of: Callable[..., Phone], phone: Phone, shared: Collection, bob: User, rights: str, writes: bool
) -> None:
    CollectionShare.create(collection=shared, user=bob, rights=rights)
    other, path = phone_of(bob), f"shared-{shared.id}/"
    assert path[:-1] in {
        one.text.rsplit("/", 2)[1] for one in other.xml("PROPFIND", "", Depth="1").iterfind("D:response/D:href", NAMES)
    }
    assert "SUMMARY:Surgery" in other.ask("GET", path + "a.ics").text
    token, found = other.sync(path)
    assert set(found) == {"a.ics", "free.ics", "todo.ics"}
    assert other.put(path + "b.ics", event("b")).status_code == (201 if writes else 403)
    assert other.ask("DELETE", path + "a.ics").status_code == (204 if writes else 403)
    assert other.sync(path, token)[1] == ({"a.ics": "gone", "b.ics": "there"} if writes else {})
    assert other.ask("DELETE", path).status_code == 403
    root = other.xml(
        "PROPFIND", path, PROP % ("propfind", "<d:prop><d:current-user-privilege-set/><d:owner/></d:prop>", "propfind")
    )
    assert (root.find(".//{DAV:}write-content") is not None) is writes
    assert "alice" in root.findtext(".//D:owner/D:href", "", NAMES)
    assert phone.ask("GET", "calendar/b.ics").status_code == (200 if writes else 404)


def test_busy_times_come_without_words(phone_of: Callable[..., Phone], shared: Collection, bob: User) -> None:
    CollectionShare.create(collection=shared, user=bob, rights="busy")
    User.update(language="fr").where(User.id == bob.id).execute()
    other, path = phone_of(bob), f"shared-{shared.id}/"
    token, found = other.sync(path)
    assert found == {A: "there"}
    answers = [
        other.ask("GET", path + A).text, other.ask("PROPFIND", path, Depth="1").text,
        other.ask("REPORT", path, query("20261101T000000Z", "20270101T000000Z")).text,
        other.ask("REPORT", path, query("", "", "VTODO")).text,
    ]  # fmt: skip
    for word in ("Surgery", "surgery", "Hospital", "private", "Dr X", "y.example", "words", "Birthday", "buy", "VALARM"):
        assert not [text for text in answers if word in text], word
    assert "SUMMARY:Occupé" in answers[0] and "RRULE:FREQ=WEEKLY" in answers[0] and "DTSTART:20261105T100000Z" in answers[0]
    for name in (A, "a.ics", "free.ics", "todo.ics"):
        assert other.put(path + name, event("x")).status_code == 403
        assert other.ask("DELETE", path + name).status_code in (403, 404)
    for name in ("a.ics", "free.ics", busy.href_of("free.ics")):
        assert other.ask("GET", path + name).status_code == 404
    body = f"<c:free-busy-query xmlns:c='{C}'><c:time-range start='20261105T000000Z' end='20261107T000000Z'/></c:free-busy-query>"
    assert "FREEBUSY;FBTYPE=BUSY:20261105T100000Z/20261105T110000Z" in other.ask("REPORT", path, body).text


def test_what_became_free_is_gone_for_who_sees_busy_times(
    phone_of: Callable[..., Phone], phone: Phone, shared: Collection, bob: User
) -> None:
    CollectionShare.create(collection=shared, user=bob, rights="busy")
    other, path = phone_of(bob), f"shared-{shared.id}/"
    token, _ = other.sync(path)
    phone.put("calendar/a.ics", event("secret-uid@surgery.example", "TRANSP:TRANSPARENT"))
    assert other.sync(path, token)[1] == {A: "gone"}


def test_who_may_see_more_gets_it_all_anew(phone_of: Callable[..., Phone], shared: Collection, bob: User) -> None:
    share = CollectionShare.create(collection=shared, user=bob, rights="busy")
    other, path = phone_of(bob), f"shared-{shared.id}/"
    token, _ = other.sync(path)
    CollectionShare.update(rights="read").where(CollectionShare.id == share.id).execute()
    body = (
        f"<d:sync-collection xmlns:d='DAV:'><d:sync-token>{token}</d:sync-token><d:prop><d:getetag/></d:prop></d:sync-collection>"
    )
    answer = other.ask("REPORT", path, body)
    assert answer.status_code == 403 and "valid-sync-token" in answer.text
    token, found = other.sync(path)
    assert set(found) == {"a.ics", "free.ics", "todo.ics"} and other.sync(path, token)[1] == {}


def test_who_sees_busy_times_finds_them_by_the_identifiers_they_were_given(
    phone_of: Callable[..., Phone], shared: Collection, bob: User
) -> None:
    CollectionShare.create(collection=shared, user=bob, rights="busy")
    other, path = phone_of(bob), f"shared-{shared.id}/"
    given = other.ask("GET", path + A).text.split("UID:")[1].split("\r\n")[0]
    for uid, expected in ((given, {A}), ("secret-uid@surgery.example", set())):
        body = f"<c:calendar-query xmlns:d='DAV:' xmlns:c='{C}'><d:prop><d:getetag/></d:prop><c:filter><c:comp-filter name='VCALENDAR'>"
        body += f"<c:comp-filter name='VEVENT'><c:prop-filter name='UID'><c:text-match>{uid}</c:text-match></c:prop-filter>"
        body += "</c:comp-filter></c:comp-filter></c:filter></c:calendar-query>"
        assert names(other.xml("REPORT", path, body)) == expected


def test_a_first_book_is_made_whatever_its_names_were_given_to(phone: Phone, alice: User) -> None:
    for name in ("contacts", "contacts-1"):
        Collection.create(user=alice, name=name, kind="calendar")
    assert (
        store.default_collection(alice, store.BOOK).kind == store.BOOK
        and store.default_collection(alice, store.BOOK).name == "contacts-2"
    )


def test_groups_and_the_most_of_several_rights(phone_of: Callable[..., Phone], shared: Collection, bob: User) -> None:
    group = PeopleGroup.create(identifier="$g", name="3e B", sort="3e b", domain="lycee.example")
    GroupMember.create(group=group, user=bob)
    CollectionShare.create(collection=shared, group=group, rights="read")
    CollectionShare.create(collection=shared, user=bob, rights="busy")
    other, path = phone_of(bob), f"shared-{shared.id}/"
    assert "Surgery" in other.ask("GET", path + "a.ics").text and other.put(path + "b.ics", event("b")).status_code == 403
    GroupMember.delete().execute()
    assert "Surgery" not in other.ask("GET", path + "a.ics").text
    CollectionShare.delete().execute()
    assert other.ask("GET", path + "a.ics").status_code in (403, 404)


def test_everybody_has_their_own_colours(phone_of: Callable[..., Phone], phone: Phone, shared: Collection, bob: User) -> None:
    CollectionShare.create(collection=shared, user=bob, rights="write")
    other, path = phone_of(bob), f"shared-{shared.id}/"
    phone.ask("PROPPATCH", "calendar/", patch(name="Alice", colour="#111111"))
    assert look(other, path) == ("Alice", "#111111", "")
    assert other.ask("PROPPATCH", path, patch(colour="#222222")).status_code == 207
    assert look(other, path) == ("Alice", "#222222", "") and look(phone, "calendar/") == ("Alice", "#111111", "")


def test_the_calendars_of_a_closed_account_stay_with_those_who_share_them(
    phone_of: Callable[..., Phone], shared: Collection, alice: User, bob: User
) -> None:
    CollectionShare.create(collection=shared, user=bob, rights="write")
    User.update(active=0).where(User.id == alice.id).execute()
    assert phone_of(bob).ask("GET", f"shared-{shared.id}/a.ics").status_code == 200


NO_ZONES = [
    "Europe/Paris",
    "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
    event(),
    zone_text().replace("END:VCALENDAR", event().split("EN\r\n")[1]),
    zone_text().replace("TZID:America/New_York\r\n", ""),
    zone_text().replace("TZOFFSETTO:-0500\r\n", ""),
    zone_text().replace("END:STANDARD", "RRULE:FREQ=SECONDLY\r\nEND:STANDARD"),
    zone_text() * 2,
    zone_text("Nowhere", "-9900"),
]  # fmt: skip


@pytest.mark.parametrize("text", NO_ZONES)
def test_a_time_zone_that_is_none_is_refused_with_the_rest(phone: Phone, text: str) -> None:
    """RFC 4791, 5.2.2 and 5.3.1.1; RFC 4918, 9.2.1."""
    props = f"<d:prop><d:displayname>Abroad</d:displayname><c:calendar-timezone>{text}</c:calendar-timezone></d:prop>"
    spaces = f"xmlns:d='DAV:' xmlns:c='{NAMES['C']}'"
    root = phone.xml("PROPPATCH", "calendar/", f"<d:propertyupdate {spaces}><d:set>{props}</d:set></d:propertyupdate>")
    states = {one.findtext("D:status", "", NAMES)[9:12]: one for one in root.iterfind(".//D:propstat", NAMES)}
    assert set(states) == {"403", "424"}
    assert states["403"].find("D:prop/C:calendar-timezone", NAMES) is not None
    assert states["403"].find("D:error/C:valid-calendar-data", NAMES) is not None
    assert states["424"].find("D:prop/D:displayname", NAMES) is not None
    made = phone.ask("MKCALENDAR", "abroad/", f"<c:mkcalendar {spaces}><d:set>{props}</d:set></c:mkcalendar>")
    assert made.status_code == 403 and "valid-calendar-data" in made.text
    assert "Abroad" not in phone.ask("PROPFIND", "", Depth="1").text


def test_a_time_zone_of_a_calendar_is_kept(phone: Phone) -> None:
    for text in (zone_text(), zone_text("Nowhere", "+0730")):
        props = f"<d:prop><c:calendar-timezone>{text}</c:calendar-timezone></d:prop>"
        spaces = f"xmlns:d='DAV:' xmlns:c='{NAMES['C']}'"
        answer = phone.ask("PROPPATCH", "calendar/", f"<d:propertyupdate {spaces}><d:set>{props}</d:set></d:propertyupdate>")
        assert answer.status_code == 207 and "200 OK" in answer.text and "403" not in answer.text
        asked = f"<d:propfind {spaces}><d:prop><c:calendar-timezone/></d:prop></d:propfind>"
        assert text.split("\r\n")[4] in phone.ask("PROPFIND", "calendar/", asked, Depth="0").text


def test_what_a_group_hides_is_hidden_from_telephones(phone: Phone, alice: User) -> None:
    assert phone.put("calendar/a.ics", event()).status_code == 201
    assert phone.ask("MKCALENDAR", "todo", TASKS).status_code == 201

    def listed(*hidden: str) -> set[str]:
        policies.set_own(alice, Policy(hidden=hidden))
        found = phone.xml("PROPFIND", "", PROP % ("propfind", "<d:prop><d:resourcetype/></d:prop>", "propfind"), Depth="1")
        return {one.findtext("D:href", "", NAMES).split("/")[-2] for one in found.iterfind("D:response", NAMES)} - {
            "alice@lycee.example"
        }

    everything = listed()
    assert {"calendar", "contacts", "todo"} <= everything
    assert listed("todo") == everything - {"todo"}
    assert "contacts" in listed("calendar") and not {"calendar", "todo"} & listed("calendar")
    for method, path in (("GET", "calendar/a.ics"), ("PUT", "calendar/b.ics"), ("DELETE", "calendar/a.ics"), ("PROPFIND", "calendar/"),
                         ("MKCALENDAR", "more")):  # fmt: skip
        answer = phone.ask(method, path, event("u2") if method == "PUT" else "")
        assert answer.status_code == 403 and "does not offer" in answer.text, method
    assert phone.put("contacts/c.vcf", card()).status_code == 201
    policies.set_own(alice, Policy(hidden=("calendar", "contacts")))
    assert phone.ask("PROPFIND", "").status_code == 403
    policies.set_own(alice, Policy())
    assert phone.ask("GET", "calendar/a.ics").status_code == 200
