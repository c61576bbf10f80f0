"""The booking page: 60 free slots of a host with a full calendar: `python -m tests.bench.appointments`.

In `make bench` too. Processor time of a request in this process, the least of several; bytes as compressed, with the style sheets
that the page adds to the frame.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

from tests.bench.calendar_pages import asked, fill
from tests.bench.table import OURS, Figure, Table

SECTION = "Appointments: the public page with 60 slots, a calendar of 2,000 events"
PAGE_BYTES, PAGE_MS, SLOTS, EVENTS = 8 * 1024, 12.0, 60, 2_000
_TIMES = 25
_SHEETS = ("sent.css", "appointments.css")


def measure(table: Table, folder: Path) -> None:
    from webmail import create_app
    from webmail.appointments import offers
    from webmail.appointments.offers import OfferPlan
    from webmail.database.connection import db
    from webmail.models import User

    app = create_app(folder / "appointments", sign_in="accounts", domain="bench.example", secure_cookies=False, imap_port=1)
    fill("host@bench.example", 1, EVENTS)
    with db.connection_context(), app.app_context():
        host = User.get(User.address == "host@bench.example")
        days = tuple(date.today() + timedelta(days=800 + number) for number in range(3))
        plan = OfferPlan(
            "Parents’ evening", days, 17 * 60, 22 * 60, 15, message="A quarter of an hour each.", fields=("child", "class")
        )
        settings = app.extensions["settings"]
        path = f"/a/{offers.token(offers.make(host, plan, [host], settings), settings)}"
    client = app.test_client()
    with table.row(OURS, SECTION, title := f"{SLOTS} slots, in times of {PAGE_MS:.0f} ms"):
        assert client.get(path).text.count("data-slot=") == SLOTS
        took = min(asked(client, path) for _again in range(_TIMES))
        table.add(OURS, SECTION, title, Figure(took / PAGE_MS, f"{took:.1f} ms"), most=1.0)
    with table.row(OURS, SECTION, title := "the same, compressed, in times of 8 KiB"):
        sheets = [f"/static/css/{sheet}" for sheet in _SHEETS]
        size = sum(len(client.get(address, headers={"Accept-Encoding": "br"}).data) for address in (path, *sheets))
        table.add(OURS, SECTION, title, Figure(size / PAGE_BYTES, f"{size} of {PAGE_BYTES} bytes"), most=1.0)


def report(measured: Callable[[Table, Path], None]) -> int:
    table = Table(datetime.now().astimezone(), {})
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        measured(table, Path(folder))
    for row in table.rows:
        print(f"| {row.name} | {row.figures[OURS].value:.2f} | {row.figures[OURS].detail or row.figures[OURS].failed} |")
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(report(measure))
