"""Traboule against the IMAP exchange that its pages need: what it says is recorded, counted and said again bare."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deploy.demo.services import Services
from tests.bench import instance
from tests.bench.fill import ARCHIVIST, INBOX_SIZE, LARGE, LARGE_MAIL, READER, TALKER, TALKS, TURNS
from tests.bench.machine import Growth, Metered, growth, rest, settle
from tests.bench.numbers import in_turn, p50, percentile
from tests.bench.pages import KIB, NEWEST_NEWSLETTER, NEWEST_PLAIN, OPENING, TIMES, WIRE, timed
from tests.bench.proxy import Exchange, Recorder
from tests.bench.replay import BareConnection
from tests.bench.table import OURS, Figure, Table
from tests.bench.visitor import COMPRESSED, Visitor
from tests.bench.webmails import Traboule, Webmail
from webmail.account import Token
from webmail.config import settings as config

UNSEEN_PAGES = range(3, 43)  # of the large mailbox: each is visited once, so that nothing of it is remembered
MOST = 4.0  # times the bare exchange
RATIO = "Time of a page as a multiple of its bare IMAP exchange"
_SEARCH = "search of 1,000 messages"
_FIRST, _AGAIN = "conversation of 100, first time", "conversation of 100, again"
_UNKNOWN = "list, unknown rows, of 100,000"
_COLD, _COLD_TIMES = "inbox, first visit of a fresh process", 7
_SHOWN = ("plain message", "newsletter, page", "newsletter, frame", "newsletter, both", "message of 20 MB")


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
    reload: bool = False  # asked for with the browser's button: all folders are counted


@dataclass(frozen=True, slots=True)
class Script:
    """What was recorded: each page of the large mailbox at its first visit, and the other pages by name."""

    unseen: dict[int, Recording]
    pages: dict[str, Page]
    first: Recording  # of the inbox after signing in
    talks: dict[str, Recording]  # of conversations, each in a mailbox that the process had not opened


def measure(table: Table, services: Services, app: Traboule) -> None:
    """What the pages say to the mail server, and how long they take in times of that."""
    compare(table, services, app, record(table, services))


def record(table: Table, services: Services) -> Script:
    """Visit every page with a second Traboule that reaches its mail server through the recorder; count the round trips."""
    with Recorder(services.ports.imap) as recorder, instance.traboule(services, imap_port=recorder.port) as app:
        visitor, archivist, talker = (app.sign_in(address, services.password) for address in (READER, ARCHIVIST, TALKER))

        def visit(*paths: str, who: Visitor = visitor, reload: bool = False) -> Recording:
            mark = recorder.quiet()
            for path in paths:
                who.page(path, reload=reload)
            said = recorder.of_pages(mark)
            return Recording(said, recorder.before(mark, said[0].connection) if said else [])

        first = visit(app.inbox())
        visit(app.list_page(LARGE, 2), who=archivist)
        unseen = {number: visit(app.list_page(LARGE, number), who=archivist) for number in UNSEEN_PAGES}
        known = app.list_page(LARGE, UNSEEN_PAGES[0])
        plain = app.plain(visitor, "INBOX", INBOX_SIZE - NEWEST_PLAIN)  # once, so that it is no longer unread
        page, frame = app.newsletter(visitor, "INBOX", INBOX_SIZE - NEWEST_NEWSLETTER)
        reply = app.reply("INBOX", INBOX_SIZE - NEWEST_PLAIN)
        visit(app.inbox())
        pages = {
            "list, known rows": Page(READER, [app.inbox()], visit(app.inbox())),
            "list, known rows, folders counted (every 15 s)": Page(
                READER, [app.inbox()], visit(app.inbox(), reload=True), reload=True
            ),
            "list, known rows, of 100,000": Page(ARCHIVIST, [known], visit(known, who=archivist)),
            "plain message": Page(READER, [plain], visit(plain)),
            "newsletter, page": Page(READER, [page], visit(page)),
            "newsletter, frame": Page(READER, [frame], visit(frame)),
            "newsletter, both": Page(READER, [page, frame], visit(page, frame)),
            _SEARCH: Page(READER, [search := app.search("INBOX", "timetable")], visit(search)),
            "answer to a plain message: its form": Page(READER, [reply], visit(reply)),
        }
        visit(app.inbox(), who=talker)
        with growth(app.roots) as grown_large:
            large = app.large(talker, LARGE_MAIL, 1)
        pages["message of 20 MB"] = Page(TALKER, [large], visit(large, who=talker))
        with growth(app.roots) as grown_talk:
            talks = {TALKS[0]: visit(app.conversation(TALKS[0], TURNS), who=talker)}
        talks |= {name: visit(app.conversation(name, TURNS), who=talker) for name in TALKS[1:]}
        again = app.conversation(TALKS[-1], TURNS)
        pages[_AGAIN] = Page(TALKER, [again], visit(again, who=talker))
        for each in (visitor, archivist, talker):
            each.close()
    recordings = {name: page.said for name, page in pages.items()}
    talk = talks[TALKS[-1]]
    last = unseen[UNSEEN_PAGES[-1]]
    _count(table, {"inbox, first visit after signing in": first, _UNKNOWN: last, **recordings, _FIRST: talk})
    for name in _SHOWN:
        _bytes(table, OURS, name, recordings[name].page)
    for name, said in ((_FIRST, talk), (_AGAIN, recordings[_AGAIN])):
        _bytes(table, OURS, name, said.page)
    _grew(table, app, "message of 20 MB", grown_large)
    _grew(table, app, "conversation of 100", grown_talk)
    return Script(unseen, pages, first, talks)


def shown_by(table: Table, webmail: Webmail, recorder: Recorder, password: str) -> None:
    """What another webmail, set up to reach its mail server through the recorder, fetches for the messages it shows."""
    visitor, talker = (webmail.sign_in(address, password) for address in (READER, TALKER))
    plain = webmail.plain(visitor, "INBOX", INBOX_SIZE - NEWEST_PLAIN)
    wanted = {"plain message": (visitor, [plain])}
    wanted["newsletter, both"] = (visitor, webmail.newsletter(visitor, "INBOX", INBOX_SIZE - NEWEST_NEWSLETTER))
    talker.get(webmail.list_page("INBOX", 1))
    with growth(webmail.roots) as grown:
        wanted["message of 20 MB"] = (talker, [webmail.large(talker, LARGE_MAIL, 1)])
    _grew(table, webmail, "message of 20 MB", grown)
    for name, (who, paths) in wanted.items():
        mark = len(recorder.exchanges)
        for path in paths:
            who.expect(path, "")
        _bytes(table, webmail.name, name, recorder.since(mark))


def _grew(table: Table, webmail: Webmail, name: str, grown: Growth) -> None:
    figure = Figure(
        grown.peak / KIB, f"of the RSS, {sum(grown.before.values()) / KIB:.0f} MiB before; {grown.kept / KIB:.1f} MiB kept"
    )
    table.add(webmail.name, "Growth of the web side's memory at most, opening", name, figure, "MiB")


def _bytes(table: Table, webmail: str, name: str, said: list[Exchange]) -> None:
    """Of what is said once a mailbox is selected and the person signed in, as far as the webmail keeps connections."""
    sent, received = sum(len(one.sent) for one in said), sum(len(one.received) for one in said)
    figure = Figure((sent + received) / KIB, f"{sent:,} sent, {received:,} received")
    table.add(webmail, "Bytes between the web side and the mail server", name, figure, "KiB")


def compare(table: Table, services: Services, app: Traboule, script: Script) -> None:
    """The time of Traboule's pages divided by that of the same bytes said bare, both measured in turn."""
    visitors = {address: app.sign_in(address, services.password) for address in (READER, ARCHIVIST, TALKER)}
    with table.row(OURS, RATIO, _UNKNOWN):
        _unknown_rows(table, services, app, script, visitors[ARCHIVIST])
    for name, page in script.pages.items():
        with table.row(OURS, RATIO, name):
            ask = Metered(timed(visitors[page.person], *page.paths, reload=page.reload), app.roots)
            ask()
            with BareConnection(services.ports.imap, page.person, services.password) as bare:
                bare.follow(page.said.before)
                busy = settle()
                ours, floor = in_turn(ask, lambda said=page.said.page: bare.timed(said), times=TIMES)  # type: ignore[misc]
            _ratio(table, name, ours, floor, busy, ask.spent[-TIMES:])
            if name == _AGAIN:
                _opened(table, name, ours, busy, visitors[TALKER], page.paths[0])
    with table.row(OURS, RATIO, _FIRST):
        _conversations(table, services, app, script, visitors[TALKER])
    with table.row(OURS, RATIO, _COLD):
        _cold(table, services, script, visitors[READER])
    for visitor in visitors.values():
        visitor.close()


