"""Measurements that every webmail takes alike: what a browser fetches, how long pages take, memory, throughput."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from playwright.sync_api import Browser

from tests.bench import browser as chromium
from tests.bench.fill import (
    ARCHIVIST,
    CLIENTS,
    CLIENTS_MAIL,
    INBOX_SIZE,
    LARGE,
    LARGE_MAIL,
    PEOPLE,
    PEOPLES_MAIL,
    READER,
    SIZES,
    SMALL,
    TALKER,
)
from tests.bench.load import load
from tests.bench.machine import Metered, memory, processor_ms, rest, settle
from tests.bench.numbers import in_turn, p50, percentile
from tests.bench.table import OURS, Figure, Table
from tests.bench.visitor import COMPRESSED, Visitor
from tests.bench.webmails import Webmail

ROW = {"Traboule": "[data-row]", "Roundcube": "#messagelist tr.message"}
PAGE = 50  # rows
TIMES = 60
SECONDS = 6.0
KIB = 1024
_FIRST_VIEW = "First view of the inbox, signed in, cold cache"
_RATIO = "A page of the list, 100,000 messages against 1,000"
_MEMORY, _MOST_MEMORY = "Memory (PSS)", 150  # MiB
OPENING, WIRE = "Time of a page (p50, one client)", "Bytes of a page to the browser, compressed, without its styles and scripts"
NEWEST_PLAIN, NEWEST_NEWSLETTER = 0, 1  # how many messages are newer


def view(table: Table, webmail: Webmail, password: str) -> None:
    """The inbox in Chromium, signed in, with a cold cache; Roundcube shows nothing without scripts."""
    visitor = webmail.sign_in(READER, password)
    with chromium.chromium() as browser:
        for scripts in (True, False) if webmail.name == OURS else (True,):
            with table.row(webmail.name, _FIRST_VIEW, f"HTML and CSS, scripts {_on(scripts)}"):
                _view(table, webmail, visitor, browser, scripts)
    visitor.close()


def _view(table: Table, webmail: Webmail, visitor: Visitor, browser: Browser, scripts: bool) -> None:
    seen = chromium.view(browser, webmail.base, webmail.inbox(), visitor.cookies, ROW[webmail.name], scripts)
    raw: dict[str, float | list[float] | str] = {
        urlsplit(one.url).path[-60:] + f" ({one.kind}, {one.encoding or 'as is'})": one.wire for one in seen.fetched
    }
    page = seen.wire("Document", "Stylesheet")
    split = f"HTML {seen.wire('Document'):,} + CSS {seen.wire('Stylesheet'):,} bytes, of them headers "
    split += f"{page - seen.body('Document', 'Stylesheet'):,}"
    table.add(webmail.name, _FIRST_VIEW, f"HTML and CSS, scripts {_on(scripts)}", Figure(page / KIB, split, raw), "KiB", 14)
    whole = f"{seen.wire():,} bytes: scripts {seen.wire('Script'):,}, others {seen.wire() - page - seen.wire('Script'):,}"
    table.add(webmail.name, _FIRST_VIEW, f"everything, scripts {_on(scripts)}", Figure(seen.wire() / KIB, whole, raw), "KiB", 40)
    kinds = ", ".join(one.kind for one in seen.fetched) if len(seen.fetched) < 10 else ""
    table.add(webmail.name, _FIRST_VIEW, f"requests, scripts {_on(scripts)}", Figure(seen.requests, kinds), "", 6)


def _on(scripts: bool) -> str:
    return "on" if scripts else "off"


def timed(visitor: Visitor, *paths: str, reload: bool = False) -> Callable[[], float]:
    """Milliseconds for these pages one after the other, as Chromium asks for them. Raises RuntimeError on another status."""
    return lambda: sum(visitor.page(path, COMPRESSED, reload=reload).ms for path in paths)


def lists(table: Table, webmail: Webmail, password: str) -> None:
    """The inbox; a page of 50 out of 100,000 against one out of 1,000, of two people; the inbox beside another large mailbox."""
    reader, none, archivist = (webmail.sign_in(address, password) for address in (READER, PEOPLE[0], ARCHIVIST))
    opened(table, webmail, "list of the inbox", reader, [webmail.list_page("INBOX", 1)])
    last = {name: size // PAGE for name, size in SIZES.items()}
    for place, page in (("first", lambda _name: 1), ("middle", lambda name: last[name] // 2), ("last", lambda name: last[name])):
        measures = [timed(who, webmail.list_page(name, page(name))) for who, name in ((reader, SMALL), (archivist, LARGE))]
        large = _against(table, webmail, f"{place} page, ratio", measures, TIMES if webmail.name == OURS else TIMES // 2)
        if large:
            table.add(webmail.name, _RATIO, f"{place} page of 100,000", Figure(p50(large)), "ms")
    rows = {"inbox of 60 beside a folder of 100,000, ratio": False}
    if webmail.name == OURS:
        rows["the same, folders counted (every 15 s)"] = True
    for name, reload in rows.items():
        measures = [timed(who, webmail.list_page("INBOX", 1), reload=reload) for who in (none, archivist)]
        _against(table, webmail, name, measures, TIMES // 2)
    for visitor in (reader, none, archivist):
        visitor.close()


def _against(table: Table, webmail: Webmail, name: str, measures: list[Callable[[], float]], times: int) -> list[float]:
    """What has little beside it, and what has much, in turn. Returns the times of the latter; none where they could not be measured."""
    few: list[float] = []
    many: list[float] = []
    with table.row(webmail.name, _RATIO, name):
        metered = [Metered(measure, webmail.roots) for measure in measures]
        for measure in metered:
            measure()
        busy = _quiet(webmail)
        few, many = in_turn(*metered, times=times)
        little, much = (p50(one.spent[-times:]) for one in metered)
        detail = f"{p50(many):.1f} / {p50(few):.1f} ms (p95 {percentile(many, 95):.1f} / {percentile(few, 95):.1f}); "
        detail += f"{much:.1f} / {little:.1f} ms of processor time"
        raw: dict[str, float | list[float] | str] = {"few_ms": few, "many_ms": many, "busy": busy}
        raw |= {"few_processor_ms": little, "many_processor_ms": much}
        table.add(webmail.name, _RATIO, name, Figure(p50(many) / p50(few), detail, raw), "", 1.2)
    return many


def _quiet(webmail: Webmail) -> float:
    """Roundcube opens a connection for each request: nothing of it grows old by waiting."""
    return rest() if webmail.name == OURS else settle()


def messages(table: Table, webmail: Webmail, password: str) -> None:
    """How long it takes to open a plain message, a newsletter and one of 20 MB, and how many bytes they are."""
    reader, talker = (webmail.sign_in(address, password) for address in (READER, TALKER))
    wanted: dict[str, tuple[Visitor, Callable[[], list[str]]]] = {
        "plain message": (reader, lambda: [webmail.plain(reader, "INBOX", INBOX_SIZE - NEWEST_PLAIN)]),
        "newsletter of 100 KB, page and frame": (
            reader,
            lambda: webmail.newsletter(reader, "INBOX", INBOX_SIZE - NEWEST_NEWSLETTER),
        ),
        "message of 20 MB": (talker, lambda: [webmail.large(talker, LARGE_MAIL, 1)]),
    }
    for name, (who, paths) in wanted.items():
        with table.row(webmail.name, OPENING, name):
            opened(table, webmail, name, who, paths())
    for visitor in (reader, talker):
        visitor.close()


def opened(table: Table, webmail: Webmail, name: str, who: Visitor, paths: list[str]) -> None:
    """How long these pages take one after the other, and how many bytes they are."""
    with table.row(webmail.name, OPENING, name):
        ask = Metered(timed(who, *paths), webmail.roots)
        ask()
        busy = _quiet(webmail)
        [times] = in_turn(ask, times=TIMES)
        spent = p50(ask.spent[-TIMES:])
        detail = f"p95 {percentile(times, 95):.1f}, best {min(times):.1f} ms; {spent:.1f} ms of processor time"
        raw: dict[str, float | list[float] | str] = {"ms": times, "processor_ms": spent, "busy": busy}
        table.add(webmail.name, OPENING, name, Figure(p50(times), detail, raw), "ms")
    with table.row(webmail.name, WIRE, name):
        sizes = [len(who.page(path, COMPRESSED).body) for path in paths]
        table.add(webmail.name, WIRE, name, Figure(sum(sizes) / KIB, " + ".join(f"{size:,}" for size in sizes) + " bytes"), "KiB")


def people(table: Table, webmail: Webmail, password: str) -> None:
    """The memory as it is, and once fifty people have signed in, opened their inbox and a newsletter."""
    settle()
    table.add(webmail.name, _MEMORY, "web side, at start", Figure(memory(webmail.roots).pss / KIB), "MiB", _MOST_MEMORY)
    with table.row(webmail.name, _MEMORY, "web side, after 50 people"):
        for number, address in enumerate(PEOPLE):
            visitor = webmail.sign_in(address, password)
            total = CLIENTS_MAIL if number < CLIENTS else PEOPLES_MAIL
            visitor.expect(webmail.list_page("INBOX", 1), "")
            webmail.newsletter(visitor, "INBOX", total - NEWEST_NEWSLETTER)
            visitor.close()
        settle()
        after = memory(webmail.roots)
        detail = f"{after.processes} processes; RSS {after.rss / KIB:.0f} MiB"
        table.add(webmail.name, _MEMORY, "web side, after 50 people", Figure(after.pss / KIB, detail), "MiB", _MOST_MEMORY)


def throughput(table: Table, webmail: Webmail, password: str) -> None:
    """Eight people at once, each with a sign-in and a connection of their own."""
    visitors = [webmail.sign_in(address, password) for address in PEOPLE[:CLIENTS]]
    section = f"Throughput, {len(visitors)} clients"
    parts = urlsplit(webmail.base)
    wanted: dict[str, Callable[[Visitor], str]] = {
        "list": lambda visitor: webmail.list_page("INBOX", 1),
        "plain message": lambda visitor: webmail.plain(visitor, "INBOX", CLIENTS_MAIL - NEWEST_PLAIN),
    }
    peak = 0
    for name, path in wanted.items():
        with table.row(webmail.name, section, f"{name}, requests a second"):
            requests = [visitor.request_lines(path(visitor), COMPRESSED) for visitor in visitors]
            busy = settle()
            before = processor_ms(webmail.roots)
            found = load(str(parts.hostname), int(parts.port or 80), requests, SECONDS)
            spent = (processor_ms(webmail.roots) - before) / max(found.asked, 1)
            peak = max(peak, memory(webmail.roots).pss)
            found.check(f"{webmail.name} under load, {name}")
            detail = f"{len(found.times)} answers in {SECONDS:.0f} s; p50 {found.p50:.1f}, p95 {found.p95:.1f} ms; "
            detail += f"{spent:.1f} ms of processor time each"
            raw: dict[str, float | list[float] | str] = {"busy": busy, "processor_ms": spent}
            table.add(webmail.name, section, f"{name}, requests a second", Figure(found.per_second, detail, raw))
            table.add(webmail.name, section, f"{name}, p95", Figure(found.p95, "", {"busy": busy}), "ms")
    table.add(webmail.name, _MEMORY, "web side, after the load", Figure(peak / KIB), "MiB")
    for visitor in visitors:
        visitor.close()
