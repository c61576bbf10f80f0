"""The calendar's ground in tests: an application on a database of its own, people signed in, events in their calendars."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from tests.support.auth_app import PASSWORD, add
from tests.support.visits import Visitor
from webmail import create_app
from webmail.calendar import objects
from webmail.collections import store as collections
from webmail.database.connection import db
from webmail.models import Collection, CollectionShare, User

PARIS = ZoneInfo("Europe/Paris")


@contextmanager
def application(folder: Path, **settings: object) -> Iterator[Flask]:
    """With no mail server behind it: the calendar needs none. Afterwards the database of before is in its place again."""
    before = db.obj
    values = {"sign_in": "accounts", "domain": "lycee.example", "secure_cookies": False, "timezone": "Europe/Paris", **settings}
    made = create_app(folder, imap_security="none", imap_port=1, smtp_port=1, **values)
    db.connect(reuse_if_open=True)
    try:
        yield made
    finally:
        db.obj.close()
        if before is not None:
            db.initialize(before)


def person(app: Flask, local: str = "alice", language: str = "en") -> Visitor:
    """Somebody who is signed in."""
    add(f"{local}@lycee.example")
    return signed_in(app, local, language)


def signed_in(app: Flask, local: str = "alice", language: str = "en") -> Visitor:
    visitor = Visitor(app, f"{local}@lycee.example", PASSWORD, language)
    page = visitor.get("/login")
    visitor.submit(page, "form[action='/login']", follow=False, username=visitor.address, password=PASSWORD)
    return visitor


def calendar_of(local: str = "alice", name: str = "", title: str = "", **props: str) -> Collection:
    """A calendar of somebody: their first, or one of this name."""
    user = User.get(User.address == f"{local}@lycee.example")
    if not name:
        return collections.default_collection(user, collections.CALENDAR)
    known = {collections.NAME: title or name, **props}
    return Collection.create(user=user, name=name, kind="calendar", components="VEVENT", props=json.dumps(known))


def share(calendar: Collection, local: str, rights: str) -> None:
    CollectionShare.create(collection=calendar, user=User.get(User.address == f"{local}@lycee.example"), rights=rights)


def put(calendar: Collection, summary: str, start: str, end: str = "", *lines: str) -> str:
    """An event; `start` and `end` are what stands in DTSTART and DTEND after the name: ":20261208T090000" or ";TZID=...:...". Its UID."""
    uid = f"{summary}-{start}".replace(":", "-").replace(";", "-").replace("/", "-")
    inside = [f"UID:{uid}", "DTSTAMP:20260101T000000Z", f"DTSTART{start}", f"SUMMARY:{summary}", *lines]
    inside += [f"DTEND{end}"] if end else []
    put_text(calendar, uid, "\r\n".join(["BEGIN:VEVENT", *inside, "END:VEVENT"]))
    return uid


def put_text(calendar: Collection, uid: str, component: str) -> None:
    text = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n{component}\r\nEND:VCALENDAR\r\n"
    with db.atomic():
        objects.write(calendar.id, f"{uid}.ics", text, objects.prepared(text, PARIS), None)


def plans_of(question: Callable[..., object], *values: object) -> list[str]:
    """How SQLite answers what is asked of it; skips where another database is asked."""
    asked = []
    real = db.obj.execute_sql
    try:
        db.obj.execute_sql = lambda sql, params=None: asked.append((sql, params)) or real(sql, params)
        question(*values)
    finally:
        db.obj.execute_sql = real
    if "sqlite" not in type(db.obj).__name__.lower():
        pytest.skip("plans are read from SQLite here")
    return [" ".join(row[3] for row in real(f"EXPLAIN QUERY PLAN {sql}", params)) for sql, params in asked]
