"""Limits of one person in administration: where each value comes from, own ones given and undone, and the most that may be given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.visits import Page, Visitor
from webmail.auth import account_management
from webmail.establishments import establishments
from webmail.models import AuditAct, AuditEntry, PeopleGroup, User
from webmail.people import groups, policies
from webmail.people.policies import Policy

GIGABYTE = 1024**3
FORM = "main form[action$='/limits']"


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance", language="en") as made:
        for name in ("alice", "root", "head"):
            ground.add(f"{name}@lycee.example")
        ground.add("zoe@college.example")
        account_management.set_role(of("root"), "admin")
        yield made


@pytest.fixture
def root(app: Flask) -> Visitor:
    return ground.signed_in(app, "root").confirm()


@pytest.fixture
def head(app: Flask) -> Visitor:
    """Of the lycée alone, where the installation lets everybody write to 100 people in an hour."""
    lycee = establishments.make("Lycée")
    establishments.set_domains(lycee, ["lycee.example"])
    establishments.add_administrator(lycee, of("head"))
    app.extensions["settings"] = replace(app.extensions["settings"], recipients_per_hour=100)
    return ground.signed_in(app, "head").confirm()


def of(local: str) -> User:
    return User.get(User.local == local)


def path(local: str) -> str:
    return f"/admin/people/{of(local).id}/limits"


def told(page: Page, name: str) -> list[str]:
    """A limit's value and origin, as the page of the person has them."""
    return [cell.get_text().strip() for cell in page.one(f"[data-limit={name}]").select("td")]


def test_each_value_says_where_it_comes_from(app: Flask, root: Visitor) -> None:
    for name, hour in (("Maths", 50), ("Chess", 20)):
        made = groups.create("lycee.example", name)
        policies.set_group(made, Policy(recipients_per_hour=hour, message_bytes=2 * 1024**2))
        groups.add(made, [of("alice")])
    where = f"/admin/people/{of('alice').id}"
    assert told(root.get(where), "recipients_per_hour") == ["50", "from Maths"]
    assert told(root.get(where), "recipients_per_day") == ["no limit", "setting"]
    page = root.submit(root.get(path("alice")), FORM, recipients_per_hour="30", forwarding="off", message_bytes="0")
    assert "Saved." in page.notices
    assert told(page, "recipients_per_hour") == ["30", "own value"] and told(page, "forwarding") == ["Nobody", "own value"]
    assert told(page, "message_bytes")[1] == "setting"  # nobody is given more than the mail server takes
    assert policies.recipient_limits(of("alice"), app.extensions["settings"])[0] == 30
    page = root.submit(root.get(path("alice")), FORM, recipients_per_hour="", message_bytes="")
    assert told(page, "recipients_per_hour") == ["50", "from Maths"]
    assert told(page, "message_bytes")[1] == "from Chess, Maths"


def test_room_for_mail_stays_as_it_was_given(root: Visitor) -> None:
    account_management.set_quota(of("alice"), 500 * 1024**2)
    policies.set_own(of("alice"), Policy(quota_messages=70))
    root.submit(root.get(path("alice")), FORM, recipients_per_day="9", quota_bytes="7", quota_messages="7")
    assert (of("alice").quota_bytes, of("alice").quota_messages) == (500 * 1024**2, 70)


def test_what_was_saved_is_undone_unless_somebody_changed_it_since(root: Visitor) -> None:
    account_management.set_recipients(of("alice"), 5, None)
    page = root.submit(root.get(path("alice")), FORM, recipients_per_hour="30", written_by="inside")
    assert of("alice").recipients_per_hour == 30 and policies.for_user(of("alice")).written_by == "inside"
    root.submit(page, "form[action='/admin/people/limits/undo']")
    assert of("alice").recipients_per_hour == 5 and policies.for_user(of("alice")).written_by is None
    page = root.submit(root.get(path("alice")), FORM, recipients_per_hour="30")
    account_management.set_recipients(of("alice"), 40, None)
    assert "can no longer be undone" in str(root.submit(page, "form[action='/admin/people/limits/undo']").notices)
    assert of("alice").recipients_per_hour == 40
    assert AuditEntry.select().where(AuditEntry.act == AuditAct.ACCOUNT_LIMITED).count() == 3


