"""Synchronising while servers are killed with SIGKILL at random moments: `python -m tests.bench.sync_killed [ROUNDS] [SEED]` (200).

Three parts of as many rounds, each with random changes on both sides:
- a calendar here and its twin on a Radicale in a process of its own (`webmail/dav/remote`): the round or Radicale is killed;
- a book, some of whose contacts have a photograph, in the same way;
- two devices that synchronise a calendar with a web process of ours, which is killed.

Told at the end, after rounds in peace: what was lost (a version that nobody replaced or deleted knowingly), what is there twice, and
what is not the same on both sides. Ends with 1 if that is not nothing.
"""

from __future__ import annotations

import os
import random
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Timer
from typing import Any
from urllib.parse import urlsplit

from werkzeug.serving import WSGIRequestHandler, make_server

from deploy.demo.child import free_ports
from tests.support.dav_client import DavClient
from tests.support.other_dav import OtherServer, Pair, event
from webmail import create_app
from webmail.auth.devices import app_passwords
from webmail.collections.store import BOOK, CALENDAR
from webmail.database.connection import db
from webmail.http_fetch import FetchedResponse
from webmail.models import User

_PHOTOGRAPH = "PHOTO;ENCODING=b;TYPE=JPEG:" + "/9j4AAQ" * 9_000
LONGEST = 0.4  # seconds until the kill, in the worst case
_VERSION = re.compile(r"<([\d-]+)>")
_UID = re.compile(r"^UID:(.*?)\r?$", re.MULTILINE)


@dataclass
class Outcome:
    rounds: int
    killed: int = 0
    versions: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unequal: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not (self.lost or self.doubled or self.unequal)

    def __str__(self) -> str:
        return (
            f"{self.rounds} rounds, killed in {self.killed}, {self.versions} versions written: "
            f"{len(self.lost)} lost, {len(self.doubled)} doubled, {len(self.unequal)} unequal"
        )


class Process:
    """What runs in a fork of this process until it is killed or ends."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.killed = False
        self.pid = os.fork()
        if not self.pid:
            status = 1
            with suppress(BaseException):  # whatever it is, it must not go on in here
                work()
                status = 0
            os._exit(status)

    def kill(self) -> None:
        self.killed = True
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def ended(self) -> int:
        """Waits for its end; what it ended with, or minus the signal."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def serving(app: Callable[..., Any], port: int) -> Process:
    """A web process, once it answers."""
    made = Process(lambda: make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet).serve_forever())
    for _try in range(500):
        with suppress(OSError):
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("OPTIONS", "/")
            connection.getresponse()
            return made
        time.sleep(0.01)
    raise RuntimeError("it does not answer")


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        pass


class _Killed(Exception):
    """The server went away during a question."""


# --- a collection here and its twin there ---------------------------------------------------------------------------


class _ElsewhereError(OtherServer):
    """Radicale in a process of its own; what somebody does there with another program is done to its files."""

    port = 0

    def ask(self, method: str, url: str, body: bytes, headers: dict[str, str], *, limit: int, seconds: float) -> FetchedResponse:
        path = urlsplit(url).path
        try:
            connection = HTTPConnection("127.0.0.1", self.port, timeout=seconds)
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return FetchedResponse(url, answer.status, "", answer.read(), found)
        except HTTPException as error:
            raise OSError("it went away") from error


def twins(folder: Path, rounds: int, seed: int, kind: str = CALENDAR) -> Outcome:
    chance, found, alive = random.Random(seed), Outcome(rounds), set[str]()
    server = _ElsewhereError(folder)
    server.port = free_ports(1)[0]
    app = create_app(folder / "instance", sign_in="accounts", domain="lycee.example", timezone="Europe/Paris")
    with db.connection_context():
        user = User.create(address="alice@lycee.example", local="alice", domain="lycee.example")
        pair = Pair(server, app.extensions["settings"], user, kind)
    web = serving(server.application, server.port)
    for turn in range(rounds + 3):
        in_peace = turn >= rounds
        if not in_peace:
            with db.connection_context():
                for change in range(chance.randrange(1, 5)):
                    found.versions += _change_twin(pair, chance, alive, f"{turn}-{change}")
        own = Process(lambda: _sync(pair))
        victim = own if chance.random() < 0.5 else web
        timer = Timer(chance.random() * LONGEST, victim.kill)
        if not in_peace:
            timer.start()
        status = own.ended()
        timer.cancel()
        if timer.ident:
            timer.join()
        if victim is own:
            found.killed += status == -signal.SIGKILL
        elif web.killed:
            web.ended()
            found.killed += 1
            web = serving(server.application, server.port)
        if in_peace and status:
            found.unequal.append(f"a round in peace ended with {status}")
    web.kill()
    web.ended()
    with db.connection_context():
        here, there = (Counter(map(pair.mark, texts.values())) for texts in (pair.here(), pair.there()))
    _judge(found, alive, here, [there])
    return found


def _sync(pair: Pair) -> None:
    with db.connection_context():
        pair.sync()


def _change_twin(pair: Pair, chance: random.Random, alive: set[str], version: str) -> bool:
    """Something is written or deleted here or there. Whether it was written."""
    here = chance.random() < 0.5
    texts = pair.here() if here else pair.there()
    ending, more = ("vcf", [_PHOTOGRAPH][: chance.randrange(2)]) if pair.kind == BOOK else ("ics", [])
    name = chance.choice([*texts, f"n{version}.{ending}", f"n{version}.{ending}"])
    before = texts.get(name, "")
    alive.difference_update(_VERSION.findall(before))
    if before and chance.random() < 0.3:
        (pair.delete_here if here else pair.delete_there)(name)
        return False
    uid = _UID.search(before)
    (pair.write_here if here else pair.write_there)(
        name, pair.text(uid[1] if uid else f"u{version}", f"<{version}>", *more)
    )  # fmt: skip
    alive.add(version)
    return True