def _conversations(table: Table, services: Services, app: Traboule, script: Script, visitor: Visitor) -> None:
    """Each is in a mailbox of its own that the web process has not opened; the mail server knows them from the recording."""
    ours: list[float] = []
    floor: list[float] = []
    spent: list[float] = []
    names = [name for name in script.talks if name != TALKS[-1]]  # that one was opened to measure it again
    with BareConnection(services.ports.imap, TALKER, services.password) as bare:
        bare.follow(script.talks[names[0]].before)
        busy = settle()
        timed(visitor, app.inbox())()
        for number, name in enumerate(names):
            ask = Metered(timed(visitor, app.conversation(name, TURNS)), app.roots, spent)
            measures: list[tuple[list[float], Callable[[], float]]] = [
                (ours, ask),
                (floor, lambda said=script.talks[name].page: bare.timed(said)),  # type: ignore[misc]
            ]
            for times, measure in measures if number % 2 else reversed(measures):
                times.append(measure())
    _ratio(table, _FIRST, ours, floor, busy, spent)
    _opened(table, _FIRST, ours, busy, visitor, app.conversation(names[0], TURNS))


def _opened(table: Table, name: str, times: list[float], busy: float, visitor: Visitor, path: str) -> None:
    size = len(visitor.page(path, COMPRESSED).body)
    detail = f"p95 {percentile(times, 95):.1f}, best {min(times):.1f} ms"
    table.add(OURS, OPENING, name, Figure(p50(times), detail, {"ms": times, "busy": busy}), "ms")
    table.add(OURS, WIRE, name, Figure(size / KIB, f"{size:,} bytes"), "KiB")


