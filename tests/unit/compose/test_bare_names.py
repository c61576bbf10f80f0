"""What a name without a domain means: one's own domain's account, or a question; never another's domain, never a guess."""

from __future__ import annotations

from dataclasses import replace

import pytest

from webmail.compose.recipients.bare_names import MOST_ASKED, completed, replaced, unclear
from webmail.errors import BadAddressError
from webmail.models import Acquaintance, Correspondent, User
from webmail.people.suggestions import remembered

OURS = "lycee.example"


def account(address: str, name: str = "", **more: int) -> User:
    local, _, domain = address.partition("@")
    return User.create(address=address, local=local, domain=domain, name=name, **more)


@pytest.fixture
def settings(settings):
    return replace(settings, domain=OURS)


def to(user, text, settings):
    return completed(user, {"to": text}, settings)["to"]


# --- completed -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("bob", "bob@lycee.example"),
        ("BOB; anne.roux,carl@x.example", "bob@lycee.example, anne.roux@lycee.example, carl@x.example"),
        ("Bob Girard", "Bob Girard"),
        ("Girard, Bob <bob@x.example>", "Girard, Bob <bob@x.example>"),
        ("bob, Bob <bob@x.example>", "bob, Bob <bob@x.example>"),
        ('"Girard, Bob, x" <bob@x.example>', '"Girard, Bob, x" <bob@x.example>'),
        ("carl@x.example , ", "carl@x.example , "),
        ("nobody", "nobody"),
        ("gone", "gone"),
        ("b_b", "b_b"),
        ("-x, _y", "-x, _y"),
        ("", ""),
    ],
)
def test_the_name_of_an_account_gets_its_domain_and_nothing_else_does(alice, bob, settings, typed, meant):
    account("anne.roux@lycee.example")
    account("gone@lycee.example", active=0)
    assert to(alice, typed, settings) == meant


def test_somebody_of_another_domain_means_their_own(alice, bob, settings):
    charlie = account("charlie@autre.example")
    account("dora@autre.example")
    assert to(charlie, "bob", settings) == "bob"
    assert to(charlie, "dora", settings) == "dora@autre.example"
    assert to(alice, "dora", settings) == "dora"
    [asked] = unclear(charlie, {"to": "bob"}, settings)
    assert asked.own == "bob@autre.example"
    assert all("lycee.example" not in one.email for one in asked.choices)


def test_who_cannot_be_known_is_asked_about_alike_whether_there_or_not(alice, bob, settings):
    closed = replace(settings, directory=False)
    assert to(alice, "bob", closed) == "bob"
    [there], [not_there] = unclear(alice, {"to": "bob"}, closed), unclear(alice, {"to": "nob"}, closed)
    assert (there.choices, there.own) == ((), "bob@lycee.example")
    assert (not_there.choices, not_there.own) == ((), "nob@lycee.example")


def test_the_establishments_own_sender_is_no_account_to_complete(alice, settings):
    account("system@lycee.example")
    assert to(alice, "system", replace(settings, system_address="system@lycee.example")) == "system"


def test_a_friend_elsewhere_of_that_name_is_asked_about(alice, bob, settings):
    Correspondent.create(user=alice, address="bob@friends.example", name="Bob Ami", count=151)
    assert to(alice, "bob", settings) == "bob"
    [asked] = unclear(alice, {"to": "bob"}, settings)
    assert [one.email for one in asked.choices] == ["bob@friends.example", bob.address]
    Correspondent.create(user=alice, address=bob.address, count=200)
    assert to(alice, "bob", settings) == bob.address


@pytest.mark.parametrize(
    ("address", "name"),
    [("b.ami@friends.example", "Bob Ami"), ("ami@lycee.example", "AMI, Bób"), ("b@xn--caf-dma.example", '"Bob" (ami)'),
     ("b@x.example", "Jean-Bob Ami")],
)  # fmt: skip
def test_a_friend_of_that_name_under_another_address_is_asked_about(alice, bob, settings, address, name):
    friend = Correspondent.create(user=alice, address=address, name=name, count=151)
    assert to(alice, "Bob", settings) == "Bob"
    [asked] = unclear(alice, {"to": "Bob"}, settings)
    assert len(asked.choices) == 2 and bob.address in [one.email for one in asked.choices]
    remembered.forget(alice, address)
    assert to(alice, "bob", settings) == bob.address
    remembered.take_back(alice, address)
    Correspondent.update(name="Bobby Ami").where(Correspondent.id == friend.id).execute()
    assert to(alice, "bob", settings) == bob.address


def test_a_friend_of_somebody_else_changes_nothing(alice, bob, settings):
    Correspondent.create(user=bob, address="bob@friends.example", name="Bob Ami", count=151)
    assert to(alice, "bob", settings) == bob.address


# --- asked -----------------------------------------------------------------------------------------------------------


def test_people_of_that_name_are_offered_and_last_ones_own_domain(alice, settings):
    Correspondent.create(user=alice, address="kari@fjord.example", name="Kari Nordmann", count=151)
    Acquaintance.create(user=alice, address="k.n@x.example", name="Kari N", count=1)
    [asked] = unclear(alice, {"to": "ann@x.example, kari", "cc": "Kari"}, settings)
    assert asked.name == "kari"
    assert [one.entry for one in asked.choices] == ["Kari Nordmann <kari@fjord.example>", "Kari N <k.n@x.example>"]
    assert asked.own == "kari@lycee.example"


def test_a_full_name_is_asked_about_only_with_somebody_to_offer(alice, settings):
    Correspondent.create(user=alice, address="kari@fjord.example", name="Kari Nordmann")
    [asked] = unclear(alice, {"to": "Kari Nordmann"}, settings)
    assert ([one.email for one in asked.choices], asked.own) == (["kari@fjord.example"], "")
    assert unclear(alice, {"to": "Zzz Qqq"}, settings) == []


@pytest.mark.parametrize("typed", ["karri", "kair", "nordman", "Kari Nordmnan"])
def test_near_names_are_offered(alice, settings, typed):
    Correspondent.create(user=alice, address="kari.nordmann@fjord.example", name="Kari Nordmann")
    [asked] = unclear(alice, {"to": typed}, settings)
    assert "kari.nordmann@fjord.example" in [one.email for one in asked.choices]


def test_a_few_names_are_asked_about_at_once(alice, settings):
    assert len(unclear(alice, {"to": ", ".join(f"nobody{n}" for n in range(500))}, settings)) == MOST_ASKED


@pytest.mark.parametrize(
    "typed", ["", "a@x.example", "<script>", "a" * 300, "x@", '"kari"', "Ann <ann@x.example>", "bob@, x.example", "kari; a@b@c"]
)
def test_what_is_no_name_is_no_question(alice, settings, typed):
    assert unclear(alice, {"to": typed}, settings) == []


# --- chosen ----------------------------------------------------------------------------------------------------------


def test_the_choice_takes_the_place_of_the_name_and_of_nothing_else():
    fields = {"to": "kari, karina, Kari <kari@x.example>", "cc": "Kari; b@x.example", "bcc": ""}
    assert replaced(fields, "kari", "K <k@y.example>") == {
        "to": "K <k@y.example>, karina, Kari <kari@x.example>", "cc": "K <k@y.example>, b@x.example", "bcc": "",
    }  # fmt: skip


@pytest.mark.parametrize("entry", ["", "kari", "a@b@c", "x\r\nBcc: y@z.example"])
def test_only_an_address_can_be_chosen(entry):
    with pytest.raises(BadAddressError):
        replaced({"to": "kari"}, "kari", entry)
