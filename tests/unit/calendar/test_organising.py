"""The organiser's side of meetings: invitations, new versions, cancellations, each sent once; undo; answers; reminders."""

from __future__ import annotations

import email
import json
import re
from datetime import date, timedelta
from email import policy
from io import BytesIO

from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.calendar_ground import calendar_of, put_text, share
from tests.support.rooms import booked, room
from tests.support.visits import Page, Visitor
from webmail.calendar import answering, editing, invitations, meeting_mail
from webmail.calendar.guests import organising
from webmail.collections import trash
from webmail.compose.outbox import queue
from webmail.dav.deletion import restore
from webmail.itip import incoming, people
from webmail.itip.permission import MailSender
from webmail.itip.receiving import receive
from webmail.mime.formats.calendars import calendar_object
from webmail.mime.formats.recurrence import occurrences
from webmail.models import AllowedAddress, CalendarObject, Outbox, OutboxState, SentInvitation, User, now
from webmail.people import policies
from webmail.people.policies import Policy

FORM = "form[data-event-form]"
DATES, EXCEPTIONS, GUEST_COUNT = 30, 4, 6  # of a long series; 200, 12 and 40 took 14 seconds
GUESTS = "bob@lycee.example, Eve <eve@elsewhere.example>"


def new(alice: Visitor, **fields: object) -> Page:
    values = {
        "title": "Conseil",
        "start": "2027-12-07",
        "start_hour": "17:00",
        "end": "2027-12-07",
        "end_hour": "19:00",
        "invite": GUESTS,
    }
    return alice.submit(alice.get("/calendar/events/new"), FORM, **values | fields, action="save")


def row() -> CalendarObject:
    return CalendarObject.select().order_by(CalendarObject.id.desc()).get()


def url(part: str = "", at: str = "") -> str:
    one = row()
    return f"/calendar/events/{one.collection_id}/{one.href}{part}" + (f"?at={at}" if at else "")


def edit(alice: Visitor, at: str = "", **fields: object) -> Page:
    return alice.submit(alice.get(url("/edit", at)), FORM, **fields, action="save")


def waiting(*states: str) -> list[Outbox]:
    return list(Outbox.select().where(Outbox.state.in_(states or (OutboxState.WAITING,))).order_by(Outbox.id))


def leave() -> None:
    """What waits has left."""
    Outbox.update(state=OutboxState.SENT, sent_at=now(), filed=True, content=b"").where(
        Outbox.state == OutboxState.WAITING
    ).execute()


def part(sent: Outbox) -> str:
    """The calendar part of a message, unfolded."""
    message = email.message_from_bytes(bytes(sent.content), policy=policy.default)
    [found] = [one for one in message.walk() if one.get_content_type() == "text/calendar"]
    method = found.get_param("method")
    text = re.sub("\r?\n[ \t]", "", found.get_content().replace("\r\n", "\n"))
    assert f"METHOD:{method}" in text
    return text


def told(sent: list[Outbox]) -> list[tuple[str, list[str]]]:
    """The method of each message, and whom it is for."""
    return [(re.search(r"METHOD:(\w+)", part(one))[1], sorted(json.loads(one.recipients))) for one in sent]


BOTH = ["bob@lycee.example", "eve@elsewhere.example"]


# --- invitations -----------------------------------------------------------------------------------------------------


def test_saving_an_event_with_guests_invites_them_after_the_time_for_undo(alice):
    page = new(alice, note="Bring the minutes", location="Salle 12")
    assert "2 guests are told by email." in page.notices
    [sent] = waiting()
    assert (
        told([sent]) == [("REQUEST", BOTH)] and sent.due > now() + timedelta(seconds=3) and sent.sender == "alice@lycee.example"
    )
    text = part(sent)
    assert (
        "ORGANIZER" in text
        and "mailto:alice@lycee.example" in text
        and "COMMENT:Bring the minutes" in text
        and "RSVP=TRUE" in text
    )
    assert [(one["data-attendee"], one["data-answer"]) for one in page.all("[data-attendee]")] == [
        ("bob@lycee.example", "none"), ("eve@elsewhere.example", "none"),
    ]  # fmt: skip
    assert "2 have not replied" in page.one("[data-answers]").text
    assert "COMMENT" not in row().text and "ORGANIZER" in row().text
    assert {one.recipient for one in SentInvitation.select()} == set(BOTH)


