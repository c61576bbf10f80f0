"""What programs ask, as their sources and logs have it: iOS and macOS, DAVx5, Thunderbird. And what hourly work does."""

from __future__ import annotations

import time
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.unit.dav.conftest import NAMES, Phone, card, event
from webmail.accounts import data_export
from webmail.calendar import objects
from webmail.collections import store, trash
from webmail.contacts import device_cards
from webmail.contacts import store as contacts
from webmail.mime.formats.cards.vcard_edit import ContactDetails
from webmail.models import CalendarObject, Contact, Occurrence, TrashedItem, User, now

APPLE = (
    '<?xml version="1.0" encoding="UTF-8"?><A:propfind xmlns:A="DAV:"><A:prop><B:calendar-home-set xmlns:B="urn:ietf:params:xml:ns:caldav"/>'
    '<B:calendar-user-address-set xmlns:B="urn:ietf:params:xml:ns:caldav"/><A:current-user-principal/><A:displayname/>'
    '<C:dropbox-home-URL xmlns:C="http://calendarserver.org/ns/"/><C:email-address-set xmlns:C="http://calendarserver.org/ns/"/>'
    '<C:notification-URL xmlns:C="http://calendarserver.org/ns/"/><A:principal-collection-set/><A:principal-URL/><A:resource-id/>'
    '<B:schedule-inbox-URL xmlns:B="urn:ietf:params:xml:ns:caldav"/><B:schedule-outbox-URL xmlns:B="urn:ietf:params:xml:ns:caldav"/>'
    "<A:supported-report-set/></A:prop></A:propfind>"
)
APPLE_HOME = (
    '<?xml version="1.0" encoding="UTF-8"?><A:propfind xmlns:A="DAV:"><A:prop><A:add-member/><C:allowed-sharing-modes xmlns:C="http://calendarserver.org/ns/"/>'
    '<D:autoprovisioned xmlns:D="http://apple.com/ns/ical/"/><D:calendar-color xmlns:D="http://apple.com/ns/ical/"/>'
    '<B:calendar-description xmlns:B="urn:ietf:params:xml:ns:caldav"/><B:calendar-free-busy-set xmlns:B="urn:ietf:params:xml:ns:caldav"/>'
    '<D:calendar-order xmlns:D="http://apple.com/ns/ical/"/><B:calendar-timezone xmlns:B="urn:ietf:params:xml:ns:caldav"/>'
    '<A:current-user-privilege-set/><A:displayname/><C:getctag xmlns:C="http://calendarserver.org/ns/"/><A:owner/><A:quota-available-bytes/>'
    '<A:resourcetype/><B:supported-calendar-component-set xmlns:B="urn:ietf:params:xml:ns:caldav"/><A:supported-report-set/><A:sync-token/>'
    "</A:prop></A:propfind>"
)
DAVX5 = (
    "<?xml version='1.0' encoding='UTF-8' ?><propfind xmlns=\"DAV:\" xmlns:CAL=\"urn:ietf:params:xml:ns:caldav\" "
    'xmlns:CARD="urn:ietf:params:xml:ns:carddav"><prop><CARD:max-resource-size /><CARD:supported-address-data /><supported-report-set />'
    '<n0:getctag xmlns:n0="http://calendarserver.org/ns/" /><sync-token /></prop></propfind>'
)
THUNDERBIRD = (
    '<D:propfind xmlns:D="DAV:" xmlns:CS="http://calendarserver.org/ns/" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><D:resourcetype/>'
    "<D:owner/><D:displayname/><D:current-user-principal/><D:current-user-privilege-set/><D:supported-report-set/>"
    "<C:supported-calendar-component-set/><CS:getctag/></D:prop></D:propfind>"
)


def test_apple(phone: Phone) -> None:
    root = phone.xml("PROPFIND", "", APPLE, Depth="0", User_Agent="iOS/18.1 (22B83) dataaccessd/1.0")
    assert root.findtext(".//C:calendar-home-set/D:href", "", NAMES) == "/dav/alice%40lycee.example/"
    listed = phone.xml("PROPFIND", "", APPLE_HOME, Depth="1")
    calendar = next(
        one for one in listed.iterfind("D:response", NAMES) if one.findtext("D:href", "", NAMES).endswith("/calendar/")
    )
    assert {one.get("name") for one in calendar.iterfind(".//C:comp", NAMES)} == {"VEVENT", "VTODO"}
    assert calendar.find(".//D:privilege/D:write", NAMES) is not None
    assert calendar.findtext(".//D:sync-token", "", NAMES).startswith("data:,")
    reports = {one[0].tag.rpartition("}")[2] for one in calendar.iterfind(".//D:supported-report/D:report", NAMES)}
    assert {"sync-collection", "calendar-multiget", "calendar-query", "free-busy-query"} <= reports


def test_davx5_is_told_of_both_versions_of_cards(phone: Phone) -> None:
    root = phone.xml("PROPFIND", "contacts/", DAVX5, Depth="0")
    assert {one.get("version") for one in root.iterfind(".//CR:address-data-type", NAMES)} == {"3.0", "4.0"}


