"""What pages notice of bodies and streams, through nginx: `python -m tests.bench.services [SECONDS] [NAME ...]` (8 seconds each, all).

Pages of mail are asked for by two people while nobody else comes, beside 8 and 60 uploads at full speed, 20 downloads of 2 MB a second, 16
clients that announce a body and send nothing, and 14 telephones of one account; `rush` has 500 people sign in within a minute. Printed: what
a page takes, and the memory (PSS) of the web services. Clients and servers share this machine, so what the clients cost counts too: compare
with the quiet line of the same run. The file runs on versions without a second service, too.
"""

from __future__ import annotations

import base64
import os
import random
import socket
import ssl
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from http.client import HTTPException, HTTPSConnection

from deploy.demo import accounts
from deploy.demo.child import HOST
from deploy.demo.services import Services
from tests.bench import fill, machine
from tests.bench.calendars import event
from tests.bench.transfer_crowd import PIECE, SIZE, Upload, percentile, sending
from tests.bench.transfer_front import _download, _Person
from tests.support.front import Front
from tests.support.http_visits import HttpVisitor
from tests.support.passing_folder import passing_folder
from webmail.auth.devices import app_passwords
from webmail.calendar import objects
from webmail.collections import store
from webmail.models import User

READERS, PEOPLE, RUSH_SECONDS, RUSH_MOST = 2, 500, 60.0, 120.0
_PAUSE = 0.05


