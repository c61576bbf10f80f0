"""Demo accounts: the people of the demo, in Traboule's own table."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.demo.place import Owner
from webmail import models
from webmail.auth.passwords import hashing
from webmail.database.connection import db, open_database
from webmail.database.migrate import migrate

DOMAIN = "lycee.example"
Database = Path | str  # an SQLite file, or postgresql://...


@dataclass(frozen=True, slots=True)
class Person:
    address: str
    name: str
    role: str = "person"
    quota: int = 1024**3  # bytes


ALICE = Person("alice@lycee.example", "Alice Leroy")
BOB = Person("bob@lycee.example", "Bob Girard")
CHARLIE = Person("charlie@autre.example", "Charlie Roux")
ADMIN = Person("admin@lycee.example", "Administration", role="admin")
PEOPLE = (ALICE, BOB, CHARLIE, ADMIN)
GREETED = '{"first_cards": 5}'  # preferences of who is no newcomer: nothing stands above the inbox
SYSTEM = Person("ne-pas-repondre@lycee.example", "Lycée Ampère")  # nobody's: what the establishment itself writes comes from it


def demo_password() -> str:
    return os.environ.get("DEMO_PASSWORD") or "demo"


def address(database: Database) -> str:
    """Its `database_url`."""
    return f"sqlite:///{database}" if isinstance(database, Path) else database


def prepare(database: Database, owner: Owner, password: str, *, newcomers: bool = False) -> None:
    """Create or migrate the database, add missing people, and set this password for those who have another.

    `newcomers`: they see what one sees at a first visit.

    A file is created before SQLite opens it, and owned by the mail's owner: SQLite running as root then gives the -wal and
    -shm files to that owner too, so that Dovecot can read while the web process, perhaps running as root, writes.
    """
    if isinstance(database, Path):
        database.touch(mode=0o600, exist_ok=True)
        owner.own(database)
    with tables(database):
        migrate()
        for person in (*PEOPLE, SYSTEM):
            user = models.User.get_or_none(models.User.address == person.address)
            if user is None:
                _add(person, password, newcomer=newcomers)
            elif not hashing.verify(user.password, password):  # the demo prints this one at the start
                user.password = hashing.hash_password(password)
                user.save(only=[models.User.password])
    if isinstance(database, Path):
        owner.own(*database.parent.iterdir())


def add(database: Database, person: Person, password: str) -> None:
    """Add an account; Dovecot accepts it at once."""
    with tables(database):
        _add(person, password)


def _add(person: Person, password: str, *, newcomer: bool = False) -> None:
    local, domain = person.address.split("@")
    models.User.create(
        address=person.address,
        local=local,
        domain=domain,
        name=person.name,
        role=person.role,
        quota_bytes=person.quota,
        password=hashing.hash_password(password),
        preferences=None if newcomer else GREETED,
        recovery_asked=models.now(),  # not at once: the demo is for mail
    )


@contextmanager
def tables(database: Database) -> Iterator[None]:
    """Bind Traboule's tables to this database, and afterwards back to the previous one (of a test's application)."""
    before = db.obj
    opened = open_database(address(database))
    try:
        with opened.connection_context():
            yield
    finally:
        opened.close()
        if before is not None:
            db.initialize(before)
