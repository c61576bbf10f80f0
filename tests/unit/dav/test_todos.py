"""Tasks of programs by /dav/: stored byte for byte, in lists that take nothing else, and changed on either side."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.unit.dav.conftest import Phone, event
from tests.unit.todo.test_todo_samples import ALL, crlf
from webmail.collections import store
from webmail.models import Todo, User

CORPORA = Path(os.environ.get("TRABOULE_CORPORA", Path(__file__).resolve().parents[4] / "shared" / "corpora"))


def test_a_device_sees_the_first_list_and_what_it_stores_comes_back_as_it_was(phone: Phone) -> None:
    made = store.default_list(User.get())
    for name, text in ALL.items():
        assert phone.put(f"{made.name}/{name}.ics", crlf(text)).status_code == 201, name
        assert phone.ask("GET", f"{made.name}/{name}.ics").text == crlf(text)
    assert Todo.select().where(Todo.collection == made.id, Todo.done == 0).count() == len(ALL)
    done = crlf(ALL["evolution"]).replace("STATUS:NEEDS-ACTION", "STATUS:COMPLETED\r\nCOMPLETED:20261202T100000Z")
    assert phone.put(f"{made.name}/evolution.ics", done).status_code == 204
    assert [row.title for row in Todo.select().where(Todo.done == 1)] == ["Commander des manuels"]
    assert phone.ask("DELETE", f"{made.name}/evolution.ics").status_code in (200, 204)
    assert not Todo.select().where(Todo.done == 1).count()


def test_who_has_made_a_list_of_tasks_first_has_a_calendar_on_devices_too(phone: Phone) -> None:
    store.default_list(User.get())
    assert phone.put("calendar/u1.ics", event()).status_code == 201
    assert phone.ask("PROPFIND", "tasks/").status_code == 207


@pytest.mark.skipif(not CORPORA.is_dir(), reason="no corpora beside the checkout or in TRABOULE_CORPORA")
def test_public_samples_of_single_tasks_stay_byte_for_byte_and_are_listed(phone: Phone) -> None:
    made = store.default_list(User.get())
    read = {path.name: path.read_bytes() for path in sorted(CORPORA.glob("ics-*/**/*.ics"))}
    single = {name: body for name, body in read.items() if body.count(b"BEGIN:VTODO") == 1 and b"BEGIN:VEVENT" not in body}
    for name, body in single.items():
        assert phone.put(f"{made.name}/{name}", body).status_code == 201, name
        assert phone.ask("GET", f"{made.name}/{name}").data == body, name
        assert Todo.get().title and phone.ask("DELETE", f"{made.name}/{name}").status_code in (200, 204)  # two have one UID
    assert len(single) >= 4


def each_alone(body: bytes) -> list[bytes]:
    """Each task of a file as an object of its own, as a program sends it (RFC 4791, 4.1), byte for byte."""
    head = body[: body.index(b"BEGIN:", body.index(b"BEGIN:VCALENDAR") + 6)]
    zones = b"".join(re.findall(rb"BEGIN:VTIMEZONE\r?\n.*?END:VTIMEZONE\r?\n", body, re.DOTALL))
    tasks = re.findall(rb"BEGIN:VTODO\r?\n.*?END:VTODO\r?\n", body, re.DOTALL)
    return [head + zones + one + b"END:VCALENDAR\r\n" for one in tasks]


@pytest.mark.skipif(not CORPORA.is_dir(), reason="no corpora beside the checkout or in TRABOULE_CORPORA")
def test_each_task_of_public_files_is_taken_as_it_is_or_refused_in_words(phone: Phone) -> None:
    made = store.default_list(User.get())
    files = {path: path.read_bytes() for path in sorted(CORPORA.glob("ics-*/**/*.ics"))}
    taken, refused = 0, set[str]()
    for path, body in files.items():
        for task in each_alone(body) if b"BEGIN:VTODO" in body else []:
            answer = phone.put(f"{made.name}/x.ics", task)
            if answer.status_code != 201:
                assert answer.status_code == 403 and "responsedescription" in answer.text, (path, answer.text)
                refused.add(path.name)
                continue
            assert phone.ask("GET", f"{made.name}/x.ics").data == task, path
            assert phone.ask("DELETE", f"{made.name}/x.ics").status_code in (200, 204)
            taken += 1
    assert taken >= 29 and refused <= {"twinkle.ics", "twinkle_orig.ics", "issue_722_missing_timezones.ics"}, (taken, refused)
