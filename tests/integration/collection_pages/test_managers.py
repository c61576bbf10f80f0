"""Managers of one calendar who act at the same moment, on real tables; also with PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from flask import Flask

from tests.support.visits import Visitor
from webmail.calendar import links
from webmail.collections import store
from webmail.database.connection import db
from webmail.models import CalendarLink, Collection, CollectionNote, CollectionShare, User

ROUNDS = 4


@pytest.fixture
def people(app: Flask, make_account: Callable[..., str]) -> list[Visitor]:
    """An owner and two who will manage her calendar."""
    return [Visitor(app, make_account(name)).sign_in() for name in ("owner", "first", "second")]


@pytest.fixture
def calendar(people: list[Visitor]) -> Collection:
    owner, *managers = people
    made = owner.submit(owner.get("/collections/new?kind=calendar"), "#new-collection", name="Trips")
    number = int(made.address.rsplit("/", 1)[-1])
    owner.submit(made, "#share", who=", ".join(one.address for one in managers), rights="manage", action="give")
    with db.connection_context():
        return Collection.get_by_id(number)


def user_of(visitor: Visitor) -> User:
    return User.get(User.address == visitor.address)


def at_once(*actions: Callable[[], object]) -> None:
    """All of them, as nearly at the same moment as can be."""
    ready, faults = threading.Barrier(len(actions)), []

    def run(action: Callable[[], object]) -> None:
        ready.wait(20)
        try:
            action()
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not faults and not any(thread.is_alive() for thread in threads)


def test_two_who_take_the_right_from_each_other_leave_one(people: list[Visitor], calendar: Collection) -> None:
    """Whoever is second has it no longer, and changes nothing."""
    url = f"/collections/{calendar.id}"
    for _round in range(ROUNDS):
        with db.connection_context():
            first, second = (user_of(one) for one in people[1:])
            rows = []
            for user in (first, second):
                row, _made = CollectionShare.get_or_create(collection=calendar, user=user)
                CollectionShare.update(rights="manage").where(CollectionShare.id == row.id).execute()
                rows.append(row.id)
        forms = [one.get(url) for one in people[1:]]
        at_once(
            lambda shown=forms[0], row=rows[1]: people[1].submit(shown, f"[data-share='{row}'] form", action="revoke"),
            lambda shown=forms[1], row=rows[0]: people[2].submit(shown, f"[data-share='{row}'] form", action="revoke"),
        )
        with db.connection_context():
            left = [one for one in (first, second) if (had := store.get(one, calendar.id)) and had.manages]
            assert len(left) == 1
    assert people[0].get(url).status == 200


def test_all_together_make_no_more_addresses_than_there_may_be(people: list[Visitor], calendar: Collection) -> None:
    url = f"/collections/{calendar.id}/addresses"
    with db.connection_context():
        for _time in range(links.MOST - 1):
            links.make(user_of(people[0]), calendar.id, links.FEED, whole=False)
    forms = [(one, one.get(url)) for one in people]
    at_once(*(lambda one=one, shown=shown: one.submit(shown, "#new-link", action="make") for one, shown in forms))
    with db.connection_context():
        assert CalendarLink.select().where(CalendarLink.collection == calendar).count() == links.MOST


def test_names_that_are_saved_at_once_lose_nothing_else_and_each_is_told(people: list[Visitor], calendar: Collection) -> None:
    url = f"/collections/{calendar.id}"
    forms = [(one, one.get(url)) for one in people[1:]]
    at_once(
        *(
            lambda one=one, shown=shown: one.submit(shown, "#collection", name=f"By {one.address}", action="save")
            for one, shown in forms
        )
    )
    with db.connection_context():
        assert {one.by for one in CollectionNote.select().where(CollectionNote.collection == calendar)} == {
            one.address for one in people[1:]
        }
    told = people[0].get("/collections").notices
    assert told.count("changed the name, colour or description") == 2
