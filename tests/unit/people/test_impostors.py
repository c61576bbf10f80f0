"""Impostors: names that pretend, in a whole list at once: what is marked, and what it costs."""

from __future__ import annotations

import importlib

import peewee as pw
import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.mail import Address
from webmail.mime.threats import display_names as names
from webmail.models import AllowedAddress, AllowedName, Contact, ContactAddress, Correspondent, User, now
from webmail.people import colleagues, display_names, impostors, known_senders
from webmail.people.display_names import Objection

SETTINGS = Settings(name="Lycée Ampère", domain="lycee.example")


@pytest.fixture(autouse=True)
def nothing_remembered():
    impostors._remembered.clear()


@pytest.fixture
def queries(monkeypatch):
    found: list[str] = []
    run = pw.Database.execute_sql

    def counted(self, sql, *more, **named):
        found.append(sql)
        return run(self, sql, *more, **named)

    monkeypatch.setattr(type(db.obj), "execute_sql", counted)
    return found


def contact(user, name, address):
    made = Contact.create(user=user, uid=name[:32], card_uid=name, vcard="", name=name, sort=name, words="", revision="")
    alike = known_senders.address_skeleton(address)
    domain = address.partition("@")[2]
    ContactAddress.create(user=user, contact=made, address=address, domain=domain, alike=alike, key=names.name_index(name))


def test_who_is_marked(alice, bob):
    User.update(name="Bob Girard").where(User.id == bob.id).execute()
    contact(alice, "Sophie Lambert", "sophie@partner.example")
    contact(alice, "Private Bob", "girard@private.example")
    Correspondent.create(user=alice, address="zoe@x.example", name="Zoé Petit", last=now())
    AllowedAddress.create(user=bob, address="head@lycee.example")
    fine = [
        Address("Bob Girard", "bob@lycee.example"), Address("Bob Girard", "head@lycee.example"), Address("Ann Far", "ann@far.example"),
        Address("Sophie Lambert", "sophie@partner.example"), Address("Zoe Petit", "zoe@x.example"), Address("", "x@far.example"),
        Address("Bob Girard", "girard@private.example"), Address("Lycée Pascal", "x@far.example"),
    ]  # fmt: skip
    pretending = [
        Address("Bob Glrard", "bg@far.example"), Address("M. Bob Girard", "mallory@lycee.example"), Address("SOPHIE LAMBERT", "s@far.example"),
        Address("Zoé Petit", "z@far.example"), Address("a@b.example", "c@d.example"), Address("Lycée Ampère", "x@far.example"),
        Address("Help desk", "mallory@lycee.example"), Address("", "bob@lycee.example@far.example"), Address("x", "x@lyceee.example"),
    ]  # fmt: skip
    assert impostors.marked(alice, [*fine, *pretending], SETTINGS) == set(pretending)


def test_a_page_of_fifty_costs_few_queries_and_little_time_among_two_thousand_colleagues(alice, queries):
    people = [
        {"address": f"p{n}@lycee.example", "local": f"p{n}", "domain": "lycee.example", "name": f"Person{n} Family{n}"}
        for n in range(2000)
    ]
    User.insert_many(people).execute()
    rows = [Address(f"Person{n} Family{n}", f"x{n}@far.example") for n in range(25)]
    rows += [Address(f"Somebody{n} Else{n}", f"y{n}@far.example") for n in range(25)]
    colleagues.today()  # read once, when accounts change
    queries.clear()
    with cpu_seconds(0.25):
        found = impostors.marked(alice, rows, SETTINGS)
    assert len(found) == 25
    assert len(queries) <= 3
    queries.clear()
    assert impostors.marked(alice, rows, SETTINGS) == found
    assert queries == []


def test_names_of_one_s_own(alice, bob):
    User.update(name="Bob Girard").where(User.id == bob.id).execute()
    User.update(name="Alice Principal").where(User.id == alice.id).execute()
    alice = User.get_by_id(alice.id)
    assert display_names.objection(alice, "Bob Girard", SETTINGS) is Objection.COLLEAGUE
    assert display_names.objection(bob, "Bob Girard", SETTINGS) is None
    assert display_names.objection(bob, "GIRARD Bob", SETTINGS) is None
    assert display_names.objection(bob, "Bob Girard - Direction", SETTINGS) is Objection.ROLE
    assert display_names.objection(alice, "Alice Principal", SETTINGS) is None  # the administrator's name
    assert display_names.objection(alice, "", SETTINGS) is None
    assert display_names.objection(alice, alice.address, SETTINGS) is None
    assert display_names.objection(alice, "alice@far.example", SETTINGS) is Objection.ADDRESS
    assert display_names.objection(alice, "Messagerie lycee.example", SETTINGS) is Objection.ESTABLISHMENT
    assert display_names.objection(alice, "Direction", SETTINGS, "direction-college@lycee.example") is None
    AllowedName.create(user=alice, name="Direction")
    assert display_names.objection(alice, "Direction", SETTINGS) is None
    assert display_names.objection(bob, "Direction", SETTINGS) is Objection.COLLEAGUE  # it is hers now


