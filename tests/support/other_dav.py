"""Other CalDAV and CardDAV servers for tests: Radicale with files of its own, asked in this process, and a collection on both."""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from radicale import config
from radicale.app import Application

from webmail.collections.store import BOOK, CALENDAR, new_name
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.dav import item_writes
from webmail.dav.item_writes import CheckedItem
from webmail.dav.remote import accounts, local, rounds
from webmail.dav.remote.answers import FoundCollection
from webmail.dav.remote.side import Side
from webmail.http_fetch import FetchedResponse
from webmail.models import CalendarObject, Collection, Contact, RemoteAccount, RemoteLink, User, now

URL = "https://cloud.example.org/"
LOGIN, PASSWORD = "marie", "a secret there"


class OtherServer:
    """Radicale as it is, with its own files. `ask` is what the client asks by; `before` and `after` are told of each request."""

    def __init__(self, folder: Path) -> None:
        users = folder / "users"
        users.write_text(f"{LOGIN}:{PASSWORD}\n")
        configuration = config.load()
        configuration.update(
            {
                "server": {"delay_on_error": 0},
                "auth": {"type": "htpasswd", "htpasswd_filename": str(users), "htpasswd_encryption": "plain", "delay": 0},
                "storage": {"filesystem_folder": str(folder / "radicale")},
                "logging": {"level": "critical"},
            },
            "test",
            privileged=True,
        )
        self.application = Application(configuration)
        self.asked: list[tuple[str, str]] = []
        self.body, self.headers = b"", dict[str, str]()  # of the latest request
        self.before: Callable[[str, str], FetchedResponse | None] = lambda _method, _path: None
        self.after: Callable[[str, str, FetchedResponse], FetchedResponse] = lambda _method, _path, answer: answer

    def ask(self, method: str, url: str, body: bytes, headers: dict[str, str], *, limit: int, seconds: float) -> FetchedResponse:
        assert not db.in_transaction(), "a transaction is open while another server is asked"
        parts = urlsplit(url)
        assert parts.hostname == "cloud.example.org"
        self.asked.append((method, parts.path))
        self.body, self.headers = body, headers
        if (instead := self.before(method, parts.path)) is not None:
            return instead
        return self.after(method, parts.path, self.answer(method, parts.path, body, headers))

    def answer(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> FetchedResponse:
        """What the server itself says."""
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method, "PATH_INFO": unquote(path, "latin-1"), "CONTENT_LENGTH": str(len(body)), "SCRIPT_NAME": "",
            "wsgi.input": BytesIO(body), "wsgi.errors": BytesIO(), "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "192.0.2.1",
            "wsgi.url_scheme": "https", "HTTP_HOST": "cloud.example.org",
        }  # fmt: skip
        for name, value in (headers or _signed_in()).items():
            key = name.upper().replace("-", "_")
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
        told: list[Any] = []
        content = b"".join(self.application(environ, lambda status, found: told.extend((status, found))))
        found = {name.lower(): value for name, value in told[1]}
        return FetchedResponse(URL.rstrip("/") + path, int(told[0].split()[0]), "", content, found)

    # --- what somebody does there with another program ---------------------------------------------------------------

    def make(self, name: str, kind: str) -> str:
        """A collection; returns its address."""
        calendar = kind == "calendar"
        types = "<C:calendar/>" if calendar else "<CR:addressbook/>"
        body = (
            "<D:mkcol xmlns:D='DAV:' xmlns:C='urn:ietf:params:xml:ns:caldav' xmlns:CR='urn:ietf:params:xml:ns:carddav'>"
            f"<D:set><D:prop><D:resourcetype><D:collection/>{types}</D:resourcetype><D:displayname>{name.title()}</D:displayname>"
            "</D:prop></D:set></D:mkcol>"
        )
        answer = self.answer("MKCOL", f"/{LOGIN}/{name}/", body.encode())
        assert answer.status == 201, answer
        return f"{URL}{LOGIN}/{name}/"

    def put(self, url: str, name: str, text: str) -> None:
        headers = _signed_in() | {"Content-Type": "text/calendar" if "VCALENDAR" in text else "text/vcard"}
        answer = self.answer("PUT", urlsplit(url).path + name, text.encode(), headers)
        assert answer.status in (201, 204), (answer.status, answer.content)

    def delete(self, url: str, name: str) -> None:
        assert self.answer("DELETE", urlsplit(url).path + name).status == 200

    def texts(self, url: str) -> dict[str, str]:
        """All items, by their names."""
        path = urlsplit(url).path
        folder = Path(self.application.configuration.get("storage", "filesystem_folder"), "collection-root", path.strip("/"))
        return {file.name: file.read_text() for file in folder.iterdir() if not file.name.startswith(".")}


