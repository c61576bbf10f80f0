"""Meetings on devices (RFC 6638): telephones and programs invite, answer, cancel, ask when people are free, and are told.

The requests of iPhones are made from what Apple has published of its programs and server, not recorded from one.
"""

from __future__ import annotations

import email
import json
import re
from datetime import date, timedelta
from email import policy
from xml.etree import ElementTree as ET

import pytest

from tests.support.rooms import booked, room
from tests.support.tokens import key_file
from tests.unit.dav.conftest import NAMES, Phone
from webmail import create_app, preferences
from webmail.auth.devices.refused_changes import RefusalReason
from webmail.calendar.guests import device_scheduling, scheduling_inbox
from webmail.collections import store
from webmail.compose.outbox import queue
from webmail.database.connection import db
from webmail.models import (
    AllowedAddress,
    CalendarObject,
    Collection,
    CollectionShare,
    Outbox,
    OutboxState,
    RefusedChange,
    SchedulingMessage,
    User,
    now,
)  # fmt: skip

IPHONE = {"User_Agent": "iOS/17.0 (21A329) dataaccessd/1.0"}
DAY = (date.today() + timedelta(days=20)).strftime("%Y%m%d")
BOB = "ATTENDEE;CN=Bob;CUTYPE=INDIVIDUAL;PARTSTAT=NEEDS-ACTION;ROLE=REQ-PARTICIPANT:mailto:bob@lycee.example"
EVE = "ATTENDEE;CN=Eve;CUTYPE=INDIVIDUAL;EMAIL=eve@elsewhere.example;PARTSTAT=NEEDS-ACTION:mailto:eve@elsewhere.example"
ALICE = "ATTENDEE;CN=Alice;PARTSTAT=ACCEPTED;ROLE=CHAIR:mailto:alice@lycee.example"
ORGANIZER = "ORGANIZER;CN=Alice;EMAIL=alice@lycee.example:mailto:alice@lycee.example"


@pytest.fixture
def app(tmp_path):
    (tmp_path / "instance").mkdir()
    made = create_app(
        tmp_path / "instance", sign_in="accounts", domain="lycee.example", secure_cookies=False, timezone="Europe/Paris",
        token_key_file=key_file(tmp_path / "instance"), imap_security="none", imap_port=1, smtp_port=1,
    )  # fmt: skip
    with db.connection_context():
        yield made
    db.obj.close()


@pytest.fixture
def bobs(phone_of, bob) -> Phone:
    return phone_of(bob)


def meeting(*lines: str, uid: str = "m1", hour: int = 10, title: str = "Conseil", more: str = "") -> str:
    inside = [
        f"UID:{uid}", "DTSTAMP:20260101T000000Z", f"DTSTART;TZID=Europe/Paris:{DAY}T{hour:02}0000",
        f"DTEND;TZID=Europe/Paris:{DAY}T{hour + 1:02}0000", f"SUMMARY:{title}", *lines,
    ]  # fmt: skip
    return "\r\n".join(
        ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Apple Inc.//iOS 17.0//EN", "BEGIN:VEVENT", *inside, "END:VEVENT"]
        + ([more] if more else []) + ["END:VCALENDAR", ""]
    )  # fmt: skip


def invitation(*lines: str, **more) -> str:
    return meeting(ORGANIZER, ALICE, BOB, EVE, *lines, **more)


def unfolded(text: str) -> str:
    return re.sub("\r?\n[ \t]", "", text).replace("\r", "")


def waiting() -> list[tuple[str, list[str], str]]:
    """The method, recipients and text of each message that waits."""
    found = []
    for row in Outbox.select().where(Outbox.state == OutboxState.WAITING).order_by(Outbox.id):
        message = email.message_from_bytes(bytes(row.content), policy=policy.default)
        [part] = [one for one in message.walk() if one.get_content_type() == "text/calendar"]
        found.append((part.get_param("method"), sorted(json.loads(row.recipients)), unfolded(part.get_content())))
    return found


def leave() -> None:
    """What waits has left."""
    values = {"state": OutboxState.SENT, "sent_at": now(), "filed": True, "content": b""}
    Outbox.update(values).where(Outbox.state == OutboxState.WAITING).execute()


def stored(phone: Phone, path: str = "calendar/m1.ics") -> str:
    return unfolded(phone.ask("GET", path).text)


def line(text: str, person: str, name: str = "ATTENDEE") -> str:
    return next(one for one in text.splitlines() if one.startswith(name) and f"mailto:{person}@" in one)


def condition(answer) -> str:
    error = ET.fromstring(answer.data)
    return error[0].tag.rpartition("}")[2]


def invited(phone: Phone, bobs: Phone, **more) -> str:
    """Alice has invited Bob and Eve, and Bob's telephone has put it into his calendar; his text."""
    assert phone.put("calendar/m1.ics", invitation(**more), **IPHONE).status_code == 201
    [(method, _to, text)] = waiting()
    assert method == "REQUEST"
    leave()
    text = text.replace("METHOD:REQUEST\n", "").replace("\n", "\r\n")
    assert bobs.put("calendar/m1.ics", text).status_code == 201
    assert waiting() == []
    return text


