"""The name that others see: changed by the person, never to a colleague's; the administrator's is always theirs."""

from __future__ import annotations

import pytest

from webmail.models import AllowedName, User, WritingIdentity
from webmail.people import colleagues, display_names, own_name
from webmail.people.display_names import NameRefusedError


@pytest.fixture
def named(alice: User, bob: User) -> User:
    own_name.put(alice, "Alice Martin")
    own_name.put(bob, "Robert Durand")
    return alice


def test_a_name_of_ones_own_is_shown_and_the_given_one_kept(named, settings):
    assert own_name.change(named, "  Alix\u202e   Martin ", settings) == "Alice Martin"
    stored = User.get_by_id(named.id)
    assert (stored.name, stored.name_given, own_name.given(stored)) == ("Alix Martin", "Alice Martin", "Alice Martin")
    own_name.change(named, "Alix M.", settings)
    assert own_name.given(User.get_by_id(named.id)) == "Alice Martin", "not the one in between"


@pytest.mark.parametrize("typed", ["", " ", "Alice Martin"])
def test_the_given_name_is_always_allowed(named, bob, settings, typed):
    own_name.change(named, "Alix Martin", settings)
    User.update(name="Alice Martin").where(User.id == bob.id).execute()  # a namesake came meanwhile
    assert own_name.change(named, typed, settings) == "Alix Martin"
    stored = User.get_by_id(named.id)
    assert (stored.name, stored.name_given) == ("Alice Martin", None)


@pytest.mark.parametrize("typed", ["Robert Durand", "DURAND Robert", "R\u043ebert Durand", "bob@lycee.example", "Direction"])
def test_names_of_colleagues_offices_and_addresses_are_refused(named, settings, typed):
    with pytest.raises(NameRefusedError):
        own_name.change(named, typed, settings)
    assert User.get_by_id(named.id).name == "Alice Martin"


def test_step_by_step_one_does_not_get_there_either(named, settings):
    own_name.change(named, "Ro Du", settings)
    with pytest.raises(NameRefusedError):
        own_name.change(named, "Robert Durand", settings)


def test_a_given_name_stays_protected_while_another_is_shown(named, bob, settings):
    own_name.change(named, "Alix", settings)
    with pytest.raises(NameRefusedError):
        own_name.change(bob, "Alice Martin", settings)
    assert colleagues.today().is_own("Alix", named.address) and colleagues.today().is_own("Alice Martin", named.address)


def test_an_allowed_name_may_be_shown(named, settings):
    AllowedName.create(user=named, name="Direction")
    assert own_name.change(named, "Direction", settings) == "Alice Martin"


def test_the_main_identity_follows_and_others_do_not(named, settings):
    main = WritingIdentity.create(user=named, name="Alice Martin", address=named.address, is_default=True)
    other = WritingIdentity.create(user=named, name="Ali", address=named.address)
    own_name.change(named, "Alix Martin", settings)
    assert WritingIdentity.get_by_id(main.id).name == "Alix Martin"
    assert WritingIdentity.get_by_id(other.id).name == "Ali"


def test_without_a_given_name_one_can_go_back_to_none(named, settings):
    own_name.put(named, "")
    own_name.change(named, "Alix", settings)
    assert own_name.given(User.get_by_id(named.id)) == ""
    own_name.change(named, "", settings)
    assert (User.get_by_id(named.id).name, User.get_by_id(named.id).name_given) == ("", None)
    assert display_names.objection(named, "", settings) is None
