"""Policies: what groups give their people, whose value wins, and that the account's row tells what holds."""

from __future__ import annotations

from typing import Any

import pytest

from webmail.auth import account_management
from webmail.auth.factors import requirement
from webmail.compose.outbox import recipient_limits
from webmail.database.connection import db
from webmail.filters.forwarding import policy as forwarding
from webmail.models import GroupMember, PeopleGroup, User
from webmail.people import groups, policies
from webmail.people.policies import USUAL_QUOTA, Policy
from webmail.rate_limits import DAY, HOUR

MB = 1024**2


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements since it was emptied."""
    made: list[str] = []
    execute = type(db.obj).execute_sql

    def noted(self: Any, sql: str, *more: Any, **named: Any) -> Any:
        made.append(sql)
        return execute(self, sql, *more, **named)

    monkeypatch.setattr(type(db.obj), "execute_sql", noted)
    return made


def group(name: str, **said: object) -> PeopleGroup:
    made = groups.create("lycee.example", name)
    policies.set_group(made, Policy(**said))  # type: ignore[arg-type]
    return made


def fresh(user: User) -> User:
    return User.get_by_id(user.id)


def test_a_group_gives_its_people_room_until_they_leave(alice: User) -> None:
    maths = group("Maths", quota_bytes=5 * USUAL_QUOTA, quota_messages=100)
    groups.add(maths, [alice])
    assert (fresh(alice).quota_bytes, fresh(alice).quota_messages) == (5 * USUAL_QUOTA, 100)
    groups.remove(maths, [alice])
    assert (fresh(alice).quota_bytes, fresh(alice).quota_messages, fresh(alice).policy) == (USUAL_QUOTA, None, None)


def test_what_was_given_to_a_person_wins_over_their_groups(alice: User, bob: User) -> None:
    account_management.set_quota(alice, USUAL_QUOTA)
    maths = group("Maths", quota_bytes=5 * USUAL_QUOTA, recipients_per_hour=50, forwarding="off")
    groups.add(maths, [alice, bob])
    policies.set_own(alice, Policy(forwarding="anywhere"))
    assert fresh(alice).quota_bytes == USUAL_QUOTA and fresh(bob).quota_bytes == 5 * USUAL_QUOTA
    assert policies.for_user(fresh(alice)).forwarding == "anywhere" and policies.for_user(fresh(bob)).forwarding == "off"
    policies.follow_groups(alice)
    assert fresh(alice).quota_bytes == 5 * USUAL_QUOTA


def test_of_several_groups_the_widest_counts_and_a_required_factor_is_required(alice: User) -> None:
    groups.add(group("A", quota_bytes=2 * USUAL_QUOTA, forwarding="off", second_step=True, hidden=("calendar", "polls")), [alice])
    groups.add(
        group("B", quota_bytes=3 * USUAL_QUOTA, forwarding="domains", forwarding_domains=("ac.example",), hidden=("polls",)),
        [alice],
    )
    groups.add(group("C", second_step=False, message_bytes=0), [alice])
    groups.add(groups.create("lycee.example", "D"), [alice])
    found = policies.for_user(fresh(alice))
    assert fresh(alice).quota_bytes == 3 * USUAL_QUOTA
    assert (found.forwarding, found.forwarding_domains, found.second_step, found.hidden) == (
        "domains",
        ("ac.example",),
        True,
        ("polls",),
    )
    assert [name for name, _said in policies.origins(alice)] == ["A", "B", "C"]


def test_pages_ask_what_holds_without_a_query(alice: User, settings, asked: list[str]) -> None:
    groups.add(
        group(
            "A",
            recipients_per_hour=7,
            recipients_per_day=9,
            forwarding="off",
            second_step=True,
            message_bytes=MB,
            hidden=("calendar",),
        ),
        [alice],
    )
    user = fresh(alice)
    asked.clear()
    assert recipient_limits.for_user(user, settings) == {HOUR: 7, DAY: 9}
    assert not forwarding.may_forward(user, "bob@lycee.example", settings)
    assert requirement.is_required(user, settings)
    assert policies.message_limit(user, settings) == MB
    assert policies.hidden(user) == {"calendar", "todo", "polls", "appointments"}
    assert not asked
    account_management.set_recipients(user, 20, None)
    assert recipient_limits.for_user(user, settings) == {HOUR: 20, DAY: 9}


def test_nothing_holds_where_no_group_says_anything(alice: User, settings) -> None:
    groups.add(groups.create("lycee.example", "A"), [alice])
    assert fresh(alice).policy is None and policies.message_limit(alice, settings) == settings.message_limit
    assert policies.hidden(alice) == frozenset()


def test_whom_one_may_write_to_follows_the_groups(alice: User) -> None:
    teachers = groups.create("lycee.example", "Teachers")
    classes = group("4e B", writes_to="groups", reach=(teachers.identifier, "gone.x@lycee.example"), written_by="inside")
    pupils = group("Pupils", writes_to="own")
    groups.add(pupils, [alice])
    assert policies.for_user(fresh(alice)).to_groups == ()
    groups.add(classes, [alice])
    found = policies.for_user(fresh(alice))
    assert (found.writes_to, found.written_by) == ("groups", "inside")
    assert set(found.to_groups) == {classes.id, teachers.id}
    chess = groups.create("lycee.example", "Chess")
    groups.add(chess, [alice])  # "own" counts it
    assert set(policies.for_user(fresh(alice)).to_groups) == {classes.id, teachers.id, chess.id}
    groups.delete(chess)
    assert set(policies.for_user(fresh(alice)).to_groups) == {classes.id, teachers.id}


def test_a_large_group_takes_few_statements(alice: User, asked: list[str]) -> None:
    rows = [{"address": f"p{n}@lycee.example", "local": f"p{n}", "domain": "lycee.example"} for n in range(900)]
    User.insert_many(rows).execute()
    everybody = groups.create("lycee.example", "Everybody")
    GroupMember.insert_many([{"group": everybody, "user": user} for user in User.select()]).execute()
    asked.clear()
    policies.set_group(everybody, Policy(quota_bytes=2 * USUAL_QUOTA))
    assert User.select().where(User.quota_bytes == 2 * USUAL_QUOTA).count() >= 900
    assert len(asked) < 24
