"""Words on PostgreSQL: found by an index of trigrams where the extension can be had, and without it where it cannot."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from playhouse.migrations import Runner

from tests.support import calendar_ground as ground
from tests.support.postgresql import database_without_tables, server_url
from webmail.calendar import search
from webmail.config.settings import Settings
from webmail.contacts import contact_list
from webmail.contacts import store as contacts
from webmail.database.connection import db
from webmail.database.migrate import MIGRATIONS
from webmail.doctor import machine
from webmail.doctor.result import WARNING
from webmail.mime.formats.cards.vcard_edit import ContactDetails
from webmail.models import CalendarObject, Contact

INDEXES = {"calendar_objects_trigrams", "contacts_trigrams"}


pytestmark = pytest.mark.postgresql


@pytest.fixture
def address() -> Iterator[str]:
    """Of an empty database on PostgreSQL, as its owner."""
    if not server_url():
        pytest.skip("no PostgreSQL server: TRABOULE_TEST_POSTGRESQL is not set")
    with database_without_tables() as url:
        yield url


@pytest.fixture
def somebody(address: str) -> Iterator[str]:
    """Its address as somebody who may make tables in it, and no extensions."""
    import psycopg

    name = f"r{secrets.token_hex(8)}"
    parts = urlsplit(address)
    with psycopg.connect(address, autocommit=True) as connection:
        try:
            connection.execute(f"CREATE ROLE {name} LOGIN")  # type: ignore[call-overload]
            connection.execute(f"GRANT ALL ON SCHEMA public TO {name}")  # type: ignore[call-overload]
        except psycopg.errors.InsufficientPrivilege:
            pytest.skip("no PostgreSQL server on which the tests may make roles")
    yield urlunsplit(parts._replace(netloc=f"{name}@{parts.netloc.rpartition('@')[2]}"))
    db.obj.close()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"DROP OWNED BY {name}")  # type: ignore[call-overload]
        connection.execute(f"DROP ROLE {name}")  # type: ignore[call-overload]


@contextmanager
def application(folder: Path, address: str) -> Iterator[Settings]:
    """Migrated, with two events of Alice and a contact."""
    with ground.application(folder / "instance", database_url=address) as app:
        user = ground.add("alice@lycee.example")
        for day, title in enumerate(("Réunion", "Bal masqué"), 8):
            ground.put(ground.calendar_of(), title, f":203001{day:02}T090000Z")
        contacts.add(user, ContactDetails(name="Zoé Martin"))
        yield app.extensions["settings"]


def indexes() -> set[str]:
    return {index.name for table in ("calendar_objects", "contacts") for index in db.obj.get_indexes(table)} & INDEXES


def titles(words: str) -> list[str]:
    what = search.sought({ground.calendar_of().id: "own"}, words)
    return [one.summary for one in search.found(what, None, None, ground.PARIS)]


def plan(query: Any) -> str:
    """How PostgreSQL would answer it if there were so many rows that reading all takes long."""
    sql, values = query.sql()
    with db.atomic():
        db.execute_sql("SET LOCAL enable_seqscan = off")
        return "\n".join(row[0] for row in db.execute_sql(f"EXPLAIN {sql}", values).fetchall())


def test_words_are_looked_for_in_an_index_of_trigrams(address: str, tmp_path: Path) -> None:
    with application(tmp_path, address) as settings:
        assert indexes() == INDEXES and not list(machine.indexes_of_words(settings))
        assert (titles("reun"), titles("BAL masque"), titles("union")) == (["Réunion"], ["Bal masqué"], [])
        events = CalendarObject.select(CalendarObject.id).where(search._has("reun"))
        people = Contact.select(Contact.id).where(*contact_list.fitting("mart"))
        assert [row.id for row in people]
        assert "Bitmap Index Scan on calendar_objects_trigrams" in plan(events)
        assert "Bitmap Index Scan on contacts_trigrams" in plan(people)


def test_who_may_make_no_extension_searches_without(somebody: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "webmail.database"), application(tmp_path, somebody) as settings:
        assert "no index of words" in caplog.text and indexes() == set()
        assert (titles("reun"), titles("BAL masque"), titles("union")) == (["Réunion"], ["Bal masqué"], [])
        [check] = machine.indexes_of_words(settings)
        assert check.state == WARNING and "pg_trgm" in check.words
        assert Runner(db.obj, str(MIGRATIONS)).down("0049_trigrams")[-1] == "0049_trigrams"
