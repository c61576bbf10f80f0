"""Writing: the form, an answer, Send until the next page, and a file of 25 MB in constant memory."""

from __future__ import annotations

import imaplib
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from playwright.sync_api import Browser

from deploy.demo.child import HOST
from deploy.demo.services import Services
from tests.bench import browser as chromium
from tests.bench import instance
from tests.bench.fill import CLIENTS_MAIL, WRITER
from tests.bench.machine import MIB, growth, processor_ms, settle
from tests.bench.numbers import p50, percentile
from tests.bench.pages import KIB
from tests.bench.sink import Sink
from tests.bench.table import OURS, Figure, Table
from tests.bench.visitor import Visitor
from tests.bench.webmails import Traboule, Webmail

Begun = TypeVar("Begun")
SECTION = "Writing"
LARGE_SECTION = "A file of 25 MB: growth of the memory at most"
TEXTAREA = {"Traboule": "textarea[name=body]", "Roundcube": "#composebody"}
TIMES, _FIRST = 20, 2  # of them to warm up
_FORM, _ANSWER = "empty form: HTML, compressed", "answer to a plain message: its form"
TO, SUBJECT = "p1@ecole.example", "Bench: the minutes"
TEXT = "Bonjour,\n\nles élèves pourront rendre leur travail avant la fin de semaine.\n\nBonne journée\n" * 5
MEGABYTE, LARGE_FILE = 1_000_000, 25_000_000  # bytes
MOST_GROWTH = LARGE_FILE / MIB**2 / 10  # MiB: a tenth of the file
_WARM = 8  # messages with a file of 1 MB: each of a process's threads costs a little the first time
_PLAIN_UID = CLIENTS_MAIL


def measure(table: Table, services: Services, folder: Path) -> None:
    """Traboule, with databases of its own and a submission server that keeps nothing; no worker but where it says so."""
    empty(services)
    with Sink() as sink, chromium.chromium() as browser:
        settings = instance.apart(services, folder / "pages") | {"smtp_port": sink.port}
        with instance.traboule(services, **settings) as app:
            common(table, app, services.password, browser)
        settings = instance.apart(services, folder / "large") | {"smtp_port": sink.port}
        with table.row(OURS, LARGE_SECTION, "the steps after those that stand here"):
            _large_file(table, services, settings | {"message_limit_mb": 40, "undo_seconds": 0}, sink)
    empty(services)


def common(table: Table, webmail: Webmail, password: str, browser: Browser) -> None:
    """What is measured of every webmail."""
    visitor = webmail.writer(WRITER, password)
    with table.row(webmail.name, SECTION, _FORM):
        _form(table, webmail, visitor, browser)
    with table.row(webmail.name, SECTION, _ANSWER):
        path = webmail.reply("INBOX", _PLAIN_UID)
        size = len(visitor.page(path).body)
        _row(table, webmail, _ANSWER, lambda: path, lambda asked: visitor.page(asked).ms, f"; {size:,} bytes compressed")
    for words, content in (("short message", b""), ("message with a file of 1 MB", _file(MEGABYTE))):
        with table.row(webmail.name, SECTION, name := f"Send until the next page, {words}"):
            send = partial(webmail.send, visitor, to=TO, subject=SUBJECT, text=TEXT, file=content)
            _row(table, webmail, name, lambda: webmail.begin(visitor), send)
    visitor.close()


def _row(
    table: Table, webmail: Webmail, name: str, begin: Callable[[], Begun], measure: Callable[[Begun], float], more: str = ""
) -> None:
    """`measure` gets what `begin` makes, which is not part of what it costs."""
    times: list[float] = []
    spent: list[float] = []
    busy = 0.0
    for turn in range(-_FIRST, TIMES):
        if turn == 0:
            busy = settle()
        begun = begin()
        before = processor_ms(webmail.roots)
        times.append(measure(begun))
        spent.append(processor_ms(webmail.roots) - before)
    del times[:_FIRST], spent[:_FIRST]
    detail = f"p95 {percentile(times, 95):.1f}, best {min(times):.1f} ms; {p50(spent):.1f} ms of processor time{more}"
    figure = Figure(p50(times), detail, {"ms": times, "processor_ms": p50(spent), "busy": busy})
    table.add(webmail.name, SECTION, name, figure, "ms")


def _form(table: Table, webmail: Webmail, visitor: Visitor, browser: Browser) -> None:
    size = len(visitor.page(webmail.compose()).body)
    table.add(webmail.name, SECTION, _FORM, Figure(size / KIB, f"{size:,} bytes"), "KiB")
    seen = chromium.view(browser, webmail.base, webmail.compose(), visitor.cookies, TEXTAREA[webmail.name])
    split = f"HTML {seen.wire('Document'):,}, CSS {seen.wire('Stylesheet'):,}, scripts {seen.wire('Script'):,} bytes"
    name = "empty form: everything, cold cache, scripts on"
    table.add(webmail.name, SECTION, name, Figure(seen.wire() / KIB, f"{split}; {seen.requests} requests"), "KiB")


