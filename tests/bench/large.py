"""`python -m tests.bench.large`: Traboule, and Roundcube beside it, on inboxes of 1,000, 100,000 and 1,000,000 messages.

Prints one table of milliseconds and ratios and writes it to instance/bench/large.md and large.json. With `docs` as its argument
it measures nothing and puts the last table into docs/benchmarks.md. The mailboxes are made once, in instance/bench/large.
MESSAGES=100000 in the environment makes the largest smaller, BENCH_ROUNDCUBE=0 leaves Roundcube out.
"""

from __future__ import annotations

import imaplib
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from deploy.demo.child import HOST, ServiceFailedError
from deploy.demo.place import PlaceError
from deploy.demo.services import Services
from tests.bench import instance, large_mail, machine, roundcube
from tests.bench.large_mail import ASIDE_ENCODED, RARE, RARE_SENDER, RARE_WORD, owner_of
from tests.bench.large_table import LargeTable, Timing, sizes
from tests.bench.large_webmails import INBOX, OurWays, Person, SomethingElse, TheirWays
from tests.bench.pages import PAGE
from tests.bench.table import put_into
from tests.bench.webmails import Traboule

CHECKOUT = Path(__file__).resolve().parents[2]
FOLDER = CHECKOUT / "instance" / "bench"
DOCUMENT = CHECKOUT / "docs" / "benchmarks.md"
MANY = 1_000  # messages that are marked and moved at once
READS, WRITES, FRESH = 5, 3, 2  # runs whose median counts

Ask = Callable[[], float]  # does something once and returns what it took, ms
People = dict[int, Person]  # by the size of their inboxes: all use the same webmail
Address = Callable[[OurWays | TheirWays, int], str]  # of a page, in an inbox of that size


class Mail:
    """A person's inbox as the mail server has it, looked at beside the webmails."""

    def __init__(self, services: Services, size: int) -> None:
        self.services, self.size = services, size

    @contextmanager
    def _inbox(self, mailbox: str = INBOX) -> Iterator[imaplib.IMAP4]:
        client = imaplib.IMAP4(HOST, self.services.ports.imap)
        client.login(owner_of(self.size), self.services.password)
        client.select(mailbox)
        yield client
        client.logout()

    def newest(self, mailbox: str = INBOX) -> list[int]:
        """The UIDs that came last."""
        with self._inbox(mailbox) as client:
            return _numbers(client.uid("SEARCH", f"{self._first(client)}:*"))

    def _first(self, client: imaplib.IMAP4) -> int:
        total = int(client.untagged_responses["EXISTS"][-1])  # type: ignore[call-overload]
        return max(total - MANY + 1, 1)

    def talk(self) -> int:
        """The UID of the newest message of the conversation that is opened."""
        with self._inbox() as client:
            place = large_mail.talk_places(self.size)[-1]
            return _numbers(client.uid("SEARCH", "HEADER", "Message-ID", f"<{place}.large.bench@ecole.example>"))[-1]

    def deliver(self) -> int:
        """One more message; its UID."""
        words = f"From: a@ecole.example\r\nSubject: New\r\nMessage-ID: <{time.time_ns()}.new@ecole.example>\r\n\r\nNew.\r\n"
        with self._inbox() as client:
            _kind, told = client.append(INBOX, "(\\Seen)", imaplib.Time2Internaldate(datetime.now(UTC)), words.encode())
        return int(told[0].split(b"]")[0].split()[-1])  # [APPENDUID validity uid] (RFC 4315)

    def remove(self, uids: Sequence[int]) -> None:
        with self._inbox() as client:
            client.uid("STORE", ",".join(map(str, uids)), "+FLAGS.SILENT", "(\\Deleted)")
            client.expunge()


