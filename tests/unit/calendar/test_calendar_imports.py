"""Calendar files in and out: a look before, what is kept, what is not understood, undo, large ones by a worker; exports."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.calendar_ground import calendar_of, put, share
from tests.support.visits import Page, Visitor
from webmail.calendar.editing import Write
from webmail.calendar.files import import_task, importing
from webmail.collections import quota
from webmail.errors import LimitReachedError
from webmail.models import CalendarObject, Occurrence, Task, TaskState, User
from webmail.tasks import undo_steps
from webmail.tasks.kinds import TaskFailedError, TaskRun

FORM, TAKE = "#import-events", "#take-import"


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance") as made:
        yield made


@pytest.fixture
def alice(app: Flask) -> Visitor:
    return ground.person(app)


def event(uid: str, title: str = "Cours", *more: str) -> str:
    lines = [
        "BEGIN:VEVENT",
        *([f"UID:{uid}"] if uid else []),
        "DTSTAMP:20260101T000000Z",
        "DTSTART;TZID=Romance Standard Time:20261201T080000",
    ]
    return "".join(f"{line}\r\n" for line in [*lines, f"SUMMARY:{title}", *more, "END:VEVENT"])


def ics(*events: str, head: str = "X-WR-CALNAME:Vie scolaire\r\n") -> bytes:
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n{head}{''.join(events)}END:VCALENDAR\r\n".encode()


def choose(visitor: Visitor, content: bytes, **fields: Any) -> Page:
    return visitor.submit(visitor.get("/calendar/import"), FORM, file=(io.BytesIO(content), "export.ics"), **fields)


def rows() -> list[CalendarObject]:
    return list(CalendarObject.select().order_by(CalendarObject.id))


def will(page: Page) -> str:
    return " ".join(page.one("[data-will]").get_text(" ").split())


def test_nothing_is_saved_before_one_says_so(alice: Visitor) -> None:
    page = choose(alice, ics(event("a"), event("b", "Piscine")))
    assert will(page) == "2 new events"
    assert "Piscine" in page.text
    assert not rows()
    after = alice.submit(page, TAKE, action="import")
    assert "2 events imported." in after.notices
    assert sorted(one.summary for one in Occurrence.select()) == ["Cours", "Piscine"]
    assert rows()[0].text.count("DTSTART;TZID=Romance Standard Time:20261201T080000\r\n") == 1
    assert Occurrence.get().start == 1796108400  # eight in Paris


def test_cancelling_forgets_the_file(alice: Visitor) -> None:
    page = choose(alice, ics(event("a")))
    alice.submit(page, TAKE, action="cancel")
    assert "no longer here" in alice.get(page.address).notices
    assert not rows()


def test_what_is_there_stays_unless_it_is_to_be_replaced(alice: Visitor) -> None:
    first = ics(event("a"), event("b", "Piscine"))
    alice.submit(choose(alice, first), TAKE, action="import")
    again = choose(alice, first)
    assert will(again) == "2 events that you already have"
    assert "You already have all of it." in again.text
    page = choose(alice, ics(event("a", "Cours déplacé"), event("b", "Piscine"), event("c")))
    assert will(page) == "1 new event 1 event that you have in another version 1 event that you already have"
    alice.submit(page, TAKE, action="import")
    assert sorted(one.summary for one in Occurrence.select()) == ["Cours", "Cours", "Piscine"]
    page = choose(alice, ics(event("a", "Cours déplacé")))
    after = alice.submit(page, TAKE, action="import", replace="1")
    assert sorted(one.summary for one in Occurrence.select()) == ["Cours", "Cours déplacé", "Piscine"]
    alice.submit(after, "form[action='/calendar/import/undo']")
    assert sorted(one.summary for one in Occurrence.select()) == ["Cours", "Cours", "Piscine"]


def test_an_import_can_be_undone_but_not_what_was_changed_since(alice: Visitor) -> None:
    after = alice.submit(choose(alice, ics(event("a"), event("b"))), TAKE, action="import")
    changed = rows()[0]
    user = User.get(User.address == alice.address)
    text = changed.text.replace("Cours", "À moi")
    importing.write_piece(
        user, [Write(changed.collection_id, changed.href, text, changed.etag)], alice.client.application.extensions["settings"]
    )
    alice.submit(after, "form[action='/calendar/import/undo']")
    assert [one.summary for one in Occurrence.select()] == ["À moi"]


def test_what_is_not_understood_is_told_with_its_line(alice: Visitor) -> None:
    broken = ics(
        event("once", "Bombe", "RRULE:FREQ=SECONDLY"), "BEGIN:VFREEBUSY\r\nEND:VFREEBUSY\r\n", event("bad", "Sans date").replace("DTSTART", "X-NO"),
        event("twin", "Un"), event("twin", "Deux").replace("20261201T", "20261202T"), event("", "Sans nom"),
        "BEGIN:VTODO\r\nUID:todo\r\nSUMMARY:Corriger\r\nEND:VTODO\r\n", "BEGIN:VJOURNAL\r\nUID:note\r\nSUMMARY:Note\r\nEND:VJOURNAL\r\n",
    )  # fmt: skip
    page = choose(alice, broken)
    told = " ".join(page.one("[data-remarks]").get_text(" ").split())
    assert "line 5 Bombe : repeats by a rule" in told
    assert "line 12 VFREEBUSY : not an event" in told
    assert "line 14 Sans date : its date or time" in told
    assert "Deux : has the same identifier" in told
    assert will(page) == "6 new events"
    alice.submit(page, TAKE, action="import")
    assert sorted(row.component for row in rows()) == ["VEVENT"] * 4 + ["VJOURNAL", "VTODO"]
    assert "RRULE:FREQ=SECONDLY" in CalendarObject.get(CalendarObject.uid == "once").text
    assert will(choose(alice, broken)) == "6 events that you already have"  # also those without an identifier


def test_several_calendars_bare_events_and_answers(alice: Visitor) -> None:
    answer = ics(event("no"), head="METHOD:REPLY\r\n")
    page = choose(alice, ics(event("a"), head="METHOD:PUBLISH\r\n") + ics(event("b")) + answer + event("c").encode())
    assert will(page) == "3 new events"
    assert "an answer or a cancellation" in page.text
    alice.submit(page, TAKE, action="import")
    assert "METHOD" not in rows()[0].text


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "Choose a file first."), (b"\x89PNG", "No events found"), (b"BEGIN:VCARD\r\nEND:VCARD\r\n", "No events found")],
)
def test_what_is_no_calendar_is_refused(alice: Visitor, content: bytes, words: str) -> None:
    assert words in choose(alice, content).text
    assert not rows()


def test_into_which_calendar(app: Flask, alice: Visitor) -> None:
    ground.person(app, "bob")
    theirs, read = calendar_of("bob"), calendar_of("bob", "read")
    share(theirs, "alice", "write")
    share(read, "alice", "read")
    page = choose(alice, ics(event("a")), calendar=str(theirs.id))
    alice.submit(page, TAKE, action="import")
    assert [row.collection_id for row in rows()] == [theirs.id]
    assert choose(alice, ics(event("b")), calendar=str(read.id)).status == 404
    assert choose(alice, ics(event("b")), calendar="999999").status == 404


def test_somebody_elses_file_is_not_there(app: Flask, alice: Visitor) -> None:
    page = choose(alice, ics(event("a")))
    bob = ground.person(app, "bob")
    assert "no longer here" in bob.get(page.address.partition("?")[0]).notices


# --- large ones ------------------------------------------------------------------------------------------------------


def turn(app: Flask, kind: Any) -> dict[str, Any]:
    task = Task.get((Task.kind == kind.name) & (Task.state != TaskState.DONE))
    Task.update(state=TaskState.RUNNING, turn=Task.turn + 1).where(Task.id == task.id).execute()
    result = kind.work(TaskRun(Task.get_by_id(task.id), app.extensions["settings"]))
    Task.update(state=TaskState.DONE, result=json.dumps(result)).where(Task.id == task.id).execute()
    return result


def test_a_large_file_is_read_and_imported_by_a_worker_that_may_be_killed(app: Flask, alice: Visitor, monkeypatch) -> None:
    monkeypatch.setattr(importing, "SMALL_FILE", 1000)
    content = ics(*(event(f"e{number}", f"Cours {number}") for number in range(70)))
    page = choose(alice, content)
    assert "being read" in page.text
    turn(app, import_task.CHECK_KIND)
    page = alice.get(page.address)
    assert will(page) == "70 new events"
    alice.submit(page, TAKE, action="import")
    real, calls = importing.write_piece, []

    def dies(*arguments: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(importing, "write_piece", dies)
    with pytest.raises(KeyboardInterrupt):
        turn(app, import_task.KIND)
    assert len(rows()) == 40
    monkeypatch.setattr(importing, "write_piece", real)
    assert turn(app, import_task.KIND)["written"] == 70
    assert len(rows()) == 70


def test_another_large_file_from_the_same_page_is_another_import(
    app: Flask, alice: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who goes back and chooses another file is not shown what the first one holds."""
    monkeypatch.setattr(importing, "SMALL_FILE", 10)
    form = alice.get("/calendar/import")
    for title in ("Algebra", "Biology"):
        page = alice.submit(form, FORM, file=(io.BytesIO(ics(event("a@x", title))), "export.ics"))
        assert "is still being read" in page.text
        turn(app, import_task.CHECK_KIND)
        assert title in alice.get(page.address).text