def answered(text: str, answer: str) -> str:
    return re.sub(r"(ATTENDEE[^\r\n]*)PARTSTAT=NEEDS-ACTION([^\r\n]*mailto:bob@)", rf"\1PARTSTAT={answer}\2", text)


# --- what is announced ------------------------------------------------------------------------------------------------


def props(*names: str) -> str:
    asked = "".join(f"<{name}/>" for name in names)
    return f"<d:propfind xmlns:d='DAV:' xmlns:c='{NAMES['C']}' xmlns:s='http://calendarserver.org/ns/'><d:prop>{asked}</d:prop></d:propfind>"


def test_a_principal_says_where_its_inbox_and_outbox_are_and_by_what_addresses_it_is_invited(phone, alice):
    AllowedAddress.create(user=alice, address="direction@lycee.example")
    names = (
        "c:schedule-inbox-URL",
        "c:schedule-outbox-URL",
        "c:calendar-user-type",
        "c:calendar-user-address-set",
        "d:displayname",
    )
    root = phone.xml("PROPFIND", "", props(*names), **IPHONE)
    found = root.find("D:response/D:propstat/D:prop", NAMES)
    assert "200" in root.findtext("D:response/D:propstat/D:status", "", NAMES)
    assert found.findtext("C:schedule-inbox-URL/D:href", "", NAMES) == "/dav/alice%40lycee.example/shared-inbox/"
    assert found.findtext("C:schedule-outbox-URL/D:href", "", NAMES) == "/dav/alice%40lycee.example/shared-outbox/"
    assert found.findtext("C:calendar-user-type", "", NAMES) == "INDIVIDUAL"
    addresses = [one.text for one in found.findall("C:calendar-user-address-set/D:href", NAMES)]
    assert addresses == ["mailto:alice@lycee.example", "mailto:direction@lycee.example"]
    assert not root.findall("D:response/D:propstat[2]", NAMES)
    assert "calendar-auto-schedule" in phone.ask("OPTIONS", "").headers["DAV"]
    assert "calendar-auto-schedule" in phone.ask("PROPFIND", "", props("d:displayname")).headers["DAV"]


def test_the_inbox_says_which_calendar_is_the_default(phone, phone_of, alice):
    root = phone.xml("PROPFIND", "shared-inbox/", props("d:resourcetype", "c:schedule-default-calendar-URL", "d:sync-token"))
    assert root.find(".//D:resourcetype/C:schedule-inbox", NAMES) is not None
    assert root.findtext(".//C:schedule-default-calendar-URL/D:href", "", NAMES) == "/dav/alice%40lycee.example/calendar/"
    root = phone.xml("PROPFIND", "shared-outbox/", props("d:resourcetype", "d:current-user-privilege-set"))
    assert root.find(".//D:resourcetype/C:schedule-outbox", NAMES) is not None
    assert root.find(".//C:schedule-send-freebusy", NAMES) is not None
    assert phone.ask("MKCALENDAR", "shared-inbox/").status_code == 405
    assert phone_of(alice, ("carddav",)).ask("PROPFIND", "shared-inbox/", props("d:resourcetype")).status_code == 404


# --- who organises ----------------------------------------------------------------------------------------------------


def test_an_iphone_invites(phone, bobs):
    answer = phone.put("calendar/m1.ics", invitation(), **IPHONE, If_None_Match="*")
    assert answer.status_code == 201 and "ETag" not in answer.headers and answer.headers["Schedule-Tag"]
    [(method, to, text)] = waiting()
    assert (method, to) == ("REQUEST", ["bob@lycee.example", "eve@elsewhere.example"]) and "SCHEDULE-STATUS" not in text
    there = phone.ask("GET", "calendar/m1.ics")
    assert there.headers["Schedule-Tag"] == answer.headers["Schedule-Tag"]
    mine = unfolded(there.text)
    assert "SCHEDULE-STATUS=1.2" in line(mine, "bob") and "SCHEDULE-STATUS=1.1" in line(mine, "eve")
    again = phone.put("calendar/m1.ics", there.data, If_Match=there.headers["ETag"])
    assert again.status_code == 204 and len(waiting()) == 1  # nothing that others are told has changed
    [message] = scheduling_inbox.messages_for(User.get(User.address == "bob@lycee.example"))
    assert message.method == "REQUEST" and "mailto:bob@" in unfolded(message.text)


def test_only_what_changed_is_told(phone, bobs):
    invited(phone, bobs)
    text = stored(phone)
    later = text.replace("T100000", "T140000").replace("T110000", "T150000").replace("\n", "\r\n")
    assert phone.put("calendar/m1.ics", later).status_code == 204
    [(method, to, told)] = waiting()
    assert (method, to) == ("REQUEST", ["bob@lycee.example", "eve@elsewhere.example"]) and "SEQUENCE:1" in told
    leave()
    without = "\r\n".join(one for one in stored(phone).splitlines() if "mailto:eve@" not in one) + "\r\n"
    assert phone.put("calendar/m1.ics", without).status_code == 204
    assert [one[:2] for one in waiting()] == [("CANCEL", ["eve@elsewhere.example"])]
    leave()
    alarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nDESCRIPTION:x\r\nEND:VALARM\r\nEND:VEVENT"
    with_alarm = stored(phone).replace("\n", "\r\n").replace("END:VEVENT", alarm)
    answer = phone.put("calendar/m1.ics", with_alarm)
    assert answer.status_code == 204 and waiting() == [] and answer.headers["ETag"]
    assert "SCHEDULE-STATUS=1.2" in line(stored(phone), "bob")


