"""Messages from people inside and outside, and what their pages say of them."""

from __future__ import annotations

import email
import email.policy
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path

from flask import Flask

from deploy.demo.services import Services
from tests.support.visits import Page, Visitor
from webmail import create_app
from webmail.database.connection import db
from webmail.models import Correspondent, DraftRow, Outbox, PhishingReport, User

OURS = "lycee.example"


@contextmanager
def checking_app(services: Services, instance: Path, **changes: object) -> Iterator[Flask]:
    """An application that believes the checks of our own mail server, and knows where to report phishing."""
    values = {name.removeprefix("WEBMAIL_").lower(): value for name, value in services.settings().items()}
    del values["instance"], values["jobs_file"], values["uploads_folder"]
    more = {"undo_seconds": 60, "secure_cookies": False, "authserv_id": OURS, "phishing_address": "security@ministry.example"}
    app = create_app(instance, **{**values, **more, **changes})
    _forget_rows()  # what other files' tests left: all share one database
    with db.connection_context():
        names = list(User.select(User.id, User.name).where(User.name != "").tuples())
        User.update(name="").execute()  # an account called Ann would make the strangers of that name impostors
    try:
        yield app
    finally:
        _forget_rows()
        with db.connection_context():
            for number, name in names:
                User.update(name=name).where(User.id == number).execute()


def _forget_rows() -> None:
    with db.connection_context():
        for table in (Outbox, DraftRow, Correspondent, PhishingReport):
            table.delete().execute()


def message(sender: str = "Ann <ann@far.example>", text: str = "Bonjour", **headers: str) -> bytes:
    made = EmailMessage(policy=email.policy.SMTP)
    made["From"], made["To"], made["Subject"] = sender, "alice@lycee.example", headers.pop("subject", "Bonjour")
    made["Message-ID"] = f"<{time.monotonic_ns()}@far.example>"
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return bytes(made)


def warnings(page: Page) -> list[str]:
    return [" ".join(p.get_text(" ", strip=True).split()).removeprefix("▲ ") for p in page.all(".trust li")]


def line(page: Page) -> str:
    """What the details of the letterhead say of the sender."""
    return " ".join(page.one(".trust .known").get_text(" ", strip=True).split())


def report(alice: Visitor, page: Page) -> Page:
    return alice.submit(page, "form.list-bar", action=page.one(".list-bar [value=report]")["value"])
