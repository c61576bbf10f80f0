"""`make caldavtester SUITE=<checkout of apple/ccs-caldavtester>`: Apple's tests of CalDAV and CardDAV, as far as they are about what is here.

PYCALENDAR is a checkout of apple/ccs-pycalendar, which they need (`pycalendar` beside SUITE if it isn't given), PYTHON2 a Python 2.7,
in which both are written. RADICALE=1 has a plain Radicale take them too, ONLY=CalDAV/errors those of one file. Each file runs by
itself for two minutes at most. Nothing of the suite is in this repository; what was refused is written to instance/caldavtester.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree as ET

from werkzeug.serving import WSGIRequestHandler, make_server

CHECKOUT = Path(__file__).resolve().parents[2]
FOUND = CHECKOUT / "instance" / "caldavtester"
LONGEST = 120  # seconds of one file
PEOPLE = 6
# what a server says it has, of the names that the suite gives
FEATURES = (
    "caldav", "carddav", "MOVE Method", "Extended MKCOL", "ctag", "current-user-principal", "expand-property", "prefer",
    "prefer-minimal", "prefer-noroot", "sync-report", "sync-report-limit", "well-known", "no-duplicate-uids", "resource-id",
)  # fmt: skip
# those that ask for nothing else: no scheduling, proxies, sharing by invitation, access control lists, attachments, or services
SUITES = (
    "CalDAV/aclreports", "CalDAV/bad-ical", "CalDAV/caldavIOP", "CalDAV/conditional", "CalDAV/copymove",
    "CalDAV/ctag", "CalDAV/current-user-principal", "CalDAV/delete", "CalDAV/duplicate_uids", "CalDAV/encodedURIs", "CalDAV/errors",
    "CalDAV/expandproperty", "CalDAV/floating", "CalDAV/freebusy", "CalDAV/get", "CalDAV/ical-client", "CalDAV/mkcalendar",
    "CalDAV/nonascii", "CalDAV/options", "CalDAV/prefer", "CalDAV/propfind", "CalDAV/proppatch", "CalDAV/put", "CalDAV/recurrenceput",
    "CalDAV/reports", "CalDAV/sync-report", "CalDAV/timezones", "CalDAV/vtodos", "CalDAV/well-known",
    "CardDAV/ab-client", "CardDAV/aclreports", "CardDAV/current-user-principal", "CardDAV/errorcondition", "CardDAV/errors",
    "CardDAV/get", "CardDAV/mkcol", "CardDAV/nonascii", "CardDAV/propfind", "CardDAV/proppatch", "CardDAV/put", "CardDAV/reports",
    "CardDAV/sync-report", "CardDAV/well-known",
)  # fmt: skip


class NotHere(RuntimeError):
    """Something that it takes isn't here; the words say what."""


@dataclass
class Server:
    """Where it is, what comes before a person's address in its paths, and what each signs in with."""

    name: str
    port: int
    root: str
    secrets: list[str]
    counts: dict[str, Counter[str]] = field(default_factory=dict)


def address(number: int) -> str:
    return f"user{number:02}@suite.example"


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        pass


class _WithPlainAddresses:
    """Addresses in answers have "@" for "%40", which is the same: the suite compares letters, and would delete a collection as one of
    its own items."""

    def __init__(self, app: Callable[..., Any]) -> None:
        self.app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        told: list[Any] = []
        answer = self.app(environ, lambda status, headers, *_error: told.extend((status, headers)))
        try:
            body = b"".join(answer).replace(b"%40", b"@")
        finally:
            getattr(answer, "close", lambda: None)()
        headers = [(name, value) for name, value in told[1] if name.lower() != "content-length"]
        if environ["REQUEST_METHOD"] != "HEAD":
            headers.append(("Content-Length", str(len(body))))
        start_response(told[0], headers)
        return [body]