def begun(app: Flask, alice: Visitor, monkeypatch: pytest.MonkeyPatch, count: int = 70) -> None:
    """An import that a worker has still to do."""
    monkeypatch.setattr(importing, "SMALL_FILE", 1000)
    page = choose(alice, ics(*(event(f"e{number}", f"Cours {number}") for number in range(count))))
    turn(app, import_task.CHECK_KIND)
    alice.submit(alice.get(page.address), TAKE, action="import")


def dying_at(monkeypatch: pytest.MonkeyPatch, number: int, error: BaseException) -> None:
    """The worker writes so many pieces less one."""
    real, calls = importing.write_piece, []

    def write(*arguments: Any) -> Any:
        calls.append(1)
        if len(calls) == number:
            raise error
        return real(*arguments)

    monkeypatch.setattr(importing, "write_piece", write)


def undo(app: Flask, alice: Visitor) -> Page:
    Task.update(state=TaskState.DONE).where(Task.kind == import_task.NAME, Task.state == TaskState.RUNNING).execute()
    return alice.submit(alice.get("/tasks"), "form[action='/calendar/import/undo']")


def test_an_import_that_began_again_after_a_kill_is_undone_whole(app: Flask, alice: Visitor, monkeypatch) -> None:
    begun(app, alice, monkeypatch)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        dying_at(patch, 3, KeyboardInterrupt())
        turn(app, import_task.KIND)
    turn(app, import_task.KIND)
    assert len(rows()) == 70
    page = undo(app, alice)
    assert "Import undone: 70 events." in page.notices and rows() == []
    assert "Undone." in page.text and not page.all("form[action='/calendar/import/undo']")