def test_a_click_adds_a_video_link_that_guests_get_and_that_can_be_removed(tmp_path):
    with ground.application(tmp_path / "instance", video_link="https://visio.example/r/{room}#now") as app:
        alice = ground.person(app)
        form = {
            "title": "Conseil",
            "start": "2027-12-07",
            "start_hour": "17:00",
            "end": "2027-12-07",
            "end_hour": "19:00",
            "invite": GUESTS,
        }
        pages = [alice.submit(alice.get("/calendar/events/new"), FORM, **form, action="video") for _click in range(2)]
        links = {page.one("#event-video")["value"] for page in pages}
        assert len(links) == 2 and all(re.fullmatch(r"https://visio\.example/r/[a-z]{24}#now", one) for one in links)
        assert not CalendarObject.select().count() and not pages[1].all("[value=video]")
        assert pages[1].one("[name=title]")["value"] == "Conseil"
        link = pages[1].one("#event-video[autofocus]")["value"]
        page = alice.submit(pages[1], FORM, action="save")
        assert page.one(f"a[href='{link}']") and f"FEATURE=VIDEO:{link}" in row().text.replace("\r\n ", "")
        [sent] = waiting()
        body = email.message_from_bytes(bytes(sent.content), policy=policy.default).get_body(("plain",))
        assert link in body.get_content().splitlines() and f"FEATURE=VIDEO:{link}" in part(sent)
        assert not edit(alice, video="").all(f"a[href='{link}']") and "visio.example" not in row().text
        assert alice.get(url("/edit")).all("[value=video]")


def test_no_video_link_is_offered_where_none_is_set(alice):
    page = alice.get("/calendar/events/new")
    assert not page.all("[value=video]")
    page = alice.submit(page, FORM, title="Conseil", action="video")
    assert page.one("#event-video")["value"] == "" and not CalendarObject.select().count()


def test_nobody_is_told_without_guests_nor_where_it_is_said_or_over(alice):
    assert new(alice, invite="").status == 200
    assert "told by email" not in new(alice, quiet="1").notices and row().text.count("ATTENDEE") == 2
    new(alice, start="2020-12-07", end="2020-12-07")
    assert not waiting() and not SentInvitation.select().count()


def test_import_and_restore_tell_nobody(app, alice):
    new(alice)
    leave()
    text, uid, count = row().text, row().uid, Outbox.select().count()
    trash.put(calendar_of(), [("back.ics", "back", "Conseil", text.replace(uid, "back"))], alice.address, "Phone")
    assert restore.restore(User.get(User.address == alice.address), [], app.extensions["settings"]).back
    imported = BytesIO(text.replace(uid, "imported").encode())
    page = alice.submit(alice.get("/calendar/import"), "#import-events", file=(imported, "meeting.ics"))
    alice.submit(page, "#take-import", action="import")
    assert CalendarObject.select().count() == 3 and Outbox.select().count() == count


def test_a_second_click_sends_nothing(alice):
    page = alice.get("/calendar/events/new")
    times = {"start": "2027-12-07", "start_hour": "17:00", "end": "2027-12-07", "end_hour": "18:00"}
    for _click in range(2):
        alice.submit(page, FORM, title="Conseil", invite=GUESTS, **times, action="save")
    assert len(waiting()) == 1 and CalendarObject.select().count() == 1


def test_hidden_guests_get_a_message_each_that_names_nobody_else(alice):
    new(alice, hidden="1", optional="zoe@elsewhere.example")
    sent = waiting()
    assert told(sent) == [("REQUEST", [one]) for one in [*BOTH, "zoe@elsewhere.example"]]
    for one in sent:
        assert part(one).count("ATTENDEE") == 1 and part(one).count("elsewhere.example") <= 1 and one.filed
        assert bytes(one.content).partition(b"\r\n\r\n")[0].count(b"@elsewhere.example") <= 1
    assert "Guests don’t see each other" in alice.get(url()).text
    assert "checked" in alice.get(url("/edit")).one("input[name=hidden]").attrs


