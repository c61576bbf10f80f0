"""Managers of somebody else's calendar or book: what they may do with it, what not, and what its owner is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from tests.support.visits import Page, Visitor
from tests.unit.collection_pages.conftest import Browser
from tests.unit.dav.conftest import NAMES, Phone, card, event
from tests.unit.dav.test_collections import PROP, look, patch
from webmail import audit
from webmail.accounts import data_export
from webmail.calendar import links
from webmail.collections import shares, store
from webmail.contacts import book_access
from webmail.models import (
    AuditAct,
    CalendarLink,
    Collection,
    CollectionNote,
    CollectionShare,
    GroupMember,
    PeopleGroup,
    SystemMessage,
    User,
    now,
)


@pytest.fixture
def owner(browser_of: Callable[[User], Browser], alice: User) -> Browser:
    return browser_of(alice)


@pytest.fixture
def manager(browser_of: Callable[[User], Browser], bob: User) -> Browser:
    return browser_of(bob)


@pytest.fixture
def dan(person: Callable[..., User]) -> User:
    return person("dan", name="Dan Petit")


@pytest.fixture
def trips(owner: Browser, bob: User) -> int:
    """A calendar of Alice's that Bob manages."""
    number = owner.make("calendar", "Trips")
    owner.share(number, "bob", "manage")
    return number


def page_of(number: int) -> str:
    return f"/collections/{number}"


def rights_of(number: int) -> dict[str, str]:
    rows = shares.given(Collection.get_by_id(number))
    return {(row.group.name if row.group_id else row.user.local): row.rights for row in rows}


def title_of(number: int) -> str:
    return str(json.loads(Collection.get_by_id(number).props)["D:displayname"])


def press(browser: Browser, url: str, **fields: str) -> Page:
    """A POST with the token of a page of one's own, whatever the page offers."""
    token = browser.get("/collections/new").one("#new-collection [name=csrf_token]")["value"]
    return browser.post(url, {"csrf_token": str(token), **fields})


def attempts(number: int, share: int = 0, link: int = 0) -> list[tuple[str, dict[str, str]]]:
    """All that a manager may do."""
    here = page_of(number)
    return [
        (here, {"action": "save", "name": "Taken", "colour": "#3f9150", "description": "Taken"}),
        (f"{here}/shares", {"action": "give", "who": "dan", "rights": "read"}),
        (f"{here}/shares", {"action": "change", "share": str(share), "rights": "manage"}),
        (f"{here}/shares", {"action": "revoke", "share": str(share)}),
        (f"{here}/shares", {"action": "restore", "who": "person:dan@lycee.example", "rights": "read"}),
        (f"{here}/addresses", {"action": "make", "kind": "feed", "whole": "1"}),
        (f"{here}/addresses", {"action": "end", "link": str(link)}),
    ]


def state() -> list[object]:
    """All that those attempts could change."""
    tables = (CollectionShare, CalendarLink, CollectionNote)
    columns = {CollectionShare: ("collection", "user", "group", "rights"), CalendarLink: ("id",), CollectionNote: ("id",)}
    rows: list[object] = [list(table.select(*(getattr(table, name) for name in columns[table])).tuples()) for table in tables]
    return [
        *rows,
        [(one.id, one.props) for one in Collection.select().where(Collection.name != "calendar").order_by(Collection.id)],
    ]


# --- what they may ---------------------------------------------------------------------------------------------------


def test_a_manager_names_it_for_everybody_and_its_owner_reads_of_it_once(
    owner: Browser, manager: Browser, trips: int, alice: User, bob: User
) -> None:
    shown = manager.get(page_of(trips))
    assert "Shared by Alice Leroy · you manage it" in shown.text
    manager.submit(shown, "#collection", name="Journeys", colour="#3f9150", description="By bus", action="save")
    assert title_of(trips) == "Journeys"
    told = owner.get("/collections")
    assert "Bob Martin changed the name, colour or description of “Journeys”." in told.notices
    assert "Bob Martin changed" in owner.get("/contacts").notices and "Bob Martin changed" in owner.get("/calendar").notices
    assert "Bob Martin changed" not in owner.press(told, ".shared-news form", "seen").notices
    assert "Bob Martin changed" in owner.get(page_of(trips)).one("#changes").get_text()
    [entry] = audit.search(act=AuditAct.COLLECTION_CHANGED)[0]
    assert (entry.actor_address, entry.target, audit.details_of(entry)) == (
        bob.address,
        alice.address,
        {"collection": "Journeys"},
    )
    assert SystemMessage.select().count() == 0  # of a colour no mail is written