@pytest.mark.parametrize("state", [TaskState.CANCELLED, TaskState.FAILED])
def test_an_import_that_was_stopped_or_ran_out_of_room_is_undone(app: Flask, alice: Visitor, monkeypatch, state) -> None:
    other = put(calendar_of(), "Autre", ":20261201T080000Z")
    begun(app, alice, monkeypatch)
    with monkeypatch.context() as patch, pytest.raises(TaskFailedError):
        dying_at(patch, 3, LimitReachedError("full"))
        turn(app, import_task.KIND)
    Task.update(state=state, error="too-many").where(Task.kind == import_task.NAME).execute()
    assert len(rows()) == 41
    assert "Import undone: 40 events." in undo(app, alice).notices
    assert [row.uid for row in rows()] == [other]


def test_room_is_checked_before_anything_is_imported(app: Flask, alice: Visitor, monkeypatch) -> None:
    monkeypatch.setattr(quota, "check_room", lambda calendar, count, size, _settings: _full(count))
    begun(app, alice, monkeypatch)
    with pytest.raises(TaskFailedError) as failed:
        turn(app, import_task.KIND)
    assert failed.value.reason == "no-room" and rows() == []
    page = choose(alice, ics(event("e1"), event("e2")))
    assert "Nothing was imported." in alice.submit(page, TAKE, action="import").notices and rows() == []


def _full(count: int) -> None:
    if count > 1:
        raise LimitReachedError("full")


def test_a_small_import_that_breaks_off_can_be_undone(alice: Visitor, monkeypatch) -> None:
    page = choose(alice, ics(*(event(f"e{number}") for number in range(30))))
    dying_at(monkeypatch, 2, LimitReachedError("full"))
    page = alice.submit(page, TAKE, action="import")
    assert "What was already imported stays." in page.notices and len(rows()) == 20
    alice.submit(page, "#notices form[action='/calendar/import/undo']")
    assert rows() == []


def test_undo_of_a_large_import_is_a_task(app: Flask, alice: Visitor, monkeypatch) -> None:
    monkeypatch.setattr(undo_steps, "AT_ONCE", 20)
    begun(app, alice, monkeypatch)
    turn(app, import_task.KIND)
    Task.update(state=TaskState.DONE).where(Task.kind == import_task.NAME).execute()
    for _twice in range(2):
        assert "Undoing an import of events." in undo(app, alice).notices
    assert Task.select().where(Task.kind == import_task.UNDO).count() == 1
    assert turn(app, import_task.UNDO_KIND) == {"count": 70}
    page = alice.get("/tasks")
    assert rows() == [] and "Undone." in page.text and not page.all("form[action='/calendar/import/undo']")