@pytest.mark.parametrize("name", ["Bob Girard", "B0b Girard", "GIRARD Bob", "Alice (Bob Girard)"])
def test_who_shares_an_address_with_a_colleague_does_not_get_the_colleague_s_name(alice, bob, name):
    User.update(name="Bob Girard").where(User.id == bob.id).execute()
    bob = User.get_by_id(bob.id)
    AllowedAddress.create(user=bob, address=alice.address)
    AllowedAddress.create(user=bob, address="office@lycee.example")
    assert display_names.objection(alice, name, SETTINGS, alice.address) is Objection.COLLEAGUE
    assert display_names.objection(alice, name, SETTINGS) is Objection.COLLEAGUE
    assert display_names.objection(bob, "Bob Girard", SETTINGS, alice.address) is None  # his own, wherever he writes from
    assert display_names.objection(alice, name, SETTINGS, bob.address) is None  # with the address, for whom it is allowed
    assert display_names.objection(alice, name, SETTINGS, "office@lycee.example") is None  # nobody's own


def test_one_s_name_with_a_function_goes_with_the_office_s_account(alice, bob):
    User.update(name="Alice Leroy").where(User.id == alice.id).execute()
    alice = User.get_by_id(alice.id)
    User.create(address="direction@lycee.example", local="direction", domain="lycee.example", name="Direction")
    AllowedAddress.create(user=alice, address="direction@lycee.example")
    assert display_names.objection(alice, "Direction", SETTINGS, "direction@lycee.example") is None
    assert display_names.objection(alice, "Alice Leroy", SETTINGS, "direction@lycee.example") is None


def test_a_shared_address_is_read_by_who_signed_in(alice, bob):
    User.update(name="Bob Girard").where(User.id == bob.id).execute()
    AllowedAddress.create(user=bob, address=alice.address)
    sender, found = Address("Bob Girard", alice.address), colleagues.today()
    own = ("lycee.example",)
    assert impostors.pretends(sender, own, SETTINGS, found) is None  # nobody knows who
    assert impostors.pretends(sender, own, SETTINGS, found, writer=bob.address) is None
    seen = impostors.pretends(sender, own, SETTINGS, found, writer=alice.address)
    assert seen and (seen.kind, seen.real) == (impostors.Pretence.COLLEAGUE, bob.address)


def test_an_allowed_name_reads_as_one_s_own(alice, bob):
    AllowedName.create(user=alice, name="Direction")
    assert impostors.marked(bob, [Address("Direction", alice.address)], SETTINGS) == set()
    assert impostors.marked(alice, [Address("Direction", bob.address)], SETTINGS)


def test_the_migration_computes_the_keys_of_contacts_anew(alice):
    contact(alice, "Sophie Lambert", "sophie@partner.example")
    expected = ContactAddress.select(ContactAddress.alike, ContactAddress.key).tuples().get()
    ContactAddress.update(alike="old", key="old").execute()
    importlib.import_module("webmail.migrations.0012_names").compute(db.obj)
    assert ContactAddress.select(ContactAddress.alike, ContactAddress.key).tuples().get() == expected
    assert impostors.marked(alice, [Address("Sophie Lambert", "s@far.example")], SETTINGS)


def test_in_a_list_an_account_goes_by_its_own_name(alice, bob):
    User.update(name="Bob Girard").where(User.id == bob.id).execute()
    AllowedName.create(user=bob, name="Chorale")
    AllowedAddress.create(user=bob, address="office@lycee.example")
    written = {
        ("M. Leroy", bob.address): "Bob Girard", ("Rectorat de Lyon", bob.address): "Bob Girard", ("", bob.address): "",
        ("GIRARD Bob", bob.address): "GIRARD Bob", ("Chorale", bob.address): "Chorale", ("Bobby", "BOB@lycee.example"): "Bob Girard",
        ("Office", "office@lycee.example"): "Office", ("M. Leroy", "ann@far.example"): "M. Leroy",
    }  # fmt: skip
    seen = impostors.appearances(alice, {Address(*one) for one in written}, SETTINGS)
    assert {(one.name, one.email): found.name for one, found in seen.items()} == written


@pytest.mark.parametrize(
    ("domain", "like"), [("mail-lycee.example", True), ("monlycee.example", True), ("lycee-pascal.example", False)]
)
def test_our_domain_behind_a_prefix(alice, domain, like):
    assert bool(impostors.marked(alice, [Address("Notes", f"x@{domain}")], SETTINGS)) is like
