"""Own books and calendars on pages: made, named, coloured, chosen, deleted and brought back; as devices see it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.task_work import work_all
from tests.unit.collection_pages.conftest import Browser
from tests.unit.dav.conftest import Phone, card, event
from tests.unit.dav.test_collections import C, look, patch
from webmail.collections import store
from webmail.contacts import store as contacts
from webmail.dav.deletion import delete_task, removal
from webmail.models import CalendarObject, Collection, CollectionShare, Contact, RemoteAccount, RemoteLink, TrashedItem, User


@pytest.fixture
def page(browser_of: Callable[[User], Browser], alice: User) -> Browser:
    return browser_of(alice)


@pytest.fixture
def phone(phone_of: Callable[..., Phone], alice: User) -> Phone:
    return phone_of(alice)


def test_the_list_shows_what_there_is(page: Browser, phone: Phone) -> None:
    phone.put("contacts/a.vcf", card())
    shown = page.get("/collections")
    assert "Calendars and address books" in shown.text and "1 contact" in shown.text and "0.1 MB of 300 MB" in shown.text
    assert [one.get_text(" ", strip=True) for one in shown.all("[data-collection] .chip")] == ["Default", "Default"]
    assert shown.all("svg.swatch circle[fill^='#']")


def test_one_is_made_and_devices_see_it(page: Browser, phone: Phone, alice: User) -> None:
    number = page.make("calendar", "  Class   trips ", colour="#d6404b", description="Where we go")
    row = Collection.get_by_id(number)
    assert look(phone, f"{row.name}/")[:2] == ("Class trips", "#d6404b")
    assert phone.put(f"{row.name}/a.ics", event()).status_code == 201
    book = Collection.get_by_id(page.make("addressbook", "Club"))
    assert book.kind == "addressbook" and phone.put(f"{book.name}/a.vcf", card()).status_code == 201


def test_a_form_sent_twice_makes_one(page: Browser, alice: User) -> None:
    form = page.get("/collections/new?kind=calendar")
    for _time in range(2):
        assert page.submit(form, "#new-collection", name="Once").status == 200
    assert sum("Once" in one.props for one in Collection.select().where(Collection.user == alice)) == 1


def test_what_was_typed_stays_where_it_is_refused(page: Browser, app, alice: User) -> None:
    refused = page.submit(page.get("/collections/new"), "#new-collection", name=" ", description="Kept")
    assert refused.status == 422 and "Type a name." in refused.text and refused.one("#description").get_text().strip() == "Kept"
    long = page.submit(page.get("/collections/new"), "#new-collection", name="x" * 101)
    assert long.status == 422 and long.one("#name")["value"] == "x" * 101
    for number in range(60):
        Collection.get_or_create(user=alice, name=f"n{number}", kind="calendar")
    assert "New calendar" not in page.get("/collections").text
    full = page.submit(page.get("/collections/new"), "#new-collection", name="One more")
    assert full.status == 422 and "You can have up to 50" in full.text


def test_a_calendar_may_take_no_time(page: Browser, phone: Phone, alice: User) -> None:
    page.get("/collections")
    row = store.default_collection(alice, "calendar")
    phone.put("calendar/a.ics", event("u1", "DURATION:PT1H"))
    busy = f"<c:free-busy-query xmlns:c='{C}'><c:time-range start='20261101T000000Z' end='20261130T000000Z'/></c:free-busy-query>"
    assert "FBTYPE=BUSY:" in phone.ask("REPORT", "calendar/", busy).text
    form = page.get(f"/collections/{row.id}")
    assert form.one("[name=busy]").has_attr("checked")
    page.submit(form, "#collection", busy=None, action="save")
    assert "FBTYPE" not in phone.ask("REPORT", "calendar/", busy).text
    form = page.get(f"/collections/{row.id}")
    assert not form.one("[name=busy]").has_attr("checked")
    page.submit(form, "#collection", busy="1", action="save")
    assert "FBTYPE=BUSY:" in phone.ask("REPORT", "calendar/", busy).text


def test_names_and_colours_change_both_ways(page: Browser, phone: Phone, alice: User) -> None:
    page.get("/collections")
    row = store.default_collection(alice, "calendar")
    phone.ask("PROPPATCH", "calendar/", patch(name="From\n the phone", colour="#12345678", order="7"))
    form = page.get(f"/collections/{row.id}")
    assert form.one("#name")["value"] == "From the phone" and "Chosen on a device" in form.text
    assert form.one("input[name=colour][checked]")["value"] == "#123456"
    page.submit(form, "#collection", name="Mine", action="save")
    assert look(phone, "calendar/") == ("Mine", "#123456", "7")  # what the page does not know stays
    page.submit(page.get(f"/collections/{row.id}"), "#collection", colour="#3f9150", action="save")
    assert look(phone, "calendar/") == ("Mine", "#3f9150", "7")


def test_new_things_go_where_one_chooses(page: Browser, alice: User) -> None:
    page.get("/collections")
    before = store.default_collection(alice, "addressbook")
    number = page.make("addressbook", "Club")
    assert "Put new contacts here" in page.get(f"/collections/{number}").text
    told = page.press(page.get(f"/collections/{number}"), "form", "default")
    assert "New contacts now go into “Club”." in told.notices and store.default_collection(alice, "addressbook").id == number
    assert "Put new contacts here" in page.get(f"/collections/{before.id}").text


def test_no_events_go_into_a_calendar_for_tasks(page: Browser, alice: User) -> None:
    tasks = store.create(alice, "tasks", "calendar", "VTODO", "{}")
    assert store.default_collection(alice, "calendar").id != tasks.id
    assert "New events" not in page.get(f"/collections/{tasks.id}").text
    assert page.post(f"/collections/{tasks.id}", {"action": "default"}).status in (400, 404)


def test_one_is_deleted_and_brought_back_with_all_that_was_in_it(
    page: Browser, phone: Phone, alice: User, bob: User, phone_of: Callable[..., Phone]
) -> None:
    number = page.make("addressbook", "Club", colour="#9263d1")
    name = Collection.get_by_id(number).name
    for uid in ("a", "b", "c"):
        phone.put(f"{name}/{uid}.vcf", card(uid, f"Person {uid}"))
    page.share(number, "bob", "write")
    token, _found = phone.sync(f"{name}/")
    gone = page.press(page.get(f"/collections/{number}"), "form", "delete")
    assert "Address book “Club” deleted. Everything in it stays in “Deleted contacts and events” for 30 days." in gone.notices
    assert phone.ask("PROPFIND", f"{name}/").status_code == 404 and Contact.select().count() == 0
    assert phone_of(bob).ask("PROPFIND", f"shared-{number}/").status_code in (403, 404)
    back = page.submit(gone, "#notices form")
    assert "“Club” is back. 3 items restored." in back.notices and TrashedItem.select().count() == 0
    assert look(phone, f"{name}/")[0] == "Club" and len(phone.sync(f"{name}/")[1]) == 3
    body = (
        f"<d:sync-collection xmlns:d='DAV:'><d:sync-token>{token}</d:sync-token><d:prop><d:getetag/></d:prop></d:sync-collection>"
    )
    assert "valid-sync-token" in phone.ask("REPORT", f"{name}/", body).text  # it is another one, whatever its number
    [share] = CollectionShare.select()
    assert (share.user_id, share.rights) == (bob.id, "write")
    again = page.submit(gone, "#notices form")
    assert Collection.select().where(Collection.name == name).count() == 1 and again.status == 200


def test_the_last_one_stays(page: Browser, alice: User) -> None:
    page.get("/collections")
    row = store.default_collection(alice, "calendar")
    shown = page.get(f"/collections/{row.id}")
    assert "This is your only calendar." in shown.text and not shown.all("[value=delete]")
    token = shown.one("#collection [name=csrf_token]")["value"]
    refused = page.post(f"/collections/{row.id}", {"action": "delete", "csrf_token": token})
    assert "This is your only calendar." in refused.notices and Collection.select().where(Collection.id == row.id).exists()
    page.make("calendar", "Other")
    page.press(page.get(f"/collections/{row.id}"), "form", "delete")
    assert not Collection.select().where(Collection.id == row.id).exists()


def test_a_deletion_that_broke_off_is_gone_on_with(page: Browser, phone: Phone, alice: User, monkeypatch) -> None:
    number = page.make("calendar", "Trips")
    name = Collection.get_by_id(number).name
    for uid in ("a", "b", "c"):
        phone.put(f"{name}/{uid}.ics", event(uid))
    monkeypatch.setattr(removal.item_writes, "_FIRST_PIECE", 2)
    with monkeypatch.context() as patched:
        patched.setattr(removal.item_writes, "next_size", lambda *_args: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            removal.delete(alice, number)
    assert CalendarObject.select().count() == 1 and TrashedItem.select().count() == 2
    removal.delete(alice, number)
    assert TrashedItem.select().count() == 3 and not Collection.select().where(Collection.id == number).exists()


def test_one_with_very_much_in_it_is_deleted_by_a_worker(page: Browser, phone: Phone, app, monkeypatch) -> None:
    monkeypatch.setattr(delete_task, "SMALL", 1)
    number = page.make("calendar", "Trips")
    name = Collection.get_by_id(number).name
    for uid in ("a", "b"):
        phone.put(f"{name}/{uid}.ics", event(uid))
    shown = page.get(f"/collections/{number}")
    for _time in range(2):
        assert "Deleting “Trips”." in page.press(shown, "form", "delete").notices
    assert work_all(app) == 1 and not Collection.select().where(Collection.id == number).exists()
    assert "Everything in it stays in “Deleted contacts and events” for 30 days." in page.get("/tasks").text
    page.submit(page.get("/tasks"), "main form:has([name=whole])")
    assert phone.ask("GET", f"{name}/a.ics").status_code == 200


def test_what_is_deleted_here_stays_on_another_server(page: Browser, phone: Phone, alice: User, monkeypatch) -> None:
    number = page.make("calendar", "Trips")
    phone.put(f"{Collection.get_by_id(number).name}/a.ics", event("a"))
    account = RemoteAccount.create(user=alice, url="https://dav.example/", login="a", secret=b"")
    RemoteLink.create(account=account, collection=number, url="https://dav.example/a/")
    seen = []
    monkeypatch.setattr(removal.item_writes, "trash", lambda *_args, **_more: seen.append(RemoteLink.select().count()) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        removal.delete(alice, number)
    assert seen == [0]


def test_somebody_elses_is_not_there(browser_of: Callable[[User], Browser], page: Browser, alice: User, bob: User) -> None:
    number = page.make("calendar", "Private")
    other = browser_of(bob)
    token = other.get("/collections/new").one("#new-collection [name=csrf_token]")["value"]
    assert other.get(f"/collections/{number}").status == 404 and other.get("/collections/99999999999999999999").status == 404
    for path in (f"/collections/{number}", f"/collections/{number}/shares"):
        assert other.post(path, {"action": "delete", "csrf_token": token}).status == 404
    assert Collection.select().where(Collection.id == number).exists()


def test_contacts_of_a_deleted_book_are_no_longer_counted(page: Browser, phone: Phone, alice: User) -> None:
    number = page.make("addressbook", "Club")
    phone.put(f"{Collection.get_by_id(number).name}/a.vcf", card())
    page.press(page.get(f"/collections/{number}"), "form", "delete")
    assert contacts.count(alice) == 0 and store.size_of(alice) == (0, 0)
