"""Traboule against the IMAP exchange that its pages need: what it says is recorded, counted and said again bare."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.demo.child import HOST, Child, free_ports, start
from deploy.demo.services import Services
from tests.bench.fill import ARCHIVIST, INBOX_SIZE, LARGE, READER
from tests.bench.machine import rest
from tests.bench.numbers import in_turn, p50, percentile
from tests.bench.pages import NEWEST_NEWSLETTER, NEWEST_PLAIN, TIMES, timed
from tests.bench.proxy import Exchange, Recorder
from tests.bench.replay import BareConnection
from tests.bench.table import OURS, Figure, Table
from tests.bench.visitor import Visitor
from tests.bench.webmails import Traboule

CHECKOUT = Path(__file__).resolve().parents[2]
UNSEEN_PAGES = range(3, 43)  # of the large mailbox: each is visited once, so that nothing of it is remembered
MOST = 4.0  # times the bare exchange
_SEARCH = "search of 1,000 messages"


@dataclass(frozen=True, slots=True)
class Recording:
    """Of one page: its round trips, and those that brought the connection where it was before."""

    page: list[Exchange]
    before: list[Exchange]


@dataclass(frozen=True, slots=True)
class Page:
    person: str
    paths: list[str]
    said: Recording


@dataclass(frozen=True, slots=True)
class Script:
    """What was recorded: each page of the large mailbox at its first visit, and the other pages by name."""

    unseen: dict[int, Recording]
    pages: dict[str, Page]


def record(table: Table, services: Services) -> Script:
    """Visit every page with a second Traboule that reaches its mail server through the recorder; count the round trips."""
    with Recorder(services.ports.imap) as recorder, _traboule(services, recorder.port) as app:
        visitor, archivist = (app.sign_in(address, services.password) for address in (READER, ARCHIVIST))

        def visit(*paths: str, who: Visitor = visitor) -> Recording:
            mark = len(recorder.exchanges)
            for path in paths:
                who.expect(path, "")
            said = recorder.since(mark)
            return Recording(said, recorder.before(mark, said[0].connection) if said else [])

        first = visit(app.inbox())
        visit(app.list_page(LARGE, 2), who=archivist)
        unseen = {number: visit(app.list_page(LARGE, number), who=archivist) for number in UNSEEN_PAGES}
        known = app.list_page(LARGE, UNSEEN_PAGES[0])
        plain = app.plain(visitor, "INBOX", INBOX_SIZE - NEWEST_PLAIN)  # once, so that it is no longer unread
        page, frame = app.newsletter(visitor, "INBOX", INBOX_SIZE - NEWEST_NEWSLETTER)
        visit(app.inbox())
        pages = {
            "list, known rows": Page(READER, [app.inbox()], visit(app.inbox())),
            "list, known rows, of 100,000": Page(ARCHIVIST, [known], visit(known, who=archivist)),
            "plain message": Page(READER, [plain], visit(plain)),
            "newsletter, page": Page(READER, [page], visit(page)),
            "newsletter, frame": Page(READER, [frame], visit(frame)),
            "newsletter, both": Page(READER, [page, frame], visit(page, frame)),
            _SEARCH: Page(READER, [search := app.search("INBOX", "timetable")], visit(search)),
        }
        visitor.close()
        archivist.close()
    _count(table, {
        "inbox, first visit after signing in": first,
        "list, unknown rows, of 100,000": unseen[UNSEEN_PAGES[-1]],
        **{name: page.said for name, page in pages.items()},
    })  # fmt: skip
    return Script(unseen, pages)


def compare(table: Table, services: Services, app: Traboule, script: Script) -> None:
    """The time of Traboule's pages divided by that of the same bytes said bare, both measured in turn."""
    visitors = {address: app.sign_in(address, services.password) for address in (READER, ARCHIVIST)}
    _unknown_rows(table, services, app, script, visitors[ARCHIVIST])
    for name, page in script.pages.items():
        ask = timed(visitors[page.person], *page.paths)
        ask()
        with BareConnection(services.ports.imap, page.person, services.password) as bare:
            bare.follow(page.said.before)
            busy = rest()
            ours, floor = in_turn(ask, lambda said=page.said.page: bare.timed(said), times=TIMES)  # type: ignore[misc]
        _ratio(table, name, ours, floor, busy)
    for visitor in visitors.values():
        visitor.close()


