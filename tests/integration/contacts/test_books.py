"""Books shared between two people, on real tables: seen, changed, moved from, folded; also with PostgreSQL."""

from __future__ import annotations

from tests.support.contact_pages import EDIT, add
from tests.support.visits import Visitor
from webmail.collections import store as collections
from webmail.database.connection import db
from webmail.models import Collection, CollectionShare, Contact, TrashedItem, User

ROWS = "#chosen li"


def test_a_shared_book_is_read_written_moved_from_and_folded(alice: Visitor, bob: Visitor) -> None:
    add(alice, "Ann Durand", "ann@x.example")
    add(bob, "Durand Ann", "ann@x.example")
    added = add(bob, "Ben", "ben@x.example").address
    with db.connection_context():
        reader, owner = (User.get(User.address == one.address) for one in (alice, bob))
        staff = collections.default_collection(owner, collections.BOOK)
        given = CollectionShare.create(collection=staff, user=reader, rights="read")
    page = alice.get("/contacts")
    assert [one.select_one("a").get_text() for one in page.all(ROWS)] == ["Ann Durand", "Ben"]
    assert len(alice.get("/contacts?words=durand").all(ROWS)) == 1 and len(alice.get(f"/contacts?book={staff.id}").all(ROWS)) == 2
    assert alice.get(f"{added}/edit").status == 403
    with db.connection_context():
        CollectionShare.update(rights="write").where(CollectionShare.id == given.id).execute()
    page = alice.submit(alice.get(f"{added}/edit"), EDIT, name="Benny", action="save")
    assert "Contact saved." in page.notices and "Benny" in bob.get("/contacts").text
    page = alice.submit(alice.get(page.link("Move or copy")), "form.form", action="move")
    assert "moved to" in page.notices and "Benny" not in bob.get("/contacts").text
    with db.connection_context():
        assert [row.title for row in TrashedItem.select().where(TrashedItem.user == owner)] == ["Benny"]
        assert Contact.get(Contact.user == reader, Contact.name == "Benny").collection_id != staff.id
    assert "Undone for 1 contact." in alice.submit(page, "#notices form").notices and "Benny" in bob.get("/contacts").text
    page = alice.submit(alice.get(added), "form[action$='/remove']")
    assert "Benny" not in bob.get("/contacts").text
    assert "Undone for 1 contact." in alice.submit(page, "#notices form").notices
    with db.connection_context():
        assert Collection.get_by_id(staff.id).count == 2
        CollectionShare.delete().where(CollectionShare.id == given.id).execute()
    assert alice.get(added).status == 404 and "Benny" not in alice.get("/contacts").text
