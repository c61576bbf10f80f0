"""What is to be done as one looks at it, makes, changes, completes and deletes it: lists, forms, undo, rights."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.support import calendar_ground as ground
from tests.support.calendar_ground import calendar_of, share
from tests.support.visits import Page, Visitor
from webmail.calendar import editing
from webmail.calendar.reminders import reminders
from webmail.models import CalendarObject, Collection, NextReminder, Todo, TrashedItem, User
from webmail.preferences import change

FORM = "form.form"
TODAY = date.today()


def day(ahead: int) -> str:
    return (TODAY + timedelta(days=ahead)).isoformat()


def put(text: str, calendar: Collection | None = None, uid: str = "one") -> CalendarObject:
    calendar = calendar or calendar_of()
    inside = "\r\n".join(["BEGIN:VTODO", f"UID:{uid}", "DTSTAMP:20260101T000000Z", *text.split("\n"), "END:VTODO"])
    ground.put_text(calendar, uid, inside)
    return CalendarObject.get(CalendarObject.uid == uid)


def add(alice: Visitor, title: str, **fields: object) -> Page:
    return alice.submit(alice.get("/todo/new"), FORM, title=title, **fields, follow=True)


def stored(title: str) -> CalendarObject:
    return Todo.get(Todo.title == title).object


def titles(page: Page) -> list[str]:
    return [one.get_text(strip=True) for one in page.all("[data-todo] a")]


def press(alice: Visitor, page: Page, title: str, kind: str = "done") -> Page:
    row = next(one for one in page.all("[data-todo]") if title in one.get_text())
    return alice.submit(page, "main form[action='/todo/done']", follow=True, **{kind: row.select_one("button")["value"]})


def undo(alice: Visitor, page: Page) -> Page:
    return alice.submit(page, "#notices form", follow=True)


def test_the_first_list_is_made_at_the_first_visit(alice):
    page = alice.get("/todo")
    assert "There is nothing to do." in page.text
    made = Collection.get(Collection.name == "tasks")
    assert made.components == "VTODO" and made.kind == "calendar" and "Tasks" in made.props
    alice.get("/todo")
    assert Collection.select().where(Collection.components == "VTODO").count() == 1


def test_what_is_overdue_comes_first_and_each_section_has_its_title(alice):
    for title, ahead in (("Later", 60), ("Late", -2), ("Now", 0)):
        add(alice, title, due=day(ahead))
    add(alice, "Some day")
    page = alice.get("/todo")
    assert titles(page) == ["Late", "Now", "Later", "Some day"]
    assert [one.get_text() for one in page.all("main h2")] == ["Overdue", "Today", "Later", "Without a date"]
    assert page.all("[data-todo]")[0]["data-uid"] == stored("Late").uid


def test_it_stores_what_the_form_says(alice):
    add(alice, "Essays", due="2026-12-11", due_hour="17:30", priority="1", percent="30", notes="Class 3B\nand 3C", reminder="60")
    text = stored("Essays").text
    for line in ("SUMMARY:Essays", "DUE;TZID=Europe/Paris:20261211T173000", "PRIORITY:1", "PERCENT-COMPLETE:30",
                 "DESCRIPTION:Class 3B\\nand 3C", "TRIGGER;RELATED=END:-PT1H", "STATUS:IN-PROCESS"):  # fmt: skip
        assert line in text.split("\r\n")


def test_done_is_undone(alice):
    add(alice, "Essays", due=day(1))
    before = stored("Essays").text
    page = press(alice, alice.get("/todo"), "Essays")
    assert "“Essays” is done." in page.notices
    assert "STATUS:COMPLETED" in stored("Essays").text and "Nothing" not in page.text
    assert page.one("details [data-todo]")["data-uid"] == stored("Essays").uid
    page = undo(alice, page)
    assert stored("Essays").text == before


def test_what_is_done_can_be_done_again(alice):
    add(alice, "Essays")
    page = press(alice, press(alice, alice.get("/todo"), "Essays"), "Essays", "again")
    assert "is to be done again" in page.notices
    assert "COMPLETED" not in stored("Essays").text


def test_of_a_series_the_next_date_comes_and_this_one_stays_as_done(alice):
    add(alice, "Water", due=day(0), repeat="weekly")
    before = stored("Water").text
    page = press(alice, alice.get("/todo"), "Water")
    assert "Next:" in page.notices
    rows = {row.done: row for row in Todo.select()}
    assert f"DUE;VALUE=DATE:{day(7).replace('-', '')}" in rows[0].object.text and "RRULE:" in rows[0].object.text
    assert f"DUE;VALUE=DATE:{day(0).replace('-', '')}" in rows[1].object.text and "RRULE:" not in rows[1].object.text
    undo(alice, page)
    assert [row.object.text for row in Todo.select()] == [before]


def test_a_second_click_does_not_complete_the_next_of_a_series(alice):
    add(alice, "Water", due=day(0), repeat="daily")
    page = alice.get("/todo")
    press(alice, page, "Water")
    again = press(alice, page, "Water")
    assert "had been done already" in again.notices
    assert Todo.select().count() == 2


def test_done_of_a_whole_asks_for_its_parts(alice):
    add(alice, "Trip")
    whole = stored("Trip")
    page = alice.get(f"/todo/items/{whole.collection_id}/{whole.href}")
    alice.submit(alice.get(page.link("Add a sub-task")), FORM, title="Tickets", follow=True)
    assert f"RELATED-TO:{whole.uid}" in stored("Tickets").text
    page = press(alice, alice.get("/todo"), "Trip")
    assert "1 sub-task of this is still open" in page.text and "Tickets" in page.text
    page = alice.submit(page, "form[action='/todo/done']", parts="all", follow=True)
    assert "“Trip” and 1 sub-task are done." in page.notices
    assert Todo.select().where(Todo.done == 1).count() == 2
    undo(alice, page)
    assert Todo.select().where(Todo.done == 1).count() == 0


def test_it_is_changed_line_by_line(alice):
    put("SUMMARY:Marks\nDUE;VALUE=DATE:20261211\nX-OTHER;A=b:kept as it is\nPRIORITY:3\nCATEGORIES:school")
    row = stored("Marks")
    page = alice.get(f"/todo/items/{row.collection_id}/{row.href}")
    alice.submit(page, FORM, title="Marks of 3B")
    lines, before = stored("Marks of 3B").text.split("\r\n"), row.text.split("\r\n")
    changed = {line.partition(":")[0] for line in [*lines, *before] if (line in lines) != (line in before)}
    assert changed == {"SUMMARY", "DTSTAMP", "LAST-MODIFIED"}


def test_deleted_ones_are_in_the_trash_and_come_back(alice):
    add(alice, "Essays")
    row = stored("Essays")
    page = alice.get(f"/todo/items/{row.collection_id}/{row.href}")
    page = alice.submit(page, "form[action$='/delete']", follow=True)
    assert "“Essays” was deleted." in page.notices
    assert [one.title for one in TrashedItem.select()] == ["Essays"]
    undo(alice, page)
    assert titles(alice.get("/todo")) == ["Essays"] and not TrashedItem.select().count()


def test_a_few_words_are_enough(alice):
    page = alice.submit(alice.get("/todo"), "form.todo-quick", words="mark the essays Friday !high", follow=True)
    assert "was added. Due:" in page.notices
    row = Todo.get()
    assert (row.title, row.priority, row.whole_day) == ("mark the essays", 1, 1)


def test_it_is_moved_to_another_list(alice):
    alice.submit(alice.get("/todo"), "form.todo-new-list", name="Class 3B", follow=True)
    other = Collection.get(Collection.props.contains("Class 3B"))
    assert other.components == "VTODO"
    add(alice, "Essays")
    row = stored("Essays")
    alice.submit(alice.get(f"/todo/items/{row.collection_id}/{row.href}"), FORM, list=other.id)
    assert titles(alice.get(f"/todo/lists/{other.id}")) == ["Essays"]
    assert stored("Essays").uid == row.uid


def test_what_is_shared_is_read_or_written_by_right(app, alice):
    bob = ground.person(app, "bob")
    add(alice, "Essays")
    row = stored("Essays")
    shared = Collection.get_by_id(row.collection_id)
    where = f"/todo/items/{row.collection_id}/{row.href}"
    assert bob.get(where).status == 404
    share(shared, "bob", "read")
    page = bob.get("/todo")
    assert titles(page) == ["Essays"] and not page.all("[data-todo] button")
    refused = bob.submit(bob.get("/todo"), "main form[action='/todo/done']", done=f"{row.collection_id}/x/{row.href}")
    assert refused.status == 403
    from webmail.models import CollectionShare

    CollectionShare.update(rights="write").execute()
    assert "is done" in press(bob, bob.get("/todo"), "Essays").notices
    assert User.select().count() == 2 and Todo.get().done == 1


def test_series_that_another_program_has_begun_are_due_at_the_first_open_date(alice):
    calendar = calendar_of()
    lines = [
        "BEGIN:VTODO", "UID:s", "DTSTAMP:20260101T000000Z", "SUMMARY:Water", "DTSTART;VALUE=DATE:20261201",
        "DUE;VALUE=DATE:20261201", "RRULE:FREQ=DAILY;COUNT=3", "END:VTODO",
        "BEGIN:VTODO", "UID:s", "DTSTAMP:20260101T000000Z", "SUMMARY:Water", "RECURRENCE-ID;VALUE=DATE:20261201",
        "STATUS:COMPLETED", "END:VTODO",
    ]  # fmt: skip
    ground.put_text(calendar, "s", "\r\n".join(lines))
    assert Todo.get().due == 1796169600  # 2 December


def test_two_thousand_are_shown_by_pages(alice):
    page = alice.get("/todo")
    number = Collection.get(Collection.name == "tasks").id
    for at in range(60):
        put(f"SUMMARY:Task {at:02}\nDUE;VALUE=DATE:20401211", Collection.get_by_id(number), uid=f"t{at}")
    page = alice.get("/todo")
    assert len(titles(page)) == 50
    assert titles(alice.get(page.one("a[rel=next]")["href"])) == [f"Task {at}" for at in range(50, 60)]


def test_a_reminder_stands_on_pages_until_it_is_done(app, alice):
    due = datetime.now(UTC) + timedelta(minutes=30)
    add(
        alice,
        "Call",
        due=f"{due.astimezone(ground.PARIS):%Y-%m-%d}",
        due_hour=f"{due.astimezone(ground.PARIS):%H:%M}",
        reminder="60",
    )
    add(alice, "Later", due=day(20), reminder="60")
    NextReminder.update(upto=0, due=0).where(NextReminder.object == stored("Call").id).execute()
    with app.app_context():
        reminders.sweep(app.extensions["settings"], lambda _user, _due: None)
    page = alice.get("/calendar/reminders")
    words = page.one("main").get_text()
    assert "Call" in words and "Later" not in words
    assert page.link("Call") == f"/todo/items/{stored('Call').collection_id}/{stored('Call').href}"
    press(alice, alice.get("/todo"), "Call")
    assert "Call" not in alice.get("/calendar/reminders").one("main").get_text()


def test_the_calendar_shows_what_is_due_to_who_wishes(alice):
    add(alice, "Essays", due="2026-12-11", due_hour="23:30")
    add(alice, "Trip", due="2026-12-12")
    number = stored("Trip").collection_id
    views = ("day/2026-12-11", "week/2026-12-11", "month/2026-12")
    box = f".cal-list [value='{number}']"
    for view in views:
        page = alice.get(f"/calendar/{view}")
        assert not page.all("main [data-todo]") and not page.all(box)
    change(User.get(), todos_shown=True)
    assert [titles(alice.get(f"/calendar/{view}")) for view in views] == [["Essays"], *[["☐ Essays", "☐ Trip"]] * 2]
    assert not alice.get("/calendar/month/2026-12").all("main form[action='/todo/done']") and page.status == 200
    page = press(alice, alice.get("/calendar/day/2026-12-11"), "Essays")
    assert "“Essays” is done." in page.notices and page.address == "/calendar/day/2026-12-11" and not titles(page)
    assert titles(alice.get("/calendar/month/2026-12")) == ["☐ Trip"]
    page = alice.get("/calendar/month/2026-12")
    assert page.all(box)
    change(User.get(), hidden_calendars=(str(number),))
    assert not titles(alice.get("/calendar/month/2026-12"))


def test_many_that_are_due_on_a_day_are_counted(alice):
    change(User.get(), todos_shown=True)
    for at in range(5):
        put(f"SUMMARY:Task {at}\nDUE;VALUE=DATE:20401211", uid=f"t{at}")
    page = alice.get("/calendar/month/2040-12")
    assert len(titles(page)) == 3 and page.one("main .more a").get_text(" ", strip=True) == "2 more tasks"
    assert len(titles(alice.get("/calendar/day/2040-12-11"))) == 5


def test_a_day_of_the_calendar_offers_a_new_one(alice):
    page = alice.get(alice.get("/calendar/day/2026-12-11").link("New task"))
    assert page.one("#todo-due")["value"] == "2026-12-11"


@pytest.mark.parametrize(
    "text",
    [
        "DUE;TZID=America/New_York:99991231T235959",
        "DTSTART:99991231T230000Z\nDURATION:P9999999W",
        "DTSTART:19000101T000000Z\nDUE:99991231T235959Z\nRRULE:FREQ=YEARLY",
        "COMPLETED;TZID=America/New_York:99991231T235959",
    ],
)
def test_times_at_the_end_of_all_calendars_keep_no_list_from_opening(alice, text):
    row = put(f"SUMMARY:Last\n{text}")
    for done in ("", "?done=1"):
        page = alice.get(f"/todo{done}")
        assert page.status == 200 and alice.get(f"/todo/items/{row.collection_id}/{row.href}").status == 200
        if "Last" in titles(page) and not done:
            assert press(alice, page, "Last").status == 200


@pytest.mark.parametrize("due", ["²", "--5", "9" * 19])
def test_a_time_that_is_no_number_is_none(alice, due):
    row = put("SUMMARY:Daily\nDTSTART:20260101T080000Z\nDUE:20260101T080000Z\nRRULE:FREQ=DAILY")
    page = alice.get("/todo")
    ref = f"{row.collection_id}/{due}/{row.href}"
    assert alice.submit(page, "main form[action='/todo/done']", done=ref, follow=True).status == 200


def test_a_row_names_its_list_only_where_there_are_several(alice):
    alice.submit(alice.get("/todo"), "form.todo-quick", words="Acheter du papier", follow=True)
    assert "Tasks" not in alice.get("/todo").one("[data-todo]").text
    put("SUMMARY:Ailleurs")
    assert all("Tasks" in one.text or "Ailleurs" in one.text for one in alice.get("/todo").all("[data-todo]"))
    assert "Tasks" in alice.get("/todo").all("[data-todo]")[-1].text + alice.get("/todo").all("[data-todo]")[0].text


def test_a_whole_with_many_parts_is_done_with_few_queries(alice, monkeypatch):
    put("SUMMARY:Tout", uid="whole")
    for number in range(20):
        put(f"SUMMARY:Partie {number}\nRELATED-TO:{'whole' if number < 10 else f'p{number - 10}'}", uid=f"p{number}")
    page = press(alice, alice.get("/todo"), "Tout")
    assert len(page.all("ul.marked li")) == 20
    loaded, load = [], editing.load
    monkeypatch.setattr(editing, "load", lambda *args: loaded.append(args) or load(*args))
    alice.submit(page, "main form", parts="all")
    assert Todo.select().where(Todo.done == 0).count() == 0 and len(loaded) == 1, "not each by itself"