def test_thunderbird(phone: Phone) -> None:
    root = phone.xml("PROPFIND", "calendar/", THUNDERBIRD, Depth="0")
    assert root.find(".//D:resourcetype/C:calendar", NAMES) is not None
    assert root.findtext(".//D:displayname", "", NAMES) == "Calendar"


def test_answers_are_compressed_for_who_takes_it(phone: Phone) -> None:
    answer = phone.ask("PROPFIND", "", APPLE_HOME, Depth="1", Accept_Encoding="gzip")
    assert answer.headers["Content-Encoding"] == "gzip"


@pytest.mark.parametrize(("language", "name"), [("fr", "Agenda"), ("en", "Calendar"), ("", "Agenda")])
def test_calendars_are_called_as_their_owner_speaks_or_else_the_installation(phone: Phone, language: str, name: str) -> None:
    User.update(language=language).execute()
    assert f">{name}<" in phone.ask("PROPFIND", "calendar/", THUNDERBIRD).text


# --- hourly work, and data taken out ---------------------------------------------------------------------------------


def test_the_table_of_occurrences_goes_on_as_time_goes_by(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    phone.put("calendar/a.ics", event("a", "RRULE:FREQ=WEEKLY"))
    phone.put("calendar/b.ics", event("b", "RRULE:FREQ=WEEKLY;COUNT=3"))
    phone.put("calendar/c.ics", event("c"))
    zone, before = ZoneInfo("Europe/Paris"), Occurrence.select().count()
    assert objects.extend_index(zone) == 0
    later = time.time() + 500 * 86_400
    monkeypatch.setattr(objects.time, "time", lambda: later)
    assert objects.extend_index(zone) == 1 and objects.extend_index(zone) == 0
    assert Occurrence.select().count() > before + 60
    assert CalendarObject.get(CalendarObject.uid == "a").indexed_until > later


@pytest.mark.parametrize("change", ["PUT", "MOVE", "DELETE"])
def test_what_a_telephone_changes_meanwhile_is_left_as_it_is(phone: Phone, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    phone.put("calendar/a.ics", event("a", "RRULE:FREQ=WEEKLY", "SUMMARY:old"))
    assert phone.ask("MKCALENDAR", "work/").status_code == 201
    later = time.time() + 500 * 86_400
    monkeypatch.setattr(objects.time, "time", lambda: later)

    def wait(numbers: list[int]) -> None:
        """Who had the lock before has changed the event."""
        monkeypatch.undo()
        body = event("a", "RRULE:FREQ=WEEKLY", "SUMMARY:new") if change == "PUT" else ""
        answer = phone.ask(change, "calendar/a.ics", body, Destination=f"{phone.home}work/a.ics")
        assert answer.status_code in (201, 204)
        monkeypatch.setattr(objects.time, "time", lambda: later)

    monkeypatch.setattr(store, "lock", wait)
    assert objects.extend_index(ZoneInfo("Europe/Paris")) == 0
    monkeypatch.undo()
    calendar = store.default_collection(User.get(User.address == phone.address), store.CALENDAR)
    found = {(one.summary, one.collection_id == calendar.id) for one in Occurrence.select()}
    assert found == {"PUT": {("new", True)}, "MOVE": {("old", False)}, "DELETE": set()}[change]


def test_contacts_of_an_older_version_come_into_the_first_book(phone: Phone, alice: User) -> None:
    phone.put("contacts/a.vcf", card("a"))
    token, _found = phone.sync("contacts/")
    row = contacts.add(alice, ContactDetails(name="Bob"))
    Contact.update(collection=None, href="", seq=0).where(Contact.id == row.id).execute()
    assert device_cards.adopt_strays() == 1 and device_cards.adopt_strays() == 0
    assert f"{row.uid}.vcf" in phone.sync("contacts/", token)[1]


def test_the_trash_is_emptied_in_time_and_has_an_end(phone: Phone, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abc":
        phone.put(f"contacts/{name}.vcf", card(name))
        phone.ask("DELETE", f"contacts/{name}.vcf")
    TrashedItem.update(at=now() - timedelta(days=31)).where(TrashedItem.uid == "a").execute()
    assert trash.expire() == 1 and {one.uid for one in trash.for_user(alice)} == {"b", "c"}
    monkeypatch.setattr(trash, "MOST", 1)
    monkeypatch.setattr(trash, "_LOOKED", 1)
    phone.put("contacts/d.vcf", card("d"))
    phone.ask("DELETE", "contacts/d.vcf")
    assert len(trash.for_user(alice)) <= 1


def test_calendars_are_among_ones_own_data(phone: Phone, alice: User) -> None:
    phone.put("calendar/a.ics", event("a").rstrip())
    phone.put("calendar/b.ics", event("b"))
    files = {name: b"".join(pieces).decode() for name, pieces in data_export.files_of(alice)}
    assert files["calendars.ics"] == event("a") + event("b")
