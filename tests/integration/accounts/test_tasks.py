"""Tasks as a person sees them: a large import goes on by itself, is followed, stopped, undone; nobody else sees it."""

from __future__ import annotations

import io
import json
import re
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tests.support.task_work import worker_for
from tests.support.visits import Visitor
from webmail.contacts import store
from webmail.contacts.imports import import_task
from webmail.database.connection import db
from webmail.models import Contact, Task, TaskState, User, Worker, now
from webmail.storage import open_storage
from webmail.tasks import undo_steps
from webmail.tasks.store import MOST_OPEN
from webmail.web.current import settings as current_settings


@pytest.fixture
def work(app):
    """`work()` does what a worker would: all tasks that wait, one after another; returns how many."""
    return worker_for(app)


TAKE = "form[action^='/contacts/import/']"
BAD = b"BEGIN:VCARD\r\n" * 20_000  # large, and without any contact


def cards(count: int, note: str = "x" * 400) -> bytes:
    one = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:big-{0}\r\nFN:Person {0}\r\nEMAIL:p{0}@ailleurs.example\r\nNOTE:{1}\r\nEND:VCARD\r\n"
    return "".join(one.format(number, note) for number in range(count)).encode()


def send_file(person, content: bytes, name: str = "tout.vcf"):
    """A file of contacts, which a worker reads if it is large, before anything is imported."""
    page = person.get("/contacts/import")
    return person.submit(page, "form[action='/contacts/import']", file=(io.BytesIO(content), name, "text/vcard"))


def import_file(person, work, content: bytes, name: str = "tout.vcf"):
    """The same, looked through and then imported by a worker, who has not begun yet."""
    page = send_file(person, content, name)
    work()
    return person.submit(person.get(page.address), TAKE, action="import")


def contacts_of(person) -> int:
    with db.connection_context():
        return Contact.select().join(User).where(User.address == person.address).count()


def test_a_large_import_goes_on_by_itself_and_can_be_undone(person, work):
    page = send_file(person, cards(450))
    assert "in the background" in page.notices and "being read" in page.text
    assert work() == 1
    page = person.get(person.get("/tasks").link("See what it would do"))
    assert "450 new contacts" in page.text and "Person 0" in page.text
    page = person.submit(page, TAKE, action="import")
    assert "in the background" in page.notices
    assert contacts_of(person) == 0
    page = person.get("/tasks")
    assert "Importing contacts from “tout.vcf”" in page.text
    assert "Waiting to start." in page.text
    assert work() == 1
    page = person.get("/tasks")
    assert "450 contacts added." in page.text
    assert contacts_of(person) == 450
    page = person.submit(page, "form[action='/contacts/changes/undo']")
    assert "Undone for 450 contacts." in page.notices
    assert "Undone." in page.one("#tasks").get_text() and not page.all("form[action='/contacts/changes/undo']")
    assert contacts_of(person) == 0


def test_an_import_that_was_killed_and_then_stopped_is_undone_whole(person, work, monkeypatch):
    import_file(person, work, cards(450))
    real, calls = store.insert, []

    def dying(*given):
        calls.append(1)
        if len(calls) in (3, 5):
            raise SystemExit
        return real(*given)

    monkeypatch.setattr(store, "insert", dying)
    for _kill in range(2):
        with pytest.raises(SystemExit):
            work()
        with db.connection_context():
            Task.update(lease=None, state="waiting").execute()
    [form] = person.get("/tasks").all("form[action^='/tasks/']:has(button[value=cancel])")
    person.submit(person.get("/tasks"), f"form[action='{form['action']}']", action="cancel")
    assert contacts_of(person) == 120
    page = person.submit(person.get("/tasks"), "form[action='/contacts/changes/undo']")
    assert "Undone for 120 contacts." in page.notices and contacts_of(person) == 0


def test_undo_of_many_contacts_is_a_task_and_room_is_checked_first(person, work, monkeypatch):
    monkeypatch.setattr(undo_steps, "AT_ONCE", 100)
    import_file(person, work, cards(450))
    work()
    for _twice in range(2):
        person.submit(person.get("/tasks"), "form[action='/contacts/changes/undo']")
    assert work() == 1 and contacts_of(person) == 0
    assert "Undone for 450 contacts." in person.get("/tasks").text
    person.submit(send_file(person, cards(1).replace(b"big-0", b"other").replace(b"Person", b"Zoe")), TAKE, action="import")
    import_file(person, work, cards(450))
    monkeypatch.setattr(store, "MOST", 450)
    work()
    page = person.get("/tasks")
    assert contacts_of(person) == 1 and not page.all("form[action='/contacts/changes/undo']")


