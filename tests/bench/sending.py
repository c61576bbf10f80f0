"""Sending with everything real around it but the submission server, which keeps count: the web pages, Dovecot, a worker.

What `faults.py` prints beside its own table: workers killed at many points of a send, IMAP that fails once a message has left, and,
with two web processes, people who click twice, who go back and send again, and whose process is killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.bench import faults
from tests.bench.fault_server import FaultServer
from tests.bench.faults import BOB, CARL, DORA, Tally
from tests.support.passing_folder import passing_folder
from tests.support.worker import jobs_of

if TYPE_CHECKING:
    from tests.bench.web_processes import InTurn

KILLS = 30
_ANSWER_SECONDS = 0.15  # about what "Send" takes
ALICE = "alice@lycee.example"
IMAP_FAULTS = ("refuse", "hang", "cut", "garbage")
_WATCHED = (
    "compose/outbox/queue.py",
    "compose/outbox/filing.py",
    "compose/drafts/draft_copies.py",
    "webmail/smtp.py",
    "webmail/imap/",
    "webmail/jobs.py",
)
_WATCHED += ("compose/outbox/spool.py", "webmail/storage/")


class Real(faults.Instance):
    """The instance of the demo's servers, with another submission server and, if wanted, something in front of IMAP."""

    def __init__(self, values: dict[str, str], port: int, imap_port: int = 0) -> None:
        from webmail import smtp
        from webmail.config import settings
        from webmail.database.connection import open_database
        from webmail.database.migrate import migrate

        smtp.FINAL_ANSWER_SECONDS = 1.0
        self.values, self.port = values, port
        given = {name.removeprefix("WEBMAIL_").lower(): value for name, value in values.items()}
        given |= {"smtp_port": str(port), "smtp_security": "none", "undo_seconds": "0", "server_timeout": "2"}
        if imap_port:
            given["imap_port"] = str(imap_port)
        self.given = given
        self.settings = settings.load(given.pop("instance"), **given)
        open_database(self.settings.database_url)
        migrate()

    def account(self, _row: object = None):
        return self.settings.account(ALICE)


@contextlib.contextmanager
def servers() -> Iterator[Any]:
    from deploy.demo.services import Services

    with passing_folder() as folder, Services(folder / "demo", web=False) as running:
        yield running


def tallies() -> Iterator[Tally]:
    with servers() as running:
        yield kills(running)
        for fault in IMAP_FAULTS:
            yield imap_fault(running, fault)
        yield full_mailbox(running)
        yield from pages(running)


# --- killed ----------------------------------------------------------------------------------------------------------