def test_a_file_of_many_rules_is_left_to_a_worker(app: Flask, alice: Visitor) -> None:
    zone = "BEGIN:VTIMEZONE\r\nTZID:Old\r\n" + (
        "BEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0100\r\n"
        "RRULE:FREQ=YEARLY;UNTIL=19800101T000000Z\r\nEND:STANDARD\r\n"
    ) * 30 + "END:VTIMEZONE\r\n"  # fmt: skip
    several = [event(f"e{number}", "Cours", "RRULE:FREQ=DAILY;COUNT=3") for number in range(importing.FEW_RULES)]
    assert will(choose(alice, ics(zone, *several))) == f"{importing.FEW_RULES} new events"
    page = choose(alice, ics(zone, *several, event("more", "Cours", "RRU\r\n LE:FREQ=DAILY;COUNT=3")))
    assert "being read" in page.text
    turn(app, import_task.CHECK_KIND)
    alice.submit(alice.get(page.address), TAKE, action="import")
    assert not rows()
    assert turn(app, import_task.KIND)["written"] == importing.FEW_RULES + 1


# --- out -------------------------------------------------------------------------------------------------------------


def test_what_comes_in_goes_out_as_it_was(alice: Visitor) -> None:
    parts = [
        event("a", "Long " * 30, "X-FOO;BAR=\"a:b\":c", "DESCRIPTION:pli", " é suite"), event("b", "Piscine", "BEGIN:VALARM", "TRIGGER:-PT5M", "END:VALARM"),
        "BEGIN:VTODO\r\nUID:todo\r\nSUMMARY:Corriger\r\nEND:VTODO\r\n",
    ]  # fmt: skip
    alice.submit(choose(alice, ics(*parts)), TAKE, action="import")
    number = calendar_of().id
    saved = alice.get(f"/calendar/export/{number}").response.get_data()
    assert all(part.encode() in saved for part in parts)
    assert saved.count(b"BEGIN:VCALENDAR") == 1
    packed = alice.get("/calendar/export").response.get_data()
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.namelist() == ["Agenda.ics"]
        assert parts[0].encode() in archive.read("Agenda.ics")
    row = CalendarObject.get(CalendarObject.uid == "a")
    one = alice.get(f"/calendar/export/{number}/{row.href}").response
    assert one.get_data(as_text=True) == row.text


def test_a_file_says_where_times_are_meant_if_all_agree(alice: Visitor) -> None:
    url = f"/calendar/export/{calendar_of().id}"
    for uid, zone, said in (("a", "Europe/Paris", True), ("b", "Europe/Paris", True), ("c", "America/New_York", False)):
        content = ics(event(uid).replace(";TZID=Romance Standard Time", ""), head=f"X-WR-TIMEZONE:{zone}\r\n")
        alice.submit(choose(alice, content), TAKE, action="import")
        assert (b"X-WR-TIMEZONE:Europe/Paris\r\n" in alice.get(url).response.get_data()) == said


def test_nobody_else_gets_it(app: Flask, alice: Visitor) -> None:
    href = put(calendar_of(), "Privé", ":20261201T080000Z")
    bob = ground.person(app, "bob")
    number = calendar_of().id
    assert bob.get(f"/calendar/export/{number}").status == 404
    share(calendar_of(), "bob", "busy")
    assert bob.get(f"/calendar/export/{number}").status == 404
    assert bob.get(f"/calendar/export/{number}/{href}").status == 404
    with zipfile.ZipFile(io.BytesIO(bob.get("/calendar/export").response.get_data())) as archive:
        assert not any("Privé".encode() in archive.read(name) for name in archive.namelist())


