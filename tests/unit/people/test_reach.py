"""Reach: who may write to whom, as pages ask before they send, and as the door decides."""

from __future__ import annotations

import pytest

from webmail.accounts import permitted
from webmail.auth import aliases
from webmail.establishments import establishments
from webmail.models import PeopleGroup, User
from webmail.people import groups, lists, policies, reach
from webmail.people.lists import ListAddressTakenError, UnusableListAddressError
from webmail.people.policies import Policy
from webmail.people.reach import Addressee, Writer


def person(local: str, domain: str = "lycee.example") -> User:
    return User.create(address=f"{local}@{domain}", local=local, domain=domain)


@pytest.fixture
def four(alice: User, bob: User) -> PeopleGroup:
    """Alice's class; Bob teaches."""
    teachers, four = groups.create(alice.domain, "Teachers"), groups.create(alice.domain, "4e B")
    groups.add(teachers, [bob])
    groups.add(four, [alice])
    policies.set_group(four, Policy(writes_to="groups", reach=(teachers.identifier,)))
    return four


def refused(user: User, settings, *addresses: str) -> dict[str, str]:
    return {one.address: one.why for one in permitted.refused(User.get_by_id(user.id), addresses, settings)}


def test_one_who_writes_to_certain_groups_is_told_who_is_in_none_of_them(alice: User, bob: User, four, settings) -> None:
    dora = person("dora")
    aliases.add(bob, "maths@lycee.example")
    allowed = [alice.address, "Bob@Lycee.example", "bob+x@lycee.example", "maths@lycee.example", settings.admin_address]
    assert refused(alice, settings, *filter(None, allowed)) == {}
    wrong = [dora.address, "nobody@lycee.example", "ann@far.example"]
    assert refused(alice, settings, *wrong, bob.address) == dict.fromkeys(wrong, "groups")
    assert refused(bob, settings, *wrong) == {}


def test_inside_is_the_establishment(alice: User, bob: User, settings) -> None:
    policies.set_own(alice, Policy(writes_to="inside"))
    person("col", "college.example")
    assert refused(alice, settings, bob.address, "nobody@lycee.example") == {}
    assert refused(alice, settings, "ann@far.example") == {"ann@far.example": "outside"}
    one = establishments.make("Lycée")
    establishments.set_domains(one, ["lycee.example", "college.example"])
    assert refused(alice, settings, "col@college.example") == {}


def test_a_list_says_who_writes_to_it(alice: User, bob: User, four: PeopleGroup, settings) -> None:
    address = lists.set_address(four, "4b@lycee.example")
    dora = person("dora")
    assert refused(alice, settings, address) == {} and refused(dora, settings, address) == {address: "members"}
    lists.set_address(four, address, "owners")
    lists.set_owners(four, [bob])
    assert refused(bob, settings, address) == {} and refused(alice, settings, address) == {address: "owners"}
    lists.set_address(four, address, "inside")
    assert refused(dora, settings, address) == {}
    with pytest.raises(UnusableListAddressError):
        lists.set_address(four, "4b@far.example")
    with pytest.raises(ListAddressTakenError):
        lists.set_address(groups.create("lycee.example", "Other"), address)


def test_without_rules_a_message_costs_one_query_more_and_nobody_is_refused(alice: User, settings) -> None:
    assert refused(alice, settings, "ann@far.example", "bob@lycee.example") == {}


def test_who_takes_nothing_from_outside_is_written_to_from_inside_alone() -> None:
    pupil = Addressee("p@x", account=1, takes=reach.INSIDE)
    assert reach.refusal(Writer(), pupil) and not reach.refusal(Writer(2), pupil)
    assert not reach.refusal(Writer(), Addressee("p@x", account=1, takes=reach.INSIDE, always=True))


def test_domains_of_another_establishment_are_not_inside() -> None:
    of = {"a.example": 1, "b.example": 2, "c.example": 1}
    assert reach.inside_of("a.example", ["a.example", "d.example"], of) == {"a.example", "c.example"}
    assert reach.inside_of("d.example", ["a.example", "d.example", "e.example"], of) == {"d.example", "e.example"}
    assert reach.inside_of("alone.example", ["d.example"], of) == {"alone.example"}
