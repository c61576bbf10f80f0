"""The trash of books and calendars: batches of what devices deleted, brought back or deleted for good."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.collection_locks import LockWatch
from tests.support.task_work import work_all
from tests.unit.collection_pages.conftest import Browser
from tests.unit.dav.conftest import Phone, card, event
from webmail.collection_pages import restore_task
from webmail.collections import store, trash
from webmail.database.connection import db
from webmail.dav.deletion import restore
from webmail.models import Collection, Contact, Task, TaskState, TrashedCollection, TrashedItem, User, now
from webmail.tasks.kinds import TaskRun


@pytest.fixture
def page(browser_of: Callable[[User], Browser], alice: User) -> Browser:
    return browser_of(alice)


@pytest.fixture
def phone(phone_of: Callable[..., Phone], alice: User) -> Phone:
    return phone_of(alice)


def fill(phone: Phone, count: int) -> None:
    for number in range(count):
        phone.put(f"contacts/{number}.vcf", card(f"c{number}", f"Élodie Numéro {number}"))


def empty(phone: Phone, *numbers: int) -> None:
    for number in numbers:
        assert phone.ask("DELETE", f"contacts/{number}.vcf").status_code == 204


def batches(page: Browser) -> list[str]:
    return [one.get_text(" ", strip=True) for one in page.get("/collections/trash").all("[data-batch]")]


def test_it_is_empty_at_first(page: Browser) -> None:
    assert "Nothing was deleted in the last 30 days." in page.get("/collections/trash").text


def test_what_a_device_deleted_within_minutes_is_brought_back_together(page: Browser, phone: Phone, alice: User) -> None:
    fill(phone, 5)
    empty(phone, 0, 1, 2, 3)
    [told] = batches(page)
    assert told.startswith("4 contacts Élodie Numéro 0") and "Your device “iPhone”" in told and "Contacts" in told
    back = page.press(page.get("/collections/trash"), "[data-batch] form", "restore-all")
    assert "4 items restored." in back.notices and len(phone.sync("contacts/")[1]) == 5 and batches(page) == []


def test_devices_and_times_are_told_apart(page: Browser, phone: Phone, phone_of: Callable[..., Phone], alice: User) -> None:
    fill(phone, 4)
    empty(phone, 0)
    TrashedItem.update(at=now() - timedelta(hours=2), batch=TrashedItem.batch - 7_200_000_000).execute()
    empty(phone, 1)
    empty(phone_of(alice, "Thunderbird"), 2, 3)
    found = batches(page)
    assert len(found) == 3 and sum("Thunderbird" in one for one in found) == 1 and "2 contacts" in " ".join(found)


def test_some_are_chosen(page: Browser, phone: Phone) -> None:
    fill(phone, 3)
    empty(phone, 0, 1, 2)
    chosen = page.get(page.get("/collections/trash").link("Choose…"))
    items = [str(one["value"]) for one in chosen.all("[name=item]")]
    back = page.submit(chosen, "#trash", item=items[:2], action="restore")
    assert "2 items restored." in back.notices and len(back.all("[name=item]")) == 1
    assert "Nothing was selected." in page.submit(back, "#trash", action="restore").notices


def test_they_are_found_by_words(page: Browser, phone: Phone) -> None:
    fill(phone, 2)
    phone.put("calendar/a.ics", event("a", "SUMMARY:Conseil d’été"))
    phone.ask("DELETE", "calendar/a.ics")
    empty(phone, 0, 1)
    for words, count in (("elodie", 2), ("ETE", 1), ("numero 1", 1), ("%", 3), ("zzz", 0)):
        found = (
            page.get("/collections/trash", follow=True)
            if not words
            else page.get(f"/collections/trash?q={words.replace('%', '%25')}")
        )
        assert len(found.all("[name=item]")) == count, words
    assert "No matches." in page.get("/collections/trash?q=zzz").text


def test_pages_are_bounded(page: Browser, phone: Phone, monkeypatch) -> None:
    from webmail.collection_pages.views import trash as view

    monkeypatch.setattr(view, "_ITEMS", 2)
    monkeypatch.setattr(view, "_BATCHES", 1)
    fill(phone, 3)
    empty(phone, 0, 1, 2)
    first = page.get("/collections/trash?q=elodie")
    assert len(first.all("[name=item]")) == 2 and len(page.get(first.one("[rel=next]")["href"]).all("[name=item]")) == 1
    assert page.get("/collections/trash?q=elodie&page=99").status == 200
    for odd in ("batch=x", "batch=99999999999999999999", "page=-5", "page=x", "q=%00", "batch=1"):
        assert page.get(f"/collections/trash?{odd}").status == 200


def test_a_uid_that_is_there_again_stays_in_the_trash_and_it_is_said(page: Browser, phone: Phone) -> None:
    fill(phone, 1)
    empty(phone, 0)
    phone.put("contacts/new.vcf", card("c0", "Somebody else"))
    back = page.press(page.get("/collections/trash"), "[data-batch] form", "restore-all")
    assert "1 was left in the trash: it already exists again." in back.notices and TrashedItem.select().count() == 1
    assert [row.name for row in Contact.select()] == ["Somebody else"]


def test_there_may_be_no_room(page: Browser, phone: Phone, app) -> None:
    fill(phone, 2)
    empty(phone, 0)
    app.extensions["settings"] = replace(app.extensions["settings"], collection_items=1)
    back = page.press(page.get("/collections/trash"), "[data-batch] form", "restore-all")
    assert "there is no space for it" in back.notices and TrashedItem.select().count() == 1


def test_single_items_of_a_collection_that_is_gone_go_into_the_first_one(page: Browser, phone: Phone, alice: User) -> None:
    number = page.make("addressbook", "Club")
    name = Collection.get_by_id(number).name
    phone.put(f"{name}/a.vcf", card("a", "Ann"))
    phone.put(f"{name}/b.vcf", card("b", "Ben"))
    page.press(page.get(f"/collections/{number}"), "form", "delete")
    chosen = page.get(page.get("/collections/trash").link("Choose…"))
    assert "Club" in chosen.text
    back = page.submit(chosen, "#trash", item=str(chosen.all("[name=item]")[0]["value"]), action="restore")
    assert "1 is now in “Contacts”, since its own calendar or address book no longer exists." in back.notices
    assert store.default_collection(alice, "addressbook").count == 1
    whole = page.press(page.get("/collections/trash"), "[data-batch] form", "restore-all")
    assert "“Club” is back. 1 item restored." in whole.notices
    assert phone.ask("GET", f"{name}/a.vcf").status_code + phone.ask("GET", f"{name}/b.vcf").status_code == 604


def test_a_calendar_that_a_device_deleted_comes_back_whole(page: Browser, phone: Phone) -> None:
    phone.ask("MKCALENDAR", "work")
    phone.put("work/a.ics", event("a"))
    phone.ask("DELETE", "work/")
    page.press(page.get("/collections/trash"), "[data-batch] form", "restore-all")
    assert phone.ask("GET", "work/a.ics").status_code == 200


def test_it_is_asked_before_something_is_gone_for_good(page: Browser, phone: Phone) -> None:
    fill(phone, 3)
    empty(phone, 0, 1, 2)
    asked = page.press(page.get("/collections/trash"), "[data-batch] form", "ask-all")
    assert "Delete 3 items for good?" in asked.text and TrashedItem.select().count() == 3
    assert "3 items deleted for good." in page.submit(asked, "#destroy", action="destroy-all").notices
    assert TrashedItem.select().count() == 0


def test_much_is_left_to_a_worker(page: Browser, phone: Phone, app, monkeypatch) -> None:
    monkeypatch.setattr(restore_task, "SMALL", 2)
    fill(phone, 4)
    empty(phone, 0, 1, 2, 3)
    phone.put("contacts/again.vcf", card("c1", "Again"))
    told = page.press(page.get("/collections/trash"), "[data-batch] form", "restore-all")
    assert "Restoring contacts and events." in told.notices
    assert work_all(app) == 1
    assert Contact.select().count() == 4 and TrashedItem.select().count() == 1
    assert "3 items restored. 1 was left in the trash: it already exists again." in page.get("/tasks").text


def test_a_kill_between_two_pieces_loses_no_count(page: Browser, phone: Phone, app, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restore_task, "SMALL", 0)
    monkeypatch.setattr(restore_task, "_PIECE", 2)
    fill(phone, 5)
    empty(phone, 0, 1, 2, 3, 4)
    phone.put("contacts/again.vcf", card("c1", "Again"))
    page.press(page.get("/collections/trash"), "[data-batch] form", "restore-all")
    row = Task.get()
    Task.update(state=TaskState.RUNNING).execute()
    plain, seen = restore.restore_one, []

    def killed(user, number, settings, done) -> None:
        if len(seen) == 3:
            raise KeyboardInterrupt
        seen.append(number)
        plain(user, number, settings, done)

    monkeypatch.setattr(restore, "restore_one", killed)
    with pytest.raises(KeyboardInterrupt):
        restore_task.KIND.work(TaskRun(Task.get_by_id(row.id), app.extensions["settings"]))
    monkeypatch.setattr(restore, "restore_one", plain)
    assert Task.get().progress == 2
    result = restore_task.KIND.work(TaskRun(Task.get_by_id(row.id), app.extensions["settings"]))
    assert (result["back"], result["there"], result["left"]) == (4, 1, 1)
    assert Task.get().progress == Task.get().total == 5


def test_what_goes_into_a_collection_that_is_deleted_meanwhile_goes_elsewhere(
    page: Browser, phone: Phone, alice: User, app, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = page.make("addressbook", "Club")
    club = Collection.get_by_id(number).name
    phone.put(f"{club}/a.vcf", card("a"))
    phone.ask("DELETE", f"{club}/a.vcf")
    plain = store.lock

    def lock(numbers) -> None:
        Collection.delete().where(Collection.id == number).execute()
        plain(numbers)

    monkeypatch.setattr(store, "lock", lock)
    back = page.press(page.get("/collections/trash"), "[data-batch] form", "restore-all")
    assert "1 item restored. 1 is now in “Contacts”" in back.notices


def test_the_places_of_what_comes_back_together_are_locked_before_anything_does(
    page: Browser, phone: Phone, app, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else two workers, or one and a device, would wait for each other's."""
    monkeypatch.setattr(restore_task, "SMALL", 0)
    club = Collection.get_by_id(page.make("addressbook", "Club")).name
    for path in ("contacts/a.vcf", f"{club}/b.vcf"):
        phone.put(path, card(path[-5]))
        phone.ask("DELETE", path)
    page.press(page.get("/collections/trash"), "[data-batch] form", "restore-all")
    watch = LockWatch(monkeypatch)
    assert work_all(app) == 1
    assert Contact.select().count() == 2 and not watch.late


