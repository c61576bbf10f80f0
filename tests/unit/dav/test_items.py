"""Items: events and contacts written, read, deleted and moved by telephones, and seen by pages."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.dav.conftest import NAMES, Phone, card, event
from webmail.collections import trash
from webmail.contacts import store as contacts
from webmail.contacts import undo
from webmail.contacts.undo import CardVersion
from webmail.database.connection import db
from webmail.mime.formats.cards.vcard_edit import ContactDetails, ContactPoint
from webmail.models import CalendarObject, Collection, Contact, ContactAddress, Occurrence, User

ODD_CARD = card(
    "odd", "Riri", "PHOTO:data:image/png;base64,AAA", "NICKNAME:Riri,Ric", "EMAIL;TYPE=work:Riri@X.example", "X-A;B=c:d\\,e",
    "NOTE:a very long line that some programs would fold and others not, which is why nobody may touch it: ééééééééééééééééé",
)  # fmt: skip
ODD_EVENT = event("odd", "SUMMARY:x", 'X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-TITLE="a:b":geo:45.7,4.8', "ATTENDEE:mailto:a@b.c")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("contacts/a.vcf", ODD_CARD),
        ("contacts/b.vcf", ODD_CARD.replace("\r\n", "\n")),
        ("contacts/c.vcf", ODD_CARD.replace("4.0", "3.0").rstrip()),
        ("calendar/a.ics", ODD_EVENT),
        ("calendar/b.ics", ODD_EVENT.replace("\r\n", "\n")),
        ("calendar/ a b é:,*'.ics", ODD_EVENT),
    ],
)
def test_what_is_sent_comes_back_byte_for_byte(phone: Phone, path: str, text: str) -> None:
    answer = phone.put(path, text.encode())
    assert answer.status_code == 201
    got = phone.ask("GET", path)
    assert got.data == text.encode() and got.headers["ETag"] == answer.headers["ETag"]
    assert phone.ask("HEAD", path).data == b"" and phone.ask("HEAD", path).status_code == 200


@pytest.mark.parametrize(("path", "text"), [("calendar/a.ics", ODD_EVENT), ("contacts/a.vcf", ODD_CARD)])
def test_a_byte_order_mark_is_taken_off_and_no_entity_tag_told(phone: Phone, path: str, text: str) -> None:
    """RFC 4791, 5.3.4: a tag would say that it is as it was sent."""
    answer = phone.put(path, b"\xef\xbb\xbf" + text.encode())
    assert answer.status_code == 201 and "ETag" not in answer.headers
    got = phone.ask("GET", path)
    assert got.data == text.encode()
    again = phone.put(path, b"\xef\xbb\xbf" + text.encode(), If_Match=got.headers["ETag"])
    assert again.status_code == 204 and phone.ask("GET", path).headers["ETag"] == got.headers["ETag"]
    assert phone.put(path, b"\xef\xbb\xbf" * 2 + text.encode()).status_code == 403


def test_a_change_counts_only_over_what_one_knew(phone: Phone) -> None:
    etag = phone.put("calendar/a.ics", event(), If_None_Match="*").headers["ETag"]
    assert phone.put("calendar/a.ics", event("u1", "SUMMARY:b"), If_None_Match="*").status_code == 412
    assert phone.put("calendar/a.ics", event("u1", "SUMMARY:b"), If_Match='"other"').status_code == 412
    assert phone.put("calendar/b.ics", event("u2"), If_Match="*").status_code == 412
    assert phone.put("calendar/a.ics", event("u1", "SUMMARY:b"), If_Match=f'"x", {etag}').status_code == 204
    assert phone.ask("DELETE", "calendar/a.ics", If_Match=etag).status_code == 412
    assert "SUMMARY:b" in phone.ask("GET", "calendar/a.ics").text
    assert phone.ask("DELETE", "calendar/a.ics").status_code == 204
    assert phone.ask("GET", "calendar/a.ics").status_code == 404 and phone.ask("DELETE", "calendar/a.ics").status_code == 404


@pytest.mark.parametrize(("folder", "one", "error"), [("calendar", event("u"), "C:"), ("contacts", card("u"), "CR:")])
def test_a_uid_is_in_a_collection_once(phone: Phone, folder: str, one: str, error: str) -> None:
    assert phone.put(f"{folder}/a", one).status_code == 201
    again = phone.put(f"{folder}/b", one)
    assert again.status_code == 409 and "no-uid-conflict" in again.text
    other = phone.put(f"{folder}/a", one.replace("UID:u", "UID:v"))
    assert other.status_code == 409 and "no-uid-conflict" in other.text
    assert error == ("C:" if folder == "calendar" else "CR:")


@pytest.mark.parametrize(
    ("path", "body", "condition"),
    [
        ("calendar/a", "", "valid-calendar-data"),
        ("calendar/a", "BEGIN:VCALENDAR", "valid-calendar-data"),
        ("calendar/a", event("u", "A:\0"), "valid-calendar-data"),
        ("calendar/a", event("u").encode("utf-16"), "valid-calendar-data"),
        ("calendar/a", event("u", "X:é").encode("latin-1"), "valid-calendar-data"),
        ("calendar/a", event("u", start=""), "valid-calendar-data"),
        ("calendar/a", event("u", component="VJOURNAL"), "supported-calendar-component"),
        ("calendar/a", card(), "valid-calendar-data"),
        ("contacts/a", event(), "valid-address-data"),
        ("contacts/a", card().replace("UID:c1\r\n", ""), "valid-address-data"),
        ("contacts/a", card() * 2, "valid-address-data"),
        ("contacts/a", "", "valid-address-data"),
    ],
)
def test_what_is_no_such_thing_is_refused(phone: Phone, path: str, body: str | bytes, condition: str) -> None:
    answer = phone.put(path, body)
    assert answer.status_code == 403 and condition in answer.text


def test_tasks_and_exceptions_without_their_series_are_taken(phone: Phone) -> None:
    assert phone.put("calendar/t.ics", event("t", "SUMMARY:do", start="", component="VTODO")).status_code == 201
    text = event("s", "RECURRENCE-ID:20261105T100000Z").replace(
        "END:VCALENDAR",
        event("s", "RECURRENCE-ID:20261112T100000Z").split("EN\r\n")[1].split("END:VCALENDAR")[0] + "END:VCALENDAR",
    )
    assert text.count("BEGIN:VEVENT") == 2
    assert phone.put("calendar/s.ics", text).status_code == 201


def test_pages_see_what_telephones_do_to_contacts(phone: Phone, alice: User) -> None:
    phone.put("contacts/a.vcf", card("c1", "Élodie Cœur", "EMAIL:elodie@x.example"))
    row = contacts.with_address(alice, "elodie@x.example")
    assert row is not None and row.name == "Élodie Cœur" and row.user == alice
    phone.put("contacts/g.vcf", card("g1", "Friends", "KIND:group", "MEMBER:urn:uuid:c1"))
    assert contacts.groups_of(alice, row) == {Contact.get(Contact.card_uid == "g1").uid}
    phone.put("contacts/a.vcf", card("c1", "Élodie Cœur", "EMAIL:other@x.example"))
    assert contacts.with_address(alice, "elodie@x.example") is None
    assert contacts.with_address(alice, "other@x.example") == row
    phone.ask("DELETE", "contacts/a.vcf")
    assert contacts.with_address(alice, "other@x.example") is None and not ContactAddress.select().where(
        ContactAddress.contact == row.id
    )


def test_telephones_see_what_pages_do_to_contacts(phone: Phone, alice: User) -> None:
    phone.ask("PROPFIND", phone.home, Depth="1")
    token, _ = phone.sync("contacts/")
    row = contacts.add(alice, ContactDetails(name="Bob", emails=(ContactPoint("bob@x.example"),)))
    token, found = phone.sync("contacts/", token)
    assert found == {f"{row.uid}.vcf": "there"}
    row = contacts.change(alice, row, ContactDetails(name="Bobby", uid=row.card_uid), row.revision)
    token, found = phone.sync("contacts/", token)
    assert found == {f"{row.uid}.vcf": "there"} and "FN:Bobby" in phone.ask("GET", f"contacts/{row.uid}.vcf").text
    name = undo.offer(alice, [CardVersion(row.uid, row.vcard)])
    contacts.remove(alice, [row.uid])
    token, found = phone.sync("contacts/", token)
    assert found == {f"{row.uid}.vcf": "gone"}
    assert undo.undo(alice, name) == 1
    token, found = phone.sync("contacts/", token)
    assert found == {f"{row.uid}.vcf": "there"}
    assert phone.sync("contacts/", token)[1] == {}
    book = Collection.get(Collection.user == alice, Collection.kind == "addressbook")
    assert (book.count, book.size) == (1, len(Contact.get_by_id(Contact.get().id).vcard.encode()))


def test_a_card_of_a_telephone_with_plain_line_ends_can_be_edited_on_pages(phone: Phone, alice: User) -> None:
    phone.put("contacts/a.vcf", card("c1", "Bob", "X-OWN:kept").replace("\r\n", "\n"))
    row = Contact.get(Contact.user == alice)
    contacts.change(alice, row, ContactDetails(name="Bobby", uid="c1"), row.revision)
    text = phone.ask("GET", "contacts/a.vcf").text
    assert "FN:Bobby" in text and "X-OWN:kept" in text


def test_what_a_telephone_deletes_stays_in_the_trash(phone: Phone, alice: User) -> None:
    phone.put("contacts/a.vcf", card())
    phone.put("calendar/a.ics", event("u1", "SUMMARY:Class trip"))
    phone.put("calendar/b.ics", event("u2", "SUMMARY:Lunch"))
    phone.ask("DELETE", "contacts/a.vcf")
    phone.ask("DELETE", "calendar/a.ics")
    assert {(one.title, one.by) for one in trash.for_user(alice)} == {
        ("Élodie Cœur", alice.address),
        ("Class trip", alice.address),
    }
    assert phone.ask("DELETE", "calendar/").status_code == 204
    assert {one.title for one in trash.for_user(alice)} == {"Élodie Cœur", "Class trip", "Lunch"}
    assert CalendarObject.select().count() == 0 and Occurrence.select().count() == 0


def test_no_more_is_let_go_from_the_trash_than_needed(phone: Phone, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trash, "LARGEST", 2 * len(event("u0").encode()))
    monkeypatch.setattr(trash, "_LOOKED", 1)
    for number in range(4):
        phone.put(f"calendar/{number}.ics", event(f"u{number}"))
    for number in range(4):
        phone.ask("DELETE", f"calendar/{number}.ics")
    assert [one.uid for one in trash.for_user(alice)] == ["u3", "u2"]


def test_not_each_deletion_sums_the_whole_trash(phone: Phone, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(9):
        phone.put(f"calendar/{number}.ics", event(f"u{number}"))
    monkeypatch.setattr(trash, "_LOOKED", 4)
    sums: list[int] = []
    monkeypatch.setattr(trash, "_make_room", sums.append)
    for number in range(9):
        phone.ask("DELETE", f"calendar/{number}.ics")
    assert sums == [alice.id] * 2
    with db.atomic():  # many at once: one look in any case
        trash.put(Collection.get(Collection.kind == "calendar"), [("a", "a", "a", "a")] * 4, alice.address)
    assert len(sums) == 3


def test_a_list_tells_sizes_in_bytes(phone: Phone) -> None:
    phone.put("contacts/a.vcf", card("c1", "Élodie Cœur"))
    phone.put("calendar/a.ics", event("u1", "SUMMARY:Été"))
    asked = "<d:propfind xmlns:d='DAV:'><d:prop><d:getcontentlength/></d:prop></d:propfind>"
    for folder, text in (("contacts", card("c1", "Élodie Cœur")), ("calendar", event("u1", "SUMMARY:Été"))):
        told = [
            one.text for one in phone.xml("PROPFIND", f"{folder}/", asked, Depth="1").iterfind(".//D:getcontentlength", NAMES)
        ]
        assert told == ["0", str(len(text.encode()))]


def test_an_administrator_brings_back_what_was_deleted(app, phone: Phone, alice: User) -> None:
    phone.ask("MKCALENDAR", "work")
    texts = {"contacts/a.vcf": card(), "calendar/a.ics": event("u1", "SUMMARY:Trip"), "work/b.ics": event("u2")}
    for path, text in texts.items():
        phone.put(path, text)
    for path in ("contacts/a.vcf", "calendar/a.ics", "work/"):
        assert phone.ask("DELETE", path).status_code == 204
    phone.put("calendar/a.ics", event("u9"))
    run = app.test_cli_runner()
    assert "Trip" in run.invoke(args=["dav", "trash", alice.address]).output
    assert "3 brought back" in run.invoke(args=["dav", "restore", alice.address]).output
    assert phone.ask("GET", "contacts/a.vcf").text == texts["contacts/a.vcf"]
    assert phone.ask("GET", "work/b.ics").text == texts["work/b.ics"]
    assert len(phone.sync("calendar/")[1]) == 2 and trash.for_user(alice) == []


def test_an_item_moves_between_collections(phone: Phone, alice: User) -> None:
    phone.ask("MKCALENDAR", "work")
    phone.put("calendar/a.ics", event("u1"))
    tokens = phone.sync("calendar/")[0], phone.sync("work/")[0]
    moved = phone.ask("MOVE", "calendar/a.ics", Destination=f"http://localhost{phone.home}work/b.ics")
    assert moved.status_code == 201
    assert phone.sync("calendar/", tokens[0])[1] == {"a.ics": "gone"} and phone.sync("work/", tokens[1])[1] == {"b.ics": "there"}
    assert phone.ask("MOVE", "work/b.ics", Destination=f"{phone.home}contacts/b.ics").status_code == 403
    assert phone.ask("MOVE", "work/b.ics", Destination="/dav/bob@lycee.example/calendar/b.ics").status_code == 403
    assert phone.ask("MOVE", "work/b.ics", Destination=f"{phone.home}calendar/a%00b%0a.ics").status_code == 403
    assert phone.ask("MOVE", "work/b.ics", Destination=f"{phone.home}nowhere/b.ics").status_code == 409
    assert phone.ask("GET", "work/b.ics").status_code == 200


@pytest.mark.parametrize(
    ("first", "second", "one", "other"),
    [("calendar", "work", event("u1"), event("u2")), ("contacts", "club", card("u1"), card("u2"))],
)
def test_a_move_that_is_refused_changes_nothing(phone: Phone, first: str, second: str, one: str, other: str) -> None:
    kind = "<c:addressbook/>" if first == "contacts" else "<c:calendar/>"
    space = NAMES["CR"] if first == "contacts" else NAMES["C"]
    asked = f"<d:mkcol xmlns:d='DAV:' xmlns:c='{space}'><d:set><d:prop><d:resourcetype><d:collection/>{kind}"
    assert phone.ask("MKCOL", second, asked + "</d:resourcetype></d:prop></d:set></d:mkcol>").status_code == 201
    for path, text in ((f"{first}/a", one), (f"{second}/b", other), (f"{second}/c", one)):
        assert phone.put(path, text).status_code == 201
    tokens = {name: phone.sync(f"{name}/")[0] for name in (first, second)}
    answer = phone.ask("MOVE", f"{first}/a", Destination=f"{phone.home}{second}/b")
    assert answer.status_code == 409 and "no-uid-conflict" in answer.text
    assert phone.ask("GET", f"{second}/b").text == other
    assert [phone.sync(f"{name}/", token)[1] for name, token in tokens.items()] == [{}, {}]
    assert {one.name: one.count for one in Collection.select() if one.name in tokens} == {first: 1, second: 2}


def test_a_task_does_not_move_into_a_calendar_of_events(phone: Phone, alice: User) -> None:
    phone.put("calendar/t", event("t", start="", component="VTODO"))
    Collection.create(user=alice, name="events", kind="calendar", components="VEVENT")
    answer = phone.ask("MOVE", "calendar/t", Destination=f"{phone.home}events/t")
    assert answer.status_code == 403 and "supported-calendar-component" in answer.text
    assert phone.ask("GET", "calendar/t").status_code == 200


def test_quotas(app, phone: Phone) -> None:
    settings = app.extensions["settings"]
    phone.put("calendar/a.ics", event("u1"))
    for name, value in (("collection_items", 1), ("collection_limit_mb", 0), ("collections_limit_mb", 0)):
        before = getattr(settings, name)
        object.__setattr__(settings, name, value)
        answer = phone.put("calendar/b.ics", event("u2"))
        assert answer.status_code == 507 and "quota-not-exceeded" in answer.text, name
        object.__setattr__(settings, name, before)
    object.__setattr__(settings, "collections_per_person", 2)
    assert phone.ask("MKCALENDAR", "work").status_code == 507


def test_others_things_are_out_of_reach(phone_of: Callable[..., Phone], phone: Phone, bob: User) -> None:
    phone.put("calendar/a.ics", event("u1"))
    stranger = phone_of(bob)
    for method in ("GET", "PUT", "DELETE", "PROPFIND", "REPORT", "PROPPATCH", "MKCALENDAR", "MOVE"):
        for path in ("", "calendar/", "calendar/a.ics", "new"):
            answer = stranger.ask(method, phone.home + path, event("u9") if method == "PUT" else "")
            assert answer.status_code in (403, 404, 405, 409), (method, path, answer.status_code)
    assert phone.ask("GET", "calendar/a.ics").status_code == 200 and phone.ask("GET", "new").status_code in (404, 405)


def test_a_card_with_a_large_photo_is_kept_byte_for_byte(phone: Phone) -> None:
    lines = "\r\n ".join(["PHOTO:data:image/jpeg;base64,", *(["QUJD" * 18] * 20_000)])
    text = card("c1", "Élodie", lines)
    assert 1_400_000 < len(text.encode()) < 2_000_000
    assert phone.put("contacts/a.vcf", text).status_code == 201
    assert phone.ask("GET", "contacts/a.vcf").text == text
    assert phone.put("contacts/b.vcf", card("c2", "Bob", "NOTE:" + "x" * 2_200_000)).status_code == 413


@pytest.mark.parametrize(
    ("path", "text", "words"),
    [
        ("contacts/a.vcf", card().replace("VERSION:4.0", "VERSION:2.1"), "vCard 2.1"),
        ("contacts/a.vcf", card("c1", "A\x07B"), "control characters"),
        ("calendar/a.ics", event("u1", "SUMMARY:A\x1bB"), "control characters"),
        ("contacts/a.vcf", "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:A\r\nEND:VCARD\r\n", "no UID"),
    ],
)
def test_what_is_refused_is_refused_in_words(phone: Phone, path: str, text: str, words: str) -> None:
    answer = phone.put(path, text)
    assert answer.status_code == 403 and words in answer.text and "responsedescription" in answer.text


def test_a_move_onto_something_else_is_refused(phone: Phone) -> None:
    for name in "ab":
        assert phone.put(f"calendar/{name}.ics", event(name)).status_code == 201
    answer = phone.ask("MOVE", "calendar/a.ics", Destination=f"{phone.home}calendar/b.ics")
    assert answer.status_code == 409 and "no-uid-conflict" in answer.text
    assert phone.ask("GET", "calendar/b.ics").text == event("b")