def main(arguments: list[str]) -> int:
    if arguments == ["docs"]:
        put_into(DOCUMENT, (FOLDER / "large.md").read_text(), "large")
        return 0
    began = time.monotonic()
    try:
        table = LargeTable(datetime.now().astimezone(), machine.describe(), sizes(os.environ.get("MESSAGES", "")))
        with Services(FOLDER / "large") as services:
            _fill(table, services)
            measured = time.monotonic()
            busy = [machine.settle()]
            _measure(table, services)
            busy.append(machine.settle())
    except (ServiceFailedError, PlaceError, ValueError) as error:
        _say(str(error))
        return 1
    shares = " and ".join(f"{one:.0%}" for one in busy)
    table.notes.append(f"Busy with other things before and after: {shares} of the processors.")
    table.notes.append(f"Measured in {time.monotonic() - measured:.0f} s, {measured - began:.0f} s after the start.")
    files = table.write(FOLDER)
    print(table.markdown())
    print(f"Written: {', '.join(map(str, files))}")
    return 0


def _fill(table: LargeTable, services: Services) -> None:
    for size in table.sizes:
        _say(f"{size:,} messages: written and indexed, unless they are there")
        took = "; ".join(f"{name} {seconds:,.0f} s" for name, seconds in large_mail.fill(services, size).items())
        table.notes.append(f"{size:,} messages, made once: {took}.")


def _measure(table: LargeTable, services: Services) -> None:
    """All rows; where both webmails can do it, they are asked in turn."""
    pids = [child.process.pid for child in services.children if child.name == "web"]
    ways = OurWays(Traboule(services.address, pids))
    talks = {size: Mail(services, size).talk() for size in table.sizes}
    _fresh(table, services, talks)
    ours = _people(ways, table, services)
    with _rival(table, services) as theirs:
        both = [ours, *theirs]
        _reads(table, both)
        _pages(table, [ours], "conversation page", lambda _ways, size: ways.conversation(talks[size]))
        _new_mail(table, services, ours, ways, talks)
        _grouped(table, both)
        _writes(table, services, both)
    for person in ours.values():
        person.visitor.close()


@contextmanager
def _rival(table: LargeTable, services: Services) -> Iterator[list[People]]:
    """Those who use Roundcube; nobody where it is not."""
    with ExitStack() as stack:
        try:
            roundcube.install()
            webmail = stack.enter_context(roundcube.running(services, FOLDER / "roundcube"))
        except roundcube.NotHere as reason:
            table.notes.append(f"Roundcube: {reason}")
            yield []
        else:
            yield [_people(TheirWays(webmail), table, services)]


def _people(ways: OurWays | TheirWays, table: LargeTable, services: Services) -> People:
    return {size: ways.sign_in(owner_of(size), services.password) for size in table.sizes}


def _fresh(table: LargeTable, services: Services, talks: dict[int, int]) -> None:
    """A web process that has opened no mailbox: nothing of it is remembered."""
    for size in table.sizes:
        found = {"first list page of a fresh process": Timing(), "conversation page, first of its process": Timing()}
        for _ in range(FRESH):
            with instance.traboule(services) as app:
                ways = OurWays(app)
                person = ways.sign_in(owner_of(size), services.password)
                asks = (lambda p=person: p.shows(ways.page(1)), lambda p=person: p.shows(ways.conversation(talks[size])))  # type: ignore[misc]  # noqa: B023
                for timing, ask in zip(found.values(), asks, strict=True):
                    _run(timing, ask, app.roots)
                person.visitor.close()
        for name, timing in found.items():
            table.add(name, OurWays.name, size, timing)