def test_what_is_saved_unchanged_is_no_news(manager: Browser, trips: int) -> None:
    for _time in range(2):
        manager.submit(manager.get(page_of(trips)), "#collection", action="save")
    assert not CollectionNote.select().exists() and not audit.search(act=AuditAct.COLLECTION_CHANGED)[0]


def test_a_manager_shares_it_changes_and_ends_shares(
    owner: Browser, manager: Browser, trips: int, alice: User, dan: User
) -> None:
    told = manager.share(trips, "dan", "read", mail="1")
    assert "Dan Petit can now read “Trips”." in told.notices
    row = f"[data-share='{CollectionShare.get(CollectionShare.user == dan).id}'] form"
    manager.submit(told, row, rights="manage", action="change")
    assert rights_of(trips) == {"bob": "manage", "dan": "manage"}
    gone = manager.submit(manager.get(page_of(trips)), row, action="revoke")
    assert rights_of(trips) == {"bob": "manage"}
    manager.submit(gone, "#notices form")
    assert rights_of(trips) == {"bob": "manage", "dan": "manage"}
    changes = owner.get("/collections").notices
    for words in (
        "Bob Martin shared “Trips” with Dan Petit (Manage).", "Bob Martin stopped sharing “Trips” with Dan Petit.",
        "Bob Martin changed what Dan Petit can do with “Trips” (Manage).",
    ):  # fmt: skip
        assert words in changes
    entries = [(one.act, audit.details_of(one).get("address")) for one in audit.search(who=dan.address)[0]]
    assert entries == [(act, alice.address) for act in ("share-given", "share-revoked", "share-changed", "share-given")]
    mails = {one.recipient: one for one in SystemMessage.select()}
    assert mails[dan.address].subject == "Bob Martin shares the calendar “Trips” of Alice Leroy with you"
    assert len(mails) == SystemMessage.select().count() == 2  # the owner's is one for the day
    assert mails[alice.address].subject == "“Trips”: changed by Bob Martin"
    assert "Bob Martin shared “Trips” with Dan Petit (Read)." in mails[alice.address].body
    assert f"https://mail.lycee.example/collections/{trips}" in mails[alice.address].body


def test_what_owners_do_is_no_news_to_them(owner: Browser, trips: int, dan: User) -> None:
    owner.share(trips, "dan")
    owner.submit(owner.get(page_of(trips)), "#collection", name="Journeys", action="save")
    assert not CollectionNote.select().exists() and not SystemMessage.select().exists()
    assert not audit.search(act=AuditAct.COLLECTION_CHANGED)[0]


def test_news_that_come_while_the_page_is_read_stay(owner: Browser, manager: Browser, trips: int, dan: User) -> None:
    manager.share(trips, "dan")
    shown = owner.get("/collections")
    manager.submit(manager.get(page_of(trips)), "[data-share] form", action="revoke")
    left = owner.press(shown, ".shared-news form", "seen").notices
    assert "stopped sharing" in left and "shared “Trips”" not in left
    CollectionNote.update(at=now() - timedelta(days=100)).execute()
    assert "stopped sharing" not in owner.get("/collections").notices


def test_nobody_marks_the_news_of_others_as_read(manager: Browser, trips: int, dan: User) -> None:
    manager.share(trips, "dan")
    press(manager, "/collections", action="seen", changes="999999")
    press(manager, "/collections", action="seen", changes="9" * 30)
    assert CollectionNote.get().seen == 0


def test_a_manager_makes_and_ends_addresses(
    app: Flask, owner: Browser, manager: Browser, trips: int, alice: User, bob: User, phone_of: Callable[..., Phone]
) -> None:
    phone_of(alice).put(f"{Collection.get_by_id(trips).name}/a.ics", event("a", "SUMMARY:Council"))
    made = manager.submit(manager.get(f"{page_of(trips)}/addresses"), "#new-link", kind="feed", whole="1", action="make")
    url = "/" + str(made.one("#new-address")["value"]).split("/", 3)[3]
    assert "Council" in Visitor(app).get(url).response.get_data(as_text=True)
    assert CalendarLink.get().user_id == alice.id
    assert "by Bob Martin" in owner.get(f"{page_of(trips)}/addresses").text
    assert "Bob Martin made an address where anyone can read “Trips”" in owner.get("/collections").notices
    [entry] = audit.search(act=AuditAct.CALENDAR_ADDRESS_MADE)[0]
    assert (entry.actor_address, entry.target, audit.details_of(entry)["address"]) == (bob.address, "Trips", alice.address)
    assert SystemMessage.get().recipient == alice.address
    warned = owner.submit(owner.get(page_of(trips)), "[data-share] form", rights="write", action="change")
    assert "Addresses that managers of this calendar made still work." in warned.notices
    assert Visitor(app).get(url).status == 200
    owner.submit(owner.get(page_of(trips)), "[data-share] form", rights="manage", action="change")
    manager.submit(manager.get(f"{page_of(trips)}/addresses"), "form:has(button[value=end])", action="end")
    assert Visitor(app).get(url).status == 404
    assert "Bob Martin ended an address of “Trips”." in owner.get("/collections").notices