def test_importing_the_same_file_again_doubles_nobody(person, work):
    import_file(person, work, cards(450))
    work()
    page = send_file(person, cards(450))
    work()
    page = person.get(page.address)
    assert "450 are already there" in page.text and not page.all("button[value=import]")
    assert contacts_of(person) == 450


def test_the_form_sent_twice_starts_one_task(person, work):
    page = person.get("/contacts/import")
    for _ in range(2):
        person.submit(page, "form[action='/contacts/import']", file=(io.BytesIO(cards(450)), "a.vcf", "text/vcard"))
    assert work() == 1


def test_a_small_file_is_imported_at_once(person):
    assert "2 contacts added." in person.submit(send_file(person, cards(2)), TAKE, action="import").notices
    assert "listed here" in person.get("/tasks").text


def test_what_is_no_address_book_says_so(person, work):
    send_file(person, BAD, "photo.vcf")
    work()
    page = person.get("/tasks")
    assert "No contacts found in this file." in page.text


def test_more_than_a_person_may_have_says_so_and_keeps_what_is_there(person, work, monkeypatch):
    import_file(person, work, cards(450))
    import_file(person, work, cards(450).replace(b"big-", b"more-").replace(b"Person", b"Autre").replace(b"EMAIL:p", b"EMAIL:q"))
    monkeypatch.setattr("webmail.contacts.store.MOST", 500)
    work()
    assert "You can have up to 500 contacts." in person.get("/tasks").text


def test_it_can_be_stopped_and_taken_off_the_list(person, work):
    send_file(person, cards(450))
    page = person.get("/tasks")
    page = person.submit(page, "form[action^='/tasks/']", action="cancel")
    assert "Stopped. Nothing was done." in page.text
    assert work() == 0
    page = person.submit(page, "form[action^='/tasks/']", action="remove")
    assert "listed here" in page.text


def test_a_kill_in_the_middle_of_an_import_imports_each_once(person, work, app, monkeypatch):
    import_file(person, work, cards(450))
    real, calls = import_task._add, []

    def dying(run, *more):
        calls.append(1)
        if len(calls) == 3:
            raise SystemExit  # as a killed process: nothing is noted
        return real(run, *more)

    monkeypatch.setattr(import_task, "_add", dying)
    with pytest.raises(SystemExit):
        work()
    assert 0 < contacts_of(person) < 450, "killed in the middle"
    monkeypatch.undo()
    with db.connection_context():
        task = Task.select().join(User).where(User.address == person.address).get()
        assert task.state == TaskState.RUNNING
        Task.update(lease=now() - timedelta(seconds=1)).where(Task.id == task.id).execute()
    work()
    assert contacts_of(person) == 450
    assert "450 contacts added." in person.get("/tasks").text


def test_nobody_sees_or_stops_somebody_elses(person, make_account, app, work):
    send_file(person, cards(450))
    with db.connection_context():
        task = Task.select().join(User).where(User.address == person.address).get()
    other = Visitor(app, make_account()).sign_in()
    assert "tout.vcf" not in other.get("/tasks").text
    assert other.get(f"/tasks/{task.id}/state").status == 404
    assert other.get(f"/tasks/{task.id}/result").status == 404
    token = other.get("/tasks").one("meta[name=csrf]")["content"] if other.get("/tasks").all("meta[name=csrf]") else ""
    other.post(f"/tasks/{task.id}", {"action": "cancel", "csrf_token": token})
    with db.connection_context():
        assert Task.get_by_id(task.id).state == TaskState.WAITING
    work()


def test_signed_out_it_asks_to_sign_in(app):
    assert Visitor(app).get("/tasks", follow=False).location.startswith("/login")


def test_the_list_and_the_notice_are_refreshed_in_place(person, work):
    page = import_file(person, work, cards(450))
    state = page.one("[hx-get*='/tasks/']")["hx-get"]
    assert "Waiting to start." in person.get(state).text
    piece = person.get("/tasks?auto=1", htmx="tasks")
    assert piece.one("#tasks")["hx-trigger"] == "every 2s"
    assert not piece.all("html")
    work()
    assert "450 contacts added." in person.get(state).text
    assert not person.get("/tasks?auto=1", htmx="tasks").one("#tasks").has_attr("hx-trigger")


def test_health_tells_of_a_worker_that_never_ran(app):
    with db.connection_context():
        Worker.delete().execute()
    client = app.test_client()
    assert client.get("/healthz").status_code == 200
    answer = client.get("/healthz?full")
    assert answer.status_code == 503
    assert "worker FAULT: never ran" in answer.text
    assert "storage ok" in answer.text


