"""The same action clicked at the same moment on two web servers: `python -m tests.bench.double_clicks [ROUNDS] [machines]`.

Two processes on one SQLite database; with `machines`, two instances of their own (folders, caches, connections) that share a
PostgreSQL database and nothing else, as on two machines. Each round archives five messages, once clicked on each server. Told: how
many messages were doubled or lost in ROUNDS (200).
"""

from __future__ import annotations

import contextlib
import re
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
from imapclient import IMAPClient

from deploy.demo.accounts import DOMAIN
from deploy.demo.child import HOST
from deploy.demo.services import Services
from tests.bench.web_processes import WebProcess
from tests.support.messages import message
from tests.support.passing_folder import passing_folder

AT_ONCE = 5  # messages in a round
_FOLDERS = ("INBOX", "Archive", "Trash", "Junk")


@dataclass(slots=True)
class Report:
    rounds: int = 0
    doubled: int = 0
    lost: int = 0
    refused: int = 0  # answers that were no page

    @property
    def good(self) -> bool:
        return not (self.doubled or self.lost or self.refused)

    def __str__(self) -> str:
        return f"{self.rounds} rounds: {self.doubled} messages doubled, {self.lost} lost, {self.refused} clicks refused"


def run(rounds: int = 200, machines: bool = False) -> Report:
    report = Report()
    with passing_folder() as folder, contextlib.ExitStack() as stack:
        services = stack.enter_context(Services(folder / "demo", web=False))
        services.add_account(f"clicks@{DOMAIN}", "Clicks")
        environments = [services.settings()] * 2
        if machines:
            environments = stack.enter_context(_two_machines(services, folder))
        bases = [stack.enter_context(WebProcess(environment)).base for environment in environments]
        mail = IMAPClient(HOST, services.ports.imap, ssl=False)
        mail.login(f"clicks@{DOMAIN}", services.password)
        browsers = [httpx.Client(base_url=base, follow_redirects=True, timeout=60) for base in bases]
        _sign_in(browsers, services.password)
        for number in range(rounds):
            _round(number, browsers, mail, report)
        mail.logout()
    return report


def _round(number: int, browsers: list[httpx.Client], mail: IMAPClient, report: Report) -> None:
    before = _counts(mail)
    for one in range(AT_ONCE):
        mail.append("INBOX", bytes(message(f"{number}-{one}")))
    page = browsers[0].get("/mailbox/INBOX").text
    fields = {
        "csrf_token": _value(page, "csrf_token"), "v": _value(page, "v"), "action": ("archive", "delete", "junk")[number % 3],
        "uids": re.findall(r'name="uids" value="(\d+)"', page),
    }  # fmt: skip
    start, answers = threading.Barrier(len(browsers)), []

    def click(browser: httpx.Client) -> None:
        start.wait()
        answers.append(browser.post("/act/INBOX", data=fields).status_code)

    threads = [threading.Thread(target=click, args=(browser,)) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    after = _counts(mail)
    gained = after - before - AT_ONCE
    report.rounds += 1
    report.doubled += max(gained, 0)
    report.lost += max(-gained, 0)
    report.refused += sum(status != 200 for status in answers)


def _counts(mail: IMAPClient) -> int:
    mail.noop()
    return sum(
        mail.folder_status(name, ["MESSAGES"])[b"MESSAGES"] for name in _FOLDERS if name == "INBOX" or mail.folder_exists(name)
    )


def _sign_in(browsers: list[httpx.Client], password: str) -> None:
    """One session for all: its row is in the database that they share."""
    page = browsers[0].get("/login").text
    answer = browsers[0].post(
        "/login", data={"csrf_token": _value(page, "csrf_token"), "username": f"clicks@{DOMAIN}", "password": password}
    )
    assert answer.status_code == 200, answer.text
    for other in browsers[1:]:
        other.cookies.update(browsers[0].cookies)
        assert "/login" not in str(other.get("/mailbox/INBOX").url), "the other server does not know the session"


def _value(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, f"no field {name}"
    return found[1]


@contextlib.contextmanager
def _two_machines(services: Services, folder: Path) -> Iterator[list[dict[str, str]]]:
    """Two instances that share one PostgreSQL database, the mail server and the secret key, and no file."""
    from tests.support.postgresql import fresh_database
    from webmail.auth.passwords.hashing import hash_password
    from webmail.database.connection import db, open_database
    from webmail.database.migrate import migrate
    from webmail.models import User

    with fresh_database() as url:
        open_database(url)
        migrate()
        with db.connection_context():
            User.create(
                address=f"clicks@{DOMAIN}",
                local="clicks",
                domain=DOMAIN,
                name="Clicks",
                password=hash_password(services.password),
            )
        db.obj.close()
        found = []
        for name in ("one", "two"):
            instance = folder / name
            own = {
                "INSTANCE": instance,
                "DATABASE_URL": url,
                "JOBS_FILE": instance / "jobs",
                "UPLOADS_FOLDER": instance / "uploads",
            }
            found.append({**services.settings(), **{f"WEBMAIL_{key}": str(value) for key, value in own.items()}})
        yield found


if __name__ == "__main__":
    words = sys.argv[1:]
    numbers = [int(word) for word in words if word.isdigit()]
    report = run(*numbers, machines="machines" in words)
    print(report)
    sys.exit(0 if report.good else 1)
