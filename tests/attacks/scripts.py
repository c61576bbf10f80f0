"""Scripts that mean harm, or are badly written: what they do to others' pages, and what their passwords open.

One account's, with many app passwords; those of one network without any; guests' by a link. Beside them somebody reads mail.
"""

from __future__ import annotations

import json
import secrets
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

from deploy.demo.child import HOST
from tests.attacks import transfers
from tests.attacks.ground import Ground, Web
from tests.attacks.report import Finding
from tests.attacks.transfer_storms import median_ms
from tests.bench.visitor import Answer
from webmail.auth.devices import app_passwords
from webmail.models import AuditAct, AuditEntry, User

_ROOT = "/api/v1"
_STORM = 4.0  # seconds
_SLOWER = 3, 60  # times as long, and milliseconds, that a page may take meanwhile: who attacks has the same two processors


@dataclass(frozen=True, slots=True)
class Storm:
    """What came of one: how many of each status, and how long a page of mail took without it and with it, in milliseconds."""

    statuses: Counter[int]
    quiet: float
    busy: float

    @property
    def held(self) -> bool:
        return self.busy < _SLOWER[0] * self.quiet + _SLOWER[1]

    @property
    def words(self) -> str:
        answers = ", ".join(f"{count} × {status}" for status, count in sorted(self.statuses.items()))
        return f"{answers}; a page of mail {self.busy:.0f} ms, {self.quiet:.0f} before"


def attacks(ground: Ground) -> list[Finding]:
    with ground.web(api="true") as web:
        return [
            _many_tokens(ground, web),
            _wrong_secrets(ground, web),
            _huge_json(ground, web),
            _deep_json(ground, web),
            _slow_json(ground, web),
            _slow_downloads(ground, web),
            _own_things(ground, web),
        ]


def _password(ground: Ground, name: str) -> str:
    with ground.tables():
        return app_passwords.add(User.get(User.address == name), "Script", ("api",))[0]