def test_nobody_is_invited_whom_the_organiser_may_not_write_to(alice, bob):
    policies.set_own(User.get(User.local == "alice"), Policy(writes_to="inside"))
    page = new(alice, title="Sortie", invite="bob", optional="carol@elsewhere.example")
    assert page.status == 422 and page.one("input[name=title]")["value"] == "Sortie" and not waiting()
    assert "Remove carol@elsewhere.example" in page.text
    assert alice.submit(page, FORM, optional="", action="save").status == 200
    assert told(waiting()) == [("REQUEST", ["bob@lycee.example"])]


def test_names_and_groups_are_invited_and_what_is_no_address_is_said(alice, bob):
    new(alice, invite="bob", optional="carol@elsewhere.example")
    assert told(waiting()) == [("REQUEST", ["bob@lycee.example", "carol@elsewhere.example"])]
    assert "ROLE=OPT-PARTICIPANT" in row().text.replace("\r\n ", "")
    page = new(alice, invite="not an address")
    assert page.status == 422 and "“not an address” is not an email address" in page.text
    fields = alice.get(url("/edit"))
    assert fields.one("input[name=invite]")["value"] == "bob@lycee.example"
    assert fields.one("input[name=optional]")["value"] == "carol@elsewhere.example"


# --- new versions ----------------------------------------------------------------------------------------------------


def test_another_time_is_a_new_version_and_unchanged_saving_says_nothing(alice):
    new(alice)
    leave()
    edit(alice)
    assert waiting() == []
    edit(alice, start_hour="18:00", end_hour="20:00", note="Later, sorry")
    assert told(waiting()) == [("REQUEST", BOTH)]
    text = part(waiting()[0])
    assert "SEQUENCE:1" in text and "T180000" in text and "COMMENT:Later" in text


def test_a_new_guest_alone_is_invited_and_a_removed_one_is_told(alice):
    new(alice)
    leave()
    edit(alice, invite="bob@lycee.example, zoe@elsewhere.example")
    assert sorted(told(waiting())) == [("CANCEL", ["eve@elsewhere.example"]), ("REQUEST", ["zoe@elsewhere.example"])]
    assert row().text.count("ATTENDEE") == 2


def test_one_of_a_series_tells_of_that_one(alice):
    new(alice, repeat="weekly", times="4")
    leave()
    at = "20271214T170000"
    edit(alice, at, start_hour="15:00", end_hour="16:00", scope="one")
    assert (
        told(waiting()) == [("REQUEST", BOTH)] and "RECURRENCE-ID" in part(waiting()[0]) and "COUNT=4" not in part(waiting()[0])
    )
    leave()
    edit(alice, at, invite="bob@lycee.example", scope="one")
    assert told(waiting()) == [("CANCEL", ["eve@elsewhere.example"])] and at in part(waiting()[0])
    leave()
    page = alice.get(url("/delete", "20271221T170000"))
    alice.submit(page, f"form[action='{url('/delete')}']", scope="one", note="Holidays")
    assert told(waiting()) == [("CANCEL", BOTH)] and "20271221T170000" in part(waiting()[0])


def test_this_and_the_following_become_a_meeting_of_their_own(alice):
    new(alice, repeat="weekly", times="4")
    leave()
    edit(alice, "20271221T170000", start_hour="15:00", end_hour="16:00", scope="following")
    found = told(waiting())
    assert [method for method, _people in found] == ["REQUEST", "REQUEST"] and all(people == BOTH for _method, people in found)


def test_dragging_tells_too(alice):
    new(alice)
    leave()
    page = alice.get(url())
    token = page.all("input[name=csrf_token]")[0]["value"]
    alice.post(url("/times"), {"csrf_token": token, "start": "2027-12-08T10:00"})
    assert told(waiting()) == [("REQUEST", BOTH)]


# --- cancelled, undone -----------------------------------------------------------------------------------------------


