"""`python -m tests.bench`: starts everything on loopback, measures, prints one table, stops everything.

BENCH_ROUNDCUBE=0 leaves the comparison with Roundcube out. With `docs` as its argument it measures nothing and puts the last
table into docs/benchmarks.md.
"""

from __future__ import annotations

import sys
import time
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.demo.child import ServiceFailed
from deploy.demo.place import PlaceError
from deploy.demo.services import Services
from tests.bench import calendar_pages, calendars, completion, contacts, floor, machine, pages, roundcube, transfers, writing
from tests.bench.browser import chromium
from tests.bench.fill import READER, fill
from tests.bench.proxy import Recorder
from tests.bench.replay import BareConnection
from tests.bench.sink import Sink
from tests.bench.table import BUSY, OURS, Figure, Table, put_into
from tests.bench.webmails import Traboule, Webmail

CHECKOUT = Path(__file__).resolve().parents[2]
FOLDER = CHECKOUT / "instance" / "bench"
DOCUMENT = CHECKOUT / "docs" / "benchmarks.md"


def main(arguments: list[str]) -> int:
    if arguments == ["docs"]:
        put_into(DOCUMENT, (FOLDER / "bench.md").read_text())
        return 0
    table = Table(datetime.now().astimezone(), machine.describe())
    began = time.monotonic()
    try:
        with Services(FOLDER / "servers") as services:
            _say("filling the mailboxes (once)" if fill(services) else "mailboxes are there")
            _traboule(table, services)
            _rival(table, services)
            _say("large files, beside nginx")
            with TemporaryDirectory(dir=FOLDER) as folder:
                transfers.measure(table, services, Path(folder))
        _say("calendars, beside Radicale")
        with TemporaryDirectory(dir=FOLDER) as folder:
            calendars.measure(table, Path(folder))
        _say("calendar pages, 20,000 events beside 200")
        with TemporaryDirectory(dir=FOLDER) as folder:
            calendar_pages.measure(table, Path(folder))
        _say("contacts, 10,000 beside 100")
        with TemporaryDirectory(dir=FOLDER) as folder:
            contacts.measure(table, Path(folder))
        _say("completion, with 10,000 contacts and 10,000 accounts")
        with TemporaryDirectory(dir=FOLDER) as folder:
            completion.measure(table, Path(folder))
    except (ServiceFailed, PlaceError) as error:
        _say(str(error))
        return 1
    table.notes.append(f"\\* The processors were more than {BUSY:.0%} busy with other things when this measurement began.")
    table.notes.append(f"Measured in {time.monotonic() - began:.0f} s.")
    files = table.write(FOLDER)
    print(table.markdown())
    print(f"Written: {', '.join(map(str, files))}")
    if table.missed:
        print(f"Not met: {'; '.join(table.missed)}")
    return 0


def _traboule(table: Table, services: Services) -> None:
    pids = {child.name: child.process.pid for child in services.children}
    app = Traboule(services.address, [pids["web"]])
    machine.settle()
    before = machine.memory(app.roots).pss
    jobs = machine.memory([pids["jobs"]])
    _say("Traboule: what its pages say to the mail server")
    script = floor.record(table, services)
    _common(table, app, services.password, before, most=150)
    _say("Traboule: against the bare IMAP exchange")
    floor.compare(table, services, app, script)
    table.add(OURS, "Memory (PSS)", "job worker", Figure(jobs.pss / 1024, f"RSS {jobs.rss / 1024:.0f} MiB"), "MiB")
    _say("Traboule: writing")
    with TemporaryDirectory(dir=FOLDER) as folder:
        writing.measure(table, services, Path(folder))


def _rival(table: Table, services: Services) -> None:
    try:
        roundcube.install()
        with roundcube.running(services, FOLDER / "roundcube") as webmail:
            machine.settle()
            _common(table, webmail, services.password, machine.memory(webmail.roots).pss, most=None)
        _say("Roundcube: what it fetches, and writing")
        _rival_apart(table, services)
        times = []
        for _ in range(15):
            start = time.perf_counter()
            with BareConnection(services.ports.imap, READER, services.password):
                times.append((time.perf_counter() - start) * 1000)
        table.notes.append(
            f"Roundcube {roundcube.version()} signs in to the mail server with the password for each request, which costs "
            f"{sorted(times)[7]:.0f} ms here (Argon2); its list and messages are timed without the page around them."
        )
        table.notes.append(
            "Roundcube has no page of a whole conversation, and hands a message to the submission server before it answers."
        )
    except roundcube.NotHere as reason:
        table.notes.append(f"Roundcube: {reason}")
    except (ServiceFailed, RuntimeError) as error:
        table.notes.append(f"Roundcube could not be measured: {error}")


def _rival_apart(table: Table, services: Services) -> None:
    """With the recorder before the mail server, and with a submission server that keeps nothing."""
    base = FOLDER / "roundcube"
    with Recorder(services.ports.imap) as recorder, roundcube.running(services, base, imap_port=recorder.port) as webmail:
        floor.shown_by(table, webmail, recorder, services.password)
    with Sink() as sink, chromium() as browser, roundcube.running(services, base, smtp_port=sink.port) as webmail:
        writing.common(table, webmail, services.password, browser)
    writing.empty(services)


def _common(table: Table, webmail: Webmail, password: str, before: int, most: float | None) -> None:
    """What is measured of every webmail."""
    _say(f"{webmail.name}: fifty people")
    clients = pages.people(table, webmail, password, before, most)
    visitor = webmail.sign_in(READER, password)
    _say(f"{webmail.name}: in Chromium")
    with chromium() as browser:
        pages.first_view(table, webmail, visitor, browser)
        if webmail.name == OURS:  # Roundcube shows nothing without scripts
            pages.first_view(table, webmail, visitor, browser, scripts=False)
    _say(f"{webmail.name}: times")
    pages.opening(table, webmail, visitor, password)
    visitor.close()
    pages.lists(table, webmail, password)
    pages.beside(table, webmail, password)
    _say(f"{webmail.name}: throughput")
    pages.throughput(table, webmail, clients)
    for client in clients:
        client.close()


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