def _bearer(password: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {password}"}


def _storm(ground: Ground, web: Web, asks: list[tuple[str, str, bytes, dict[str, str]]], network: str = "203.0.113.9") -> Storm:
    """As many threads as `asks`, each asking its own thing again and again; a page of mail of somebody else, before and meanwhile."""
    reader = transfers.sender(ground, web)
    quiet, found, over = median_ms(reader), Counter[int](), threading.Event()
    lock = threading.Lock()

    def ask_again(method: str, path: str, body: bytes, headers: dict[str, str]) -> None:
        browser = web.browser(network)
        while not over.is_set():
            try:
                status = browser.send(method, path, body, headers).status
            except OSError:
                browser.visitor.close()
                status = 0  # the line was closed
            with lock:
                found[status] += 1

    threads = [threading.Thread(target=ask_again, args=one) for one in asks]
    for one in threads:
        one.start()
    try:
        time.sleep(0.5)
        busy = median_ms(reader)
        time.sleep(_STORM / 10 if ground.quick else _STORM)
        busy = max(busy, median_ms(reader))
    finally:
        over.set()
        for one in threads:
            one.join()
    return Storm(found, quiet, busy)


def _many_tokens(ground: Ground, web: Web) -> Finding:
    """The limit is a person's, whatever number of passwords they make; and nobody else's."""
    name, other = ground.person(), ground.person()
    passwords = [_password(ground, name) for _ in range(12)]
    storm = _storm(ground, web, [("GET", f"{_ROOT}/transfers", b"", _bearer(one)) for one in passwords])
    colleague = web.browser("203.0.113.9").send("GET", f"{_ROOT}/me", b"", _bearer(_password(ground, other))).status
    held = storm.held and set(storm.statuses) <= {200, 429, 503} and storm.statuses[200] <= 900 and colleague == 200
    words = f"{storm.words}; a colleague's script in the same network: {colleague}"
    return Finding("One account's scripts, twelve at once with an app password each", storm.statuses.total(), words, held)


def _wrong_secrets(ground: Ground, web: Web) -> Finding:
    """Nobody is locked out, and the audit log does not grow with them."""
    name = ground.person()
    right = _password(ground, name)
    with ground.tables():
        before = AuditEntry.select().where(AuditEntry.act == AuditAct.SIGN_IN_REFUSED).count()
    wrong = ["".join(secrets.choice(app_passwords.ALPHABET) for _ in right) for _ in range(12)]
    storm = _storm(ground, web, [("GET", f"{_ROOT}/me", b"", _bearer(one)) for one in wrong])
    with ground.tables():
        noted = AuditEntry.select().where(AuditEntry.act == AuditAct.SIGN_IN_REFUSED).count() - before
    after = web.browser("203.0.113.9").send("GET", f"{_ROOT}/me", b"", _bearer(right)).status
    signed_in = web.browser("203.0.113.9").sign_in(name).status
    held = storm.held and set(storm.statuses) <= {0, 401} and noted <= 20 and (after, signed_in) == (200, 303)
    words = f"{storm.words}; {noted} lines in the audit log; from the same network, the right one: {after}, and signing in: {signed_in}"
    return Finding("Wrong app passwords for scripts, twelve at once from one network", storm.statuses.total(), words, held)


def _huge_json(ground: Ground, web: Web) -> Finding:
    headers = {**_bearer(_password(ground, ground.person())), "Content-Type": "application/json"}
    body = json.dumps({"title": "x" * (3 * 1024 * 1024)}).encode()
    storm = _storm(ground, web, [("POST", f"{_ROOT}/requests", body, headers)] * 8)
    held = storm.held and set(storm.statuses) <= {0, 413, 429, 503}
    return Finding("JSON of 3 MB where 256 KiB may be, eight at once", storm.statuses.total(), storm.words, held)


def _deep_json(ground: Ground, web: Web) -> Finding:
    headers = {**_bearer(_password(ground, ground.person())), "Content-Type": "application/json"}
    bodies = (
        b"[" * 250_000,
        b'{"a":' * 40_000,
        b'{"title": ' + b"9" * 250_000 + b"}",
        b'{"title": "' + b"\\u0000" * 40_000 + b'"}',
    )
    storm = _storm(ground, web, [("POST", f"{_ROOT}/requests", one, headers) for one in bodies * 2])
    held = storm.held and set(storm.statuses) <= {400, 422, 429, 503}
    return Finding("JSON that is nested 250,000 deep, or a number of as many digits", storm.statuses.total(), storm.words, held)


@contextmanager
def _waiting(web: Web, head: str, network: str) -> Iterator[socket.socket]:
    """A request whose body never comes, or whose answer nobody reads."""
    with socket.create_connection((HOST, web.port), timeout=30) as line:
        line.sendall(f"{head}Host: localhost\r\nX-Forwarded-For: {network}\r\n\r\n".encode())
        yield line


def _beside(ground: Ground, web: Web, heads: list[str], network: str = "203.0.113.10") -> tuple[Storm, list[Answer]]:
    """A page of mail, and what a colleague's script gets, while all these requests are open."""
    reader, colleague = transfers.sender(ground, web), _bearer(_password(ground, ground.person()))
    quiet = median_ms(reader)
    with ExitStack() as open_ones:
        lines = [open_ones.enter_context(_waiting(web, one, network)) for one in heads]
        time.sleep(0.5)
        busy = median_ms(reader)
        answers = [web.browser("203.0.113.10").send("GET", f"{_ROOT}/me", b"", colleague) for _ in range(3)]
        statuses = Counter[int]()
        for line in lines:
            line.settimeout(0.05)
            with suppress(TimeoutError, OSError):
                first = line.recv(12)
                statuses[int(first[9:12]) if first.startswith(b"HTTP/") else 0] += 1
    return Storm(statuses, quiet, busy), answers


def _slow_json(ground: Ground, web: Web) -> Finding:
    """Forty bodies that never come: two hold a place of their person, the others are refused or wait for the reader of bodies."""
    password = _password(ground, ground.person())
    head = f"POST {_ROOT}/requests HTTP/1.1\r\nAuthorization: Bearer {password}\r\nContent-Type: application/json\r\nContent-Length: 900\r\n"
    storm, answers = _beside(ground, web, [head] * 40)
    statuses = [one.status for one in answers]
    words = f"{storm.words}; a colleague's script meanwhile: {', '.join(map(str, statuses))}"
    return Finding("JSON of one account that never comes, forty at once", 40, words, storm.held and statuses == [200] * 3)


def _slow_downloads(ground: Ground, web: Web) -> Finding:
    """A large file that is asked for forty times, and of which nobody reads a byte."""
    name = ground.person()
    password = _password(ground, name)
    browser = web.browser("203.0.113.11")
    made = json.loads(
        browser.send("POST", f"{_ROOT}/transfers", b"{}", {**_bearer(password), "Content-Type": "application/json"}).body
    )
    path = f"{_ROOT}/transfers/{made['number']}"
    data = bytes(20 * 1024 * 1024)
    file = json.loads(browser.send("PUT", f"{path}/files/a.bin", data, _bearer(password)).body)
    browser.send("POST", f"{path}/send", b"{}", {**_bearer(password), "Content-Type": "application/json"})
    head = f"GET {path}/uploads/{file['upload']} HTTP/1.1\r\nAuthorization: Bearer {password}\r\n"
    storm, answers = _beside(ground, web, [head] * 40)
    statuses = [one.status for one in answers]
    held = storm.held and statuses == [200] * 3 and storm.statuses[503] >= 20
    words = f"{storm.words}; a colleague's script meanwhile: {', '.join(map(str, statuses))}"
    return Finding("A download of one account that nobody reads, forty at once", 40, words, held)


def _own_things(ground: Ground, web: Web) -> Finding:
    """Numbers follow one another, so others' are easily guessed."""
    name, other = ground.person(), ground.person()
    mine, theirs = _bearer(_password(ground, name)), _bearer(_password(ground, other))
    given = {"Content-Type": "application/json"}
    browser = web.browser("203.0.113.12")
    number = json.loads(browser.send("POST", f"{_ROOT}/transfers", b"{}", {**mine, **given}).body)["number"]
    asked = json.loads(browser.send("POST", f"{_ROOT}/requests", b'{"title": "Mine"}', {**mine, **given}).body)["number"]
    tries = [
        ("GET", f"/transfers/{number}"), ("DELETE", f"/transfers/{number}"), ("POST", f"/transfers/{number}/send"),
        ("POST", f"/transfers/{number}/additions"), ("GET", f"/transfers/{number}/uploads/{'0' * 32}"), ("PUT", f"/transfers/{number}/files/a"),
        ("GET", f"/requests/{asked}"), ("PATCH", f"/requests/{asked}"), ("GET", f"/requests/{asked}/transfers"),
        ("POST", f"/requests/{asked}/close"), ("POST", f"/requests/{asked}/reopen"), ("DELETE", f"/requests/{asked}/people/1"),
    ]  # fmt: skip
    found = [browser.send(method, f"{_ROOT}{path}", b"{}", {**theirs, **given}).status for method, path in tries]
    there = browser.send("GET", f"{_ROOT}/transfers/{number}", b"", mine).status
    held = set(found) == {404} and there == 200
    return Finding("Another's transfers and requests, by their numbers", len(tries), f"{found.count(404)} × 404; unchanged", held)