# --- two devices ----------------------------------------------------------------------------------------------------


class Device:
    """A telephone that keeps a calendar: it sends what was changed on it, and takes what changed since its token."""

    def __init__(self, name: str, client: DavClient) -> None:
        self.name, self.client, self.token = name, client, ""
        self.items: dict[str, str] = {}
        self.etags: dict[str, str] = {}
        self.waiting: dict[str, str | None] = {}  # what is to be sent; None: to be deleted

    def sync(self) -> None:
        """Raises _Killed."""
        try:
            for name, text in list(self.waiting.items()):
                self._send(name, text)
            token, changed = self.client.sync("calendar/", self.token)
            if not self.token:  # nothing is told of deletions then: what isn't named is gone
                changed = dict.fromkeys(self.items, False) | changed
            for name, there in changed.items():
                if there:
                    etag, body = self.client.get(f"calendar/{name}")
                    self.items[name], self.etags[name] = body.decode(), etag
                else:
                    self.items.pop(name, None)
                    self.etags.pop(name, None)
            self.token = token
        except (OSError, HTTPException) as error:
            raise _Killed from error

    def _send(self, name: str, text: str | None) -> None:
        path, etag = f"calendar/{name}", self.etags.get(name, "")
        if text is None:
            self.client.ask("DELETE", path, If_Match=etag)  # if somebody has changed it, it stays
        else:
            condition = {"If_Match": etag} if etag else {"If_None_Match": "*"}
            status = self.client.ask("PUT", path, text.encode(), Content_Type="text/calendar", **condition)[0]
            if status == 412 and self.client.get(path)[1].decode() != text:  # else the answer was lost, no more
                self._keep_beside(name, text)
            elif status not in (201, 204, 412):
                raise RuntimeError(f"PUT: {status}")
            if (found := self.client.get(path))[0]:
                self.items[name], self.etags[name] = found[1].decode(), found[0]
        self.waiting.pop(name, None)

    def _keep_beside(self, name: str, text: str) -> None:
        """Somebody else was first: ours is sent as another event, by the next round. Noted in one step: the next question may fail."""
        self.waiting.pop(name)
        version = _VERSION.findall(text)[0]
        self.waiting[f"c{version}{self.name}.ics"] = event(f"c{version}{self.name}", f"<{version}>")

    def change(self, chance: random.Random, alive: set[str], version: str) -> bool:
        shown = {name: text for name, text in (self.items | self.waiting).items() if text}
        name = chance.choice([*shown, f"n{version}.ics", f"n{version}.ics"])
        before = shown.get(name, "")
        alive.difference_update(_VERSION.findall(before))
        if before and chance.random() < 0.3 and name in self.etags and name not in self.waiting:
            self.waiting[name] = None
            return False
        uid = _UID.search(before)
        self.waiting[name] = event(uid[1] if uid else f"u{version}", f"<{version}>")
        alive.add(version)
        return True


def devices(folder: Path, rounds: int, seed: int) -> Outcome:
    chance, found, alive = random.Random(seed), Outcome(rounds), set[str]()
    app = create_app(folder / "instance", sign_in="accounts", domain="lycee.example", timezone="Europe/Paris")
    with db.connection_context(), db.atomic():
        user = User.create(address="alice@lycee.example", local="alice", domain="lycee.example")
        secret = app_passwords.add(user, "Phone", ("caldav",))[0]
    port = free_ports(1)[0]
    web = serving(app, port)
    both = [Device(name, DavClient(f"http://127.0.0.1:{port}", user.address, secret)) for name in "ab"]
    for turn in range(rounds + 4):
        in_peace = turn >= rounds
        timer = Timer(chance.random() * LONGEST, web.kill)
        for one in both if not in_peace else ():
            for change in range(chance.randrange(3)):
                found.versions += one.change(chance, alive, f"{turn}-{change}{ord(one.name)}")
        if not in_peace:
            timer.start()
        for one in chance.sample(both, 2):
            with suppress(*((_Killed,) if not in_peace else ())):
                one.sync()
        timer.cancel()
        if timer.ident:
            timer.join()
        if web.killed:
            web.ended()
            found.killed += 1
            web = serving(app, port)
    names = both[0].client.sync("calendar/")[1]
    server = Counter(Pair.mark(both[0].client.get(f"calendar/{name}")[1].decode()) for name in names)
    web.kill()
    web.ended()
    _judge(found, alive, server, [Counter(map(Pair.mark, one.items.values())) for one in both])
    return found


def _judge(found: Outcome, alive: set[str], first: Counter[str], others: list[Counter[str]]) -> None:
    versions = Counter(version for mark in first.elements() for version in _VERSION.findall(mark))
    found.lost = sorted(alive - set(versions))
    found.doubled = sorted(version for version, many in versions.items() if many > 1)
    found.unequal += [str(mark) for other in others for mark in ((first - other) + (other - first)).elements()]


def main(arguments: list[str]) -> int:
    rounds, seed = (int(one) for one in [*arguments, *("200", "20261130")[len(arguments) :]])
    good = True
    parts = [("A calendar with another server", twins), ("A book", partial(twins, kind=BOOK)), ("Two devices", devices)]
    for words, part in parts:
        with tempfile.TemporaryDirectory() as folder:
            began = time.monotonic()
            found = part(Path(folder), rounds, seed)
        print(f"{words}: {found}; {time.monotonic() - began:.0f} s", flush=True)
        for kind in ("lost", "doubled", "unequal"):
            print("".join(f"  {kind}: {one}\n" for one in getattr(found, kind)), end="")
        good = good and found.good
    return int(not good)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