class Bench:
    def __init__(self, services: Services, front: Front, seconds: float) -> None:
        self.services, self.front, self.seconds = services, front, seconds
        self.readers = [self._reader() for _each in range(READERS)]
        self.quiet: list[float] = []

    def run(self, name: str, load: Callable[[], AbstractContextManager[Counter[str]]]) -> None:
        with load() as counted:
            time.sleep(1)
            times = self._pages(self.seconds)
        self._tell(name, times, counted)

    def _tell(self, name: str, times: list[float], counted: Counter[str]) -> None:
        self.quiet = self.quiet or times
        half, most = statistics.median(times), percentile(times)
        ratio = f"{half / statistics.median(self.quiet):.2f} and {most / percentile(self.quiet):.2f} times quiet"
        told = f"; {dict(counted)}" if counted else ""
        print(
            f"{name:28} {len(times):4} pages, half within {half:5.0f} ms, 95% within {most:5.0f} ms ({ratio}){told}", flush=True
        )

    def memory(self) -> None:
        roots = [(f"pages {one.port}", one.process.pid) for one in self.front.webs]
        if (bodies := getattr(self.front, "bodies", None)) is not None:
            roots.append(("bodies", bodies.process.pid))
        sizes = {name: machine.memory([pid]) for name, pid in roots}
        told = ", ".join(f"{name}: {one.pss // machine.MIB} MiB in {one.processes} processes" for name, one in sizes.items())
        print(f"memory (PSS): {sum(one.pss for one in sizes.values()) // machine.MIB} MiB; {told}", flush=True)

    def _reader(self) -> HttpVisitor:
        name = f"lit{random.randrange(10**9)}@lycee.example"
        self.services.add_account(name, "Lectrice", 10**9)
        local, _at, domain = name.partition("@")
        fill.write(self.services.owner, self.services.base / "mail" / domain / local / "Maildir", name, 300)
        return self.front.visitor(name).sign_in()

    def _pages(self, seconds: float) -> list[float]:
        found: list[float] = []

        def read(reader: HttpVisitor) -> None:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                began = time.monotonic()
                assert reader.get("/mailbox/INBOX").status == 200
                found.append((time.monotonic() - began) * 1000)
                time.sleep(_PAUSE)

        _all_at_once([lambda reader=reader: read(reader) for reader in self.readers])
        return found

    # --- what else goes on

    @contextmanager
    def uploads(self, count: int) -> Iterator[Counter[str]]:
        people = [_Person(self.services, self.front) for _each in range(count)]
        uploads = [Upload(self.front.port, one.begin(SIZE), one.headers, PIECE, True, self.front.ca) for one in people]
        with sending(uploads, self.seconds + 2) as answers:
            yield answers

    @contextmanager
    def downloads(self, count: int) -> Iterator[Counter[str]]:
        place = _download(self.services, self.front, self.readers[0].address)
        fetch = f"curl -s --limit-rate 2M --cacert {self.front.ca} -o /dev/null -w '%{{http_code}}\\n' {place}"
        guarded = ["/usr/bin/setpriv", "--pdeathsig", "TERM", "--", "/bin/bash", "-c", f"while :; do {fetch}; sleep 1; done"]
        programs = [subprocess.Popen(guarded, stdout=subprocess.PIPE, text=True, process_group=0) for _each in range(count)]
        found: Counter[str] = Counter()
        try:
            yield found
        finally:
            for one in programs:
                os.killpg(one.pid, 15)
                found.update(one.communicate()[0].split())

    @contextmanager
    def silent(self, count: int) -> Iterator[Counter[str]]:
        """Clients that announce bytes of a file, and send none."""
        with ExitStack() as stack:
            for _each in range(count):
                person = _Person(self.services, self.front)
                told = {**person.headers, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
                told |= {"Content-Length": "1000000", "Host": f"{HOST}:{self.front.port}"}
                line = stack.enter_context(closing(_line(self.front)))
                head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
                line.sendall(f"PATCH {person.begin(10**6)} HTTP/1.1\r\n{head}\r\n".encode())
            yield Counter()

    @contextmanager
    def telephones(self, count: int) -> Iterator[Counter[str]]:
        """Of one account, each asking for all of 300 events again and again."""
        address, secret = self.readers[0].address, self._calendar()
        token = base64.b64encode(f"{address}:{secret}".encode()).decode()
        headers = {"Authorization": f"Basic {token}", "Depth": "1"}
        wanted = "<d:prop><d:getetag/><c:calendar-data/></d:prop><c:filter><c:comp-filter name='VCALENDAR'/></c:filter>"
        query = f"<c:calendar-query xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav'>{wanted}</c:calendar-query>"
        trust = ssl.create_default_context(cafile=self.front.ca)
        found: Counter[str] = Counter()
        over = threading.Event()

        def ask() -> str:
            with closing(HTTPSConnection(HOST, self.front.port, timeout=60, context=trust)) as line:
                line.request("REPORT", f"/dav/{address}/calendar/", query.encode(), headers)
                answer = line.getresponse()
                answer.read()
                return str(answer.status)

        def loop() -> None:
            while not over.is_set():
                try:
                    found[ask()] += 1
                except (OSError, HTTPException) as error:
                    found[type(error).__name__] += 1

        threads = [threading.Thread(target=loop, daemon=True) for _each in range(count)]
        for one in threads:
            one.start()
        try:
            yield found
        finally:
            over.set()

    def _calendar(self) -> str:
        """300 events, and a secret of their owner's telephone."""
        with accounts.tables(self.services.database):
            user, zone = User.get(User.address == self.readers[0].address), objects.zone_of("Europe/Paris")
            calendar = store.default_collection(user, store.CALENDAR)
            for number in range(300):
                objects.write(calendar.id, f"{number}.ics", event(number), objects.prepared(event(number), zone), None)
            secret, _row = app_passwords.add(user, "Phone", ("caldav", "carddav"))
            return secret

    def _add(self, names: list[str]) -> None:
        """Accounts with the password of another, which is hashed once."""
        with accounts.tables(self.services.database):
            row = dict(User.select().where(User.address == self.readers[0].address).dicts().get())
            del row["id"]
            User.insert_many([row | {"address": one, "local": one.partition("@")[0]} for one in names]).execute()

    def rush(self) -> None:
        """500 people sign in within a minute; who is told to come back does, after as long as that says, 5 seconds at most."""
        names = [f"rush{number}x{random.randrange(10**6)}@lycee.example" for number in range(PEOPLE)]
        self._add(names)
        took: list[float] = []
        answers: Counter[str] = Counter()
        began = time.monotonic()

        def come(name: str) -> None:
            time.sleep(random.uniform(0, RUSH_SECONDS))
            asked = time.monotonic()
            visitor = self.front.visitor(name)
            while True:
                page = visitor.get("/login")
                page = visitor.submit(page, "form[action='/login']", username=name, password=self.services.password)
                answers[str(page.status)] += 1
                if page.status < 400:
                    break
                time.sleep(min(float(page.headers.get("Retry-After", "1")), 5.0))
            took.append(time.monotonic() - asked)

        people = [threading.Thread(target=come, args=(name,), daemon=True) for name in names]
        for one in people:
            one.start()
        times = self._pages(RUSH_SECONDS)
        for one in people:
            one.join(max(0.1, RUSH_MOST - (time.monotonic() - began)))
        self._tell("rush", times, answers)
        inside = f"{len(took)} of {PEOPLE} are in after {time.monotonic() - began:.0f} s"
        print(f"  {inside}; half of them within {statistics.median(took):.1f} s, 95% within {percentile(took):.1f} s", flush=True)


def _line(front: Front) -> ssl.SSLSocket:
    trust = ssl.create_default_context(cafile=front.ca)
    return trust.wrap_socket(socket.create_connection((HOST, front.port), timeout=60), server_hostname=HOST)


def _all_at_once(acts: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=act) for act in acts]
    for one in threads:
        one.start()
    for one in threads:
        one.join()


def main(seconds: float, names: list[str]) -> None:
    with (
        passing_folder() as folder,
        Services(folder / "demo", web=False) as services,
        Front(services, webs=1, workers=1, processes=2, threads=32) as front,
    ):
        bench = Bench(services, front, seconds)
        loads: dict[str, Callable[[], AbstractContextManager[Counter[str]]]] = {
            "8-uploads": lambda: bench.uploads(8),
            "60-uploads": lambda: bench.uploads(60),
            "20-downloads": lambda: bench.downloads(20),
            "16-silent": lambda: bench.silent(16),
            "14-telephones": lambda: bench.telephones(14),
        }
        bench._pages(2)
        bench.memory()
        bench.run("quiet", lambda: nullcontext(Counter()))
        for name, load in loads.items():
            if not names or name in names:
                bench.run(name, load)
        bench.memory()
        if not names or "rush" in names:
            bench.rush()


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 8.0, sys.argv[2:])