def test_the_account_of_a_manager_may_go_and_addresses_stay(app: Flask, manager: Browser, trips: int, bob: User) -> None:
    made = manager.submit(manager.get(f"{page_of(trips)}/addresses"), "#new-link", kind="page", whole="0", action="make")
    url = "/" + str(made.one("#new-address")["value"]).split("/", 3)[3]
    bob.delete_instance()
    assert Visitor(app).get(url).status == 200


def test_a_manager_may_call_it_otherwise_for_themselves(owner: Browser, manager: Browser, trips: int) -> None:
    manager.submit(manager.get(page_of(trips)), "#own-look", name="Alice goes out", colour="#3f9150", action="look")
    assert title_of(trips) == "Trips" and "Alice goes out" in manager.get("/collections").text
    shown = manager.get(page_of(trips))
    assert (shown.one("#name")["value"], shown.one("#own-name")["value"]) == ("Trips", "Alice goes out")
    refused = manager.submit(shown, "#own-look", name="x" * 200, action="look")
    assert refused.status == 422 and refused.all("#own-name-error") and not refused.all("#name-error")
    refused = manager.submit(shown, "#collection", name="", action="save")
    assert refused.status == 422 and refused.all("#name-error") and not refused.all("#own-name-error")
    told = manager.share(trips, "alice")  # what is said of it to others has the name that all know
    assert told.status == 422
    manager.press(manager.get(page_of(trips)), "#own-look", "hide")
    assert "You chose not to show it" in manager.get(page_of(trips)).text


def test_a_book_is_managed_too(owner: Browser, manager: Browser, bob: User, alice: User, phone_of: Callable[..., Phone]) -> None:
    number = owner.make("addressbook", "Club")
    owner.share(number, "bob", "manage")
    assert phone_of(bob).put(f"shared-{number}/a.vcf", card()).status_code == 201
    assert number in book_access.shared(bob, writable=True) and number in book_access.written_by_others(alice)
    manager.submit(manager.get(page_of(number)), "#collection", name="Chess", action="save")
    assert title_of(number) == "Chess"
    assert manager.get(f"{page_of(number)}/addresses").status == 404
    assert press(manager, f"{page_of(number)}/addresses", action="make", kind="feed").status == 404


def test_a_calendar_that_is_restored_has_its_managers_again(owner: Browser, trips: int) -> None:
    gone = owner.press(owner.get(page_of(trips)), "form", "delete")
    back = owner.submit(gone, "form[action='/collections/trash/whole']")
    assert "Trips" in back.text and CollectionShare.get(CollectionShare.rights != "").rights == "manage"


def test_ones_data_tells_what_managers_did(manager: Browser, trips: int, alice: User, dan: User) -> None:
    manager.share(trips, "dan")
    files = {name: b"".join(pieces) for name, pieces in data_export.files_of(alice)}
    [told] = json.loads(files["shares.json"])["done-by-managers"]
    assert (told["collection"], told["by"], told["act"], told["about"]) == ("Trips", "bob@lycee.example", "given", dan.address)


def test_it_is_all_in_french(
    browser_of: Callable[[User], Browser], owner: Browser, trips: int, alice: User, bob: User, dan: User
) -> None:
    User.update(language="fr").execute()
    french = browser_of(bob)
    shown = french.get(page_of(trips))
    assert "Gérer" in shown.one("#share").get_text() and "you manage" not in shown.text
    french.share(trips, "dan")
    assert "a partagé" in SystemMessage.get(SystemMessage.recipient == alice.address).body
    assert "Bob Martin a partagé" in owner.get("/collections").notices


