"""Contacts and groups among those a message may go to."""

from __future__ import annotations

import pytest

from webmail.compose.recipients import address_book, suggestions
from webmail.contacts import membership, store
from webmail.mime.formats.cards.vcard_edit import ContactDetails, ContactPoint
from webmail.models import Correspondent


def contact(user, name, *emails):
    return store.add(user, ContactDetails(name=name, emails=tuple(map(ContactPoint, emails))))


def group(user, name, *members):
    return store.add(user, ContactDetails(name=name, group=True, members=members))


@pytest.fixture
def parents(alice):
    ann = contact(alice, "Ann, la mère", "ann@x.example", "ann@work.example")
    return group(alice, "Parents, 3ᵉ B", ann.card_uid, "mailto:carl@x.example", "mailto:ann@x.example", "nobody-any-more")


@pytest.mark.parametrize("typed", ['"Parents 3ᵉ B"', "parents 3e b", "PARENTS  3E  B"])
def test_the_name_of_a_group_stands_for_its_people(alice, typed):
    group(alice, "Parents 3e B", "mailto:dora@x.example")
    found = address_book.with_groups(alice, {"to": f"x@x.example, {typed}", "cc": "Somebody <y@x.example>"})
    assert found == {"to": "x@x.example, dora@x.example", "cc": "Somebody <y@x.example>"}


def test_a_group_has_each_of_its_people_once(alice, parents):
    found = address_book.with_groups(alice, {"to": '"Parents, 3ᵉ B", nobody'})
    assert found["to"] == '"Ann, la mère" <ann@x.example>, carl@x.example, nobody'


def test_fields_of_addresses_cost_no_query_and_stay_as_typed(alice, parents):
    fields = {"to": " a@x.example ;b@x.example,", "cc": ""}
    assert address_book.with_groups(alice, fields) == fields


def test_groups_then_people_by_how_often_they_are_written_to(alice, bob, settings, parents):
    contact(alice, "Paul", "paul@x.example")
    contact(alice, "Pierre", "pierre@x.example")
    Correspondent.create(user=alice, address="pierre@x.example", name="P", count=3)
    Correspondent.create(user=alice, address="pa@else.example", name="Pascal", count=9)
    found = suggestions.suggest(alice, "p", settings)
    assert [one.name for one in found] == ["Parents, 3ᵉ B", "Pascal", "Pierre", "Paul"]
    assert found[0].entry == '"Ann, la mère" <ann@x.example>, carl@x.example'
    assert suggestions.suggest(bob, "parents", settings) == []


def test_an_entry_of_the_page_of_people_is_a_group_of_ones_own(alice, bob, parents):
    token = f"group:{parents.uid}"
    assert address_book.unfolded(alice, [token, "x@x.example"])[-2:] == ["carl@x.example", "x@x.example"]
    assert address_book.unfolded(bob, [token, "group:", "x@x.example"]) == ["x@x.example"]


def test_a_name_that_two_groups_have_stands_for_neither(alice):
    group(alice, "3B", "mailto:ann@x.example")
    group(alice, "3b", "mailto:carl@x.example")
    assert address_book.with_groups(alice, {"to": "3B"}) == {"to": "3B"}


def test_no_group_stands_for_a_part_of_its_people(alice, monkeypatch):
    monkeypatch.setattr(membership, "MOST_PEOPLE", 5)
    for name in ("3A", "3B"):
        group(alice, name, *(f"mailto:{number}@{name.lower()}.example" for number in range(3)))
    assert [(found.name, len(found.people)) for found in address_book.groups(alice)] == [("3A", 3)]
    assert [len(found.people) for found in address_book.groups(alice, "3b")] == [3]
    assert address_book.with_groups(alice, {"to": "3A, 3B"})["to"].endswith("2@3a.example, 3B")
