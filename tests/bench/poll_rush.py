"""200 people answer a poll at once, through two web processes: no answer is lost, none counts twice, each is told rightly.

`python -m tests.bench.poll_rush [PEOPLE] [sqlite|postgresql]` (200, sqlite). All come from one network. Each answers by the public page, and
then changes their answer by the private link that they were shown; every tenth sends the form twice. Meanwhile somebody opens every
link, which changes nothing. Exits with 1 where anything is not as it should be.
"""

from __future__ import annotations

import re
import secrets
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from flask import Flask

from tests.bench.appointment_rush import Parent, answered, timed, together
from tests.bench.web_processes import WebProcess
from tests.support import postgresql
from tests.support.poll_pages import stored_poll
from webmail import create_app
from webmail.database.connection import db
from webmail.models import Poll, PollVoter, User
from webmail.polls import results, store

_PRIVATE = re.compile(r'data-private-link="[^"]*(/p/[^"]+)"')
_FORM = re.compile(r'name="form_id" value="([^"]+)"')


@dataclass(slots=True)
class Voter:
    """What one was told last: `changed`, or what should not be."""

    name: str
    told: str = ""
    link: str = ""


def main(arguments: Sequence[str]) -> int:
    count = int(arguments[0]) if arguments else 200
    kind = arguments[1] if len(arguments) > 1 else "sqlite"
    with tempfile.TemporaryDirectory(prefix="traboule-polls-") as folder:
        database: Any = postgresql.fresh_database() if kind == "postgresql" else nullcontext(f"sqlite:///{folder}/mail.sqlite")
        with database as url:
            faults = rush(Path(folder), url, count)
    for fault in faults:
        print(f"FAULT: {fault}")
    print("as it should be" if not faults else f"{len(faults)} faults")
    return 1 if faults else 0


def rush(folder: Path, url: str, count: int) -> list[str]:
    """What was not as it should be."""
    given = {
        "secret_key": secrets.token_urlsafe(48), "database_url": url, "domain": "lycee.example", "sign_in": "accounts",
        "secure_cookies": "false", "timezone": "Europe/Paris", "public_url": "https://mail.lycee.example",
        "imap_security": "none", "imap_port": "1", "smtp_port": "1",
    }  # fmt: skip
    environment = {f"WEBMAIL_{name.upper()}": value for name, value in (given | {"instance": str(folder)}).items()}
    app = create_app(folder, **given)
    poll, link = _poll(app)
    with WebProcess(environment) as first, WebProcess(environment) as second:
        bases = [first.base, second.base]
        crowd = [Voter(f"Voter {number}") for number in range(count)]
        with timed(f"{count} people answer, and change that"):
            together([lambda one=one, at=at: _vote(bases, at, link, one) for at, one in enumerate(crowd)])  # type: ignore[misc]
        together([lambda to=one.link, at=at: httpx.get(bases[at % 2] + to, trust_env=False, timeout=60)  # type: ignore[misc]
                  for at, one in enumerate(crowd) if one.link])  # fmt: skip
        page = httpx.get(f"{bases[0]}{link}?lang=en", trust_env=False, timeout=60).text
    told = Counter(one.told for one in crowd)
    with db.connection_context():
        found = results.results(Poll.get_by_id(poll.id))
        names = Counter(one.name for one in PollVoter.select().where(PollVoter.poll == poll))
    totals = [(one.yes, one.maybe, one.no) for one in found.counts]
    print(f"  told: {dict(told)}; totals {totals}")
    faults = [f"{name}: {number}" for name, number in told.items() if name != "changed"]
    faults += [f"{name} has {number} answers" for name, number in names.items() if number != 1]
    if len(names) != count or totals[:2] != [(0, 0, count), (count, 0, 0)]:
        faults.append(f"{len(names)} of {count} are there, with {totals}")
    return faults if f">{count} answers" in page else [*faults, "the page has another number"]


def _poll(app: Flask) -> tuple[Poll, str]:
    settings = app.extensions["settings"]
    with db.connection_context(), app.app_context():
        owner = User.create(address="alice@lycee.example", local="alice", domain="lycee.example", password="x")
        poll = stored_poll(owner, settings)
        return poll, f"/p/{store.token(poll, settings)}"


def _vote(bases: list[str], at: int, link: str, voter: Voter) -> None:
    """Yes and no, then no and yes, each through another process."""
    here, other = bases[at % 2], bases[(at + 1) % 2]
    with httpx.Client(timeout=60, trust_env=False) as client:
        page = answered(client, "GET", here + link, Parent("")).text
        options = re.findall(r'name="(vote-\d+)" value="yes"', page)
        form = _FORM.search(page)
        fields = {"name": voter.name, "action": "vote", "form_id": form[1] if form else ""}
        sent = answered(client, "POST", here + link, Parent(""), fields | {options[0]: "yes", options[1]: "no"})
        if at % 10 == 0:
            answered(client, "POST", here + link, Parent(""), fields | {options[0]: "yes", options[1]: "no"})
        if sent.status_code != 303:
            voter.told = str(sent.status_code)
            return
        own = _PRIVATE.search(answered(client, "GET", here + sent.headers["Location"], Parent("")).text)
        if own is None:
            voter.told = "no private link"
            return
        voter.link = own[1]
        page = answered(client, "GET", other + voter.link, Parent("")).text
        form = _FORM.search(page)
        fields["form_id"] = form[1] if form else ""
        again = answered(client, "POST", other + voter.link, Parent(""), fields | {options[0]: "no", options[1]: "yes"})
        voter.told = "changed" if again.status_code == 303 and "done=changed" in again.headers["Location"] else "not changed"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
