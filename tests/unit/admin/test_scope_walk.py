"""A walk of all pages of administration that name a thing by its number: what belongs to another establishment is not there for
who administers one, nor for a deputy, and nothing of it changes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.owned_things import changed, snapshot
from tests.support.route_table import Route, routes
from tests.support.visits import Visitor
from webmail.auth import account_management
from webmail.auth.devices import app_passwords
from webmail.collections import store as collections
from webmail.establishments import establishments
from webmail.models import (
    Deputy,
    DeskCase,
    Establishment,
    EstablishmentSetting,
    GroupMember,
    MailboxHandover,
    PhishingReport,
    Transfer,
    TransferReport,
    User,
    now,
)
from webmail.people import groups

HERE = [route for route in routes() if route.rule.startswith("/admin") and "<int:" in route.rule]
ACTIONS = (
    "take",
    "answer",
    "close",
    "save",
    "delete",
    "disable",
    "end",
    "accept",
    "add",
    "remove",
    "handled",
    "search",
    "domain",
)


@dataclass
class World:
    """Nord, with its administrator and a deputy; Sud, with one of everything. `numbers`: of Sud's things, by rule."""

    app: Flask
    file: Path
    numbers: dict[str, list[int]]


def of(local: str) -> User:
    return User.get(User.local == local)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ground.application(tmp_path / "instance", language="en", recovery_address="off", domain="lycee.example") as app:
        for address in (
            "chief@lycee.example",
            "deputy@lycee.example",
            "pupil@lycee.example",
            "bruno@sud.example",
            "zoe@sud.example",
        ):
            ground.add(address)
        account_management.set_role(ground.add("boss@sud.example"), "admin")
        schools = {}
        for name, domain in (("Nord", "lycee.example"), ("Sud", "sud.example")):
            schools[name] = establishments.make(name)
            establishments.set_domains(schools[name], [domain])
        establishments.add_administrator(schools["Nord"], of("chief"))
        klass = groups.create("lycee.example", "6A")
        GroupMember.create(group=klass, user=of("pupil"))
        Deputy.create(group=klass, user=of("deputy"))
        yield World(app, tmp_path / "instance" / "traboule.sqlite", furnished(schools["Sud"], of("bruno")))


def furnished(school: Establishment, person: User) -> dict[str, list[int]]:
    """The numbers that stand in addresses, by what these begin with; the longest beginning counts."""
    group = groups.create("sud.example", "3B")
    GroupMember.create(group=group, user=person)
    owner = account_management.group_account(group.identifier, "3B")
    row = collections.default_collection(owner, collections.CALENDAR)
    app_passwords.add(person, "Telephone", ["imap"])
    transfer = Transfer.create(
        owner=person, nonce="0" * 32, link_hash="0" * 64, subject="private", state="open", expires=now(), published=now()
    )
    about = {"transfer": transfer, "reason": "private"}
    return {
        "/admin/people/": [person.id],
        "/admin/departures/": [person.id],
        "/admin/establishments/": [school.id],
        "/admin/groups/": [group.id, row.id],
        "/admin/desk/": [
            DeskCase.create(
                user=person,
                kind="support",
                number=1,
                address=person.address,
                domain="sud.example",
                topic="password",
                text="private",
            ).id
        ],
        "/admin/reports/": [PhishingReport.create(user=person, subject="private").id],
        "/admin/transfers/reports/": [TransferReport.create(**about).id],
        "/admin/transfers/": [transfer.id],
        "/admin/rooms/": [1],
        "/admin/handovers/": [
            MailboxHandover.create(owner=person, person=of("zoe"), kind="absence", asked_by=person.address, reason="private").id
        ],
        "/admin/settings/": [EstablishmentSetting.create(establishment=school, name="name", value='"Private"', by="command").id],
    }


def url(route: Route, numbers: dict[str, list[int]]) -> str:
    """Raises LookupError for a kind of thing that nothing is made of here."""
    beginning = max((one for one in numbers if route.rule.startswith(one)), key=len, default="")
    left = iter(numbers[beginning])
    return re.sub(r"<int:[^>]*>", lambda _found: str(next(left)), route.rule).replace("<section>", "identity")


def refused(world: World, visitor: Visitor, expected: Callable[[Route], set[int]]) -> list[str]:
    """What is wrong: the status, words of theirs in the page, rows that changed."""
    token = {"csrf_token": str(visitor.get("/settings").all("[name=csrf_token]")[0]["value"])}
    found, before = [], snapshot(world.file)
    for route in HERE:
        address = url(route, world.numbers)
        asked: list[dict[str, Any]] = [{}] if route.method == "GET" else [{"action": action} for action in ACTIONS]
        for fields in asked:
            page = visitor.get(address) if route.method == "GET" else visitor.post(address, token | fields)
            if page.status not in expected(route):
                found.append(f"{route.name} {fields}: {page.status}")
            if "private" in page.text.lower() or "bruno@" in page.text:
                found.append(f"{route.name} {fields}: tells of it")
        if (after := snapshot(world.file)) != before:
            found.append(f"{route.name}: changed {changed(before, after)}")
            before = after
    return found


def test_things_of_another_establishment_are_not_there(world: World) -> None:
    chief = ground.signed_in(world.app, "chief").confirm()
    assert refused(world, chief, lambda route: {403} if route.who == "administrator of all" else {404}) == []


def test_who_administers_all_finds_each_of_them(world: World) -> None:
    """So that the walk above asks for what is there."""
    account_management.set_role(of("chief"), "admin")
    root = ground.signed_in(world.app, "chief").confirm()
    missing = [route.name for route in HERE if route.method == "GET" and root.get(url(route, world.numbers)).status == 404]
    assert [name for name in missing if "/rooms/" not in name] == []


def test_a_deputy_opens_nothing_of_it(world: World) -> None:
    deputy = ground.signed_in(world.app, "deputy").confirm()
    assert refused(world, deputy, lambda route: {403, 404}) == []
    assert deputy.get("/admin/desk").status == 200
    for route in (
        route for route in routes() if route.rule.startswith("/admin") and "<" not in route.rule and route.method == "GET"
    ):
        assert deputy.get(route.rule).status == (200 if route.who == "signed in" else 403), route.name
