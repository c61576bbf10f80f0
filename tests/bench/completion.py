"""Completion of recipients with 10,000 contacts and 10,000 accounts, on SQLite and PostgreSQL: `python -m tests.bench.completion [SIZE]`.

Each word is typed letter by letter, by somebody who has written to 2,000 people and had mail from 2,000 more, in 40 groups. Times are
those of the clock in this process; beside them stands the SELECT of one row by an index, in the same database.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from peewee import PostgresqlDatabase

from tests.bench.contacts import cards
from tests.bench.table import OURS, Figure, Table
from tests.support import postgresql, servers

SIZE = 10_000
MOST_MS = 30.0  # for 95 of 100
SECTION = "Completion: 10,000 contacts and 10,000 accounts"
WORDS = ("eleve 77", "nom5", "martin", "claire du", "4e b", "famille", "e77", "zzz", "c.durand@ly", "inconnu")
_GIVEN = ("Claire", "Jean-Paul", "Élise", "Marc", "Zoé", "Ahmed", "Inès", "Paul", "Nadia", "Théo")
_FAMILY = ("Martin", "Durand", "Dupont", "Lefèvre", "Nguyen", "O’Brien", "Benali", "Petit", "Cœur", "Roux")


@dataclass(slots=True)
class Typing:
    """Milliseconds of each keystroke, of processor time in this process for one, of the very first one, and of a SELECT by an index."""

    strokes: list[float]
    work: float
    first: float
    select: float

    @property
    def median(self) -> float:
        return statistics.median(self.strokes)

    @property
    def slow(self) -> float:
        return sorted(self.strokes)[int(len(self.strokes) * 0.95)]


def fill(size: int) -> Any:
    """The person who types."""
    from webmail.contacts import store
    from webmail.database.connection import db
    from webmail.mime.formats.cards.vcard_edit import ContactDetails
    from webmail.models import Acquaintance, Correspondent, GroupMember, PeopleGroup, User, now

    def insert(table: Any, rows: list[dict[str, Any]]) -> None:
        with db.atomic():
            for at in range(0, len(rows), 100):
                table.insert_many(rows[at : at + 100]).execute()

    accounts = []
    for number in range(size):
        given, family = _GIVEN[number % 10], _FAMILY[number // 10 % 10]
        local = f"{given[0].lower()}.{family.lower()}{number}".replace("’", "")
        accounts.append(
            {"address": f"{local}@lycee.example", "local": local, "domain": "lycee.example", "name": f"{given} {family}"}
        )
    insert(User, accounts)
    user = User.create(address="typist@lycee.example", local="typist", domain="lycee.example", name="Typist")
    made = cards(size - 20)
    for at in range(0, len(made), 500):
        store.put_all(user, made[at : at + 500])
    for number in range(20):
        store.add(user, ContactDetails(name=f"Famille {number}", group=True, members=tuple(f"c{n}" for n in range(60))))
    people = [one.id for one in User.select(User.id).order_by(User.id).limit(2_000)]
    for number in range(20):
        group = PeopleGroup.create(identifier=f"g{number}@lycee.example", name=f"4e {chr(65 + number)}", sort=f"4e {chr(97 + number)}",
                                   domain="lycee.example")  # fmt: skip
        insert(GroupMember, [{"group": group.id, "user": one} for one in people[number * 90 : number * 90 + 120]])
    for table, start in ((Correspondent, 0), (Acquaintance, 1_000)):
        insert(table, [
            {"user": user.id, "address": f"e{start + n}@famille.example" if n % 2 else f"p{start + n}@ailleurs.example",
             "name": f"Élève {start + n}" if n % 2 else f"Personne {n}", "count": n % 40 + 1, "last": now() - timedelta(days=n % 900)}
            for n in range(2_000)
        ])  # fmt: skip
    if isinstance(db.obj, PostgresqlDatabase):
        db.obj.execute_sql("ANALYZE")  # as the server does by itself before long
    return user


def typed(user: Any, settings: Any) -> Typing:
    """All words, letter by letter, three times."""
    from webmail.compose.recipients.suggestions import suggest
    from webmail.models import User

    def timed(act: Callable[[], object]) -> float:
        began = time.perf_counter()
        act()
        return (time.perf_counter() - began) * 1000

    first = timed(lambda: suggest(user, "e", settings))
    pieces = [word[:end] for word in WORDS for end in range(1, len(word) + 1)]
    began = time.process_time()
    strokes = [timed(lambda piece=piece: suggest(user, piece, settings)) for _ in range(3) for piece in pieces]  # type: ignore[misc]
    work = (time.process_time() - began) * 1000 / len(strokes)
    select = statistics.median(timed(lambda: User.get_or_none(User.address == "typist@lycee.example")) for _ in range(50))
    return Typing(strokes, work, first, select)


def measure(table: Table, folder: Path, size: int = SIZE) -> None:
    with table.row(OURS, SECTION, _row("SQLite")):
        _measured(table, "SQLite", folder, "", size)
    with table.row(OURS, SECTION, _row("PostgreSQL")):
        if postgresql.server_url():
            with postgresql.fresh_database() as url:
                _measured(table, "PostgreSQL", folder, url, size)


def _row(database: str) -> str:
    return f"{database}: 95 of 100 keystrokes"


def _measured(table: Table, name: str, folder: Path, url: str, size: int) -> None:
    from webmail import create_app
    from webmail.database.connection import db

    before, away = db.obj, servers.closed_port()
    app = create_app(
        folder / name, sign_in="accounts", domain="lycee.example", imap_port=away, imap_security="none", smtp_port=away,
        secure_cookies=False, database_url=url,
    )  # fmt: skip
    with db.connection_context():
        found = typed(fill(size), app.extensions["settings"])
    db.obj.close()
    detail = f"median {found.median:.1f} ms, {found.work:.1f} ms of processor time, the very first {found.first:.1f} ms; "
    detail += f"median {found.median / found.select:.0f} times a SELECT by an index"
    table.add(OURS, SECTION, _row(name), Figure(found.slow, detail), "ms", most=MOST_MS)
    if before is not None:
        db.initialize(before)


def main(arguments: list[str]) -> int:
    table = Table(datetime.now().astimezone(), {})
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        measure(table, Path(folder), int(arguments[0]) if arguments else SIZE)
    for row in table.rows:
        print(f"| {row.name} | {row.figures[OURS].value:.1f} {row.unit} | {row.figures[OURS].detail} |")
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
