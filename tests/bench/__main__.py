"""`python -m tests.bench`: starts everything on loopback, measures, prints each row and then one table, stops everything.

`--only list,message` measures these parts alone. Each row is stored as soon as it is measured; `--resume` goes on with the last run.
BENCH_ROUNDCUBE=0 leaves the comparison with Roundcube out. With `docs` as its argument it measures nothing and puts the last
table into docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.demo.child import ServiceFailedError
from deploy.demo.services import Services
from tests.bench import (
    appointments,
    awaited,
    calendar_pages,
    calendars,
    completion,
    contacts,
    floor,
    machine,
    meetings,
    pages,
    roundcube,
    transfers,
    writing,
)
from tests.bench.browser import chromium
from tests.bench.fill import READER, fill
from tests.bench.proxy import Recorder
from tests.bench.replay import BareConnection
from tests.bench.run import BROKEN_OFF, NothingToGoOnWith, Run
from tests.bench.sink import Sink
from tests.bench.table import BUSY, OURS, Figure, Table, put_into
from tests.bench.webmails import Traboule, Webmail

CHECKOUT = Path(__file__).resolve().parents[2]
FOLDER = CHECKOUT / "instance" / "bench"
DOCUMENT = CHECKOUT / "docs" / "benchmarks.md"
# what can be asked for alone, in the order in which it is measured: of every webmail, of ours on its servers, in this process alone
COMMON: dict[str, Callable[[Table, Webmail, str], None]] = {
    "people": pages.people, "view": pages.view, "list": pages.lists, "message": pages.messages, "load": pages.throughput,
}  # fmt: skip
BY_ITSELF: dict[str, Callable[[Table, Path], None]] = {
    "caldav": calendars.measure, "calendar": calendar_pages.measure, "contacts": contacts.measure, "completion": completion.measure,
    "meetings": meetings.measure, "awaited": awaited.measure, "appointments": appointments.measure,
}  # fmt: skip
SERVED = {*COMMON, "imap", "writing", "files"}
PARTS = (*COMMON, "imap", "writing", "files", *BY_ITSELF)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("what", nargs="?", choices=("docs",), help="put the last table into docs/benchmarks.md")
    parser.add_argument("--only", type=_parts, default=PARTS, metavar="PART,PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--resume", action="store_true", help="go on with the last run, and measure again what failed in it")
    given = parser.parse_args(arguments)
    if given.what == "docs":
        put_into(DOCUMENT, (FOLDER / "bench.md").read_text())
        return 0
    try:
        run = Run.go_on(FOLDER) if given.resume else Run.begin(FOLDER, machine.describe())
    except NothingToGoOnWith as reason:
        _say(str(reason))
        return 1
    return _measured(run, given.only)


def _parts(words: str) -> tuple[str, ...]:
    names = tuple(name for name in words.split(",") if name)
    if unknown := set(names) - set(PARTS):
        raise argparse.ArgumentTypeError(f"no part is called {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    return names or PARTS


def _measured(run: Run, wanted: Sequence[str]) -> int:
    table, began = run.table, time.monotonic()
    if set(wanted) & SERVED:
        with table.row(OURS, BROKEN_OFF, "all that needs the mail server"), Services(FOLDER / "servers") as services:
            _say("filling the mailboxes (once)" if fill(services) else "mailboxes are there")
            _traboule(run, services, wanted)
            _rival(run, services, wanted)
            if "files" in wanted:
                with TemporaryDirectory(dir=FOLDER) as folder:
                    run.part("files", partial(transfers.measure, table, services, Path(folder)))
    for name in wanted:
        if measure := BY_ITSELF.get(name):
            _say(name)
            with TemporaryDirectory(dir=FOLDER) as folder:
                run.part(name, partial(measure, table, Path(folder)))
    table.notes.append(f"\\* The processors were more than {BUSY:.0%} busy with other things when this measurement began.")
    table.notes.append(
        f"Measured in {time.monotonic() - began:.0f} s{'' if set(wanted) == set(PARTS) else ': ' + ', '.join(wanted)}."
    )
    files = table.write(FOLDER)
    print(table.markdown())
    print(f"Written: {', '.join(map(str, [*files, run.file]))}")
    if table.missed:
        print(f"Not met: {'; '.join(table.missed)}")
    for one in table.failed:
        print(f"FAILED: {one}")
    return 1 if table.failed else 0


def _traboule(run: Run, services: Services, wanted: Sequence[str]) -> None:
    pids = {child.name: child.process.pid for child in services.children}
    app = Traboule(services.address, [pids["web"]])
    if "people" in wanted:
        machine.settle()
        jobs = machine.memory([pids["jobs"]])
        figure = Figure(jobs.pss / 1024, f"RSS {jobs.rss / 1024:.0f} MiB")
        run.table.add(OURS, "Memory (PSS)", "job worker", figure, "MiB")
    _common(run, app, services.password, wanted)
    if "imap" in wanted:
        _say("Traboule: against the bare IMAP exchange")
        run.part("imap", partial(floor.measure, run.table, services, app))
    if "writing" in wanted:
        _say("Traboule: writing")
        with TemporaryDirectory(dir=FOLDER) as folder:
            run.part("writing", partial(writing.measure, run.table, services, Path(folder)))


def _rival(run: Run, services: Services, wanted: Sequence[str]) -> None:
    table = run.table
    try:
        roundcube.install()
        if set(wanted) & set(COMMON):
            with roundcube.running(services, FOLDER / "roundcube") as webmail:
                _common(run, webmail, services.password, wanted)
        _rival_apart(run, services, wanted)
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
    except (ServiceFailedError, RuntimeError) as error:
        table.notes.append(f"Roundcube could not be measured: {error}")


def _rival_apart(run: Run, services: Services, wanted: Sequence[str]) -> None:
    """With the recorder before the mail server, and with a submission server that keeps nothing."""
    base, name, table = FOLDER / "roundcube", roundcube.Roundcube.name, run.table

    def fetched() -> None:
        with Recorder(services.ports.imap) as recorder, roundcube.running(services, base, imap_port=recorder.port) as webmail:
            floor.shown_by(table, webmail, recorder, services.password)

    def written() -> None:
        with Sink() as sink, chromium() as browser, roundcube.running(services, base, smtp_port=sink.port) as webmail:
            writing.common(table, webmail, services.password, browser)
        writing.empty(services)

    for part, measure in (("imap", fetched), ("writing", written)):
        if part in wanted:
            _say(f"{name}: {part}")
            run.part(part, measure, name)


def _common(run: Run, webmail: Webmail, password: str, wanted: Sequence[str]) -> None:
    """What is measured of every webmail."""
    for name, measure in COMMON.items():
        if name in wanted:
            _say(f"{webmail.name}: {name}")
            run.part(name, partial(measure, run.table, webmail, password), webmail.name)


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
