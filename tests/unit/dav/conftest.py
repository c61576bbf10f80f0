"""Telephones and programs of two people, without a mail server."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.support.other_dav import OtherServer, Pair
from webmail import create_app
from webmail.auth.devices import app_passwords
from webmail.database.connection import db
from webmail.models import User

NAMES = {"D": "DAV:", "C": "urn:ietf:params:xml:ns:caldav", "CR": "urn:ietf:params:xml:ns:carddav"}


class Phone:
    """A telephone with an app password."""

    def __init__(self, app: Flask, address: str, secret: str) -> None:
        self.client, self.address, self.secret = app.test_client(), address, secret
        self.home = f"/dav/{address}/"

    def ask(self, method: str, path: str, body: str | bytes = "", *, network: str = "127.0.0.1", **headers: str) -> TestResponse:
        token = base64.b64encode(f"{self.address}:{self.secret}".encode()).decode()
        sent = {"Authorization": f"Basic {token}"} | {name.replace("_", "-"): value for name, value in headers.items()}
        where = path if path.startswith("/") else self.home + path
        return self.client.open(
            where, method=method, data=body, headers=sent, environ_base={"REMOTE_ADDR": network}, buffered=True
        )

    def xml(self, method: str, path: str, body: str = "", **headers: str) -> ET.Element:
        answer = self.ask(method, path, body, **headers)
        assert answer.status_code == 207, (answer.status_code, answer.text)
        return ET.fromstring(answer.data)

    def put(self, path: str, body: str | bytes, **headers: str) -> TestResponse:
        return self.ask("PUT", path, body, **headers)

    def sync(self, path: str, token: str = "", data: str = "") -> tuple[str, dict[str, str]]:
        """The new token, and each name with its status or "ok"."""
        root = self.xml(
            "REPORT",
            path,
            f"<d:sync-collection xmlns:d='DAV:' xmlns:c='{NAMES['C']}'><d:sync-token>{token}</d:sync-token>"
            f"<d:sync-level>1</d:sync-level><d:prop><d:getetag/>{data}</d:prop></d:sync-collection>",
        )
        found = {}
        for response in root.findall("D:response", NAMES):
            status = response.find("D:status", NAMES)
            name = (response.findtext("D:href", "", NAMES)).rsplit("/", 1)[-1]
            found[name] = "gone" if status is not None and "404" in (status.text or "") else "there"
        return root.findtext("D:sync-token", "", NAMES), found


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    made = create_app(
        tmp_path / "instance", sign_in="accounts", domain="lycee.example", secure_cookies=False, timezone="Europe/Paris"
    )
    with db.connection_context():
        yield made
    db.obj.close()


@pytest.fixture
def person(app: Flask) -> Callable[..., User]:
    def make(local: str, **more: Any) -> User:
        values = {
            "address": f"{local}@lycee.example",
            "local": local,
            "domain": "lycee.example",
            "name": local.capitalize(),
            "language": "en",
        }
        return User.create(**values | more)

    return make


@pytest.fixture
def alice(person: Callable[..., User]) -> User:
    return person("alice")


@pytest.fixture
def bob(person: Callable[..., User]) -> User:
    return person("bob")


@pytest.fixture
def phone_of(app: Flask) -> Callable[..., Phone]:
    def make(user: User, uses: tuple[str, ...] = ("caldav", "carddav")) -> Phone:
        letters, _row = app_passwords.add(user, "Phone", uses)
        return Phone(app, user.address, letters)

    return make


@pytest.fixture
def phone(phone_of: Callable[..., Phone], alice: User) -> Phone:
    return phone_of(alice)


def event(uid: str = "u1", *lines: str, start: str = "20261105T100000Z", component: str = "VEVENT") -> str:
    """A small calendar object."""
    inside = [f"BEGIN:{component}", f"UID:{uid}", "DTSTAMP:20260101T000000Z", *([f"DTSTART:{start}"] if start else []), *lines]
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", *inside, f"END:{component}", "END:VCALENDAR", ""])


def card(uid: str = "c1", name: str = "Élodie Cœur", *lines: str) -> str:
    return "\r\n".join(["BEGIN:VCARD", "VERSION:4.0", f"UID:{uid}", f"FN:{name}", *lines, "END:VCARD", ""])


def zone_text(name: str = "America/New_York", offset: str = "-0500") -> str:
    """What programs say of a zone, as one without summer time."""
    observance = ["BEGIN:STANDARD", "DTSTART:19700101T000000", f"TZOFFSETFROM:{offset}", f"TZOFFSETTO:{offset}", "END:STANDARD"]
    zone = ["BEGIN:VTIMEZONE", f"TZID:{name}", *observance, "END:VTIMEZONE"]
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", *zone, "END:VCALENDAR", ""])


# --- collections that live on another server too ---------------------------------------------------------------------


@pytest.fixture(scope="session")
def radicale(tmp_path_factory: pytest.TempPathFactory) -> OtherServer:
    return OtherServer(tmp_path_factory.mktemp("other"))


@pytest.fixture
def server(radicale: OtherServer) -> OtherServer:
    """With no wishes of an earlier test."""
    radicale.before = lambda _method, _path: None
    radicale.after = lambda _method, _path, answer: answer
    radicale.asked.clear()
    return radicale


@pytest.fixture
def pair(app: Flask, server: OtherServer, alice: User) -> Callable[..., Pair]:
    return lambda kind="calendar": Pair(server, app.extensions["settings"], alice, kind)