def test_deleting_cancels_and_what_has_not_left_never_leaves(phone, bobs):
    invited(phone, bobs)
    assert phone.ask("DELETE", "calendar/m1.ics", **IPHONE, Schedule_Reply="F").status_code == 204
    assert [one[:2] for one in waiting()] == [("CANCEL", ["bob@lycee.example", "eve@elsewhere.example"])]
    bob = User.get(User.local == "bob")
    assert [one.method for one in scheduling_inbox.messages_for(bob)] == ["REQUEST", "CANCEL"]
    leave()
    phone.put("calendar/m2.ics", invitation(uid="m2"))
    assert len(scheduling_inbox.messages_for(bob)) == 3
    assert phone.ask("DELETE", "calendar/m2.ics").status_code == 204
    assert waiting() == [] and len(scheduling_inbox.messages_for(bob)) == 2


def test_what_is_undone_in_the_outbox_is_in_no_inbox(phone, alice, bob):
    phone.put("calendar/m1.ics", invitation())
    assert queue.undo(alice, Outbox.get().id) is not None
    assert scheduling_inbox.messages_for(bob) == [] and SchedulingMessage.select().count() == 1


@pytest.mark.parametrize("agent", ["CLIENT", "NONE", "X-OTHER"])
def test_who_is_told_by_others_is_told_nothing_here(phone, agent):
    assert (
        phone.put(
            "calendar/m1.ics", invitation().replace("ATTENDEE;CN=Eve", f"ATTENDEE;SCHEDULE-AGENT={agent};CN=Eve")
        ).status_code
        == 201
    )
    assert [one[1] for one in waiting()] == [["bob@lycee.example"]]
    assert f"SCHEDULE-AGENT={agent}" in line(stored(phone), "eve") and "SCHEDULE-STATUS" not in line(stored(phone), "eve")


def test_somebody_is_told_again_by_force(phone, bobs):
    invited(phone, bobs)
    forced = stored(phone).replace("\n", "\r\n").replace("ATTENDEE;CN=Bob", "ATTENDEE;SCHEDULE-FORCE-SEND=REQUEST;CN=Bob")
    answer = phone.put("calendar/m1.ics", forced)
    assert answer.status_code == 204 and "ETag" not in answer.headers
    assert "FORCE-SEND" not in stored(phone)
    assert [one[:2] for one in waiting()] == [("REQUEST", ["bob@lycee.example"])]


def test_whose_address_is_none_is_said_to_be_nobody(phone):
    text = invitation().replace("EMAIL=eve@elsewhere.example;", "").replace("mailto:eve@elsewhere.example", "mailto:eve at home")
    assert phone.put("calendar/m1.ics", text).status_code == 201
    assert [one[1] for one in waiting()] == [["bob@lycee.example"]]
    assert "SCHEDULE-STATUS=3.7" in next(one for one in stored(phone).splitlines() if "eve at home" in one)


def test_rooms_answer_by_themselves_and_get_no_mail(phone):
    salle = room("Salle 101")
    text = invitation(f"ATTENDEE;CUTYPE=ROOM;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{salle.address}")
    assert phone.put("calendar/m1.ics", text).status_code == 201
    assert [one[1] for one in waiting()] == [["bob@lycee.example", "eve@elsewhere.example"]]
    assert "PARTSTAT=ACCEPTED" in line(stored(phone), "salle-101") and len(booked(salle)) == 1


def test_an_imported_meeting_that_was_answered_asks_nobody_again(phone):
    text = invitation().replace("CN=Bob;CUTYPE=INDIVIDUAL;PARTSTAT=NEEDS-ACTION", "CN=Bob;PARTSTAT=ACCEPTED")
    assert phone.put("calendar/m1.ics", text).status_code == 201
    assert [one[1] for one in waiting()] == [["eve@elsewhere.example"]]
    assert "PARTSTAT=ACCEPTED" in line(stored(phone), "bob")


def test_what_is_over_is_told_to_nobody(phone):
    assert phone.put("calendar/m1.ics", invitation().replace(DAY, "20250303")).status_code == 201
    assert waiting() == []
    assert phone.ask("DELETE", "calendar/m1.ics").status_code == 204 and waiting() == []


def test_ten_thousand_guests_are_refused(phone):
    many = [f"ATTENDEE:mailto:guest{number}@elsewhere.example" for number in range(10_000)]
    answer = phone.put("calendar/m1.ics", meeting(ORGANIZER, *many))
    assert answer.status_code == 403 and condition(answer) == "max-attendees-per-instance"
    assert Outbox.select().count() == 0 and CalendarObject.select().count() == 0
    assert phone.put("calendar/m1.ics", meeting(ORGANIZER, *many[:300])).status_code == 201
    assert Outbox.get().people == 300