def test_deleting_cancels_with_a_note_or_silently(alice):
    new(alice)
    leave()
    page = alice.get(url("/delete"))
    assert "2 guests are told" in page.text
    action = f"form[action='{url('/delete')}']"
    alice.submit(page, action, note="The school is closed")
    assert told(waiting()) == [("CANCEL", BOTH)] and "COMMENT:The school is closed" in part(waiting()[0])
    leave()
    new(alice, title="Other")
    leave()
    alice.submit(alice.get(url("/delete")), f"form[action='{url('/delete')}']", quiet="1")
    assert waiting() == []


def test_what_has_not_left_is_taken_back_and_nothing_leaves(alice):
    page = new(alice)
    alice.submit(page, "#notices form", follow=True)
    assert waiting() == [] and not SentInvitation.select().count() and not CalendarObject.select().count()
    new(alice)
    alice.submit(alice.get(url("/delete")), f"form[action='{url('/delete')}']")
    assert waiting() == [] and len(waiting(OutboxState.CANCELLED)) == 2


def test_undo_of_what_has_left_tells_the_guests(alice):
    new(alice)
    leave()
    page = edit(alice, start_hour="18:00", end_hour="20:00")
    leave()
    alice.submit(page, "#notices form", follow=True)
    assert told(waiting()) == [("REQUEST", BOTH)] and "SEQUENCE:2" in part(waiting()[0]) and "T170000" in part(waiting()[0])
    leave()
    page = alice.submit(alice.get(url("/delete")), f"form[action='{url('/delete')}']")
    leave()
    alice.submit(page, "#notices form", follow=True)
    assert told(waiting()) == [("REQUEST", BOTH)] and "SEQUENCE:" in part(waiting()[0])
    cancelled = max(int(one) for one in re.findall(r"SEQUENCE:(\d+)", row().text))
    assert cancelled > 3


def test_undo_before_it_leaves_puts_back_what_stood_there(alice):
    new(alice)
    leave()
    before = row().text
    page = edit(alice, start_hour="18:00", end_hour="20:00")
    alice.submit(page, "#notices form", follow=True)
    assert waiting() == [] and row().text == before


def test_an_invitation_undone_in_the_outbox_can_be_sent_again(alice):
    new(alice)
    queue.undo(User.get(User.address == "alice@lycee.example"), waiting()[0].id)
    page = alice.get(url())
    alice.submit(page, f"form[action='{url('/remind')}']")
    assert told(waiting()) == [("REQUEST", BOTH)]


# --- whose meeting it is ---------------------------------------------------------------------------------------------


def test_in_a_colleague_s_calendar_they_organise_and_one_acts_for_them(alice, bob):
    calendar = calendar_of("bob")
    share(calendar, "alice", "write")
    new(alice, calendar=str(calendar.id), invite="eve@elsewhere.example")
    [sent] = waiting()
    text = part(sent)
    assert re.search(r"ORGANIZER[^\n]*SENT-BY=\"?mailto:alice@lycee.example[^\n]*mailto:bob@lycee.example", text)
    assert sent.sender == "alice@lycee.example" and sent.user.address == "alice@lycee.example"
    assert SentInvitation.get().user.address == "bob@lycee.example"


def test_who_is_invited_tells_nobody_and_has_no_guest_list_to_change(alice, bob):
    lines = [
        "UID:theirs",
        "DTSTART:20271207T170000Z",
        "DTEND:20271207T180000Z",
        "SUMMARY:Theirs",
        "ORGANIZER:mailto:eve@elsewhere.example",
    ]
    guests = ["ATTENDEE;PARTSTAT=ACCEPTED:mailto:alice@lycee.example", "ATTENDEE:mailto:bob@lycee.example"]
    put_text(calendar_of(), "theirs", "\r\n".join(["BEGIN:VEVENT", *lines, *guests, "END:VEVENT"]))
    page = alice.get(url("/edit"))
    assert not page.all("input[name=invite]")
    alice.submit(page, FORM, start_hour="20:00", end_hour="21:00", invite="zoe@elsewhere.example", action="save")
    assert waiting() == [] and "zoe" not in row().text
    assert not alice.get(url()).all("[data-answers]")
    assert bob.get(url()).status == 404 and bob.post(url("/remind"), {}).status in (400, 404)


# --- answers ---------------------------------------------------------------------------------------------------------


