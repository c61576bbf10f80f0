"""Categories of contacts: an index in step with the cards, and names that stand for people."""

from __future__ import annotations

import pytest

from tests.unit.dav.conftest import card
from webmail.collections import store as collections
from webmail.collections.store import BOOK
from webmail.compose.recipients import address_book
from webmail.contacts import categories, store
from webmail.database.connection import db
from webmail.mime.formats.cards import vcard_edit
from webmail.models import Collection, CollectionShare, Contact, ContactCategory, IndexFill, User
from webmail.people import groups as people_groups
from webmail.people.visibility import Sight


def put(user: User, uid: str, name: str, *lines: str) -> Contact:
    row = Contact.get_or_none((Contact.user == user) & (Contact.card_uid == uid))
    return store.put(user, card(uid, name, *lines), row)


def mail(local: str) -> str:
    return f"EMAIL:{local}@x.example"


def names(user: User, words: str = "") -> list[tuple[str, int]]:
    return [(one.name, one.count) for one in categories.of_user(user, words)]


def test_they_follow_the_cards(alice: User, bob: User) -> None:
    put(alice, "a", "Ann", mail("ann"), "CATEGORIES:Élèves,Parents de 6e")
    put(alice, "b", "Ben", mail("ben"), "categories:eleves")
    put(alice, "c", "Silent", "CATEGORIES:Élèves")
    assert names(alice) == [("eleves", 2), ("Parents de 6e", 1)]
    assert [name for name, _count in names(alice, "paren 6")] == ["Parents de 6e"]
    assert names(alice, "arents") == []
    assert [row.name for row in categories.contacts(alice, categories.named("ÉLÈVES"))] == ["Ann", "Ben", "Silent"]
    put(alice, "b", "Ben", mail("ben"))
    assert names(alice)[0][1] == 1
    store.remove(alice, [row.uid for row in Contact.select().where(Contact.user == alice)])
    assert names(alice) == []
    assert names(bob) == []


def test_what_is_undone_is_undone_there_too(alice: User) -> None:
    with pytest.raises(RuntimeError), db.atomic():
        put(alice, "a", "Ann", mail("ann"), "CATEGORIES:x")
        raise RuntimeError
    assert names(alice) == []


def test_those_that_were_there_before_are_filled_in(alice: User) -> None:
    for number in range(5):
        put(alice, f"a{number}", f"Ann {number}", mail(f"ann{number}"), "CATEGORIES:x")
    ContactCategory.delete().execute()
    IndexFill.create(name="categories", until=Contact.select().order_by(Contact.id.desc()).get().id)
    put(alice, "new", "New", mail("new"), "CATEGORIES:x")
    assert categories.fill() == 5
    assert names(alice) == [("x", 6)]
    assert categories.fill() == 0


def test_a_category_stands_for_its_people(alice: User, bob: User) -> None:
    put(alice, "a", "Ann", mail("ann"), "CATEGORIES:Chorale")
    put(alice, "b", "Ben", mail("ben"), "CATEGORIES:chorale")
    put(bob, "c", "Cid", mail("cid"), "CATEGORIES:Chorale")
    lists = address_book.with_groups(alice, {"to": "CHORALE, dan@x.example"})
    assert lists == {"to": "Ann <ann@x.example>, Ben <ben@x.example>, dan@x.example"}
    [group] = address_book.groups(alice, "chor")
    assert len(group.people) == 2
    assert address_book.unfolded(alice, [group.token]) == ["Ann <ann@x.example>", "Ben <ben@x.example>"]


def test_a_group_comes_before_a_category_of_its_name(alice: User) -> None:
    put(alice, "a", "Ann", mail("ann"), "CATEGORIES:Chorale")
    group = vcard_edit.ContactDetails(name="Chorale", group=True, members=("mailto:zoe@x.example",))
    store.add(alice, group)
    assert address_book.with_groups(alice, {"to": "chorale"}) == {"to": "zoe@x.example"}
    assert [one.category for one in address_book.groups(alice, "chor")] == [False]


def test_what_others_could_name_takes_no_mail_from_a_group_of_the_establishment(alice: User, bob: User) -> None:
    put(alice, "a", "Ann", mail("ann"), "CATEGORIES:Maths,Chorale")
    store.add(alice, vcard_edit.ContactDetails(name="Physique", group=True, members=("mailto:zoe@x.example",)))
    for name in ("Maths", "Physique"):
        people_groups.add(people_groups.create("lycee.example", name), [bob])
    own = "Ann <ann@x.example>, zoe@x.example, Ann <ann@x.example>"
    fields, sight = {"to": "maths, physique, chorale"}, Sight("lycee.example", ("lycee.example",), everyone=True)
    assert address_book.with_groups(alice, fields, sight) == {"to": own}
    shared = CollectionShare.create(collection=collections.default_collection(alice, BOOK), user=bob, rights="read")
    assert address_book.with_groups(alice, fields, sight) == {"to": own}
    CollectionShare.update(rights="write").where(CollectionShare.id == shared.id).execute()
    bobs = "Bob <bob@lycee.example>"
    assert address_book.with_groups(alice, fields, sight) == {"to": f"{bobs}, {bobs}, Ann <ann@x.example>"}
    alone = Collection.create(user=alice, name="alone", kind=BOOK)
    details = vcard_edit.ContactDetails(name="Zed", emails=(vcard_edit.ContactPoint("zed@x.example"),))
    row = store.add(alice, details, book=alone)
    ContactCategory.create(user=alice, contact=row, key=categories.named("Maths"), name="Maths")
    assert address_book.with_groups(alice, {"to": "maths"}, sight) == {"to": "Ann <ann@x.example>, Zed <zed@x.example>"}