def test_what_a_telephone_sends_counts_in_the_limits(phone, alice):
    User.update(recipients_per_hour=3).where(User.id == alice.id).execute()
    assert phone.put("calendar/m1.ics", invitation()).status_code == 201
    answer = phone.put("calendar/m2.ics", invitation(uid="m2"))
    assert answer.status_code == 429 and int(answer.headers["Retry-After"]) > 0
    assert phone.ask("GET", "calendar/m2.ics").status_code == 404 and Outbox.select().count() == 1


def test_a_guest_list_that_guests_do_not_see_stays_hidden(phone):
    text = invitation("X-TRABOULE-GUESTS:HIDDEN")
    assert phone.put("calendar/m1.ics", text).status_code == 201
    assert [one[1] for one in waiting()] == [["bob@lycee.example"], ["eve@elsewhere.example"]]
    leave()
    dropped = stored(phone).replace("X-TRABOULE-GUESTS:HIDDEN\n", "").replace("SUMMARY:Conseil", "SUMMARY:Réunion")
    assert phone.put("calendar/m1.ics", dropped.replace("\n", "\r\n")).status_code == 204
    assert "X-TRABOULE-GUESTS:HIDDEN" in stored(phone)
    assert all(("mailto:eve@" in text) is ("eve@elsewhere.example" in to) for _method, to, text in waiting())


def test_the_organiser_stays_the_same(phone, bobs):
    invited(phone, bobs)
    other = stored(phone).replace("\n", "\r\n").replace(ORGANIZER, ORGANIZER.replace("alice@", "zoe@"))
    answer = phone.put("calendar/m1.ics", other)
    assert answer.status_code == 403 and condition(answer) == "allowed-organizer-scheduling-object-change"
    second = f"BEGIN:VEVENT\r\nUID:m3\r\nDTSTAMP:20260101T000000Z\r\nRECURRENCE-ID;TZID=Europe/Paris:{DAY}T100000\r\n"
    second += f"DTSTART;TZID=Europe/Paris:{DAY}T120000\r\n{ORGANIZER.replace('alice@', 'zoe@')}\r\n{BOB}\r\nEND:VEVENT"
    answer = phone.put("calendar/m3.ics", invitation("RRULE:FREQ=DAILY;COUNT=3", uid="m3", more=second))
    assert answer.status_code == 403 and condition(answer) == "same-organizer-in-all-components"
    assert waiting() == []


def test_a_meeting_is_in_one_calendar(phone, alice):
    phone.ask("PROPFIND", "calendar/")
    Collection.create(user=alice, name="second", kind="calendar", components="VEVENT", props="{}")
    assert phone.put("calendar/m1.ics", invitation()).status_code == 201
    answer = phone.put("second/other.ics", invitation())
    assert answer.status_code == 403 and condition(answer) == "unique-scheduling-object-resource"
    assert ET.fromstring(answer.data).findtext(".//D:href", "", NAMES) == "/dav/alice%40lycee.example/calendar/m1.ics"


def test_who_writes_in_a_colleagues_calendar_organises_as_the_colleague(phone, bobs, alice, bob):
    calendar = store.default_collection(alice, store.CALENDAR)
    CollectionShare.create(collection=calendar, user=bob, rights="write")
    of_bob = meeting("ORGANIZER;CN=Bob:mailto:bob@lycee.example", BOB.replace("NEEDS-ACTION", "ACCEPTED"), EVE)
    assert bobs.put(f"shared-{calendar.id}/m1.ics", of_bob).status_code == 201
    [(method, to, text)] = waiting()
    assert (method, to) == ("REQUEST", ["eve@elsewhere.example"])
    organizer = line(text, "alice", "ORGANIZER")
    assert 'SENT-BY="mailto:bob@lycee.example"' in organizer and Outbox.get().sender == "bob@lycee.example"
    assert "mailto:alice@" in line(stored(phone), "alice", "ORGANIZER")


# --- guests -----------------------------------------------------------------------------------------------------------


def test_an_iphone_answers_and_the_organiser_knows_at_once(phone, bobs):
    text = invited(phone, bobs)
    tag = phone.ask("GET", "calendar/m1.ics").headers["Schedule-Tag"]
    for answer in ("ACCEPTED", "DECLINED", "ACCEPTED"):
        assert bobs.put("calendar/m1.ics", answered(text, answer), **IPHONE).status_code == 204
        assert f"PARTSTAT={answer}" in line(stored(phone), "bob") and "SCHEDULE-STATUS=2.0" in line(stored(phone), "bob")
    assert [one[:2] for one in waiting()] == [("REPLY", ["alice@lycee.example"])] * 3
    assert "SCHEDULE-STATUS=1.2" in line(stored(bobs), "alice", "ORGANIZER")
    seen = phone.ask("GET", "calendar/m1.ics")
    assert seen.headers["Schedule-Tag"] == tag and seen.headers["ETag"] != f'"{tag}"'  # guests' answers are no other version
    [message] = scheduling_inbox.messages_for(User.get(User.local == "alice"))[-1:]
    assert message.method == "REPLY"