def _signed_in() -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{LOGIN}:{PASSWORD}".encode()).decode()}


def event(uid: str, title: str, *lines: str) -> str:
    return "\r\n".join(
        [
            "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", "BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20261101T080000Z",
            "DTSTART:20261127T140000Z", "DTEND:20261127T150000Z", f"SUMMARY:{title}", *lines, "END:VEVENT", "END:VCALENDAR", "",
        ]
    )  # fmt: skip


def card(uid: str, name: str, *lines: str) -> str:
    return "\r\n".join(["BEGIN:VCARD", "VERSION:3.0", f"UID:{uid}", f"FN:{name}", f"N:{name};;;;", *lines, "END:VCARD", ""])


class Pair:
    """A collection there and its twin here."""

    def __init__(self, server: OtherServer, settings: Settings, user: User, kind: str) -> None:
        self.server, self.settings, self.user, self.kind = server, settings, user, kind
        self.url = server.make(new_name(), kind)
        self.account = accounts.connect(user, URL, LOGIN, PASSWORD, settings)
        found = FoundCollection(self.url, kind, "Work", components="VEVENT,VTODO" if kind == CALENDAR else "", syncs=True)
        accounts.link(self.account, [found], settings)
        self.link_id = RemoteLink.get(RemoteLink.url == self.url).id

    @property
    def link(self) -> RemoteLink:
        return RemoteLink.get_by_id(self.link_id)

    @property
    def collection(self) -> Collection:
        return self.link.collection

    def sync(self) -> RemoteLink:
        RemoteAccount.update(due=now()).where(RemoteAccount.id == self.account.id).execute()
        assert rounds.synchronise(RemoteAccount.get_by_id(self.account.id), self.settings, self.server.ask)
        return self.link

    def text(self, uid: str, title: str, *lines: str) -> str:
        return card(uid, title, *lines) if self.kind == BOOK else event(uid, title, *lines)

    def write_here(self, href: str, text: str) -> None:
        side = Side(self.link, self.user, self.settings, "")
        checked = local._arrived(side, text).checked
        assert isinstance(checked, CheckedItem)
        with db.atomic():
            item_writes.write(self.collection, href, checked, item_writes.row_at(self.collection, href), self.settings)

    def delete_here(self, href: str) -> None:
        row = item_writes.row_at(self.collection, href)
        assert row is not None
        with db.atomic():
            item_writes.trash(self.collection, [row], self.user.address)

    def write_there(self, name: str, text: str) -> None:
        self.server.put(self.url, name, text)

    def delete_there(self, name: str) -> None:
        self.server.delete(self.url, name)

    def here(self) -> dict[str, str]:
        table: Any = Contact if self.kind == BOOK else CalendarObject
        text = Contact.vcard if self.kind == BOOK else CalendarObject.text
        return dict(table.select(table.href, text).where(table.collection == self.collection).tuples())

    def there(self) -> dict[str, str]:
        return self.server.texts(self.url)

    def equal(self) -> Counter[str]:
        """What both sides have, by titles with their UIDs, which must be the same."""
        here, there = (Counter(map(self.mark, found.values())) for found in (self.here(), self.there()))
        assert here == there
        return Counter(re.sub(r" \[.*", "", one) for one in here.elements())

    @staticmethod
    def mark(text: str) -> str:
        found = re.search(r"^(?:SUMMARY|FN):(.*?)\r?$", text, re.MULTILINE)
        uid = re.search(r"^UID:(.*?)\r?$", text, re.MULTILINE)
        assert found and uid
        return f"{found[1]} [{uid[1]}]"
