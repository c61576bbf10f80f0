"""The rows of what is to be done follow the objects: those of before are found by the worker, pages of messages ask for theirs."""

from __future__ import annotations

import json

from tests.support import calendar_ground as ground
from webmail.calendar import page_parts
from webmail.calendar.todos import todo_rows
from webmail.models import CalendarObject, IndexFill, NextReminder, Todo


def put(uid: str, *lines: str) -> None:
    inside = ["BEGIN:VTODO", f"UID:{uid}", "DTSTAMP:20260101T000000Z", *lines, "END:VTODO"]
    ground.put_text(ground.calendar_of(), uid, "\r\n".join(inside))


def test_what_was_there_before_the_index_is_found_piece_by_piece(app, alice, monkeypatch):
    alarm = ("BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER;RELATED=END:-PT1H", "DESCRIPTION:x", "END:VALARM")
    for number in range(5):
        put(f"t{number}", f"SUMMARY:Task {number}", "DUE:20401211T100000Z", *alarm)
    ground.put(ground.calendar_of(), "Event", ":20261208T090000Z")
    before = sorted(Todo.select(Todo.object, Todo.title, Todo.due, Todo.priority, Todo.position).tuples())
    reminders = NextReminder.select().count()
    assert len(before) == reminders == 5
    Todo.delete().execute()
    NextReminder.delete().execute()
    last = CalendarObject.select().order_by(CalendarObject.id.desc()).get().id
    IndexFill.create(name="todos", upto=0, until=last)
    put("later", "SUMMARY:Written meanwhile")
    monkeypatch.setattr(todo_rows, "_PIECE", 2)
    assert todo_rows.fill(ground.PARIS, pieces=1) == 2 and Todo.select().count() == 3
    assert todo_rows.fill(ground.PARIS) == 3 and not IndexFill.select().count()
    found = Todo.select(Todo.object, Todo.title, Todo.due, Todo.priority, Todo.position).where(Todo.object <= last)
    assert sorted(found.tuples()) == before and NextReminder.select().count() == reminders
    assert todo_rows.fill(ground.PARIS) == 0


def test_pages_of_messages_have_the_open_ones_with_the_session(app):
    """At the second visit too, when they come with the session's row."""
    app.add_url_rule("/of", "of", lambda: json.dumps([list(one) for one in page_parts.message_todos("<1@lycee.example>")]))
    alice = ground.person(app)
    put("open", r'SUMMARY:L’été "ici" \\ 📌', "URL:mid:1@lycee.example")
    put("done", "SUMMARY:Done", "STATUS:COMPLETED", "URL:mid:1@lycee.example")
    put("other", "SUMMARY:Other", "URL:mid:2@lycee.example")
    expected = [[ground.calendar_of().id, "open.ics", 'L’été "ici" \\ 📌']]
    for _visit in range(3):
        assert json.loads(alice.get("/of").text) == expected