# --- what they may not -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("bob", "is you: it is already shared with you"),
        ("Bob Martin", "is you: it is already shared with you"),
        ("alice@lycee.example", "is the owner, who already has access"),
        ("Alice Leroy", "is the owner, who already has access"),
        ("alice", "is the owner"),
        ("friend@gmail.example", "is not in your organisation"),
        ("dan, alice", "is the owner"),
    ],
)
def test_a_manager_shares_with_neither_themselves_nor_the_owner_nor_outsiders(
    manager: Browser, trips: int, dan: User, typed: str, words: str
) -> None:
    refused = manager.share(trips, typed, "manage")
    assert refused.status == 422 and words in refused.text and rights_of(trips) == {"bob": "manage"}


@pytest.mark.parametrize("who", ["bob", "alice"])
def test_nor_by_the_undo_of_a_share(manager: Browser, trips: int, who: str) -> None:
    before = state()
    press(manager, f"{page_of(trips)}/shares", action="restore", who=f"person:{who}@lycee.example", rights="read")
    assert state() == before


@pytest.mark.parametrize("rights", ["own", "owner", "all", "", "managed"])
def test_there_is_no_right_beyond_managing(manager: Browser, trips: int, dan: User, rights: str) -> None:
    manager.share(trips, "dan")
    before, row = state(), CollectionShare.get(CollectionShare.user == dan)
    for fields in (
        {"action": "change", "share": str(row.id), "rights": rights},
        {"action": "give", "who": "dan", "rights": rights},
    ):
        if fields["action"] == "give" or rights:
            press(manager, f"{page_of(trips)}/shares", **fields)
    assert state() == before


@pytest.mark.parametrize("action", ["revoke", "change"])
def test_nobody_takes_the_right_from_themselves(manager: Browser, trips: int, bob: User, action: str) -> None:
    """Nobody could undo it: only others do that."""
    shown, row = manager.get(page_of(trips)), CollectionShare.get(CollectionShare.user == bob)
    assert not shown.all(f"[data-share='{row.id}'] form")
    told = press(manager, f"{page_of(trips)}/shares", action=action, share=str(row.id), rights="read")
    assert "You would no longer manage “Trips”" in told.notices
    assert rights_of(trips) == {"bob": "manage"} and not CollectionNote.select().exists()


def test_nor_from_the_group_by_which_they_have_it(owner: Browser, manager: Browser, bob: User) -> None:
    group = PeopleGroup.create(identifier="$maths.x", name="Maths", sort="maths", domain="lycee.example")
    GroupMember.create(group=group, user=bob)
    number = owner.make("calendar", "Trips")
    owner.share(number, "Maths", "manage")
    row = "[data-share] form"
    assert "You would no longer manage" in manager.submit(manager.get(page_of(number)), row, action="revoke").notices
    told = manager.share(number, "Maths", "read")
    assert "You would no longer manage" in told.notices and rights_of(number) == {"Maths": "manage"}
    owner.share(number, "bob", "manage")  # then the group's is one among others
    manager.submit(
        manager.get(page_of(number)),
        f"[data-share='{CollectionShare.get(CollectionShare.group == group).id}'] form",
        action="revoke",
    )
    assert rights_of(number) == {"bob": "manage"}


def test_the_owner_alone_deletes_it_and_says_what_is_theirs(
    manager: Browser, trips: int, bob: User, phone_of: Callable[..., Phone]
) -> None:
    shown = manager.get(page_of(trips))
    assert not shown.all("[value=delete]") and not shown.all("[value=default]") and not shown.all("[name=asked]")
    for action in ("delete", "default", "nonsense"):
        assert press(manager, page_of(trips), action=action).status == 400
    assert phone_of(bob).ask("DELETE", f"shared-{trips}/").status_code == 403
    press(manager, page_of(trips), action="save", name="Trips", asked="busy", colour="", description="")
    assert "C:schedule-calendar-transp" not in json.loads(Collection.get_by_id(trips).props)
    assert Collection.select().where(Collection.id == trips, Collection.chosen == 0).exists()


