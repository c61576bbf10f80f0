"""`python -m tests.bench.against COMMIT`: how much quicker the pages of this checkout are than those of another commit, as ratios.

Both answer in turn on the same mail servers, each with a web process, a database and a configuration of its own (which its own code
writes), so that a machine that does other things slows both down. Two ratios: of requests a second, and of the processor time of one,
which hardly knows what else the machine does. *Send* and signing in on a known browser are pressed by one person: what they take is the POST
alone, and of a sign-in what is left without the password's check (Argon2), which is measured beside it. COMMIT may be the folder of a
checkout. ROUNDS=6 SECONDS=1.5 are the turns of each and their length, PRESSES=10 how often a button is pressed in each; VISITS=3 those
of the last row, which takes long (0: leave it out).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from deploy.demo.services import Services
from tests.bench.fill import ARCHIVIST, CLIENTS, CLIENTS_MAIL, PEOPLE, fill
from tests.bench.instance import CHECKOUT, apart, traboule
from tests.bench.load import load
from tests.bench.machine import processor_ms
from tests.bench.pages import NEWEST_PLAIN
from tests.bench.visitor import COMPRESSED, Visitor, fields
from tests.bench.webmails import Traboule
from tests.bench.writing import SUBJECT, TEXT, TO
from webmail.auth.passwords import hashing

FOLDER = CHECKOUT / "instance" / "bench"
ROUNDS = int(os.environ.get("ROUNDS", "6"))
SECONDS = float(os.environ.get("SECONDS", "1.5"))
_PRESSES = int(os.environ.get("PRESSES", "10"))
_AFTER = 0.03  # seconds in which a process does what it left for after its answer
_VISITS = int(os.environ.get("VISITS", "3"))  # of one client
_REST = 11  # seconds after which Dovecot has closed the indexes of the large folder


class _Side:
    """One of the two: a running Traboule and the people who are signed in to it."""

    def __init__(self, app: Traboule, password: str) -> None:
        parts = urlsplit(app.base)
        self.host, self.port = str(parts.hostname), int(parts.port or 80)
        self.app, self.password = app, password
        self.people = [app.sign_in(address, password) for address in PEOPLE[:CLIENTS]]
        self.archivist = app.sign_in(ARCHIVIST, password)

    def per_second(self, path: Callable[[Visitor], str]) -> tuple[float, float]:
        """Requests a second of all of them at once, and ms of processor time of one."""
        requests = [one.request_lines(path(one), COMPRESSED) for one in self.people]
        before = processor_ms(self.app.roots)
        found = load(self.host, self.port, requests, SECONDS)
        spent = processor_ms(self.app.roots) - before
        found.check(self.app.base)
        return found.per_second, spent / found.asked

    def pressed(self, prepared: Callable[[], Callable[[], object]]) -> tuple[float, float]:
        """Presses a second, and ms of processor time of one; what is `prepared` is not part of it."""
        took = spent = 0.0
        for _ in range(_PRESSES):
            press = prepared()
            before, began = processor_ms(self.app.roots), time.perf_counter()
            press()
            took += time.perf_counter() - began
            time.sleep(_AFTER)
            spent += processor_ms(self.app.roots) - before
        return _PRESSES / took, spent / _PRESSES

    def sends(self) -> Callable[[], object]:
        person = self.people[0]
        form = self.app.begin(person)
        return lambda: self.app.press(person, form, "send", to=TO, subject=SUBJECT, body=TEXT)

    def signs_in(self) -> Callable[[], object]:
        """In a browser that has known the person before."""
        person = self.people[1]
        for name in [one for one in person.cookies if not one.endswith("-known")]:
            del person.cookies[name]
        form = {**fields(person.get("/login").text), "username": PEOPLE[1], "password": self.password}
        form = {name: value for name, value in form.items() if name not in ("shared", "lasting")}

        def press() -> None:
            if (answer := person.post("/login", form)).status != 303:
                raise RuntimeError(f"sign-in: {answer.status} {answer.text[:300]}")

        return press

    def reload(self) -> float:
        """ms of the inbox beside a folder of 100,000 messages, where the browser asks for everything anew after a rest."""
        time.sleep(_REST)
        return self.archivist.get(self.app.inbox(), COMPRESSED, reload=True).ms


@contextmanager
def _other(commit: str) -> Iterator[Path]:
    """The folder of the other checkout."""
    if Path(commit, "wsgi.py").is_file():
        yield Path(commit).resolve()
        return
    with TemporaryDirectory() as folder:
        archive = subprocess.run(["git", "archive", commit], cwd=CHECKOUT, check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x"], cwd=folder, check=True, input=archive)
        yield Path(folder)


# the settings of a checkout's own code for servers that run already; words: their folder, and the ports that this code knows
_SETTINGS = """
import json, sys
from pathlib import Path
from deploy.demo.dovecot import Ports
from deploy.demo.services import Services
ports = {name: port for name, port in json.loads(sys.argv[2]).items() if name in Ports.__dataclass_fields__}
print(json.dumps(Services(Path(sys.argv[1]), web=False, ports=ports).settings()))
"""


def settings_of(checkout: Path, services: Services) -> dict[str, str]:
    """What a checkout's code is told of these servers, in its own words: another version refuses settings that it does not know."""
    command = [sys.executable, "-c", _SETTINGS, str(services.base), json.dumps(asdict(services.ports))]
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    told = subprocess.run(command, cwd=checkout, env=environment, check=True, capture_output=True, text=True).stdout
    found: dict[str, str] = json.loads(told)
    return found