def _cold(table: Table, services: Services, script: Script, visitor: Visitor) -> None:
    """A web process that has answered nothing but /healthz, and a person whose session is in the database.

    The floor signs in with a token made beforehand, as Traboule does, and then says what was recorded after signing in.
    """
    settings = {name.removeprefix("WEBMAIL_").lower(): value for name, value in services.settings().items()}
    credential = config.load(settings.pop("instance"), **settings).account(READER).credential
    if not isinstance(credential, Token):
        raise RuntimeError("the bare exchange can sign in with our tokens only")
    said = [exchange for exchange in script.first.page if not exchange.signs_in]
    ours: list[float] = []
    floor: list[float] = []
    busy = settle()
    for _ in range(_COLD_TIMES):
        with instance.traboule(services) as app:
            fresh = Visitor(visitor.host, int(app.base.rpartition(":")[2]), cookies=dict(visitor.cookies))
            ours.append(timed(fresh, app.inbox())())
            fresh.close()
        token = credential.make()
        floor.append(BareConnection.timed_whole(services.ports.imap, READER, token, said))
    _ratio(table, _COLD, ours, floor, busy)


def _unknown_rows(table: Table, services: Services, app: Traboule, script: Script, visitor: Visitor) -> None:
    """Each page is new to the web process, but not to the mail server: the recording was made of the same pages."""
    timed(visitor, app.list_page(LARGE, 2))()
    ours: list[float] = []
    floor: list[float] = []
    spent: list[float] = []
    with BareConnection(services.ports.imap, ARCHIVIST, services.password) as bare:
        bare.follow(script.unseen[UNSEEN_PAGES[0]].before)
        busy = rest()
        for number, recording in script.unseen.items():
            ask = Metered(timed(visitor, app.list_page(LARGE, number)), app.roots, spent)
            measures: list[tuple[list[float], Callable[[], float]]] = [
                (ours, ask),
                (floor, lambda said=recording.page: bare.timed(said)),  # type: ignore[misc]
            ]
            for times, measure in measures if number % 2 else reversed(measures):
                times.append(measure())
    _ratio(table, _UNKNOWN, ours, floor, busy, spent)


def _ratio(
    table: Table, name: str, ours: list[float], floor: list[float], busy: float, spent: Sequence[float] = ()
) -> None:  # fmt: skip
    """`spent`: the processor time of each of ours, where it is known."""
    detail = f"{p50(ours):.2f} / {p50(floor):.2f} ms (p95 {percentile(ours, 95):.1f} / {percentile(floor, 95):.1f}, "
    detail += f"best {min(ours):.1f} / {min(floor):.1f})"
    raw: dict[str, float | list[float] | str] = {"ours_ms": ours, "floor_ms": floor, "busy": busy}
    if spent:
        detail += f"; {p50(spent):.1f} ms of processor time"
        raw["processor_ms"] = p50(spent)
    table.add(OURS, RATIO, name, Figure(p50(ours) / p50(floor), detail, raw), "", MOST)


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