@pytest.mark.parametrize("rights", ["", "busy", "read", "write"])
@pytest.mark.parametrize("htmx", ["", "main"])
def test_whoever_has_less_may_do_nothing_of_it(
    owner: Browser, manager: Browser, trips: int, dan: User, browser_of: Callable[[User], Browser], rights: str, htmx: str
) -> None:
    manager.submit(manager.get(f"{page_of(trips)}/addresses"), "#new-link", kind="feed", whole="1", action="make")
    owner.share(trips, "dan", "read")
    row = CollectionShare.get(CollectionShare.user == dan)
    CollectionShare.update(rights=rights).where(CollectionShare.id == row.id).execute()
    theirs = browser_of(dan)
    shown = theirs.get("/collections/new")
    token = str(shown.one("#new-collection [name=csrf_token]")["value"])
    before = state()
    for url, fields in attempts(trips, row.id, CalendarLink.get().id):
        answer = theirs.post(url, {"csrf_token": token, **fields}, htmx=htmx)
        assert answer.status == 404 if not rights else "You can’t manage “Trips”. Nothing was changed." in answer.notices, url
        assert state() == before, (url, fields)
    shown = theirs.get(page_of(trips))
    assert "Bob Martin" not in shown.text and not shown.all("#sharing") and not shown.all("#changes")
    assert theirs.get(f"{page_of(trips)}/addresses").status == 404


def test_a_right_taken_away_ends_forms_that_are_open(owner: Browser, manager: Browser, trips: int, dan: User) -> None:
    owner.share(trips, "dan")
    shown = manager.get(page_of(trips))
    addresses = manager.get(f"{page_of(trips)}/addresses")
    CollectionShare.update(rights="read").where(CollectionShare.rights == "manage").execute()
    before = state()
    for told in (
        manager.submit(shown, "#collection", name="Mine", action="save"),
        manager.submit(shown, "#share", who="dan", rights="manage", action="give"),
        manager.submit(shown, "[data-share] form:has(select)", action="revoke"),
        manager.submit(addresses, "#new-link", action="make"),
    ):
        assert told.status == 200 and "You can’t manage “Trips”. Nothing was changed." in told.notices
    assert state() == before
    CollectionShare.delete().where(CollectionShare.rights == "read").execute()
    assert manager.submit(shown, "#collection", name="Mine", action="save").status == 404


def test_a_form_for_oneself_never_names_it_for_everybody(
    owner: Browser, trips: int, dan: User, browser_of: Callable[[User], Browser]
) -> None:
    """Not even if its reader was made a manager meanwhile."""
    owner.share(trips, "dan", "write")
    theirs = browser_of(dan)
    shown = theirs.get(page_of(trips))
    owner.share(trips, "dan", "manage")
    theirs.submit(shown, "#own-look", name="Mine", action="look")
    assert title_of(trips) == "Trips"


