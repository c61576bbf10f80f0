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
    OWNERS,
    PEOPLE,
    PEOPLES_MAIL,
    SIZES,
    SMALL,
    TALKER,
)
from tests.bench.load import load
from tests.bench.machine import memory, rest, settle
from tests.bench.numbers import in_turn, p50, percentile
from tests.bench.table import OURS, Figure, Table
from tests.bench.visitor import COMPRESSED, Visitor
from tests.bench.webmails import Webmail

ROW = {"Traboule": "[data-row]", "Roundcube": "#messagelist tr.message"}
PAGE = 50  # rows
TIMES = 60
SECONDS = 6.0
KIB = 1024
OPENING, WIRE = "Time of a page (p50, one client)", "Bytes of a page to the browser, compressed, without its styles and scripts"
NEWEST_PLAIN, NEWEST_NEWSLETTER = 0, 1  # how many messages are newer


def first_view(table: Table, webmail: Webmail, visitor: Visitor, browser: Browser, scripts: bool = True) -> None:
    """The inbox, signed in, with a cold cache."""
    seen = chromium.view(browser, webmail.base, webmail.inbox(), visitor.cookies, ROW[webmail.name], scripts)
    section = f"First view of the inbox, signed in, cold cache, scripts {'on' if scripts else 'off'}"
    raw: dict[str, float | list[float] | str] = {
        urlsplit(one.url).path[-60:] + f" ({one.kind}, {one.encoding or 'as is'})": one.wire for one in seen.fetched
    }
    page = seen.wire("Document", "Stylesheet")
    split = f"HTML {seen.wire('Document'):,} + CSS {seen.wire('Stylesheet'):,} bytes, of them headers "
    split += f"{page - seen.body('Document', 'Stylesheet'):,}"
    table.add(webmail.name, section, f"HTML and CSS, scripts {_on(scripts)}", Figure(page / KIB, split, raw), "KiB", 14)
    whole = f"{seen.wire():,} bytes: scripts {seen.wire('Script'):,}, others {seen.wire() - page - seen.wire('Script'):,}"
    table.add(webmail.name, section, f"everything, scripts {_on(scripts)}", Figure(seen.wire() / KIB, whole, raw), "KiB", 40)
    kinds = ", ".join(one.kind for one in seen.fetched) if len(seen.fetched) < 10 else ""
    table.add(webmail.name, section, f"requests, scripts {_on(scripts)}", Figure(seen.requests, kinds), "", 6)


def _on(scripts: bool) -> str:
    return "on" if scripts else "off"


def timed(visitor: Visitor, *paths: str, reload: bool = False) -> Callable[[], float]:
    """Milliseconds for these pages one after the other, as Chromium asks for them. Raises RuntimeError on another status."""

    def measure() -> float:
        answers = [visitor.get(path, COMPRESSED, reload=reload) for path in paths]
        if wrong := [answer.status for answer in answers if answer.status != 200]:
            raise RuntimeError(f"{paths}: {wrong}")
        return sum(answer.ms for answer in answers)

    return measure