def test_the_organiser_of_elsewhere_is_told_by_mail(bobs):
    text = meeting("ORGANIZER:mailto:zoe@elsewhere.example", BOB)
    assert bobs.put("calendar/m1.ics", text).status_code == 201 and waiting() == []
    assert bobs.put("calendar/m1.ics", answered(text, "TENTATIVE")).status_code == 204
    [(method, to, told)] = waiting()
    assert (method, to) == ("REPLY", ["zoe@elsewhere.example"]) and "PARTSTAT=TENTATIVE" in told
    assert "SCHEDULE-STATUS=1.1" in line(stored(bobs), "zoe", "ORGANIZER")


def test_two_who_answer_at_once_are_both_heard(phone, bobs, monkeypatch):
    text = invited(phone, bobs)
    plan, between = device_scheduling.plan, [answered(text, "TENTATIVE")]

    def slowly(*given):
        found = plan(*given)
        if between:
            assert bobs.put("calendar/m1.ics", between.pop(0)).status_code == 204
        return found

    monkeypatch.setattr(device_scheduling, "plan", slowly)
    assert bobs.put("calendar/m1.ics", answered(text, "ACCEPTED")).status_code == 204
    assert "PARTSTAT=ACCEPTED" in line(stored(phone), "bob") and "PARTSTAT=ACCEPTED" in line(stored(bobs), "bob")
    answers = [re.search("PARTSTAT=([A-Z]+)", told)[1] for _method, _to, told in waiting()]
    assert answers == ["TENTATIVE", "ACCEPTED"]


def test_deleting_declines_unless_it_says_not_to(phone, bobs):
    invited(phone, bobs)
    text = stored(bobs)
    assert bobs.ask("DELETE", "calendar/m1.ics", Schedule_Reply="F").status_code == 204
    assert waiting() == [] and "PARTSTAT=NEEDS-ACTION" in line(stored(phone), "bob")
    assert bobs.put("calendar/m1.ics", text.replace("\n", "\r\n")).status_code == 201
    assert bobs.ask("DELETE", "calendar/m1.ics").status_code == 204
    assert [one[0] for one in waiting()] == ["REPLY"] and "PARTSTAT=DECLINED" in line(stored(phone), "bob")


def test_one_of_a_series_that_is_taken_out_is_declined(phone, bobs):
    assert phone.put("calendar/m1.ics", invitation("RRULE:FREQ=DAILY;COUNT=4")).status_code == 201
    text = waiting()[0][2].replace("METHOD:REQUEST\n", "").replace("\n", "\r\n")
    leave()
    assert bobs.put("calendar/m1.ics", answered(text, "ACCEPTED")).status_code == 201
    leave()
    second = (date.today() + timedelta(days=21)).strftime("%Y%m%d")
    without = answered(text, "ACCEPTED").replace("SUMMARY", f"EXDATE;TZID=Europe/Paris:{second}T100000\r\nSUMMARY")
    assert bobs.put("calendar/m1.ics", without).status_code == 204
    [(method, _to, told)] = waiting()
    assert method == "REPLY" and f"RECURRENCE-ID;TZID=Europe/Paris:{second}T100000" in told and "PARTSTAT=DECLINED" in told
    assert [one.count("PARTSTAT=DECLINED") for one in stored(phone).split("BEGIN:VEVENT")[1:]] == [0, 1]


CHANGES = {
    "another time": ("T100000", "T120000"),
    "another title": ("SUMMARY:Conseil", "SUMMARY:Piscine"),
    "another place": ("SUMMARY", "LOCATION:Piscine\r\nSUMMARY"),
    "a rule": ("SUMMARY", "RRULE:FREQ=DAILY\r\nSUMMARY"),
    "cancelled": ("SUMMARY", "STATUS:CANCELLED\r\nSUMMARY"),
    "another guest": ("SUMMARY", "ATTENDEE:mailto:mallory@elsewhere.example\r\nSUMMARY"),
    "no organiser": ("ORGANIZER", "X-ORGANIZER"),
    "another organiser": ("mailto:alice@lycee.example\r\nATTENDEE", "mailto:bob@lycee.example\r\nATTENDEE"),
    "without themselves": ("mailto:bob@", "mailto:other@"),
}


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_what_is_the_organisers_stays(phone, bobs, change):
    text, before = invited(phone, bobs), stored(phone)
    answer = bobs.put("calendar/m1.ics", text.replace(*CHANGES[change]))
    assert answer.status_code == 403 and condition(answer) == "allowed-attendee-scheduling-object-change"
    assert waiting() == [] and stored(phone) == before
    assert [one.reason for one in RefusedChange.select()] == [RefusalReason.MEETING]  # its owner is told why