@pytest.mark.parametrize("at", range(7))
def test_a_right_taken_away_between_look_up_and_lock(
    manager: Browser, trips: int, dan: User, bob: User, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    manager.submit(manager.get(f"{page_of(trips)}/addresses"), "#new-link", kind="feed", whole="1", action="make")
    other = CollectionShare.create(collection=trips, user=dan, rights="busy")
    url, fields = attempts(trips, other.id, CalendarLink.get().id)[at]
    before, real = state(), store.lock

    def lock(numbers) -> None:
        CollectionShare.update(rights="write").where(CollectionShare.user == bob).execute()
        real(numbers)

    monkeypatch.setattr(store, "lock", lock)
    press(manager, url, **fields)
    assert CollectionShare.get(CollectionShare.user == bob).rights == "manage"  # what the lock did went back with all the rest
    assert state() == before


def test_a_manager_of_one_touches_no_other(owner: Browser, manager: Browser, trips: int, alice: User, dan: User) -> None:
    other = owner.make("calendar", "Diary")
    owner.share(other, "dan", "read")
    owner.submit(owner.get(f"{page_of(other)}/addresses"), "#new-link", kind="feed", whole="1", action="make")
    row, link = CollectionShare.get(CollectionShare.collection == other), CalendarLink.get()
    before = state()
    for url, fields in attempts(other, row.id, link.id):
        assert press(manager, url, **fields).status == 404
    here = page_of(trips)
    press(manager, f"{here}/shares", action="revoke", share=str(row.id))
    press(manager, f"{here}/shares", action="change", share=str(row.id), rights="manage")
    press(manager, f"{here}/addresses", action="end", link=str(link.id))
    for odd in ("", "-1", "9" * 30, "1 OR 1=1", "²"):
        press(manager, f"{here}/shares", action="revoke", share=odd)
        press(manager, f"{here}/addresses", action="end", link=odd)
    assert state() == before
    assert owner.get("/collections").notices == ""


def test_who_is_signed_out_changes_nothing(app: Flask, trips: int) -> None:
    before, nobody = state(), Visitor(app)
    for url, fields in attempts(trips):
        answer = nobody.post(url, fields, follow=False)
        assert answer.status in (303, 400, 401, 403)
    assert nobody.get(page_of(trips), follow=False).status in (302, 303)
    assert state() == before


def test_a_manager_works_through_fragments_too(manager: Browser, trips: int, dan: User) -> None:
    told = manager.submit(manager.get(page_of(trips)), "#share", htmx="main", who="dan", rights="busy", action="give")
    assert rights_of(trips) == {"bob": "manage", "dan": "busy"} and "Dan Petit can now see" in told.notices
    assert told.all("#main")
    told = manager.submit(manager.get(page_of(trips)), "#share", htmx="main", who="alice", rights="busy", action="give")
    assert "is the owner" in told.text


def test_there_are_not_endlessly_many_addresses_by_owner_and_managers_together(
    owner: Browser, manager: Browser, trips: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "MOST", 1)
    forms = [(one, one.get(f"{page_of(trips)}/addresses")) for one in (owner, manager)]
    told = [one.submit(form, "#new-link", kind="feed", whole="0", action="make").notices for one, form in forms]
    assert CalendarLink.select().count() == 1 and "maximum number of addresses" in told[1]


# --- telephones ------------------------------------------------------------------------------------------------------


def privileges(phone: Phone, path: str) -> set[str]:
    asked = PROP % ("propfind", "<d:prop><d:current-user-privilege-set/></d:prop>", "propfind")
    root = phone.xml("PROPFIND", path, asked, Depth="0")
    return {one.tag.partition("}")[2] for one in root.iterfind(".//D:privilege/*", NAMES)}


def test_a_managers_telephone_names_it_for_everybody(
    trips: int, alice: User, bob: User, dan: User, owner: Browser, phone_of: Callable[..., Phone]
) -> None:
    owner.share(trips, "dan", "write")
    mine, theirs, third = phone_of(alice), phone_of(bob), phone_of(dan)
    path, name = f"shared-{trips}/", Collection.get_by_id(trips).name
    assert theirs.ask("PROPPATCH", path, patch(name="Journeys", colour="#ff0000ff", order="7")).status_code == 207
    assert look(mine, f"{name}/")[:2] == ("Journeys", "#ff0000ff") and look(third, path)[:2] == ("Journeys", "#ff0000ff")
    assert look(theirs, path) == ("Journeys", "#ff0000ff", "7") and look(mine, f"{name}/")[2] != "7"  # the order is their own
    assert third.ask("PROPPATCH", path, patch(name="Dan's")).status_code == 207
    assert look(third, path)[0] == "Dan's" and look(mine, f"{name}/")[0] == "Journeys"
    assert "Bob Martin changed the name" in owner.get("/collections").notices
    [entry] = audit.search(act=AuditAct.COLLECTION_CHANGED)[0]
    assert (entry.actor_address, entry.target) == (bob.address, alice.address)
    assert theirs.put(f"{path}b.ics", event("b")).status_code == 201


def test_a_telephone_that_only_orders_calendars_tells_nobody(
    trips: int, bob: User, manager: Browser, phone_of: Callable[..., Phone]
) -> None:
    """Telephones do that by themselves; what a manager calls it for themselves does not become everybody's by it."""
    manager.submit(manager.get(page_of(trips)), "#own-look", name="Mine", colour="#3f9150", action="look")
    before = Collection.get_by_id(trips).props
    phone = phone_of(bob)
    phone.ask("PROPPATCH", f"shared-{trips}/", patch(order="3"))
    phone.ask("PROPPATCH", f"shared-{trips}/", patch(name="Mine"))
    assert Collection.get_by_id(trips).props == before and not CollectionNote.select().exists()
    assert look(phone, f"shared-{trips}/")[::2] == ("Mine", "3")


def test_privileges_are_what_one_may(
    trips: int, alice: User, bob: User, dan: User, owner: Browser, phone_of: Callable[..., Phone]
) -> None:
    owner.share(trips, "dan", "read")
    assert "all" in privileges(phone_of(alice), f"{Collection.get_by_id(trips).name}/")
    told = privileges(phone_of(bob), f"shared-{trips}/")
    assert {"read", "write", "write-properties", "write-content"} <= told and "all" not in told
    assert not {"all", "write", "write-content"} & privileges(phone_of(dan), f"shared-{trips}/")