def test_others_trash_is_not_there(page: Browser, phone: Phone, browser_of: Callable[[User], Browser], bob: User) -> None:
    fill(phone, 1)
    empty(phone, 0)
    other, item = browser_of(bob), TrashedItem.get()
    token = other.get("/collections/new").one("#new-collection [name=csrf_token]")["value"]
    for action in ("restore", "destroy", "restore-all", "destroy-all"):
        fields = {"action": action, "item": item.id, "batch": item.batch, "csrf_token": token}
        assert other.post("/collections/trash", fields).status == 200
    assert TrashedItem.select().count() == 1 and "Élodie" not in other.get(f"/collections/trash?batch={item.batch}").text
    TrashedCollection.create(user=item.user, name="x", kind="calendar", batch=1)
    other.post("/collections/trash/whole", {"whole": TrashedCollection.get().id, "csrf_token": token})
    assert not Collection.select().where(Collection.name == "x").exists()


def test_who_may_write_deletes_into_the_owners_trash(
    page: Browser, phone: Phone, phone_of: Callable[..., Phone], bob: User, browser_of: Callable[[User], Browser]
) -> None:
    number = page.make("addressbook", "Club")
    page.share(number, "bob", "write")
    other = phone_of(bob)
    other.put(f"shared-{number}/a.vcf", card())
    other.ask("DELETE", f"shared-{number}/a.vcf")
    [told] = batches(page)
    assert "Bob Martin, with a device" in told and batches(browser_of(bob)) == []


def test_what_two_bring_back_at_once_is_there_once(phone: Phone, alice: User, app) -> None:
    fill(phone, 6)
    empty(phone, *range(6))
    numbers, settings = [item.id for item in TrashedItem.select()], app.extensions["settings"]

    def bring_back(wanted: list[int]) -> tuple[int, int]:
        with db.connection_context():
            done = restore.restore(alice, wanted, settings)
            return done.back, done.left

    with ThreadPoolExecutor(2) as both:
        found = list(both.map(bring_back, (numbers, numbers[::-1])))
    assert sum(back for back, _left in found) == 6 and sum(left for _back, left in found) == 0
    assert Contact.select().count() == 6 and store.default_collection(alice, "addressbook").count == 6


def test_a_collection_that_was_deleted_long_ago_is_forgotten(page: Browser, alice: User) -> None:
    TrashedCollection.create(user=alice, name="x", kind="calendar", batch=1, at=now() - timedelta(days=31))
    trash.expire()
    assert TrashedCollection.select().count() == 0