def lists(table: Table, webmail: Webmail, password: str) -> None:
    """A page of 50 out of 100,000 against one out of 1,000, of two people; the two are asked for in turn."""
    section = "A page of the list, 100,000 messages against 1,000"
    last = {name: size // PAGE for name, size in SIZES.items()}
    visitors = [webmail.sign_in(OWNERS[name], password) for name in (SMALL, LARGE)]
    for place, page in (("first", lambda _name: 1), ("middle", lambda name: last[name] // 2), ("last", lambda name: last[name])):
        paths = [webmail.list_page(name, page(name)) for name in (SMALL, LARGE)]
        measures = [timed(visitor, path) for visitor, path in zip(visitors, paths, strict=True)]
        for measure in measures:
            measure()
        busy = _quiet(webmail)
        small, large = in_turn(*measures, times=TIMES if webmail.name == OURS else TIMES // 2)
        detail = f"{p50(large):.1f} / {p50(small):.1f} ms (p95 {percentile(large, 95):.1f} / {percentile(small, 95):.1f})"
        figure = Figure(p50(large) / p50(small), detail, {"small_ms": small, "large_ms": large, "busy": busy})
        table.add(webmail.name, section, f"{place} page, ratio", figure, "", 1.2)
        table.add(webmail.name, section, f"{place} page of 100,000", Figure(p50(large)), "ms")
    for visitor in visitors:
        visitor.close()


def beside(table: Table, webmail: Webmail, password: str) -> None:
    """A page of an inbox of 60, for one who has 100,000 messages in another mailbox and for one who has none."""
    visitors = [webmail.sign_in(address, password) for address in (PEOPLE[0], ARCHIVIST)]
    section = "A page of the list, 100,000 messages against 1,000"
    rows = {"inbox of 60 beside a folder of 100,000, ratio": False}
    if webmail.name == OURS:
        rows["the same, folders counted (every 15 s)"] = True
    for name, reload in rows.items():
        measures = [timed(visitor, webmail.list_page("INBOX", 1), reload=reload) for visitor in visitors]
        for measure in measures:
            measure()
        busy = _quiet(webmail)
        none, many = in_turn(*measures, times=TIMES // 2)
        detail = f"{p50(many):.1f} / {p50(none):.1f} ms (p95 {percentile(many, 95):.1f} / {percentile(none, 95):.1f})"
        figure = Figure(p50(many) / p50(none), detail, {"none_ms": none, "many_ms": many, "busy": busy})
        table.add(webmail.name, section, name, figure, "", 1.2)
    for visitor in visitors:
        visitor.close()


def _quiet(webmail: Webmail) -> float:
    """Roundcube opens a connection for each request: nothing of it grows old by waiting."""
    return rest() if webmail.name == OURS else settle()


def opening(table: Table, webmail: Webmail, visitor: Visitor, password: str) -> None:
    """How long the usual pages take, and how many bytes they are."""
    talker = webmail.sign_in(TALKER, password)
    newsletter = webmail.newsletter(visitor, "INBOX", INBOX_SIZE - NEWEST_NEWSLETTER)
    pages = {
        "list of the inbox": (visitor, [webmail.list_page("INBOX", 1)]),
        "plain message": (visitor, [webmail.plain(visitor, "INBOX", INBOX_SIZE - NEWEST_PLAIN)]),
        "newsletter of 100 KB, page and frame": (visitor, newsletter),
        "message of 20 MB": (talker, [webmail.large(talker, LARGE_MAIL, 1)]),
    }
    for name, (who, wanted) in pages.items():
        timed(who, *wanted)()
        busy = _quiet(webmail)
        [times] = in_turn(timed(who, *wanted), times=TIMES)
        detail = f"p95 {percentile(times, 95):.1f}, best {min(times):.1f} ms"
        table.add(webmail.name, OPENING, name, Figure(p50(times), detail, {"ms": times, "busy": busy}), "ms")
        sizes = [len(who.get(path, COMPRESSED).body) for path in wanted]
        table.add(webmail.name, WIRE, name, Figure(sum(sizes) / KIB, " + ".join(f"{size:,}" for size in sizes) + " bytes"), "KiB")
    talker.close()


def people(table: Table, webmail: Webmail, password: str, before: int, most: float | None) -> list[Visitor]:
    """Fifty people sign in, open their inbox and a newsletter. Returns those who stay as clients."""
    staying: list[Visitor] = []
    for number, address in enumerate(PEOPLE):
        visitor = webmail.sign_in(address, password)
        total = CLIENTS_MAIL if number < CLIENTS else PEOPLES_MAIL
        visitor.expect(webmail.list_page("INBOX", 1), "")
        webmail.newsletter(visitor, "INBOX", total - NEWEST_NEWSLETTER)
        if number < CLIENTS:
            staying.append(visitor)
        else:
            visitor.close()
    settle()
    after = memory(webmail.roots)
    detail = f"{after.processes} processes; RSS {after.rss / KIB:.0f} MiB"
    table.add(webmail.name, "Memory (PSS)", "web side, at start", Figure(before / KIB), "MiB", most)
    table.add(webmail.name, "Memory (PSS)", "web side, after 50 people", Figure(after.pss / KIB, detail), "MiB", most)
    return staying


def throughput(table: Table, webmail: Webmail, visitors: list[Visitor]) -> None:
    """Eight people at once, each with a sign-in and a connection of their own."""
    section = f"Throughput, {len(visitors)} clients"
    parts = urlsplit(webmail.base)
    wanted: dict[str, Callable[[Visitor], str]] = {
        "list": lambda visitor: webmail.list_page("INBOX", 1),
        "plain message": lambda visitor: webmail.plain(visitor, "INBOX", CLIENTS_MAIL - NEWEST_PLAIN),
    }
    peak = 0
    for name, path in wanted.items():
        requests = [visitor.request_lines(path(visitor), COMPRESSED) for visitor in visitors]
        busy = settle()
        found = load(str(parts.hostname), int(parts.port or 80), requests, SECONDS)
        peak = max(peak, memory(webmail.roots).pss)
        if found.refused:
            raise RuntimeError(f"{webmail.name} under load, {name}: {found.refused} of {len(found.times)} answers were not 200")
        detail = f"{len(found.times)} answers in {SECONDS:.0f} s; p50 {found.p50:.1f}, p95 {found.p95:.1f} ms"
        table.add(webmail.name, section, f"{name}, requests a second", Figure(found.per_second, detail, {"busy": busy}))
        table.add(webmail.name, section, f"{name}, p95", Figure(found.p95, "", {"busy": busy}), "ms")
    table.add(webmail.name, "Memory (PSS)", "web side, after the load", Figure(peak / KIB), "MiB")