def kills(running: Any, times: int = KILLS) -> Tally:
    """A worker killed with SIGKILL at points spread evenly over all it does, from taking the row to the copy in Sent."""
    from webmail.database.connection import db

    tally = Tally(f"worker killed -9 at {times} points of a send")
    with FaultServer("ok", extensions=faults.TOKENS) as server:
        here = Real(running.settings(), server.port)
        with db.connection_context():
            steps = _killed(here, here.enqueue(here.draft()).id, 0)
            for number in range(times):
                server.messages.clear()
                row = here.draft(size=faults.SIZES[number % 2])
                sent = here.enqueue(row)
                _killed(here, sent.id, 1 + number * steps // times)
                for _ in range(faults.TURNS):
                    here.turn(sent.id)
                outcome = here.outcome(str(number), sent.id, server)
                tally.add(outcome, in_sent=_in_sent(running, row.message_id))
    return tally


def _killed(here: Real, outbox_id: int, step: int) -> int:
    """Let a worker process do it, killed at the given call or return; 0: not at all, and how many there are is returned."""
    command = [sys.executable, "-m", "tests.bench.sending", str(here.port), str(outbox_id), str(step)]
    done = subprocess.run(command, input=json.dumps(here.values), capture_output=True, text=True, timeout=60)
    if step:
        assert done.returncode in (-signal.SIGKILL, 0), done.stderr
        return 0
    return int(done.stdout.split()[-1])


def worker(port: str, outbox_id: str, step: str) -> None:
    """The process that is killed, by itself: each call of our code and each return from it is a step."""
    from webmail.compose.outbox import delivery
    from webmail.database.connection import db

    here = Real(json.load(sys.stdin), int(port))
    count, last = 0, int(step)

    def watch(frame: Any, event: str, _argument: object) -> None:
        nonlocal count
        if event in ("call", "return") and any(name in frame.f_code.co_filename for name in _WATCHED):
            count += 1
            if count == last:
                os.kill(os.getpid(), signal.SIGKILL)

    with db.connection_context():
        sys.setprofile(watch)
        delivery.deliver(int(outbox_id), here.settings, here.account)
        sys.setprofile(None)
    print(count)


def _in_sent(running: Any, message_id: str) -> int:
    """How many copies of a message alice has in Sent."""
    return len(_found(running, "Sent", message_id))


def _found(running: Any, mailbox: str, message_id: str) -> list[int]:
    from imapclient import IMAPClient

    with IMAPClient("127.0.0.1", running.ports.imap, ssl=False, timeout=10) as client:
        client.login(ALICE, running.password)
        if not client.folder_exists(mailbox):
            return []
        client.select_folder(mailbox, readonly=True)
        return list(client.search(["HEADER", "Message-ID", message_id]))


# --- IMAP fails ------------------------------------------------------------------------------------------------------


def imap_fault(running: Any, fault: str) -> Tally:
    """IMAP fails when the copy should go into Sent, then is there again."""
    from tests.support.relay import Relay
    from webmail import imap
    from webmail.database.connection import db
    from webmail.imap.connections import circuit_breaker

    tally = Tally(f"IMAP {fault} once the message has left, then well")
    with FaultServer("ok", extensions=faults.TOKENS) as server, Relay(running.ports.imap) as relay:
        here = Real(running.settings(), server.port, relay.port)
        with db.connection_context():
            for number in range(faults.TIMES):
                server.messages.clear()
                row = here.draft()
                sent = here.enqueue(row)
                relay.mode = fault
                relay.hang_up()
                here.turn(sent.id)
                _check_not_a_failure(sent.id)
                relay.mode = "ok"
                circuit_breaker.forget_all()
                here.turn(sent.id)
                tally.add(here.outcome(f"{fault} {number}", sent.id, server), in_sent=_in_sent(running, row.message_id))
                imap.close_all()
    return tally


def full_mailbox(running: Any) -> Tally:
    """No room for the copy: APPEND is refused each time, which the person reads, and the message has left all the same."""
    from webmail.compose.outbox import filing
    from webmail.database.connection import db
    from webmail.errors import OverQuotaError

    def no_room(*_arguments: object, **_named: object) -> None:
        raise OverQuotaError("[OVERQUOTA] Quota exceeded")

    tally = Tally("IMAP refuses the copy: no room")
    append = filing.messages.append
    with FaultServer("ok", extensions=faults.TOKENS) as server:
        here = Real(running.settings(), server.port)
        with db.connection_context():
            for number in range(faults.TIMES):
                server.messages.clear()
                row = here.draft()
                sent = here.enqueue(row)
                filing.messages.append = no_room  # type: ignore[assignment]
                try:
                    here.turn(sent.id)
                finally:
                    filing.messages.append = append
                _check_not_a_failure(sent.id)
                here.turn(sent.id)
                tally.add(here.outcome(str(number), sent.id, server), in_sent=_in_sent(running, row.message_id))
    return tally


def _check_not_a_failure(outbox_id: int) -> None:
    from webmail.models import Outbox, OutboxState

    row = Outbox.get(Outbox.id == outbox_id)
    assert row.state == OutboxState.SENT, row.state
    assert row.error, "nothing says that the copy is missing"


# --- people ----------------------------------------------------------------------------------------------------------


def pages(running: Any) -> Iterator[Tally]:
    """Through the pages of two web processes, each request at the other one: fifty double clicks, fifty times back and once more,
    and ten processes killed while they answer a "Send" that is then pressed at the other one.
    """
    from tests.bench.web_processes import InTurn, WebProcess
    from tests.support.visits import Visitor
    from webmail import create_app

    with FaultServer("ok", extensions=faults.TOKENS) as server:
        here = Real(running.settings(), server.port)
        app = create_app(running.settings()["WEBMAIL_INSTANCE"], **here.given | {"secure_cookies": "false"})
        environment = running.settings() | {f"WEBMAIL_{name.upper()}": str(value) for name, value in here.given.items()}
        environment |= {"WEBMAIL_SECURE_COOKIES": "false"}
        with WebProcess(environment) as one, WebProcess(environment) as two:
            web = InTurn((one, two))
            scene = _Scene(running, server, here, app, Visitor(web, ALICE, running.password).sign_in())  # type: ignore[arg-type]
            yield scene.tally("50 double clicks on Send, at two web processes", 50, scene.twice_at_once)
            yield scene.tally("50 times back and Send again, at the other web process", 50, scene.twice_later)
            killed = partial(scene.killed, web)
            yield scene.tally("10 web processes killed -9 in a Send, then Send again at the other", 10, killed)


@dataclass
class _Scene:
    running: Any
    server: FaultServer
    here: Real
    app: Any
    alice: Any

    def tally(self, name: str, times: int, press: Callable[[Callable[[], Any], int], None]) -> Tally:
        """A message of hers each time, for which `press` presses "Send" somehow."""
        from tests.support.compose_form import FORM
        from webmail.database.connection import db
        from webmail.models import Outbox

        tally, fields = Tally(name), {"to": ", ".join((BOB, CARL, DORA)), "subject": "s", "body": "b"}
        for number in range(times):
            self.server.messages.clear()
            form = self.alice.get("/compose")
            assert form.status == 200, form.text
            press(lambda form=form: self.alice.submit(form, FORM, **fields, action="send", follow=False), number)
            _work(self.app)
            with db.connection_context():
                draft = str(form.one(FORM)["action"]).rpartition("/")[2]
                row = Outbox.get(Outbox.draft == draft)
                outcome = self.here.outcome(str(number), row.id, self.server)
                tally.add(outcome, in_sent=_in_sent(self.running, row.message_id))
        return tally

    def twice_at_once(self, click: Callable[[], Any], _number: int) -> None:
        threads = [threading.Thread(target=click) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def twice_later(self, click: Callable[[], Any], _number: int) -> None:
        click()
        _work(self.app)
        click()

    def killed(self, web: InTurn, click: Callable[[], Any], number: int) -> None:
        """The kills fall over the time that an answer takes: before, within and after the transaction."""
        victim = web.following()
        first = threading.Thread(target=click)
        first.start()
        first.join(number * _ANSWER_SECONDS / 10)
        victim.kill()
        first.join()
        assert click().status == 303, "the other one answers"
        victim.start()


def _work(app: Any) -> None:
    """What the worker does in a minute."""
    from webmail.compose.outbox import delivery
    from webmail.database.connection import db

    jobs = jobs_of(app)
    with db.connection_context():
        ready = delivery.sweep(jobs.settings)
    for outbox_id in ready:
        jobs.deliver(outbox_id)


if __name__ == "__main__":
    worker(*sys.argv[1:])
