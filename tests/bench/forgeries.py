"""Forgeries: `python -m tests.bench.forgeries` prints what the row of a list and the page of a message say of each forged sender.

The cases are tests/samples/forgeries.tsv; where row or page say something else than it expects, the line begins with "!", and the
command returns 1.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.support import forgeries
from tests.support.forgeries import Seen
from webmail.database.connection import db, open_database
from webmail.database.migrate import migrate
from webmail.models import User


def main() -> int:
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        open_database(f"sqlite:///{Path(folder, 'forgeries.sqlite')}")
        migrate()
        with db.connection_context():
            for person in forgeries.people():
                local, _, domain = person.address.partition("@")
                User.create(address=person.address, local=local, domain=domain, name=person.name, role=person.role)
            reader = User.get(User.address == "alice@lycee.example")
            way = ""
            for one in sorted(forgeries.table(), key=lambda one: list(forgeries.WAYS).index(one.way)):
                found = forgeries.seen(one, reader)
                right = found == Seen(one.row, one.verdict, one.kinds)
                wrong += not right
                if one.way != way:
                    way = one.way
                    print(f"\n{forgeries.WAYS[way][0].upper()}{forgeries.WAYS[way][1:]}")
                mark = "✓" if found.verdict == "proven" else " "
                print(f"{' ' if right else '!'} {mark} {found.verdict:10} {found.row:8} {one.tries:42} {found.kinds}")
    print(f"\n{wrong} unlike the table" if wrong else "\nall as in the table")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
