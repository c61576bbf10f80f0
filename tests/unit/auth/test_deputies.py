"""Deputies: whom they help, with what, and never; two of them at once; how often. And the passwords on their sheets."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.auth_app import PASSWORD, add
from tests.support.limits import let_pass, lower
from webmail.auth.passwords import hashing
from webmail.auth.passwords.change import ChangeFault, PasswordNotChangedError, change
from webmail.auth.recovery import deputies, temporary_passwords
from webmail.auth.recovery.deputies import ChangedMeanwhileError, HelpRefusal, NotHelpedError
from webmail.auth.recovery.temporary_passwords import TemporaryPasswordOverError
from webmail.auth.sign_in.authentication import sign_in
from webmail.database.connection import db
from webmail.errors import SignInRefusedError
from webmail.models import AuditAct, AuditEntry, Authenticator, Deputy, GroupMember, PeopleGroup, User, now
from webmail.rate_limits import TooManyRequestsError

NEW = "un tournesol sur 12 bateaux"


def group(name, *people, domain="lycee.example"):
    made = PeopleGroup.create(identifier=f"{name}@{domain}", name=name, sort=name.lower(), domain=domain)
    for user in people:
        GroupMember.create(group=made, user=user)
    return made


@pytest.fixture
def dora(database):
    """The deputy of 4e B, with a second factor."""
    user = add("dora@lycee.example")
    User.update(second_step=1).where(User.id == user.id).execute()
    return User.get_by_id(user.id)


@pytest.fixture
def pupils(alice, bob, dora):
    made = group("4e B", alice, bob)
    deputies.add(dora, made)
    return made


def changed(user, **values):
    User.update(**values).where(User.id == user.id).execute()
    return User.get_by_id(user.id)


def give(helper, person, settings):
    return deputies.give_password(helper, person.id, deputies.state_of(User.get_by_id(person.id), settings), settings)


def type_in(user, password, settings):
    return sign_in(user.address, password, "", settings, lambda _account: None)


# --- whom ------------------------------------------------------------------------------------------------------------


def test_they_see_the_people_of_their_groups_alone(dora, alice, bob, pupils, settings):
    outside = add("zoe@lycee.example")
    found, total = deputies.people(dora, "", 1, 50, settings)
    assert [one.user.local for one in found] == ["alice", "bob"]
    assert total == 2
    assert deputies.find(dora, alice.id, settings) == alice
    assert deputies.find(dora, outside.id, settings) is None
    assert deputies.find(dora, 10**30, settings) is None


def test_somebody_in_two_of_the_groups_is_listed_once(dora, alice, bob, pupils, settings):
    deputies.add(dora, group("Maths", alice))
    assert deputies.people(dora, "", 1, 50, settings)[1] == 2


def test_they_are_found_by_words_page_by_page(dora, alice, bob, pupils, settings):
    changed(alice, name="Alice Leroy")
    assert [one.user for one in deputies.people(dora, "leroy alice", 1, 50, settings)[0]] == [alice]
    assert deputies.people(dora, "leroy bob", 1, 50, settings) == ([], 0)
    first, total = deputies.people(dora, "", 1, 1, settings)
    second, _ = deputies.people(dora, "", 2, 1, settings)
    assert total == 2
    assert {first[0].user, second[0].user} == {alice, bob}


def test_an_administrator_helps_everybody_of_their_domains_and_nobody_else(alice, settings):
    admin, far = add("admin@lycee.example"), add("eve@other.example")
    admin = changed(admin, role="admin")
    assert deputies.may_help(admin)
    assert deputies.find(admin, alice.id, settings) == alice
    assert deputies.find(admin, far.id, settings) is None


def test_who_is_a_deputy_no_more_sees_nobody(dora, alice, pupils, settings):
    assert [each.name for each in deputies.remove(dora)] == ["4e B"]
    assert not deputies.may_help(dora)
    assert deputies.find(dora, alice.id, settings) is None
    with pytest.raises(LookupError):
        give(dora, alice, settings)


def test_the_group_goes_and_the_right_with_it(dora, alice, pupils, settings):
    pupils.delete_instance()
    assert not Deputy.select().exists()
    assert deputies.find(dora, alice.id, settings) is None


def test_the_list_tells_of_the_last_sign_in(dora, alice, bob, pupils, settings):
    for days in (3, 1):
        AuditEntry.create(act=AuditAct.SIGN_IN, actor=alice, actor_address=alice.address, at=now() - timedelta(days=days))
    found = {one.user.local: one.signed_in for one in deputies.people(dora, "", 1, 50, settings)[0]}
    assert found["bob"] is None
    assert now() - found["alice"] < timedelta(days=2)


# --- never -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"role": "admin"}, HelpRefusal.ADMIN),
        ({"active": 0}, HelpRefusal.DISABLED),
        ({"password": "", "provider": "oidc:ent"}, HelpRefusal.PROVIDER),
    ],
)
def test_not_these(dora, alice, pupils, settings, values, refusal):
    before = changed(alice, **values).password
    with pytest.raises(NotHelpedError) as refused:
        give(dora, alice, settings)
    assert refused.value.refusal is refusal
    assert User.get_by_id(alice.id).password == before
    assert not AuditEntry.select().where(AuditEntry.act == AuditAct.DEPUTY_PASSWORD_SET).exists()


def test_not_oneself_nor_another_deputy_but_for_an_administrator(dora, bob, pupils, settings):
    GroupMember.create(group=pupils, user=dora)
    deputies.add(bob, pupils)
    assert deputies.why_no_password(dora, dora, settings) is HelpRefusal.ONESELF
    assert deputies.why_no_removal(dora, dora) is HelpRefusal.ONESELF
    assert deputies.why_no_password(dora, bob, settings) is HelpRefusal.DEPUTY
    admin = changed(add("admin@lycee.example"), role="admin", second_step=1)
    assert deputies.why_no_password(admin, bob, settings) is None
    assert deputies.why_no_password(admin, admin, settings) is HelpRefusal.ONESELF


def test_not_where_the_mail_server_keeps_the_passwords_but_factors_go_there_too(dora, alice, pupils, settings):
    elsewhere = replace(settings, sign_in="imap")
    assert deputies.why_no_password(dora, alice, elsewhere) is HelpRefusal.ELSEWHERE
    assert deputies.why_no_removal(dora, changed(alice, second_step=1)) is None


def test_factors_of_a_providers_account_can_be_removed(dora, alice, pupils, settings):
    alice = changed(alice, password="", provider="ldap", second_step=1)
    assert deputies.why_no_removal(dora, alice) is None


def test_a_deputy_without_a_second_factor_helps_nobody(dora, alice, pupils, settings):
    dora = changed(dora, second_step=0)
    with pytest.raises(NotHelpedError) as refused:
        give(dora, alice, settings)
    assert refused.value.refusal is HelpRefusal.NO_FACTOR
    assert hashing.verify(User.get_by_id(alice.id).password, PASSWORD)


# --- the password ----------------------------------------------------------------------------------------------------


def test_it_replaces_the_old_one_and_signs_in_once_it_is_typed_as_people_type(dora, alice, pupils, settings):
    person, letters = give(dora, alice, settings)
    assert person == alice
    assert person.must_change == 1
    shown = " ".join(temporary_passwords.groups(letters))
    assert type_in(alice, shown, settings) == alice
    assert type_in(alice, shown.upper(), settings) == alice
    assert type_in(alice, shown.replace(" ", "-"), settings) == alice
    with pytest.raises(SignInRefusedError):
        type_in(alice, PASSWORD, settings)
    entry = AuditEntry.get(AuditEntry.act == AuditAct.DEPUTY_PASSWORD_SET)
    assert (entry.actor, entry.target) == (dora, alice.address)
    assert letters not in entry.details


def test_it_has_sixty_bits_and_no_letters_that_are_taken_for_others():
    letters = temporary_passwords.make()
    assert len(letters) == 16
    assert not set(letters) & set("ilo01")
    assert len(set(temporary_passwords.ALPHABET)) ** 16 >= 2**60


def test_spaces_are_forgiven_of_nobody_else(alice, settings):
    alice = changed(alice, password=hashing.hash_password("abcdefghjkmnpqrs"))
    with pytest.raises(SignInRefusedError):
        type_in(alice, "abcd efgh jkmn pqrs", settings)


def test_it_is_good_for_seven_days(dora, alice, pupils, settings):
    person, letters = give(dora, alice, settings)
    assert timedelta(days=6, hours=23) < person.temporary_until - now() <= timedelta(days=7)
    changed(alice, temporary_until=now() - timedelta(seconds=1))
    with pytest.raises(TemporaryPasswordOverError):
        type_in(alice, letters, settings)
    with pytest.raises(SignInRefusedError) as refused:
        type_in(alice, "wrong", settings)
    assert not isinstance(refused.value, TemporaryPasswordOverError)  # only who has the sheet is told


def test_ones_own_password_is_good_for_ever_after(dora, alice, pupils, settings):
    person, letters = give(dora, alice, settings)
    change(person, " ".join(temporary_passwords.groups(letters)), NEW, NEW, settings)
    changed(alice, temporary_until=now() - timedelta(days=1))
    assert type_in(alice, NEW, settings) == alice


def test_it_can_not_be_kept(dora, alice, pupils, settings):
    person, letters = give(dora, alice, settings)
    again = "-".join(temporary_passwords.groups(letters))
    with pytest.raises(PasswordNotChangedError) as refused:
        change(person, letters, again, again, settings)
    assert refused.value.faults == {"new_password": ChangeFault.SAME}


# --- two at once, and how often --------------------------------------------------------------------------------------


def test_the_second_of_two_deputies_is_told(dora, alice, pupils, settings):
    other = changed(add("emil@lycee.example"), second_step=1)
    deputies.add(other, pupils)
    seen = deputies.state_of(alice, settings)
    _, letters = deputies.give_password(dora, alice.id, seen, settings)
    with pytest.raises(ChangedMeanwhileError):
        deputies.give_password(other, alice.id, seen, settings)
    assert type_in(alice, letters, settings) == alice


def test_of_two_at_the_same_moment_one_sheet_is_good(dora, alice, pupils, settings):
    other = changed(add("emil@lycee.example"), second_step=1)
    deputies.add(other, pupils)
    seen, made, refused = deputies.state_of(alice, settings), [], []
    start = threading.Barrier(2)

    def work(helper):
        start.wait()
        with db.connection_context():
            try:
                made.append(deputies.give_password(helper, alice.id, seen, settings)[1])
            except ChangedMeanwhileError:
                refused.append(helper)

    threads = [threading.Thread(target=work, args=(helper,)) for helper in (dora, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), len(refused)) == (1, 1)
    assert type_in(alice, made[0], settings) == alice


def test_thirty_an_hour(dora, alice, pupils, settings, monkeypatch):
    lower(monkeypatch, deputies, "HELPED", most=2)
    give(dora, alice, settings)
    Authenticator.create(user=alice, name="App", secret=b"x", confirmed=True)
    changed(alice, second_step=1)
    deputies.remove_factors(dora, alice.id, "lost", settings)
    before = User.get_by_id(alice.id).password
    with pytest.raises(TooManyRequestsError) as refused:
        give(dora, alice, settings)
    assert 1 <= refused.value.minutes <= 61
    assert User.get_by_id(alice.id).password == before
    let_pass(timedelta(hours=2))
    give(dora, alice, settings)


# --- factors ---------------------------------------------------------------------------------------------------------


def test_factors_go_and_the_reason_stays(dora, alice, pupils, settings):
    Authenticator.create(user=alice, name="App", secret=b"x", confirmed=True)
    changed(alice, second_step=1)
    assert deputies.remove_factors(dora, alice.id, "Telephone stolen\nsee card", settings) == alice
    assert not Authenticator.select().exists()
    assert User.get_by_id(alice.id).second_step == 0
    assert type_in(alice, PASSWORD, settings) == alice  # the password stays as it was
    entry = AuditEntry.get(AuditEntry.act == AuditAct.DEPUTY_FACTORS_REMOVED)
    assert "Telephone stolen see card" in entry.details
    with pytest.raises(NotHelpedError) as refused:
        deputies.remove_factors(dora, alice.id, "again", settings)
    assert refused.value.refusal is HelpRefusal.NONE
