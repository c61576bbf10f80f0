"""Domains: aliases and catch-alls, by page and by command, with undo, each administrator in their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from tests.support import people_ground as people
from tests.support.visits import Page, Visitor
from webmail.admin.people import other_addresses
from webmail.admin.people.record import COMMAND
from webmail.auth import aliases
from webmail.models import AllowedAddress, AuditAct, AuditEntry, GroupMember, MailAlias, User
from webmail.people import groups, policies
from webmail.people.policies import Policy

NORD = "/admin/domains/nord.example"


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with people.of_two_establishments(tmp_path / "instance") as made:
        yield made


@pytest.fixture
def chief(app: Flask) -> Visitor:
    return people.of_nord(app, "chief")


def command(app: Flask, *words: str) -> Any:
    return app.test_cli_runner().invoke(args=["accounts", "alias", *words])


def add(visitor: Visitor, alias: str, account: str) -> Page:
    return visitor.submit(visitor.get(NORD), "#new-alias", alias=alias, account=account, action="add")


def shown(page: Page) -> list[str]:
    return [str(row["data-alias"]) for row in page.all("[data-alias]")]


def undo(visitor: Visitor) -> Page:
    return visitor.submit(visitor.get(NORD), "form[action='/admin/domains/undo']")


def test_an_alias_is_added_found_removed_and_each_is_undone(chief):
    page = add(chief, "info", "alice")
    assert "Mail to info@nord.example goes to alice@nord.example" in page.notices and shown(page) == ["info@nord.example"]
    assert AllowedAddress.get().address == "info@nord.example"
    assert AuditEntry.select().where(AuditEntry.act == AuditAct.ACCOUNT_ALLOWED).count() == 1
    assert shown(undo(chief)) == [] and not AllowedAddress.select().exists()
    add(chief, "info@nord.example", "alice@nord.example")
    add(chief, "press@nord.example", "chief")
    assert shown(chief.get(f"{NORD}?words=ali")) == ["info@nord.example"]
    page = chief.submit(chief.get(NORD), "#those", alias="press@nord.example", action="remove")
    assert "1 alias was removed" in page.notices and shown(page) == ["info@nord.example"]
    assert shown(undo(chief)) == ["info@nord.example", "press@nord.example"]


@pytest.mark.parametrize(
    ("alias", "account", "words"),
    [
        ("alice", "chief", "alice@nord.example is in use"),
        ("info@sud.example", "alice", "Enter an address that ends with @nord.example"),
        ("", "alice", "Enter an address that ends with"),
        ("info", "bruno@sud.example", "Nobody here is called bruno@sud.example"),
        ("info", "root", "Nobody here is called root"),
        ("a b", "alice", "can’t be given"),
    ],
)
def test_what_can_not_be_is_told_and_what_was_typed_stays(chief, alias, account, words):
    page = add(chief, alias, account)
    assert page.status == 422 and words in page.text and page.one("#alias-account")["value"] == account
    assert not MailAlias.select().exists()


def test_mail_for_unknown_addresses_is_given_moved_ended_and_undone(chief):
    page = chief.submit(chief.get(NORD), "#catch-all-form", account="alice", action="catch-all")
    assert "It goes to alice@nord.example" in page.text and shown(page) == []
    chief.submit(page, "#catch-all-form", account="chief", action="catch-all")
    assert aliases.catch_alls(["nord.example"])["nord.example"].user.local == "chief"
    assert "goes to alice@nord.example" in undo(chief).text
    page = chief.submit(chief.get(NORD), "#catch-all-form", action="no-catch-all")
    assert "refused again" in page.notices and not MailAlias.select().exists()
    undo(chief)
    assert "goes to alice@nord.example" in chief.get("/admin/domains").text


def test_nobody_of_another_establishment_is_seen_or_reached(app, chief):
    assert chief.get("/admin/domains/sud.example").status == 404
    assert [str(row["data-domain"]) for row in chief.get("/admin/domains").all("[data-domain]")] == ["nord.example"]
    root, bruno = people.user("root@nord.example"), people.user("bruno@sud.example")
    other_addresses.change([], [(root, "boss@nord.example"), (bruno, "@nord.example")], COMMAND)
    page = chief.get(NORD)
    assert shown(page) == [] and "bruno" not in page.text and "whom you don’t look after" in page.text
    for fields in ({"alias": "boss@nord.example", "action": "remove"}, {"action": "no-catch-all"}):
        chief.submit(page, "#catch-all-form", **fields)
    assert chief.submit(page, "#catch-all-form", account="alice", action="catch-all").status == 422
    assert MailAlias.select().count() == 2


def test_what_was_given_to_somebody_else_since_is_not_put_back(chief):
    add(chief, "info", "alice")
    page = chief.submit(chief.get(NORD), "#those", alias="info@nord.example", action="remove")
    other_addresses.change([], [(people.user("chief@nord.example"), "info@nord.example")], COMMAND)
    page = chief.submit(page, "form[action='/admin/domains/undo']")
    assert "can no longer be undone" in page.notices and MailAlias.get().user.local == "chief"


def test_many_are_shown_a_page_at_a_time(chief):
    alice = people.user("alice@nord.example")
    MailAlias.insert_many([{"user": alice, "address": f"a{number:05d}@nord.example"} for number in range(120)]).execute()
    page = chief.get(NORD)
    assert len(shown(page)) == aliases.PAGE and "120 aliases" in page.text
    assert shown(chief.get(page.one("a[rel=next]")["href"]))[0] == "a00050@nord.example"


def test_who_gets_all_mail_of_a_domain_is_not_cut_off_from_outside(app, chief):
    alice = people.user("alice@nord.example")
    other_addresses.change([], [(alice, "@nord.example")], COMMAND)
    group = groups.create("nord.example", "6A")
    groups.add(group, [alice])
    for place in (f"/admin/groups/{group.id}/policy", f"/admin/people/{alice.id}/limits"):
        page = chief.submit(chief.get(place), "main form.form", written_by="inside")
        assert page.status == 422 and "All mail for unknown addresses of nord.example goes to alice@nord.example" in page.text
    assert not policies.for_user(User.get_by_id(alice.id)).written_by
    groups.remove(group, [alice])
    policies.set_group(group, Policy(written_by="inside"))
    groups.add(group, [alice])  # as an import does
    assert GroupMember.select().count() == 1
    assert "get mail from inside only, but this mail comes from anywhere" in chief.get(NORD).text


def test_commands_do_the_same(app):
    assert "mail for info@nord.example goes to alice@nord.example" in command(app, "add", "info", "alice").output
    assert command(app, "add", "@nord.example", "alice").exit_code == 0
    assert "in use" in command(app, "add", "info", "chief").output
    assert command(app, "list").output == "@nord.example\talice@nord.example\ninfo@nord.example\talice@nord.example\n"
    assert command(app, "list", "nobody").output == "@nord.example\talice@nord.example\n"
    assert "other@nord.example is no alias" in command(app, "remove", "info", "other").output
    assert command(app, "remove", "info", "@nord.example").output == "2 removed\n"
    assert not MailAlias.select().exists() and not AllowedAddress.select().exists()
