"""A telephone that was set up before its person's address changed: a whole synchronisation goes on under the former one."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask

from tests.unit.dav.conftest import NAMES, Phone, card, event
from webmail.admin.people import renaming
from webmail.admin.people.record import COMMAND
from webmail.models import User


def hrefs(phone: Phone, path: str) -> set[str]:
    asked = "<d:propfind xmlns:d='DAV:'><d:prop><d:getetag/></d:prop></d:propfind>"
    root = phone.xml("PROPFIND", path, asked, Depth="1")
    return {one.findtext("D:href", "", NAMES) for one in root.iterfind("D:response", NAMES)}


def test_a_telephone_goes_on_under_the_address_it_was_set_up_with(
    app: Flask, alice: User, phone: Phone, phone_of: Callable[..., Phone]
) -> None:
    before = phone.put("calendar/a.ics", event("a")).headers["ETag"]
    phone.put("contacts/c.vcf", card("c"))
    (calendar, _all), (contacts, _cards) = phone.sync("calendar/"), phone.sync("contacts/")
    homes = hrefs(phone, "")
    renaming.rename(alice, "alicia", COMMAND, app.extensions["settings"])
    assert hrefs(phone, "") == homes and all(one.startswith(phone.home.replace("@", "%40")) for one in homes)
    assert phone.sync("calendar/", calendar)[1] == {} and phone.sync("contacts/", contacts)[1] == {}  # nothing is fetched again
    changed = phone.put("calendar/a.ics", event("a", "SUMMARY:Later"), If_Match=before)
    assert changed.status_code == 204
    assert phone.put("calendar/b.ics", event("b")).status_code == 201
    assert phone.ask("DELETE", "contacts/c.vcf").status_code == 204
    calendar, told = phone.sync("calendar/", calendar)
    assert told == {"a.ics": "there", "b.ics": "there"} and phone.sync("contacts/", contacts)[1] == {"c.vcf": "gone"}
    assert phone.ask("MOVE", "calendar/b.ics", Destination=f"http://localhost{phone.home}calendar/c.ics").status_code == 201
    now_called = User.get_by_id(alice.id)
    assert now_called.address == "alicia@lycee.example"  # what a telephone calls them is stored nowhere
    other = phone_of(now_called)
    assert "SUMMARY:Later" in other.ask("GET", "calendar/a.ics").text and other.ask("GET", "calendar/c.ics").status_code == 200
    other.put("calendar/d.ics", event("d"))
    assert phone.sync("calendar/", calendar)[1] == {"b.ics": "gone", "c.ics": "there", "d.ics": "there"}
    report = "<c:calendar-multiget xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav'><d:prop><c:calendar-data/></d:prop>"
    found = phone.xml("REPORT", "calendar/", f"{report}<d:href>{phone.home}calendar/d.ics</d:href></c:calendar-multiget>")
    assert "UID:d" in found.findtext(".//C:calendar-data", "", NAMES)