def answer(address: str, said: str) -> None:
    one = row()
    text = one.text.replace("\r\n ", "")
    line = next(line for line in text.split("\r\n") if line.startswith("ATTENDEE") and line.endswith(address))
    changed = text.replace(line, re.sub("PARTSTAT=[A-Z-]+", f"PARTSTAT={said}", line))
    CalendarObject.update(text=changed).where(CalendarObject.id == one.id).execute()


def test_answers_are_counted_and_only_the_silent_are_reminded_once_a_click(alice):
    new(alice, optional="zoe@elsewhere.example, yan@elsewhere.example")
    leave()
    for address, said in (
        ("bob@lycee.example", "ACCEPTED"),
        ("zoe@elsewhere.example", "DECLINED"),
        ("yan@elsewhere.example", "TENTATIVE"),
    ):
        answer(address, said)
    page = alice.get(url())
    answers = {one["data-attendee"]: one["data-answer"] for one in page.all("[data-attendee]")}
    assert answers == {
        "bob@lycee.example": "accepted", "eve@elsewhere.example": "none", "zoe@elsewhere.example": "declined",
        "yan@elsewhere.example": "tentative",
    }  # fmt: skip
    assert page.one("[data-answers]").text == "1 accepted, 1 may come, 1 declined, 1 has not replied"
    form = f"form[action='{url('/remind')}']"
    for _click in range(2):
        alice.submit(page, form)
    assert told(waiting()) == [("REQUEST", ["eve@elsewhere.example"])]
    alice.submit(alice.get(url()), form)
    assert len(waiting()) == 2


def reply(app: Flask, text: str, said: str) -> answering.Answering:
    """Bob answers the invitation, by its card."""
    bob, settings = User.get(User.address == "bob@lycee.example"), app.extensions["settings"]
    me = meeting_mail.addresses_of(bob, settings)
    found = invitations.read(text, editing.with_first(bob), me, MailSender("alice@lycee.example", True))
    invited = answering.invitation(found)
    assert invited is not None
    with app.test_request_context():
        return answering.answer(bob, found, invited, said, "", settings, None, ground.PARIS)


def answer_of_bob() -> str:
    alice_s = CalendarObject.select().where(CalendarObject.collection == calendar_of()).get()
    [said] = re.findall(r"ATTENDEE[^\n]*PARTSTAT=([A-Z-]+)[^\n]*bob@", alice_s.text.replace("\r\n ", ""))
    return str(said)


def test_a_colleague_s_answer_leaves_the_rooms_as_they_are(app, alice, bob):
    taken, asked = room("Salle 101"), room("Salle 102", approval=True)
    new(alice, room=[taken.address, asked.address])
    before = booked(taken), booked(asked)
    invitation = part(waiting()[0]).replace("\n", "\r\n")
    leave()
    for said in ("accepted", "declined"):
        assert reply(app, invitation, said).sent and answer_of_bob() == said.upper()
        assert (booked(taken), booked(asked)) == before and len(before[0]) == len(before[1]) == 1
    assert [one["data-booking"] for one in alice.get(url_of_alice()).all("[data-booking]")] == ["booked", "pending"]


def url_of_alice() -> str:
    one = CalendarObject.select().where(CalendarObject.collection == calendar_of()).get()
    return f"/calendar/events/{one.collection_id}/{one.href}"


def test_a_colleague_s_answers_stand_in_the_event_though_no_mail_is_opened(app, alice, bob):
    new(alice)
    text = part(waiting()[0]).replace("\n", "\r\n")
    leave()
    for said in ("accepted", "declined", "accepted"):
        assert reply(app, text, said).sent
        assert answer_of_bob() == said.upper()
    assert [one.user.address for one in waiting()] == ["bob@lycee.example"] * 3
    assert alice.get(url()).status in (200, 404)


def test_undo_of_an_answer_takes_it_back_at_the_organiser_too(app, alice, bob):
    new(alice)
    text = part(waiting()[0]).replace("\n", "\r\n")
    leave()
    done = reply(app, text, "accepted").done
    assert answer_of_bob() == "ACCEPTED"
    user = User.get(User.address == "bob@lycee.example")
    name = editing.offer_undo(user, done)
    posting = organising.Posting(app.extensions["settings"], lambda: None, lambda _message: None)
    assert organising.undo(user, name, posting)[0] and answer_of_bob() == "NEEDS-ACTION"