EXPORTS = {  # made from what these programs' documentation and files show
    "google": ("PRODID:-//Google Inc//Google Calendar 70.9054//EN", "CALSCALE:GREGORIAN", "METHOD:PUBLISH", "X-WR-CALNAME:Élèves", "X-WR-TIMEZONE:Europe/Paris",
               "BEGIN:VEVENT", "DTSTART;TZID=Europe/Paris:20261201T080000", "DTEND;TZID=Europe/Paris:20261201T090000", "DTSTAMP:20261101T000000Z",
               "UID:x@google.com", "SEQUENCE:0", "STATUS:CONFIRMED", "SUMMARY:Conseil", "TRANSP:OPAQUE", "END:VEVENT"),
    "outlook": ("PRODID:-//Microsoft Corporation//Outlook 16.0 MIMEDIR//EN", "METHOD:PUBLISH", "X-MS-OLK-FORCEINSPECTOROPEN:TRUE", "BEGIN:VTIMEZONE",
                "TZID:(UTC+01:00) Brussels\\, Copenhagen\\, Madrid\\, Paris", "BEGIN:STANDARD", "DTSTART:16011028T030000", "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10",
                "TZOFFSETFROM:+0200", "TZOFFSETTO:+0100", "END:STANDARD", "BEGIN:DAYLIGHT", "DTSTART:16010325T020000", "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3",
                "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200", "END:DAYLIGHT", "END:VTIMEZONE", "BEGIN:VEVENT", "CLASS:PUBLIC",
                'DTSTART;TZID="Romance Standard Time":20261201T080000', 'DTEND;TZID="Romance Standard Time":20261201T090000', "SUMMARY;LANGUAGE=fr:Conseil",
                "UID:040000008200E00074C5B7101A82E00800000000", "X-MICROSOFT-CDO-BUSYSTATUS:BUSY", "END:VEVENT"),
    "zimbra": ("PRODID:Zimbra-Calendar-Provider", "X-WR-CALNAME:Calendar", "X-WR-CALID:a-b:10", "BEGIN:VTIMEZONE", "TZID:Europe/Brussels", "BEGIN:STANDARD",
               "DTSTART:16010101T030000", "TZOFFSETTO:+0100", "TZOFFSETFROM:+0200", "RRULE:FREQ=YEARLY;WKST=MO;INTERVAL=1;BYMONTH=10;BYDAY=-1SU", "TZNAME:CET",
               "END:STANDARD", "BEGIN:DAYLIGHT", "DTSTART:16010101T020000", "TZOFFSETTO:+0200", "TZOFFSETFROM:+0100",
               "RRULE:FREQ=YEARLY;WKST=MO;INTERVAL=1;BYMONTH=3;BYDAY=-1SU", "TZNAME:CEST", "END:DAYLIGHT", "END:VTIMEZONE", "BEGIN:VEVENT", "UID:zimbra-1",
               "SUMMARY:Conseil", 'DTSTART;TZID="Europe/Brussels":20261201T080000', 'DTEND;TZID="Europe/Brussels":20261201T090000', "X-ZIMBRA-LOCAL-ID:300", "END:VEVENT"),
    "convergence": ("PRODID:-//Sun/Calendar Server//EN", "METHOD:PUBLISH", "X-NSCP-CALPROPS-NAME:Élèves", "BEGIN:VEVENT", "UID:nscp-1", "DTSTAMP:20261101T000000Z",
                    "SUMMARY:Conseil", "DTSTART:20261201T070000Z", "DTEND:20261201T080000Z", "X-NSCP-ORIGINAL-DTSTART:20261201T070000Z", "CLASS:PUBLIC", "END:VEVENT"),
}  # fmt: skip


@pytest.mark.parametrize("program", EXPORTS)
def test_exports_of_other_programs_load(alice: Visitor, program: str) -> None:
    content = "".join(f"{line}\r\n" for line in ("BEGIN:VCALENDAR", "VERSION:2.0", *EXPORTS[program], "END:VCALENDAR")).encode()
    page = choose(alice, content)
    assert will(page) == "1 new event"
    assert not page.all("[data-remarks]")
    alice.submit(page, TAKE, action="import")
    [one] = Occurrence.select()
    assert (one.summary, one.start, one.end - one.start) == ("Conseil", 1796108400, 3600)


def test_what_devices_are_refused_is_repaired_and_told_in_a_line_each(alice: Visitor) -> None:
    file = ics(
        event("", "Sans"), event("a", "Clo\x07che", "DESCRIPTION:un\x1b deux\x00"), event("", "So\x02us"), event("b", "Bien")
    )
    page = choose(alice, file)
    assert [" ".join(one.get_text().split()) for one in page.all("[data-repairs] li")] == [
        "2 events had characters that can’t be stored. They were left out.",
        "2 events had no identifier and got one.",
    ]
    alice.submit(page, TAKE, action="import")
    found = {one.uid: one.text for one in rows()}
    assert len(found) == 4 and "SUMMARY:Cloche" in found["a"] and "DESCRIPTION:un deux\r\n" in found["a"]
    assert all(f"UID:{uid}\r\n" in text and not any(one in text for one in "\x00\x02\x07\x1b") for uid, text in found.items())
    again = choose(alice, file)
    assert "4 events that you already have" in again.text
    assert not choose(alice, ics(event("b", "Bien"))).all("[data-repairs]")