def test_ones_own_data_can_be_taken_home(person, work):
    person.submit(send_file(person, cards(2)), TAKE, action="import")
    page = person.confirm().get("/account/data")
    for _twice in range(2):
        person.submit(page, "form[action='/account/data']")
    assert work() == 1, "pressed twice, made once"
    page = person.get("/tasks")
    answer = person.get(page.link("Download")).response
    assert answer.headers["Content-Disposition"].startswith("attachment")
    with zipfile.ZipFile(io.BytesIO(answer.get_data())) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    assert files["contacts.vcf"].count("BEGIN:VCARD") == 2
    assert json.loads(files["account.json"])[0]["address"] == person.address
    everything = "".join(files.values())
    assert "argon2" not in everything
    assert not re.search(r"[0-9a-f]{64}", everything), "no session could be taken over with it"


def test_the_file_of_a_task_that_was_removed_is_gone(person, work):
    person.confirm()
    person.submit(person.get("/account/data"), "form[action='/account/data']")
    work()
    page = person.get("/tasks")
    result = page.link("Download")
    person.submit(page, "form[action^='/tasks/']", action="remove")
    assert person.get(result).status == 404


def stored(app) -> list[str]:
    """Files of tasks that are kept, by the name of their task."""
    with app.app_context():
        return sorted(file.name for file in open_storage(current_settings()).list("tasks"))


def latest(person) -> Task:
    with db.connection_context():
        return Task.select().join(User).where(User.address == person.address).order_by(Task.created.desc()).get()


def test_who_knows_the_address_of_somebody_elses_import_does_it_no_harm(person, make_account, app, work):
    page = send_file(person, cards(450))
    upload = page.address.partition("?")[0].rpartition("/")[2]
    for name in (latest(person).id, upload):
        other = Visitor(app, make_account()).sign_in()
        token = other.get("/contacts/import").one("form[enctype] [name=csrf_token]")["value"]
        assert "no longer here" in other.get(f"/contacts/import/{name}").notices
        for action in ("cancel", "import"):
            assert other.post(f"/contacts/import/{name}", {"csrf_token": token, "action": action}).status == 200
    work()
    person.submit(person.get(page.address), TAKE, action="import")
    work()
    assert contacts_of(person) == 450


def test_what_was_uploaded_goes_when_its_task_fails_or_is_stopped_or_cannot_start(person, work, app):
    before = stored(app)
    import_file(person, work, cards(450))
    send_file(person, BAD, "photo.vcf")
    work()
    assert stored(app) == before
    send_file(person, cards(450))
    person.submit(person.get("/tasks"), f"form[action='/tasks/{latest(person).id}']", action="cancel")
    assert stored(app) == before
    for _ in range(MOST_OPEN):
        send_file(person, BAD)
    assert "too many tasks" in send_file(person, BAD).text
    assert len(stored(app)) == len(before) + MOST_OPEN
    work()


def test_a_kill_after_the_last_step_of_an_import_does_not_make_it_fail(person, work, monkeypatch):
    import_file(person, work, cards(450))

    def dying(*_given, **_named):
        raise SystemExit

    monkeypatch.setattr("webmail.tasks.runner._end", dying)
    with pytest.raises(SystemExit):
        work()
    monkeypatch.undo()
    with db.connection_context():
        Task.update(lease=now() - timedelta(seconds=1)).where(Task.id == latest(person).id).execute()
    work()
    assert "450 contacts added." in person.get("/tasks").text


def test_the_name_of_a_file_is_bounded_and_cannot_turn_the_text_around(person, work):
    send_file(person, cards(450), "a\u202eb<b>" + "é" * 100_000 + ".vcf")
    page = person.get("/tasks")
    assert "\u202e" not in page.html and "ab_b_éé" in page.text
    assert len(page.html) < 20_000
    work()


def test_ones_own_data_asked_for_several_times_at_once_is_made_once(person, work, app):
    token = person.confirm().get("/account/data").one("form[action='/account/data'] [name=csrf_token]")["value"]
    cookies = list(person.client._cookies.values())

    def press(_number: int) -> int:
        client = app.test_client()
        for cookie in cookies:
            client.set_cookie(cookie.key, cookie.value)
        return client.post("/account/data", data={"csrf_token": token}).status_code

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(press, range(6))) == {303}
    assert work() == 1


def test_ones_own_data_takes_the_place_of_what_was_made_before(person, work, app):
    before = stored(app)
    person.confirm()
    for _ in range(3):
        person.submit(person.get("/account/data"), "form[action='/account/data']")
        work()
    assert len(stored(app)) == len(before) + 1
    page = person.get("/tasks")
    assert page.text.count("Exporting your data") == 1
    assert person.get(page.link("Download")).status == 200
