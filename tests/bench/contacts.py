"""Contacts with 10,000 cards, beside a book of 100: `python -m tests.bench.contacts [CARDS]`; in `make bench` too.

Both books answer in this process, one after the other, so that only their own work counts: processor time, the median of several
pages. The mail server is away: what the side bar costs is measured elsewhere.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.bench.table import OURS, Figure, Table
from tests.support import auth_app, servers
from tests.support.visits import Visitor

CARDS, FEW = 10_000, 100
SECTION = "Contacts: 10,000 cards, in times of the processor time with 100"
SECTION_SHARED = "Contacts: 10,000 cards and a shared book of 2,000 of the same people, in times of the processor time without it"
_MOST = {
    "the list": 4.0,
    "the last page": 6.0,
    "a search": 8.0,
    "suggestions": 12.0,
    "one contact": 2.0,
    "duplicates": 15.0,
}  # times; else no limit
_PAGES = {
    "the list": "/contacts", "the last page": "/contacts?page=9999", "a search": "/contacts?words=eleve+7",
    "suggestions": "/recipients?words=eleve+7", "duplicates": "/contacts/duplicates", "groups": "/contacts?kind=group",
}  # fmt: skip
_PHOTO = "A" * 20_000  # every tenth card has one


def cards(count: int) -> list[str]:
    found = []
    for number in range(count):
        photo = f"PHOTO;ENCODING=b;TYPE=JPEG:{_PHOTO}\r\n" if number % 10 == 0 else ""
        lines = f"UID:c{number}\r\nFN:Élève {number} Nom{number % 700}\r\nEMAIL:e{number}@famille.example\r\nTEL:06 00 {number:06}\r\n"
        found.append(f"BEGIN:VCARD\r\nVERSION:3.0\r\n{lines}{photo}END:VCARD\r\n")
    return found


def book(app: Any, local: str, count: int) -> Visitor:
    """Somebody with so many contacts, signed in."""
    from webmail.contacts import store
    from webmail.database.connection import db
    from webmail.mime.formats.cards.vcard_edit import ContactDetails

    user = auth_app.add(f"{local}@lycee.example")
    with db.connection_context():
        made = cards(count)
        for at in range(0, count, 500):
            store.put_all(user, made[at : at + 500])
        for number in range(20):
            store.add(user, ContactDetails(name=f"Group {number}", group=True, members=tuple(f"c{n}" for n in range(60))))
    who = Visitor(app)
    who.submit(who.get("/login"), "form[action='/login']", follow=False, username=local, password=auth_app.PASSWORD)
    return who


def _timed(who: Visitor, address: str) -> float:
    began = time.process_time()
    page = who.get(address)
    took = (time.process_time() - began) * 1000
    assert page.status == 200, (address, page.status)
    return took


def measure(table: Table, folder: Path, count: int = CARDS) -> None:
    from webmail import create_app
    from webmail.database.connection import db

    before, away = db.obj, servers.closed_port()
    app = create_app(
        folder / "contacts", sign_in="accounts", domain="lycee.example", imap_port=away, imap_security="none", smtp_port=away,
        server_timeout=1, secure_cookies=False,
    )  # fmt: skip
    many, few = book(app, "alice", count - 20), book(app, "bob", FEW)
    steps: dict[str, Callable[[Visitor], float]] = {
        name: (lambda who, address=address: _timed(who, address)) for name, address in _PAGES.items()  # type: ignore[misc]
    }  # fmt: skip
    links = {who: who.get("/contacts?words=eleve").link("Élève") for who in (many, few)}
    steps["one contact"] = lambda who: _timed(who, links[who])
    for name, step in steps.items():
        with table.row(OURS, SECTION, name):
            medians = []
            for who in (many, few):
                step(who)
                medians.append(statistics.median(step(who) for _ in range(7)))
            much, little = medians
            words = f"{much:.1f} / {little:.1f} ms of processor time"
            table.add(OURS, SECTION, name, Figure(much / little, words), most=_MOST.get(name))
    _with_a_second_book(table, app, many, count)
    if before is not None:
        db.initialize(before)


_SHARED = {"the list of two books": "/contacts", "a search in two books": "/contacts?words=eleve+7"}
_MOST_SHARED = {"the list of two books": 3.0, "a search in two books": 3.0, "the list after a change": 9.0}


def _with_a_second_book(table: Table, app: Any, many: Visitor, count: int) -> None:
    """Somebody shares a book of a fifth of the size, all of whose people are in the first one too: beside one book, without it."""
    from webmail.contacts import store
    from webmail.database.connection import db
    from webmail.models import Collection, CollectionShare, Contact, User

    before = {name: statistics.median(_timed(many, address) for _ in range(7)) for name, address in _SHARED.items()}
    book(app, "carol", count // 5)
    with db.connection_context():
        reader, owner = (User.get(User.address == f"{local}@lycee.example") for local in ("alice", "carol"))
        shared = Collection.get(Collection.user == owner, Collection.kind == "addressbook")
        CollectionShare.create(collection=shared, user=reader, rights="read")
        some = Contact.get(Contact.user == owner, Contact.kind == store.INDIVIDUAL)

    def changed() -> float:
        with db.connection_context():
            row = Contact.get_by_id(some.id)
            store.put(owner, row.vcard.replace("END:VCARD", "NOTE:x\r\nEND:VCARD"), row)
        return _timed(many, "/contacts")

    after = {name: statistics.median(_timed(many, address) for _ in range(7)) for name, address in _SHARED.items()}
    before["the list after a change"] = before["the list of two books"]
    after["the list after a change"] = statistics.median(changed() for _ in range(5))
    for name, much in after.items():
        words = f"{much:.1f} / {before[name]:.1f} ms of processor time"
        table.add(OURS, SECTION_SHARED, name, Figure(much / before[name], words), most=_MOST_SHARED[name])


def main(arguments: list[str]) -> int:
    count = int(arguments[0]) if arguments else CARDS
    table = Table(datetime.now().astimezone(), {})
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        measure(table, Path(folder), count)
    for row in table.rows:
        print(f"| {row.name} | {row.figures[OURS].value:.2f} | {row.figures[OURS].detail} |")
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