# --- a file of 25 MB -------------------------------------------------------------------------------------------------


def _large_file(table: Table, services: Services, settings: dict[str, str | int], sink: Sink) -> None:
    """Each step in a web process that was just started and has done the same with files of 1 MB; the worker too."""
    with _fresh(services, settings) as (app, visitor):
        form = app.begin(visitor)
        file = _file(LARGE_FILE)
        with growth(app.roots) as grown:
            answer = app.press(visitor, form, "attach", file, to=TO, subject=SUBJECT, body=TEXT)
        path = answer.headers["location"]
        _memory(table, "web side, taking the file", grown.peak, grown.kept, answer.ms)
    with _fresh(services, settings) as (app, visitor):
        form = app.form(visitor.expect(path, "film.mp4").text)
        with growth(app.roots) as grown:
            answer = app.press(visitor, form, "save")
        _memory(table, "web side, saving it to Drafts", grown.peak, grown.kept, answer.ms)
    with _fresh(services, settings) as (app, visitor):
        form = app.form(visitor.expect(path, "film.mp4").text)
        with instance.worker(services, **settings) as worker:
            _until_filed(settings)  # the files of 1 MB
            _short(table, app, visitor, sink, settings)
            before, start = len(sink.taken), time.perf_counter()
            with growth([worker]) as working:
                with growth(app.roots) as grown:
                    answer = app.press(visitor, form, "send")
                sent, size = sink.wait(before + 1)
                _until_filed(settings)
            filed = time.perf_counter()
    _memory(table, "web side, pressing Send", grown.peak, grown.kept, answer.ms)
    words = f"{size:,} bytes sent after {sent - start:.1f} s, in Sent after {filed - start:.1f} s"
    _memory(table, "job worker, sending and filing it", working.peak, working.kept, (filed - start) * 1000, words)


def _short(table: Table, app: Traboule, visitor: Visitor, sink: Sink, settings: dict[str, str | int]) -> None:
    """How long after Send the submission server has a message, when nothing waits for an undo."""
    times = []
    for _ in range(5):
        form, before = app.begin(visitor), len(sink.taken)
        start = time.perf_counter()
        app.press(visitor, form, "send", to=TO, subject=SUBJECT, body=TEXT)
        times.append((sink.wait(before + 1)[0] - start) * 1000)
        _until_filed(settings)
    detail = f"worst of {len(times)}: {max(times):.0f} ms; no time for undoing"
    table.add(
        OURS, SECTION, "Send until the submission server has it, short message", Figure(p50(times), detail, {"ms": times}), "ms"
    )


@contextmanager
def _fresh(services: Services, settings: dict[str, str | int]) -> Iterator[tuple[Traboule, Visitor]]:
    with instance.traboule(services, **settings) as app:
        visitor = app.writer(WRITER, services.password)
        for _ in range(_WARM):
            form = app.begin(visitor)
            answer = app.press(visitor, form, "attach", _file(MEGABYTE), to=TO, subject=SUBJECT, body=TEXT)
            for button in ("save", "send"):
                form = app.form(visitor.expect(answer.headers["location"], "film.mp4").text)
                answer = app.press(visitor, form, button)
        visitor.get(app.inbox())
        yield app, visitor
        visitor.close()


def _memory(table: Table, name: str, peak: int, kept: int, ms: float, more: str = "") -> None:
    detail = f"of the RSS; {kept / KIB:.1f} MiB kept; {more or f'{ms:,.0f} ms until it was answered'}"
    table.add(OURS, LARGE_SECTION, name, Figure(peak / KIB, detail), "MiB", MOST_GROWTH)


def _until_filed(settings: dict[str, str | int], seconds: float = 60) -> None:
    """Wait until the worker has nothing left to do. Raises RuntimeError."""
    end = time.monotonic() + seconds
    file = str(settings["database_url"]).removeprefix("sqlite:///")
    with closing(sqlite3.connect(file)) as database:
        while database.execute("SELECT count(*) FROM outbox WHERE state != 'sent' OR NOT filed OR saved_uid != 0").fetchone()[0]:
            if time.monotonic() > end:
                raise RuntimeError(f"not sent and filed in {seconds:.0f} s")
            time.sleep(0.01)


def empty(services: Services) -> None:
    """Away with what a run leaves in the writer's mailboxes."""
    client = imaplib.IMAP4(HOST, services.ports.imap)
    client.login(WRITER, services.password)
    for name in ("Drafts", "Sent"):
        answer, found = client.select(name)
        if answer == "OK" and found[0] != b"0":
            client.store("1:*", "+FLAGS.SILENT", "(\\Deleted)")
            client.expunge()
    client.logout()


def _file(size: int) -> bytes:
    return random.Random(size).randbytes(size)