def test_what_is_a_guests_own_is_taken(phone, bobs):
    text = invited(phone, bobs)
    mine = "TRANSP:TRANSPARENT\r\nCATEGORIES:École\r\nDESCRIPTION:Apporter le dossier\r\nX-APPLE-TRAVEL-DURATION:PT15M\r\nBEGIN:VALARM"
    mine += "\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nDESCRIPTION:x\r\nEND:VALARM\r\nEND:VEVENT"
    answer = bobs.put("calendar/m1.ics", text.replace("END:VEVENT", mine))
    assert answer.status_code == 204 and waiting() == [] and "Apporter le dossier" in stored(bobs)


ODD = {
    "a series by another range": f"RECURRENCE-ID;RANGE=THISANDFUTURE:{DAY}T090000Z",
    "a moment of a day": f"RECURRENCE-ID;VALUE=DATE:{DAY}",
    "a year before all": "RECURRENCE-ID:00010101T000000Z",
    "no moment": "RECURRENCE-ID:yesterday",
}


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_odd_series_are_refused_or_taken_but_understood(phone, bobs, odd):
    text = invited(phone, bobs)
    more = f"BEGIN:VEVENT\r\nUID:m1\r\nDTSTAMP:20260101T000000Z\r\n{ODD[odd]}\r\nDTSTART:{DAY}T090000Z\r\nORGANIZER:mailto:alice@lycee.example"
    more += f"\r\n{BOB}\r\nEND:VEVENT\r\nEND:VCALENDAR"
    assert bobs.put("calendar/m1.ics", text.replace("END:VCALENDAR", more)).status_code == 403
    own = phone.put("calendar/m1.ics", stored(phone).replace("\n", "\r\n").replace("END:VCALENDAR", more))
    assert own.status_code in (204, 403), own.text
    assert phone.ask("DELETE", "calendar/m1.ics").status_code == 204


def test_a_newer_version_that_a_program_took_from_the_mail_is_taken(phone, bobs):
    text = invited(phone, bobs)
    newer = text.replace("SEQUENCE:0", "SEQUENCE:1").replace("T100000", "T120000").replace("T110000", "T130000")
    assert bobs.put("calendar/m1.ics", newer).status_code == 204 and waiting() == []


def test_a_hostile_put_changes_nobody_elses_event(phone, bobs, phone_of, person):
    invited(phone, bobs)
    before = stored(phone)
    mallory = phone_of(person("mallory"))
    forged = answered(before, "DECLINED").replace("\n", "\r\n")
    assert mallory.put("calendar/m1.ics", forged).status_code == 201  # a copy of hers, in which she is nobody
    uninvited = before.replace("SUMMARY", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:mallory@lycee.example\nSUMMARY").replace(
        "\n", "\r\n"
    )
    assert mallory.put("calendar/m1.ics", uninvited).status_code == 204
    assert stored(phone) == before


def test_who_writes_in_a_colleagues_calendar_does_not_answer_for_them(phone, bobs, phone_of, person, bob):
    text = invited(phone, bobs)
    calendar = store.default_collection(bob, store.CALENDAR)
    carol = person("carol")
    CollectionShare.create(collection=calendar, user=carol, rights="write")
    answer = phone_of(carol).put(f"shared-{calendar.id}/m1.ics", answered(text, "ACCEPTED"))
    assert answer.status_code == 403 and "PARTSTAT=NEEDS-ACTION" in line(stored(phone), "bob")
    assert phone_of(carol).ask("DELETE", f"shared-{calendar.id}/m1.ics").status_code == 204
    assert waiting() == [] and "PARTSTAT=NEEDS-ACTION" in line(stored(phone), "bob")


def test_a_colleague_who_chose_so_has_the_invitation_on_their_telephone_at_once(phone, bobs, bob):
    User.update(preferences=json.dumps({"pencil_in": "known"})).where(User.id == bob.id).execute()
    bobs.ask("PROPFIND", "calendar/")
    assert phone.put("calendar/m1.ics", invitation(), **IPHONE).status_code == 201
    [name] = bobs.sync("calendar/")[1]
    text = stored(bobs, f"calendar/{name}").replace("\n", "\r\n")
    assert bobs.put(f"calendar/{name}", answered(text, "ACCEPTED"), **IPHONE).status_code == 204
    assert "PARTSTAT=ACCEPTED" in line(stored(phone), "bob")
    assert phone.ask("DELETE", "calendar/m1.ics").status_code == 204
    assert list(bobs.sync("calendar/")[1]) == [name]  # what somebody has answered stays, for the mail to tell them of


# --- Schedule-Tag -----------------------------------------------------------------------------------------------------