def _reads(table: LargeTable, everyone: Sequence[People]) -> None:
    paths: dict[str, Address] = {
        "first list page": lambda ways, _size: ways.page(1),
        "next list page": lambda ways, _size: ways.page(2),
        "last list page": lambda ways, size: ways.page(size // PAGE),
        f"search by sender, {RARE} found": lambda ways, _size: ways.search(RARE_SENDER, sender=True),
        f"full-text search, {RARE} found": lambda ways, _size: ways.search(RARE_WORD, sender=False),
    }
    for name, path in paths.items():
        _pages(table, everyone, name, path)


def _pages(table: LargeTable, everyone: Sequence[People], row: str, path: Address) -> None:
    """What looks whether it is the right page asks for it too, so that no time is that of a first visit."""
    looked: list[Person] = []

    def ask(person: Person, size: int) -> float:
        if person not in looked:
            looked.append(person)
            person.shows_what_is_asked(path(person.ways, size))
        return person.shows(path(person.ways, size))

    _each(table, everyone, row, ask, READS)


def _grouped(table: LargeTable, everyone: Sequence[People]) -> None:
    """The list with a row for each conversation."""
    all_ = [person for people in everyone for person in people.values()]
    for person in all_:
        person.ways.group(person, True)
    _pages(table, everyone, "list by conversation", lambda ways, _size: ways.page(1))
    for person in all_:
        person.ways.group(person, False)


def _new_mail(table: LargeTable, services: Services, ours: People, ways: OurWays, talks: dict[int, int]) -> None:
    """What the process remembers of the conversations is no longer right."""
    delivered: dict[int, list[int]] = {size: [] for size in ours}

    def ask(person: Person, size: int) -> float:
        delivered[size].append(Mail(services, size).deliver())
        return person.shows(ways.conversation(talks[size]))

    _each(table, [ours], "conversation page after new mail", ask, WRITES)
    for size, uids in delivered.items():
        Mail(services, size).remove(uids)


def _writes(table: LargeTable, services: Services, everyone: Sequence[People]) -> None:
    """Each begins and ends with the same messages in the inbox, all of them unread at first."""

    def mark(person: Person, size: int) -> float:
        uids = Mail(services, size).newest()
        person.ways.mark(person, uids, False)
        return person.ways.mark(person, uids, True)

    def move(person: Person, size: int) -> float:
        ms = person.ways.move(person, Mail(services, size).newest())
        aside = Mail(services, size).newest(ASIDE_ENCODED)
        timing = backs.setdefault((person.ways.name, size), Timing())
        _run(timing, lambda: person.ways.move_back(person, aside), [])
        return ms

    backs: dict[tuple[str, int], Timing] = {}
    _each(table, everyone, f"mark {MANY:,} messages as read", mark, WRITES)
    _each(table, everyone, f"move {MANY:,} messages", move, WRITES)
    for (name, size), timing in backs.items():
        timing.ms = timing.ms[-WRITES:]
        table.add(f"move {MANY:,} messages back (undo)", name, size, timing)


def _each(
    table: LargeTable, everyone: Sequence[People], row: str, ask: Callable[[Person, int], float], times: int
) -> None:  # fmt: skip
    """The same for each size and webmail, in turn, so that a busy moment of the machine falls on all alike; once before it
    counts."""
    _say(row)
    found = {
        (person.ways.name, size): (person, Timing()) for size in table.sizes for people in everyone for person in [people[size]]
    }
    for turn in range(-1, times):
        for (_name, size), (person, timing) in found.items():
            if not timing.trouble:
                _run(timing, lambda person=person, size=size: ask(person, size), person.ways.roots)  # type: ignore[misc]
            if turn < 0:
                timing.ms.clear()
    for (name, size), (_person, timing) in found.items():
        table.add(row, name, size, timing)


def _run(timing: Timing, ask: Ask, roots: Sequence[int]) -> None:
    """Once more, with what it costs in memory at most. An answer that is none is noted; it is asked for no more."""
    try:
        with machine.growth(roots) as grown:
            timing.ms.append(ask())
    except (RuntimeError, OSError, imaplib.IMAP4.error) as error:
        code = re.search(r"\b[45]\d\d\b", str(error))
        timing.trouble = str(error) if isinstance(error, SomethingElse) else f"error {code[0]}" if code else "no answer"
        _say(f"{timing.trouble}: {error}"[:500])
        machine.settle()  # what was given up goes on, and is nobody else's
        return
    if roots:
        timing.grown = max(timing.grown or 0.0, grown.peak / machine.MIB)


def _numbers(answer: tuple[str, list[bytes | None]]) -> list[int]:
    kind, lines = answer
    if kind != "OK":
        raise RuntimeError(f"the mail server refused a search: {lines!r}")
    return [int(word) for word in (lines[-1] or b"").split()]


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