def _unknown_rows(table: Table, services: Services, app: Traboule, script: Script, visitor: Visitor) -> None:
    """Each page is new to the web process, but not to the mail server: the recording was made of the same pages."""
    timed(visitor, app.list_page(LARGE, 2))()
    ours: list[float] = []
    floor: list[float] = []
    with BareConnection(services.ports.imap, ARCHIVIST, services.password) as bare:
        bare.follow(script.unseen[UNSEEN_PAGES[0]].before)
        busy = rest()
        for number, recording in script.unseen.items():
            measures: list[tuple[list[float], Callable[[], float]]] = [
                (ours, timed(visitor, app.list_page(LARGE, number))),
                (floor, lambda said=recording.page: bare.timed(said)),  # type: ignore[misc]
            ]
            for times, measure in measures if number % 2 else reversed(measures):
                times.append(measure())
    _ratio(table, "list, unknown rows, of 100,000", ours, floor, busy)


def _ratio(table: Table, name: str, ours: list[float], floor: list[float], busy: float) -> None:
    detail = f"{p50(ours):.2f} / {p50(floor):.2f} ms (p95 {percentile(ours, 95):.1f} / {percentile(floor, 95):.1f})"
    raw: dict[str, float | list[float] | str] = {"ours_ms": ours, "floor_ms": floor, "busy": busy}
    table.add(
        OURS,
        "Time of a page as a multiple of its bare IMAP exchange",
        name,
        Figure(p50(ours) / p50(floor), detail, raw),
        "",
        MOST,
    )


def _count(table: Table, recordings: dict[str, Recording]) -> None:
    for name, recording in recordings.items():
        said = [exchange for exchange in recording.page if exchange.sent]
        sign_in = sum(exchange.signs_in for exchange in said)
        commands = " / ".join(_commands(exchange) for exchange in said if not exchange.signs_in)
        detail = (f"{sign_in} to sign in; " if sign_in else "") + commands
        raw: dict[str, float | list[float] | str] = {
            "sent": "\n".join(exchange.sent.decode("utf-8", "replace") for exchange in said if not exchange.signs_in),
            "received_bytes": sum(len(exchange.received) for exchange in said),
        }
        table.add(OURS, "IMAP round trips of a page", name, Figure(len(said), detail, raw))


def _commands(exchange: Exchange) -> str:
    """`UID FETCH + STORE`: what one round trip asked for."""
    names = []
    for line in exchange.sent.splitlines():
        words = line.decode("utf-8", "replace").split(" ")
        if len(words) > 1 and words[0].isalnum():
            names.append(" ".join(words[1:3]) if words[1] == "UID" else words[1])
    return " + ".join(names)


@contextmanager
def _traboule(services: Services, imap_port: int) -> Iterator[Traboule]:
    """A second Traboule on the same accounts, whose mail server seems to listen on `imap_port`."""
    port = free_ports(1)[0]
    options = f"--interface wsgi --host {HOST} --port {port} --workers 1 --blocking-threads 16 --no-ws"
    command = [str(Path(sys.executable).parent / "granian"), *options.split(), "wsgi:app"]
    environment = {**os.environ, **services.settings(), "WEBMAIL_IMAP_PORT": str(imap_port)}
    child: Child = start("web, recorded", command, services.base / "log" / "web-recorded.log", port, environment, CHECKOUT)
    try:
        child.wait_for(_is_up)
        yield Traboule(f"http://{HOST}:{port}", [child.process.pid])
    finally:
        child.stop()


def _is_up(port: int) -> bool:
    visitor = Visitor(HOST, port)
    try:
        return visitor.get("/healthz").status == 200
    finally:
        visitor.close()