def test_answers_that_came_meanwhile_survive_a_change_by_schedule_tag(phone, bobs):
    text = invited(phone, bobs)
    first = phone.ask("GET", "calendar/m1.ics")
    assert bobs.put("calendar/m1.ics", answered(text, "ACCEPTED")).status_code == 204
    renamed = first.text.replace("SUMMARY:Conseil", "SUMMARY:Conseil de classe")
    assert phone.put("calendar/m1.ics", renamed, If_Match=first.headers["ETag"]).status_code == 412
    answer = phone.put("calendar/m1.ics", renamed, If_Schedule_Tag_Match=first.headers["Schedule-Tag"], **IPHONE)
    assert answer.status_code == 204 and answer.headers["Schedule-Tag"] != first.headers["Schedule-Tag"]
    assert "PARTSTAT=ACCEPTED" in line(stored(phone), "bob") and "Conseil de classe" in stored(phone)
    assert phone.put("calendar/m1.ics", renamed, If_Schedule_Tag_Match=first.headers["Schedule-Tag"]).status_code == 412
    root = phone.xml(
        "REPORT", "calendar/", f"<c:calendar-multiget xmlns:d='DAV:' xmlns:c='{NAMES['C']}'><d:prop><d:getetag/><c:schedule-tag/></d:prop>"
        "<d:href>/dav/alice%40lycee.example/calendar/m1.ics</d:href></c:calendar-multiget>",
    )  # fmt: skip
    assert root.findtext(".//C:schedule-tag", "", NAMES) == answer.headers["Schedule-Tag"]


# --- the inbox --------------------------------------------------------------------------------------------------------


def test_an_iphone_reads_and_empties_its_inbox(phone, bobs):
    phone.put("calendar/m1.ics", invitation())
    root = bobs.xml("PROPFIND", "shared-inbox/", props("d:getetag", "d:getcontenttype"), Depth="1", **IPHONE)
    [own, item] = root.findall("D:response", NAMES)
    href = item.findtext("D:href", "", NAMES)
    sync = "<d:sync-collection xmlns:d='DAV:'><d:sync-token>{}</d:sync-token><d:prop><d:getetag/></d:prop></d:sync-collection>"
    root = bobs.xml("REPORT", "shared-inbox/", sync.format(""))
    token = root.findtext("D:sync-token", "", NAMES)
    assert [one.findtext("D:href", "", NAMES) for one in root.findall("D:response", NAMES)] == [href]
    assert bobs.xml("REPORT", "shared-inbox/", sync.format(token)).findall("D:response", NAMES) == []
    body = f"<c:calendar-multiget xmlns:d='DAV:' xmlns:c='{NAMES['C']}'><d:prop><d:getetag/><c:calendar-data/></d:prop>"
    root = bobs.xml("REPORT", "shared-inbox/", f"{body}<d:href>{href}</d:href></c:calendar-multiget>", **IPHONE)
    assert "METHOD:REQUEST" in root.findtext(".//C:calendar-data", "", NAMES)
    assert "METHOD:REQUEST" in bobs.ask("GET", href).text
    assert phone.ask("GET", href).status_code == 404
    assert bobs.ask("DELETE", href, **IPHONE).status_code == 204 and bobs.ask("GET", href).status_code == 404
    assert bobs.ask("REPORT", "shared-inbox/", sync.format(token)).status_code == 403
    assert bobs.put("shared-inbox/x.ics", invitation()).status_code == 403


def test_an_inbox_keeps_the_newest(phone, bob, monkeypatch):
    monkeypatch.setattr(scheduling_inbox, "MOST", 3)
    for number in range(5):
        phone.put(f"calendar/m{number}.ics", invitation(uid=f"m{number}"))
    assert [one.uid for one in scheduling_inbox.messages_for(bob)] == ["m2", "m3", "m4"]


# --- the outbox -------------------------------------------------------------------------------------------------------


def asked(*people: str, organizer: str = "alice@lycee.example", until: str = "T235959Z") -> str:
    """As an iPhone asks when people are free."""
    inside = [
        "UID:fb1", "DTSTAMP:20260101T000000Z", f"DTSTART:{DAY}T000000Z", f"DTEND:{DAY}{until}", f"ORGANIZER:mailto:{organizer}",
        *(f"ATTENDEE:mailto:{one}" for one in people), "X-CALENDARSERVER-MASK-UID:m9",
    ]  # fmt: skip
    return "\r\n".join(
        ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Apple Inc.//iOS 17.0//EN", "METHOD:REQUEST", "BEGIN:VFREEBUSY", *inside,
         "END:VFREEBUSY", "END:VCALENDAR", ""]
    )  # fmt: skip


def test_an_iphone_asks_when_people_and_rooms_are_free(phone, bobs, person):
    salle = room("Salle 101")
    keeps = person("carol", preferences=json.dumps({"busy_shown": False}))
    bobs.put("calendar/b.ics", meeting(uid="b"))
    bobs.put("calendar/m9.ics", invitation(uid="m9", hour=15))
    phone.put("calendar/m9.ics", invitation(uid="m9", hour=15))
    phone.put("calendar/r.ics", meeting(f"ATTENDEE;CUTYPE=ROOM:mailto:{salle.address}", uid="r", hour=12))
    who = ["bob@lycee.example", salle.address, "eve@elsewhere.example", "nobody@lycee.example", keeps.address]
    answer = phone.ask("POST", "shared-outbox/", asked(*who), **IPHONE, Content_Type="text/calendar")
    assert answer.status_code == 200
    found = {
        one.findtext("C:recipient/D:href", "", NAMES): (
            one.findtext("C:request-status", "", NAMES), unfolded(one.findtext("C:calendar-data", "", NAMES)),
        )
        for one in ET.fromstring(answer.data).findall("C:response", NAMES)
    }  # fmt: skip
    assert [found[f"mailto:{one}"][0].partition(";")[0] for one in who] == ["2.0", "2.0", "5.2", "3.7", "3.7"]
    times = found["mailto:bob@lycee.example"][1]
    assert re.findall("^FREEBUSY.*$", times, re.M) == [
        one for one in re.findall("^FREEBUSY.*$", times, re.M) if "FBTYPE=BUSY:" in one
    ]
    assert times.count("FREEBUSY;") == 1 and "METHOD:REPLY" in times and "Conseil" not in times
    assert found[f"mailto:{salle.address}"][1].count("FREEBUSY;FBTYPE=BUSY") == 1