def test_nobody_answers_for_another_nor_to_an_event_of_somebody_else(app, alice, bob):
    new(alice, invite="eve@elsewhere.example")
    text = part(waiting()[0]).replace("\n", "\r\n")
    before = row().text
    forged = text.replace("eve@elsewhere.example", "bob@lycee.example")
    reply(app, forged, "accepted")
    assert CalendarObject.select().where(CalendarObject.collection == calendar_of()).get().text == before


# --- both sides of a long series -------------------------------------------------------------------------------------


def taking_place(texts: list[str]) -> list[tuple[int, int]]:
    """When events take place that are not cancelled."""
    found = []
    for text in texts:
        whole = occurrences.expand(calendar_object.read(text), 0, 2**33, ground.PARIS)
        found += [(one.start, one.end) for one in whole.takings if one.status != "CANCELLED"]
    return sorted(found)


class Guest:
    """Somebody elsewhere, who takes in every message that reaches them."""

    def __init__(self, address: str) -> None:
        self.address, self.me = address, people.keys([address])
        self.events: dict[str, str] = {}

    def take(self, sent: list[Outbox]) -> None:
        for one in sent:
            for said in incoming.read(part(one)) if self.address in json.loads(one.recipients) else ():
                outcome = receive(self.events.get(said.uid, ""), said, self.me)
                if outcome.text:
                    self.events[said.uid] = outcome.text


def test_each_side_is_right_at_each_step_of_a_long_series(alice):
    """Changed ones, others from the seventh on, one left out, one guest less, all cancelled."""
    addresses = [f"guest{number}@elsewhere.example" for number in range(GUEST_COUNT)]
    eve, last = Guest(addresses[0]), Guest(addresses[-1])

    def step() -> None:
        for one in (eve, last):
            one.take(waiting())
        leave()

    def organised() -> list[tuple[int, int]]:
        return taking_place([one.text for one in CalendarObject.select()])

    new(alice, invite=", ".join(addresses), repeat="weekly", times=str(DATES))
    first = row()
    step()
    assert len(organised()) == DATES and taking_place(list(eve.events.values())) == organised()
    for number in range(EXCEPTIONS):
        at = f"{date(2027, 12, 7) + timedelta(weeks=2 * number + 1):%Y%m%d}T170000"
        edit(alice, at, start_hour="15:00", end_hour="16:00", scope="one")
        step()
    assert taking_place(list(eve.events.values())) == organised() and len(organised()) == DATES
    seventh = f"{date(2027, 12, 7) + timedelta(weeks=6):%Y%m%d}T170000"
    edit(alice, seventh, end_hour="20:00", scope="following")
    step()
    assert CalendarObject.select().count() == 2 and taking_place(list(eve.events.values())) == organised()
    later = f"{date(2027, 12, 7) + timedelta(weeks=12):%Y%m%d}T170000"
    alice.submit(alice.get(url("/delete", later)), f"form[action='{url('/delete')}']", scope="one")
    step()
    assert taking_place(list(eve.events.values())) == organised() and len(organised()) == DATES - 1
    edit(alice, invite=", ".join(addresses[:-1]), scope="all")
    step()
    assert taking_place(list(eve.events.values())) == organised()
    assert taking_place(list(last.events.values())) == taking_place([CalendarObject.get_by_id(first.id).text])
    for _series in range(2):
        alice.submit(alice.get(url("/delete")), f"form[action='{url('/delete')}']")
        step()
    assert organised() == [] == taking_place(list(eve.events.values())) == taking_place(list(last.events.values()))


def test_who_is_invited_by_two_addresses_of_theirs_gets_one_message(alice, bob):
    AllowedAddress.create(user=User.get(User.local == "bob"), address="head@lycee.example")
    new(alice, invite="head@lycee.example, bob@lycee.example, eve@elsewhere.example")
    recipients = [json.loads(one.recipients) for one in waiting()]
    assert sorted(str(address) for each in recipients for address in each) == ["eve@elsewhere.example", "head@lycee.example"]
    assert "bob@lycee.example" in row().text, "the event has both"
