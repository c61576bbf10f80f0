"""Telephones find rooms, and people of the directory, by name, kind and address, and read what one is; nobody does without a
calendar."""

from __future__ import annotations

import pytest

from tests.support.rooms import day, event_text, room
from tests.unit.dav.conftest import NAMES

ASKED = "<d:prop><d:displayname/><c:calendar-user-type/><c:calendar-user-address-set/><d:getetag/></d:prop>"


def search(tests: str, more: str = "") -> str:
    return (
        f"<d:principal-property-search xmlns:d='DAV:' xmlns:c='{NAMES['C']}' {more}>{tests}{ASKED}</d:principal-property-search>"
    )


def of(name: str, text: str, kind: str = "contains") -> str:
    return f"<d:property-search><d:prop><{name}/></d:prop><d:match match-type='{kind}'>{text}</d:match></d:property-search>"


@pytest.fixture(autouse=True)
def rooms(alice):
    return [room("Salle 101"), room("Vidéoprojecteur", kind="thing"), room("Salle fermée", closed=True)]


def found(phone, path: str, tests: str, more: str = "") -> list[str]:
    root = phone.xml("REPORT", path, search(tests, more))
    return [one.findtext("D:propstat/D:prop/D:displayname", "", NAMES) for one in root.findall("D:response", NAMES)]


@pytest.mark.parametrize("path", ["/dav/", ""])
def test_rooms_are_found(phone, path):
    assert found(phone, path, of("c:calendar-user-type", "ROOM", "equals")) == ["Salle 101"]
    assert found(phone, path, of("d:displayname", "videoproj")) == ["Vidéoprojecteur"]
    assert found(phone, path, of("c:calendar-user-address-set", "mailto:salle-101@lycee.example")) == ["Salle 101"]
    both = of("c:calendar-user-type", "ROOM") + of("d:displayname", "video")
    assert found(phone, path, both) == [] and len(found(phone, path, both, "test='anyof'")) == 2
    assert found(phone, path, "") == [] == found(phone, path, of("d:displayname", ""))


def test_a_room_tells_what_it_is(phone, rooms):
    root = phone.xml("REPORT", "/dav/", search(of("d:displayname", "101")))
    place = root.findtext("D:response/D:href", "", NAMES)
    assert place == f"/dav/rooms/{rooms[0].id}/"
    root = phone.xml("PROPFIND", place, f"<d:propfind xmlns:d='DAV:' xmlns:c='{NAMES['C']}'>{ASKED}</d:propfind>")
    props = root.find("D:response/D:propstat/D:prop", NAMES)
    assert props.findtext("C:calendar-user-type", "", NAMES) == "ROOM"
    assert props.findtext("C:calendar-user-address-set/D:href", "", NAMES) == "mailto:salle-101@lycee.example"
    assert phone.ask("PROPFIND", "/dav/rooms/999/", "").status_code == 404
    assert phone.ask("PROPFIND", "/dav/rooms/x/").status_code == 404


def test_people_whom_the_directory_shows_are_found(phone, phone_of, bob, person):
    outsider = person("zoe", domain="elsewhere.example", address="zoe@elsewhere.example")
    assert (
        found(phone, "/dav/", of("d:displayname", "bo"))
        == ["Bob"]
        == found(phone, "/dav/", of("c:calendar-user-address-set", "bob@"))
    )
    assert found(phone, "/dav/", of("d:displayname", "zoe")) == []
    root = phone.xml("REPORT", "/dav/", search(of("d:displayname", "bob") + of("c:calendar-user-type", "INDIVIDUAL", "equals")))
    place = root.findtext("D:response/D:href", "", NAMES)
    assert place == "/dav/people/bob%40lycee.example/"
    asked = f"<d:propfind xmlns:d='DAV:' xmlns:c='{NAMES['C']}'>{ASKED}</d:propfind>"
    props = phone.xml("PROPFIND", place, asked).find("D:response/D:propstat/D:prop", NAMES)
    assert props.findtext("C:calendar-user-address-set/D:href", "", NAMES) == "mailto:bob@lycee.example"
    assert phone.ask("PROPFIND", f"/dav/people/{outsider.address}/", asked).status_code == 404
    assert phone_of(outsider).ask("PROPFIND", place, asked).status_code == 404
    assert phone.ask("PROPFIND", "/dav/people/", asked).status_code == 404


def test_what_can_be_searched_is_told(phone):
    body = "<d:principal-search-property-set xmlns:d='DAV:'/>"
    answer = phone.ask("REPORT", "/dav/", body)
    assert answer.status_code == 200 and "calendar-user-type" in answer.text


def test_a_device_for_contacts_alone_finds_none(phone_of, alice):
    assert phone_of(alice, ("carddav",)).ask("REPORT", "/dav/", search(of("d:displayname", "a"))).status_code == 403


def test_a_telephone_is_told_that_its_event_was_changed_by_the_answer(phone, rooms):
    on = day().replace("-", "")
    text = event_text("one", f":{on}T100000Z", f":{on}T110000Z", rooms=(rooms[0],))
    first = phone.put("calendar/one.ics", text)
    assert first.status_code == 201 and "ETag" not in first.headers
    stored = phone.ask("GET", "calendar/one.ics")
    assert "PARTSTAT=ACCEPTED" in stored.text.replace("\r\n ", "")
    again = phone.put("calendar/one.ics", stored.data, If_Match=stored.headers["ETag"])
    assert again.status_code == 204 and again.headers["ETag"] == stored.headers["ETag"]
    assert phone.ask("DELETE", "calendar/one.ics").status_code == 204