@contextmanager
def _served(app: Callable[..., Any]) -> Iterator[int]:
    """The port at which an application answers, a thread for each connection."""
    server = make_server("127.0.0.1", 0, _WithPlainAddresses(app), threaded=True, request_handler=_Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()


@contextmanager
def traboule(folder: Path) -> Iterator[Server]:
    from webmail import create_app
    from webmail.auth.devices import app_passwords
    from webmail.database.connection import db
    from webmail.models import User

    app = create_app(folder / "traboule", sign_in="accounts", domain="suite.example")
    secrets = []
    with db.connection_context(), db.atomic():
        for number in range(1, PEOPLE + 1):
            user = User.create(address=address(number), local=address(number).partition("@")[0], domain="suite.example")
            secrets.append(app_passwords.add(user, "Suite", ("caldav", "carddav"))[0])
    with _served(app) as port:
        yield Server("Traboule", port, "/dav/", secrets)


@contextmanager
def radicale(folder: Path) -> Iterator[Server]:
    from radicale import config
    from radicale.app import Application

    users = folder / "users"
    users.write_text("".join(f"{address(number)}:secret\n" for number in range(1, PEOPLE + 1)))
    for number in range(1, PEOPLE + 1):
        for name, tag in (("calendar", "VCALENDAR"), ("contacts", "VADDRESSBOOK")):
            collection = folder / "radicale" / "collection-root" / address(number) / name
            collection.mkdir(parents=True)
            (collection / ".Radicale.props").write_text(json.dumps({"tag": tag, "D:displayname": name}))
    configuration = config.load()
    given: Any = {
        "server": {"delay_on_error": 0},
        "auth": {"type": "htpasswd", "htpasswd_filename": str(users), "htpasswd_encryption": "plain", "delay": 0},
        "storage": {"filesystem_folder": str(folder / "radicale")},
        "logging": {"level": "critical"},
    }
    configuration.update(given, "suite", privileged=True)
    with _served(Application(configuration)) as port:
        yield Server("Radicale", port, "/", ["secret"] * PEOPLE)


def make_more(server: Server) -> None:
    """What the suite expects everybody to have: a calendar of tasks, and an inbox, which it empties before it begins."""
    for number, secret in enumerate(server.secrets, 1):
        token = base64.b64encode(f"{address(number)}:{secret}".encode()).decode()
        for name in ("tasks", "inbox"):
            connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
            connection.request(
                "MKCALENDAR", f"{server.root}{address(number)}/{name}/", headers={"Authorization": f"Basic {token}"}
            )
            if connection.getresponse().status != 201:
                raise NotHere(f"{server.name} makes no calendar")
            connection.close()


def server_info(suite: Path, server: Server) -> ET.Element:
    """The suite's own description of a server, with this one's places and people."""
    info = ET.parse(suite / "scripts" / "server" / "serverinfo.xml").getroot()
    for name, text in (("host", "127.0.0.1"), ("nonsslport", str(server.port)), ("waitcount", "4"), ("waitsuccess", "1")):
        _child(info, name).text = text
    features = _child(info, "features")
    for feature in list(features):
        features.remove(feature)
    for name in FEATURES:
        ET.SubElement(features, "feature").text = name
    home = f"{server.root}user%02d@suite.example"
    places = {
        "$root:": server.root, "$addressbook:": "contacts", "$userid%d:": "user%02d@suite.example", "$email%d:": "user%02d@suite.example",
        "$calendarhome%d:": home, "$calendarhomealt%d:": home, "$addressbookhome%d:": home, "$principal%d:": f"{home}/",
        "$principaluri%d:": f"{home}/", "$principal%dnoslash:": home, "$calendar_home_items_initial_sync:": "[-,$calendar:/,contacts/]",
        "$calendar_sync_extra_items:": "[]", "$calendar_sync_extra_count:": "0",
    }  # fmt: skip
    substitutions = _child(info, "substitutions")
    for one in substitutions.iter("substitution"):
        key = (one.findtext("key") or "").strip()
        _child(one, "value").text = places.get(key, one.findtext("value"))
    for number, secret in enumerate(server.secrets, 1):
        one = ET.SubElement(substitutions, "substitution")
        ET.SubElement(one, "key").text, ET.SubElement(one, "value").text = f"$pswd{number}:", secret
    return info


def _child(node: ET.Element, name: str) -> ET.Element:
    found = node.find(name)
    if found is None:
        raise NotHere(f"the suite's serverinfo.xml has no {name}")
    return found


def without_freebusy(suite: Path, name: str) -> ET.ElementTree[Any]:
    """A file of tests that does not store VFREEBUSY before it begins: neither server has it, and all of the file would end there."""
    tests = ET.parse(suite / "scripts" / "tests" / f"{name}.xml")
    for start in tests.iter("start"):
        for request in list(start):
            path = request.findtext("data/filepath")
            if path and "BEGIN:VFREEBUSY" in (suite / path).read_text(errors="replace"):
                start.remove(request)
    return tests


def run(server: Server, name: str, suite: Path, python: str, path: str) -> None:
    """One file of tests. What failed, and how, goes to a file of its own."""
    info, tests = FOUND / f"{server.name}.xml", FOUND / f"{name.replace('/', '-')}.xml"
    without_freebusy(suite, name).write(tests)
    command = [python, "testcaldav.py", "-s", str(info), "--observer", "log", "--print-details-onfail", str(tests)]
    counts = server.counts[name] = Counter()
    try:
        done = subprocess.run(
            command, cwd=suite, env={**os.environ, "PYTHONPATH": path}, capture_output=True, timeout=LONGEST, check=False
        )
    except subprocess.TimeoutExpired:
        counts["did not end"] += 1
        return
    text = done.stdout.decode("utf-8", "replace") + done.stderr.decode("utf-8", "replace")
    _keep(server, name, text)
    said = re.findall(r"\b(ok|ignored|failed|errors)=(\d+)", text)
    for word, many in said or [("errors", "1")]:
        counts[{"ok": "passed", "ignored": "not asked", "errors": "broke off"}.get(word, word)] += int(many)


def _keep(server: Server, name: str, text: str) -> None:
    (FOUND / f"{server.name}-{name.replace('/', '-')}.txt").write_text(text)


def _needed() -> tuple[Path, str, str]:
    """The suite, a Python for it, and where it finds its library. Raises NotHere."""
    suite = Path(os.environ.get("SUITE", "")).resolve()
    if not (suite / "testcaldav.py").exists():
        raise NotHere("SUITE=… a checkout of https://github.com/apple/ccs-caldavtester")
    library = Path(os.environ.get("PYCALENDAR") or suite.parent / "pycalendar") / "src"
    if not library.exists():
        raise NotHere("PYCALENDAR=… a checkout of https://github.com/apple/ccs-pycalendar")
    pythons = [os.environ.get("PYTHON2"), *map(str, sorted(Path.home().glob(".pyenv/versions/2.7*/bin/python"))), "python2.7"]
    python = next((one for one in pythons if one and _is_python2(one)), None)
    if python is None:
        raise NotHere("PYTHON2=… a Python 2.7 (`pyenv install 2.7`), in which the suite is written")
    return suite, python, f"{suite}:{library}"


def _is_python2(command: str) -> bool:
    if shutil.which(command) is None:
        return False
    said = subprocess.run([command, "--version"], capture_output=True, text=True, check=False)
    return "Python 2.7" in said.stdout + said.stderr


def main() -> int:
    try:
        suite, python, path = _needed()
    except NotHere as missing:
        print(f"caldavtester: {missing}", file=sys.stderr)
        return 2
    shutil.rmtree(FOUND, ignore_errors=True)
    FOUND.mkdir(parents=True)
    names = os.environ["ONLY"].split() if os.environ.get("ONLY") else list(SUITES)
    servers = []
    for made in (traboule, *([radicale] if os.environ.get("RADICALE") else [])):
        with TemporaryDirectory() as folder, made(Path(folder)) as server:
            servers.append(server)
            make_more(server)
            ET.ElementTree(server_info(suite, server)).write(FOUND / f"{server.name}.xml")
            for name in names:
                run(server, name, suite, python, path)
                print(f"{server.name:10} {name:32} {_words(server.counts[name])}", flush=True)
    print("\n| | " + " | ".join(server.name for server in servers) + " |\n|---|" + "---|" * len(servers))
    for name in names:
        print(f"| {name} | " + " | ".join(_words(server.counts[name]) for server in servers) + " |")
    print("| all | " + " | ".join(_words(sum(server.counts.values(), Counter())) for server in servers) + " |")
    return 0


def _words(counts: Counter[str]) -> str:
    return ", ".join(
        f"{counts[word]} {word}" for word in ("passed", "failed", "broke off", "did not end", "not asked") if counts[word]
    )


if __name__ == "__main__":
    sys.exit(main())