def test_the_second_of_two_is_told_and_keeps_what_was_typed(root: Visitor) -> None:
    first, second = root.get(path("alice")), root.get(path("alice"))
    root.submit(first, FORM, recipients_per_hour="10")
    page = root.submit(second, FORM, recipients_per_hour="20")
    assert page.status == 409 and "Another administrator changed this account" in page.text
    assert page.one("[name=recipients_per_hour]")["value"] == "20" and told(page, "recipients_per_hour") == ["10", "own value"]
    assert told(root.submit(page, FORM), "recipients_per_hour") == ["20", "own value"]


def test_an_administrator_of_one_establishment_has_no_page_of_others(head: Visitor) -> None:
    token = head.get(path("alice")).one(f"{FORM} [name=csrf_token]")["value"]
    assert head.get(path("zoe")).status == 404
    assert head.post(path("zoe"), {"csrf_token": token, "recipients_per_hour": "1"}).status == 404
    assert of("zoe").recipients_per_hour is None


def test_an_administrator_of_one_establishment_gives_no_more_recipients_than_the_setting(head: Visitor) -> None:
    made = groups.create("lycee.example", "Maths")
    group = f"/admin/groups/{made.id}/policy"
    for where, form in ((path("alice"), FORM), (group, "main form[action$='/policy']")):
        for typed in ("101", "0"):
            page = head.submit(head.get(where), form, recipients_per_hour=typed)
            assert page.status == 422 and "Enter a number from 1 to 100." in page.one("#recipients_per_hour-error").get_text()
            assert page.one("[name=recipients_per_hour]")["value"] == typed
        page = head.submit(page, form, recipients_per_hour="100", recipients_per_day="0")  # no setting bounds a day
        assert page.status == 200
    assert of("alice").recipients_per_hour == policies.of_group(PeopleGroup.get_by_id(made.id)).recipients_per_hour == 100


def test_what_an_administrator_of_all_gave_stays_when_others_save(head: Visitor) -> None:
    account_management.set_recipients(of("alice"), 500, None)
    assert head.submit(head.get(path("alice")), FORM, written_by="inside").status == 200
    assert of("alice").recipients_per_hour == 500


def test_room_that_was_given_goes_back_to_the_groups_and_is_undone(app: Flask, root: Visitor) -> None:
    group = groups.create("lycee.example", "6A")
    policies.set_group(group, Policy(quota_bytes=5 * GIGABYTE // 2))
    groups.add(group, [of("alice")])
    assert not root.get(path("alice")).all("#room"), "nobody gave her any"
    account_management.set_quota(of("alice"), 3 * GIGABYTE)
    page = root.submit(root.get(path("alice")), "#room")
    assert of("alice").quota_bytes == 5 * GIGABYTE // 2 and "The groups decide" in page.notices
    root.submit(page, "form[action='/admin/people/limits/undo']")
    assert of("alice").quota_bytes == 3 * GIGABYTE and root.get(path("alice")).all("#room")


def test_a_policy_shows_numbers_as_they_were_typed(app: Flask, root: Visitor) -> None:
    group = groups.create("lycee.example", "6A")
    policies.set_group(group, Policy(quota_bytes=5 * GIGABYTE // 2, quota_messages=12_000))
    account_management.set_language(of("root"), "fr")
    page = ground.signed_in(app, "root", "fr").confirm().get(f"/admin/groups/{group.id}/policy")
    assert (page.one("#p-quota_bytes")["value"], page.one("#p-quota_messages")["value"]) == ("2,5", "12000")