@pytest.mark.parametrize("theirs", ["", "theirs", "as a guest"])
def test_who_does_not_organise_a_meeting_cannot_ask_who_is_in_it(phone, bobs, theirs):
    """By asking without it, and comparing: the guests of some meetings don't see each other."""
    carol = "ORGANIZER:mailto:carol@lycee.example"
    bobs.put("calendar/m9.ics", meeting(carol, BOB.replace("NEEDS-ACTION", "ACCEPTED"), uid="m9", hour=15))
    if theirs:
        mine = [carol, ALICE, BOB] if theirs == "as a guest" else [ORGANIZER, ALICE]
        assert phone.put("calendar/m9.ics", meeting(*mine, uid="m9", hour=15)).status_code == 201
    answer = phone.ask("POST", "shared-outbox/", asked("bob@lycee.example"), Content_Type="text/calendar")
    assert answer.text.count("FREEBUSY;FBTYPE=") == 1


def test_what_is_no_question_about_times_is_refused(phone):
    ask = lambda body: phone.ask("POST", "shared-outbox/", body)  # noqa: E731
    assert condition(ask(asked("bob@lycee.example", organizer="zoe@elsewhere.example"))) == "valid-organizer"
    assert condition(ask(invitation())) == "valid-scheduling-message"
    assert condition(ask("BEGIN:VCALENDAR")) == "valid-calendar-data"
    assert condition(ask(asked("bob@lycee.example").replace(f"DTEND:{DAY}", "DTEND:20991231"))) == "valid-calendar-data"
    many = ask(asked(*(f"p{number}@lycee.example" for number in range(101))))
    assert condition(many) == "max-attendees-per-instance"
    assert phone.ask("POST", "calendar/", "x").status_code == 405 == phone.ask("POST", "shared-inbox/", "x").status_code
    assert phone.ask("GET", "shared-outbox/").status_code == 405


# --- working hours -----------------------------------------------------------------------------------------------------


def hours(*lines: str) -> str:
    part = ["BEGIN:AVAILABLE", "UID:b", "DTSTAMP:20261201T080000Z", *lines, "END:AVAILABLE"]
    whole = ["BEGIN:VAVAILABILITY", "UID:a", "DTSTAMP:20261201T080000Z", *part, "END:VAVAILABILITY"]
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//EN", *whole, "END:VCALENDAR", ""])


def patch(inside: str) -> str:
    names = f"xmlns:d='DAV:' xmlns:c='{NAMES['C']}' xmlns:s='http://calendarserver.org/ns/'"
    return f"<d:propertyupdate {names}>{inside}</d:propertyupdate>"


NINE_TO_FIVE = ("DTSTART;TZID=Europe/Paris:20261130T090000", "DTEND;TZID=Europe/Paris:20261130T170000")


@pytest.mark.parametrize("name", ["s:calendar-availability", "c:calendar-availability"])
def test_a_telephone_reads_and_chooses_the_working_hours_of_its_person(phone, name):
    text = hours(*NINE_TO_FIVE, "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE")
    phone.xml("PROPPATCH", "shared-inbox/", patch(f"<d:set><d:prop><{name}>{text}</{name}></d:prop></d:set>"))
    chosen = preferences.for_user(User.get(User.address == phone.address)).work_hours
    assert chosen == "09:00-17:00;09:00-17:00;09:00-17:00;;;;"
    root = phone.xml("PROPFIND", "shared-inbox/", props(name))
    assert "BYDAY=MO,TU,WE" in "".join(root.itertext())
    phone.xml("PROPPATCH", "shared-inbox/", patch(f"<d:remove><d:prop><{name}/></d:prop></d:remove>"))
    assert preferences.for_user(User.get(User.address == phone.address)).work_hours == ""


def test_what_are_no_hours_and_other_properties_of_the_inbox_are_refused(phone):
    bad = patch(
        f"<d:set><d:prop><s:calendar-availability>{hours('RRULE:FREQ=WEEKLY')}</s:calendar-availability></d:prop></d:set>"
    )
    answer = phone.ask("PROPPATCH", "shared-inbox/", bad)
    assert answer.status_code == 403 and "valid-calendar-data" in answer.text
    root = phone.xml("PROPPATCH", "shared-inbox/", patch("<d:set><d:prop><d:displayname>x</d:displayname></d:prop></d:set>"))
    assert "403" in "".join(root.itertext())
    assert "calendar-availability" not in phone.ask("PROPFIND", "shared-inbox/").text
