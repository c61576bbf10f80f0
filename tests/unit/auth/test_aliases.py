"""Aliases: further addresses whose mail goes to an account."""

from __future__ import annotations

import pytest

from webmail.auth import account_management, aliases, reserved_addresses
from webmail.auth.aliases import AliasTakenError, InsideOnlyError, UnusableAliasError
from webmail.models import MailAlias, User
from webmail.people import policies
from webmail.people.policies import Policy


@pytest.fixture
def ann(here) -> User:
    return here.draft().user


@pytest.fixture
def bob(here, ann: User) -> User:
    return User.create(address="bob@lycee.example", local="bob", domain=ann.domain, name="Bob")


def test_an_alias_leads_to_its_account_while_that_is_active(ann: User) -> None:
    aliases.add(ann, "Contact@Lycee.Example")
    assert aliases.account_of("contact@lycee.example") == ann
    assert aliases.accounts_of(["CONTACT@lycee.example", "x@lycee.example"]) == {"contact@lycee.example": ann.address}
    account_management.set_active(ann, False)
    assert aliases.account_of("contact@lycee.example") is None


def test_nobody_gets_an_address_that_somebody_has(ann: User, bob: User) -> None:
    account_management.allow(bob, address="cpe@lycee.example")
    aliases.add(bob, "vie@lycee.example")
    for taken in (bob.address, ann.address, "cpe@lycee.example", "VIE@lycee.example"):
        with pytest.raises(AliasTakenError):
            aliases.add(ann, taken)
    assert aliases.add(bob, "cpe@lycee.example").address == "cpe@lycee.example"  # theirs to write as already
    assert account_management.is_owned("vie@lycee.example")


def test_an_alias_is_one_of_a_domain_with_accounts(ann: User) -> None:
    for wrong in (
        "x@elsewhere.example",
        "two words@lycee.example",
        "a+b@lycee.example",
        "x",
        "",
        "x@lycee.example, y@lycee.example",
    ):
        with pytest.raises(UnusableAliasError):
            aliases.add(ann, wrong)
    assert aliases.add(ann, "@lycee.example").address == "@lycee.example"


def test_a_catch_all_leads_to_nobody_who_takes_mail_from_inside_alone(ann: User) -> None:
    policies.set_own(ann, Policy(written_by="inside"))
    ann = User.get_by_id(ann.id)
    with pytest.raises(InsideOnlyError):
        aliases.add(ann, "@lycee.example")
    assert aliases.add(ann, "contact@lycee.example").address == "contact@lycee.example"


def test_a_former_address_tells_whose_it_was_and_an_alias_does_not(ann: User) -> None:
    aliases.add(ann, "dupont@lycee.example", former=True)
    aliases.add(ann, "contact@lycee.example")
    assert aliases.account_formerly("dupont@lycee.example") == ann
    assert aliases.account_formerly("contact@lycee.example") is None
    assert [one.address for one in aliases.of_account(ann)] == ["contact@lycee.example", "dupont@lycee.example"]


def test_an_alias_goes_with_its_account_and_may_be_taken_away(ann: User, bob: User) -> None:
    aliases.add(bob, "vie@lycee.example")
    assert aliases.remove(bob, "VIE@lycee.example") and not aliases.remove(bob, "vie@lycee.example")
    aliases.add(bob, "vie@lycee.example")
    account_management.delete(bob)
    assert not MailAlias.select().exists() and not reserved_addresses.is_reserved("vie@lycee.example")
