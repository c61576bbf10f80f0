"""How each webmail is asked for the same things: a page of the list, a plain message, a newsletter."""

from __future__ import annotations

import re
from typing import Protocol
from urllib.parse import quote, urlsplit

from tests.bench.letters import NEWSLETTER, PLAIN
from tests.bench.visitor import Visitor, fields, frames

NEWSLETTER_LINK = "Lire la suite"  # in every newsletter's HTML


class Webmail(Protocol):
    name: str
    base: str  # http://host:port, no slash at the end
    roots: list[int]  # process ids, for the memory

    def sign_in(self, address: str, password: str) -> Visitor: ...
    def inbox(self) -> str: ...
    def list_page(self, mailbox: str, page: int) -> str: ...
    def plain(self, visitor: Visitor, mailbox: str, uid: int) -> str: ...
    def newsletter(self, visitor: Visitor, mailbox: str, uid: int) -> list[str]: ...


class Traboule:
    """Full pages, as a browser without scripts asks for them; with scripts they are smaller."""

    name = "Traboule"

    def __init__(self, base: str, roots: list[int]) -> None:
        self.base, self.roots = base, roots

    def sign_in(self, address: str, password: str) -> Visitor:
        visitor = _visitor(self.base)
        form = fields(visitor.get("/login").text)
        answer = visitor.post("/login", {**form, "username": address, "password": password, "shared": ""})
        if answer.status != 303:
            raise RuntimeError(f"sign-in of {address}: {answer.status} {answer.text[:300]}")
        return visitor

    def inbox(self) -> str:
        return "/mailbox/INBOX"

    def list_page(self, mailbox: str, page: int) -> str:
        return f"/mailbox/{quote(mailbox)}" + (f"?page={page}" if page > 1 else "")

    def plain(self, visitor: Visitor, mailbox: str, uid: int) -> str:
        path = f"/message/{uid}/{quote(mailbox)}"
        visitor.expect(path, PLAIN)
        return path

    def newsletter(self, visitor: Visitor, mailbox: str, uid: int) -> list[str]:
        path = f"/message/{uid}/{quote(mailbox)}"
        frame = frames(visitor.expect(path, NEWSLETTER).text)[0]
        visitor.expect(frame, NEWSLETTER_LINK)
        return [path, frame]

    def search(self, mailbox: str, words: str) -> str:
        return f"/mailbox/{quote(mailbox)}?query={quote(words)}"


class Roundcube:
    """Its list comes as JSON into a page that is there already, its messages as a page in a frame."""

    name = "Roundcube"

    def __init__(self, base: str, roots: list[int]) -> None:
        self.base, self.roots = base, roots

    def sign_in(self, address: str, password: str) -> Visitor:
        visitor = _visitor(self.base)
        form = fields(visitor.get("/").text)
        answer = visitor.post("/?_task=login", {**form, "_user": address, "_pass": password})
        if answer.status != 302:
            raise RuntimeError(f"sign-in of {address}: {answer.status} {answer.text[:300]}")
        token = re.search(r'"request_token":"(\w+)"', visitor.get("/?_task=mail&_mbox=INBOX").text)
        if not token:
            raise RuntimeError(f"sign-in of {address}: the mail page holds no token")
        visitor.headers = {"X-Roundcube-Request": token[1], "X-Requested-With": "XMLHttpRequest"}
        return visitor

    def inbox(self) -> str:
        return "/?_task=mail&_mbox=INBOX"

    def list_page(self, mailbox: str, page: int) -> str:
        return f"/?_task=mail&_action=list&_refresh=1&_layout=widescreen&_mbox={quote(mailbox)}&_page={page}&_remote=1"

    def plain(self, visitor: Visitor, mailbox: str, uid: int) -> str:
        return self._preview(visitor, mailbox, uid, PLAIN)

    def newsletter(self, visitor: Visitor, mailbox: str, uid: int) -> list[str]:
        return [self._preview(visitor, mailbox, uid, NEWSLETTER_LINK)]

    def _preview(self, visitor: Visitor, mailbox: str, uid: int, needle: str) -> str:
        path = f"/?_task=mail&_mbox={quote(mailbox)}&_uid={uid}&_framed=1&_action=preview"
        visitor.expect(path, needle)
        return path


def _visitor(base: str) -> Visitor:
    parts = urlsplit(base)
    return Visitor(str(parts.hostname), int(parts.port or 80))
