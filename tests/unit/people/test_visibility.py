"""Who sees whom in the directory: nothing that shows, suggests or resolves people tells more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from webmail.compose.recipients import address_book, bare_names, suggestions
from webmail.config.directory import ListedAddress, SightRule
from webmail.mailbox import sharing
from webmail.models import GroupMember, PeopleGroup, User
from webmail.people import groups
from webmail.people.visibility import sees, sight_of

PUPILS = SightRule("own groups")
STAFF_FIRST = (SightRule("everyone", "Staff"), PUPILS)


def account(local: str, *inside: PeopleGroup, active: int = 1) -> User:
    user = User.create(
        address=f"{local}@lycee.example", local=local, domain="lycee.example", name=f"{local.title()} Girard", active=active
    )
    for group in inside:
        GroupMember.create(group=group, user=user)
    return user


@pytest.fixture
def school(here):
    """Two classes and the staff: pupil, mate (one class), other (the other), teacher (staff)."""
    classes = [groups.create("lycee.example", name) for name in ("4e A", "4e B", "Staff", "Nurses")]
    return {
        "pupil": account("pupil", classes[0]), "mate": account("mate", classes[0]), "other": account("other", classes[1]),
        "teacher": account("teacher", classes[2]), "nurse": account("nurse", classes[3]), "gone": account("gone", classes[0], active=0),
    }  # fmt: skip


@pytest.fixture
def rules(here):
    def make(*found: SightRule, **more):
        return replace(here.settings, directory_rules=found, group_prefix="$", sign_in="accounts", **more)

    return make


def shown(user, settings, words="girard") -> set[str]:
    return {one.email.partition("@")[0] or one.name for one in suggestions.find(user, words, settings)}


@pytest.mark.parametrize(
    ("found", "pupil", "teacher"),
    [
        ((), {"pupil", "mate", "other", "teacher", "nurse"}, {"pupil", "mate", "other", "teacher", "nurse"}),
        (STAFF_FIRST, {"pupil", "mate"}, {"pupil", "mate", "other", "teacher", "nurse"}),
        ((SightRule("own groups", "", "Nurses, No such group"),), {"pupil", "mate", "nurse"}, {"teacher", "nurse"}),
        ((SightRule("nobody", "", "nurses"),), {"nurse"}, {"nurse"}),
        ((SightRule("nobody"),), set(), set()),
        ((SightRule("everyone", "staff"),), set(), {"pupil", "mate", "other", "teacher", "nurse"}),  # none is for pupils
        ((SightRule("everyone", "Stafff"), PUPILS), {"pupil", "mate"}, {"teacher"}),  # misspelt: less is seen, not more
    ],
)
def test_the_first_rule_for_somebody_counts(school, rules, found, pupil, teacher):
    settings = rules(*found)
    assert shown(school["pupil"], settings) == pupil
    assert shown(school["teacher"], settings) == teacher
    assert shown(school["pupil"], replace(settings, directory=False)) == set()
    for name, person in school.items():
        assert sees(school["pupil"], person.address.upper(), settings) == (name in pupil), name


def test_groups_are_offered_and_resolved_only_where_they_are_seen(school, rules):
    settings, pupil, teacher = rules(*STAFF_FIRST), school["pupil"], school["teacher"]
    assert shown(pupil, settings, "4e") == {"4e A"} and shown(teacher, settings, "4e") == {"4e A", "4e B"}
    sight, far = sight_of(pupil, settings), PeopleGroup.get(PeopleGroup.name == "4e B")
    assert address_book.with_groups(pupil, {"to": "Staff, 4e B"}, sight) == {"to": "Staff, 4e B"}
    assert "mate@" in address_book.with_groups(pupil, {"to": "4e A"}, sight)["to"]
    assert address_book.unfolded(pupil, [f"people:{far.identifier}"], sight) == []
    assert address_book.unfolded(teacher, [f"people:{far.identifier}"], sight_of(teacher, settings))
    assert set(sharing.groups(pupil, settings).values()) == {"4e A"}
    with pytest.raises(sharing.NotSharedError):
        sharing.group("4e B", pupil, settings)


def test_a_bare_name_tells_nothing_of_who_is_not_seen(school, rules):
    settings, pupil = rules(*STAFF_FIRST), school["pupil"]
    lists = {"to": "mate, teacher, nobody"}
    assert bare_names.completed(pupil, lists, settings) == {"to": "mate@lycee.example, teacher, nobody"}
    real, unreal = (bare_names.unclear(pupil, {"to": name}, settings)[0] for name in ("teacher", "teecher"))
    assert (real.choices, real.own) == ((), "teacher@lycee.example") and unreal.choices == ()


def test_addresses_without_an_account_are_seen_by_whom_they_are_for(school, rules):
    nurse = ListedAddress("Infirmerie", "infirmerie@lycee.example", "Room 12")
    desk = ListedAddress("Girard desk", "desk@lycee.example", group="staff")
    settings = rules(*STAFF_FIRST, directory_addresses=(nurse, desk))
    assert shown(school["pupil"], settings, "infirm") == {"infirmerie"} and shown(school["pupil"], settings, "desk") == set()
    assert shown(school["teacher"], settings, "desk") == {"desk"}
    assert shown(school["pupil"], replace(settings, directory=False), "infirm") == set()


def test_what_is_kept_in_memory_shows_nobody_who_left_a_moment_ago(school, rules):
    settings, teacher = rules(*STAFF_FIRST), school["teacher"]
    assert "other" in shown(teacher, settings, "other")
    User.update(active=0, name="Girard Other!").where(User.id == school["other"].id).execute()
    User.create(address="new@lycee.example", local="new", domain="lycee.example", name="x")  # the same number of active ones
    User.update(name="Zed").where(User.id == school["mate"].id).execute()
    assert "other" not in shown(teacher, settings, "other") and "mate" in shown(teacher, settings, "zed")
