"""The demo's address books and calendars, as its people see them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from types import SimpleNamespace

import pytest
from flask import Flask

from deploy.demo import accounts, school
from deploy.demo.place import Owner
from tests.support import calendar_ground as ground
from webmail.models import Contact, User

TODAY = date(2026, 11, 27)


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance") as made:
        ground.add(accounts.ADMIN.address)
        for local in ("alice", "bob"):
            ground.add(f"{local}@lycee.example")
        school.write(TODAY)
        yield made


@pytest.mark.parametrize("local", ["alice", "bob"])
def test_each_has_eight_people_and_a_group_of_some(app, local):
    visitor = ground.signed_in(app, local)
    user = User.get(User.local == local)
    found = list(Contact.select().where(Contact.user == user))
    assert len(found) == 9
    page = visitor.get("/contacts")
    assert "Sophie Lambert" in page.text and school.TEAM in page.text


@pytest.mark.parametrize("local", ["alice", "bob"])
def test_each_has_a_dozen_events_around_the_day(app, local):
    visitor = ground.signed_in(app, local)
    shown = visitor.get("/calendar/agenda/2026-11-23").text
    for one in (*school.SCHOOL, *school.OWN[f"{local}@lycee.example"]):
        assert one.summary in shown
    beside = visitor.get("/calendar").one(".cal-list").get_text()
    assert "Agenda" in beside and "Lycée Ampère" in beside and len(visitor.get("/calendar").all("[name=shown]")) == 2
    assert len(school.SCHOOL) + len(school.OWN[f"{local}@lycee.example"]) == 12


def test_what_was_deleted_does_not_come_back_with_the_next_start(tmp_path):
    owner = SimpleNamespace(own=lambda *paths, group=True: None)
    services = SimpleNamespace(base=tmp_path, database=tmp_path / "traboule.sqlite", owner=owner)
    accounts.prepare(services.database, owner, "demo")
    counts = []
    for _start in range(2):
        school.fill(services)
        with accounts.tables(services.database):
            counts.append(Contact.select().count())
            Contact.delete().execute()
    assert counts == [18, 0]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to a group that it is not in")
def test_the_database_stays_with_the_group_of_postfix(tmp_path):
    database = tmp_path / "db" / "traboule.sqlite"
    database.parent.mkdir()
    owner = Owner("nobody", "nogroup", uid=65534, gid=65534)
    accounts.prepare(database, owner, "demo")
    os.chown(database, -1, 4711)
    school.fill(SimpleNamespace(base=tmp_path, database=database, owner=owner))
    assert (database.stat().st_uid, database.stat().st_gid) == (65534, 4711)