def _side(services: Services, checkout: Path, folder: Path) -> AbstractContextManager[Traboule]:
    """A web service with this code, whose instance folder has no file of the other's."""
    settings = apart(services, folder) | {"instance": str(folder)}
    return traboule(services, checkout=checkout, told=settings_of(checkout, services), **settings)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__)
        return 2
    with ExitStack() as stack:
        services = stack.enter_context(Services(FOLDER / "servers", web=False))
        fill(services)
        checkouts = {"before": stack.enter_context(_other(arguments[0])), "after": CHECKOUT}
        data = Path(stack.enter_context(TemporaryDirectory()))
        running = {name: stack.enter_context(_side(services, checkout, data / name)) for name, checkout in checkouts.items()}
        sides = [_Side(running[name], services.password) for name in ("before", "after")]
        _throughput(sides)
        _presses(sides)
        _alone(sides)
    return 0


def _throughput(sides: list[_Side]) -> None:
    before = sides[0].app
    wanted: dict[str, Callable[[Visitor], str]] = {
        "list": lambda visitor: before.list_page("INBOX", 1),
        "plain message": lambda visitor: before.plain(visitor, "INBOX", CLIENTS_MAIL - NEWEST_PLAIN),
        "compose": lambda visitor: _behind(visitor, before.compose()),
        "reply": lambda visitor: _behind(visitor, before.reply("INBOX", CLIENTS_MAIL - NEWEST_PLAIN)),
    }
    for name, path in wanted.items():
        turns = _turns(name, [lambda side=side, path=path: side.per_second(path) for side in sides])  # type: ignore[misc]
        if not turns:
            continue
        times = [[spent for _rate, spent in turn] for turn in turns]
        rates = [[rate for rate, _spent in turn] for turn in turns]
        _say(f"{name}, processor time, ms", [before / after for before, after in times], times)
        _say(f"{name}, {CLIENTS} clients, requests a second", [after / before for before, after in rates], rates)


def _presses(sides: list[_Side]) -> None:
    for name, wanted in (("Send", _Side.sends), ("sign-in", _Side.signs_in)):
        turns = _turns(name, [lambda side=side, wanted=wanted: side.pressed(lambda: wanted(side)) for side in sides])  # type: ignore[misc]
        if not turns:
            continue
        times = [[spent for _rate, spent in turn] for turn in turns]
        _say(f"{name}, processor time, ms", [before / after for before, after in times], times)
        if wanted is _Side.signs_in:
            check = _password_check()
            besides = [[spent - check for spent in turn] for turn in times]
            words = f"{name} without the password's check of {check:.1f} ms, processor time, ms"
            _say(words, [before / after for before, after in besides], besides)


def _password_check() -> float:
    """ms of processor time of one."""
    stored, times = hashing.hash_password("password"), []
    for _ in range(_PRESSES):
        before = time.process_time()
        hashing.verify(stored, "password")
        times.append((time.process_time() - before) * 1000)
    return median(times)


def _behind(visitor: Visitor, path: str) -> str:
    """Where this leads: a message that is begun gets an address of its own."""
    return visitor.get(path).headers.get("location", path)


def _turns(name: str, measures: Sequence[Callable[[], tuple[float, float]]]) -> list[list[tuple[float, float]]]:
    """What was measured of both, once they were warm; a turn in which the machine was too busy to answer is told and left out.

    Each comes first in every other turn: whatever the first finds as it is, the second finds warmed up.
    """
    turns = []
    for turn in range(-1, ROUNDS):
        order = range(len(measures)) if turn % 2 else reversed(range(len(measures)))
        try:
            found = {number: measures[number]() for number in order}
        except RuntimeError as error:
            print(f"{name}, a turn that is left out: {error}", flush=True)
            continue
        if turn >= 0:
            turns.append([found[number] for number in sorted(found)])
    return turns


def _alone(sides: list[_Side]) -> None:
    if not _VISITS:
        return
    turns = [[side.reload() for side in sides] for _ in range(_VISITS)]
    _say("inbox beside 100,000 messages, reloaded, ms", [before / after for before, after in turns], turns)


def _say(name: str, ratios: list[float], turns: list[list[float]]) -> None:
    before, after = (median(turn[side] for turn in turns) for side in (0, 1))
    print(
        f"{name}: {median(ratios):.2f} times as good ({min(ratios):.2f}-{max(ratios):.2f}); {before:.2f} -> {after:.2f}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
