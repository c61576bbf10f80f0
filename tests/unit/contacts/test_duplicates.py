"""Contacts that may be one person: found, merged field by field, taken back, told apart."""

from __future__ import annotations

import pytest

from tests.support.contacts import card, group, new, take
from tests.support.page_costs import python_calls
from webmail.contacts import duplicates, store, undo
from webmail.contacts.duplicates import Likeness
from webmail.mime.formats.cards.vcard_edit import ContactPoint
from webmail.models import Contact, User


def people(user: User) -> list[Contact]:
    return list(Contact.select().where(Contact.user == user, Contact.kind == "individual").order_by(Contact.id))


def test_they_are_found_by_address_number_and_name(alice: User, bob: User) -> None:
    new(alice, "Ann Roi", "ann@x.example")
    new(alice, "A. R.", "ANN@x.example")
    new(alice, "Paul", phones=(ContactPoint("+33 6 12 34 56 78"),))
    new(alice, "Popol", phones=(ContactPoint("06.12.34.56.78"),))
    new(alice, "Élodie CŒUR", "e@x.example")
    new(alice, "Coeur Elodie", "other@x.example")
    new(alice, "Zoé", "zoe@x.example")
    new(bob, "Ann Roi", "ann@x.example")
    found = duplicates.candidates(alice)
    assert [(one.likeness, sorted(row.name for row in one.people)) for one in found] == [
        (Likeness.ADDRESS, ["A. R.", "Ann Roi"]), (Likeness.PHONE, ["Paul", "Popol"]),
        (Likeness.NAME, ["Coeur Elodie", "Élodie CŒUR"]),
    ]  # fmt: skip


def test_a_number_that_many_share_tells_nothing(alice: User) -> None:
    take(alice, "".join(card(f"Person {letter}", "TEL:04 00 00 00 00", uid=letter) for letter in "abcdefgh"))
    assert duplicates.candidates(alice) == []


def test_such_a_number_tells_nothing_of_those_who_are_left_either(alice: User) -> None:
    lines = ["TEL:04 00 00 00 00"] * 8
    lines[:2] = [f"{line}\r\nEMAIL:same@x.example" for line in lines[:2]]
    take(alice, "".join(card(f"Person {letter}", line, uid=letter) for letter, line in zip("abcdefgh", lines, strict=True)))
    assert [one.likeness for one in duplicates.candidates(alice)] == [Likeness.ADDRESS]


def test_what_was_told_apart_is_not_found_again(alice: User) -> None:
    rows = [new(alice, "Ann", f"{n}@x.example") for n in range(3)]
    duplicates.tell_apart(alice, [rows[0].uid, rows[1].uid])
    [one] = duplicates.candidates(alice)
    assert {row.id for row in one.people} == {rows[0].id, rows[2].id}
    duplicates.tell_apart(alice, [row.uid for row in rows])
    assert duplicates.candidates(alice) == []
    duplicates.tell_together(alice, [row.uid for row in rows])
    assert len(duplicates.candidates(alice)[0].people) == 3


ONE = card(
    "Ann Roi", "N:Roi;Ann;;;", "EMAIL;TYPE=HOME:ann@x.example", "item1.TEL:0612345678", "item1.X-ABLabel:boat", "NOTE:first",
    "ORG:A;Maths", "X-ODD;Y=z:1\\,2", "BDAY:1990-01-01", uid="one",
)  # fmt: skip
OTHER = card(
    "Anne Le Roi", "N:Le Roi;Anne;;;", "EMAIL:ANN@x.example", "EMAIL:roi@y.example", "item1.URL:https://x.example",
    "item1.X-ABLabel:shop", "NOTE:second", "ORG:B", "TITLE:Prof", "X-ODD;Y=z:3", "KEY;ENCODING=b:AAAA", uid="two",
)  # fmt: skip


def test_fields_are_chosen_and_everything_else_is_kept(alice: User) -> None:
    take(alice, ONE + OTHER)
    known = group(alice, "3B", "two", "mailto:bob@x.example")
    rows = people(alice)
    found = duplicates.compare(rows)
    assert sorted(found.differing) == ["name", "note", "organisation"]
    before = {row.uid: row.vcard for row in Contact.select()}
    steps = duplicates.merge(alice, rows, {"name": "1", "organisation": "0", "note": "both"})
    [row] = people(alice)
    lines = row.vcard.split("\r\n")
    assert (row.name, row.card_uid, row.uid) == ("Anne Le Roi", "one", rows[0].uid)
    for line in ("N:Le Roi;Anne;;;", "EMAIL;TYPE=HOME:ann@x.example", "EMAIL:roi@y.example", "ORG:A;Maths", "TITLE:Prof",
                 "X-ODD;Y=z:1\\,2", "X-ODD;Y=z:3", "BDAY:1990-01-01", "NOTE:first\\nsecond", "item1.TEL:0612345678",
                 "item2.URL:https://x.example", "item2.X-ABLabel:shop", "KEY;ENCODING=b:AAAA"):  # fmt: skip
        assert lines.count(line) == 1, line
    assert sum(line.startswith(("FN", "EMAIL", "ORG", "NOTE")) for line in lines) == 5
    assert set(store.details(Contact.get_by_id(known.id)).members) == {"one", "mailto:bob@x.example"}
    assert undo.undo(alice, undo.offer(alice, steps)) == 3
    assert {row.uid: row.vcard for row in Contact.select()} == before


def test_a_newer_card_is_merged_into_an_older_one_in_its_version(alice: User) -> None:
    newer = card("Ann", "TEL;VALUE=uri:tel:+33400", "ANNIVERSARY:20010203", "PHOTO:data:image/png;base64,AAAA", uid="4")
    take(alice, card("Ann", "EMAIL:ann@x.example", uid="3") + newer.replace("3.0", "4.0"))
    rows = people(alice)
    merged = duplicates.merged_card([row.vcard for row in rows], {})
    assert "VERSION:3.0" in merged and "X-ANNIVERSARY:2001-02-03" in merged and "PHOTO;ENCODING=b;TYPE=PNG:AAAA" in merged


def test_nothing_is_lost_by_a_merge_that_is_too_large(alice: User) -> None:
    take(
        alice,
        card("Ann", *(f"X-A:{n}{'a' * 900}" for n in range(15)), uid="1")
        + card("Ann", *(f"X-B:{n}{'b' * 900}" for n in range(15)), uid="2"),
    )
    before = {row.uid: row.vcard for row in Contact.select()}
    with pytest.raises(store.CardTooLargeError):
        duplicates.merge(alice, people(alice), {})
    assert {row.uid: row.vcard for row in Contact.select()} == before


def test_many_contacts_are_quick(alice: User) -> None:
    take(alice, "".join(card(f"P{n % 360} Nom{n}", f"EMAIL:p{n % 390}@x.example", uid=str(n)) for n in range(400)))
    assert len(duplicates.candidates(alice)) == 10
    assert python_calls(lambda: duplicates.candidates(alice)) < 15 * 400
