"""How each webmail is asked for the same things: a page of the list, a plain message, a newsletter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote, urlsplit

from tests.bench.letters import LARGE_LETTER, NEWSLETTER, PLAIN
from tests.bench.visitor import COMPRESSED, Answer, Visitor, action, fields, frames, untouched

NEWSLETTER_LINK = "Lire la suite"  # in every newsletter's HTML
FORM = "form.compose-form"


@dataclass(slots=True)
class Form:
    """The form of a message being written: where it goes, and its fields as they stood."""

    path: str
    fields: dict[str, str]


class Webmail(Protocol):
    name: str
    base: str  # http://host:port, no slash at the end
    roots: list[int]  # process ids, for the memory

    def sign_in(self, address: str, password: str) -> Visitor: ...
    def inbox(self) -> str: ...
    def list_page(self, mailbox: str, page: int) -> str: ...
    def plain(self, visitor: Visitor, mailbox: str, uid: int) -> str: ...
    def newsletter(self, visitor: Visitor, mailbox: str, uid: int) -> list[str]: ...
    def large(self, visitor: Visitor, mailbox: str, uid: int) -> str: ...
    def writer(self, address: str, password: str) -> Visitor: ...
    def compose(self) -> str: ...
    def reply(self, mailbox: str, uid: int) -> str: ...
    def begin(self, visitor: Visitor) -> Form: ...
    def send(self, visitor: Visitor, form: Form, to: str, subject: str, text: str, file: bytes = b"") -> float: ...


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

    def large(self, visitor: Visitor, mailbox: str, uid: int) -> str:
        path = f"/message/{uid}/{quote(mailbox)}"
        visitor.expect(path, LARGE_LETTER)
        return path

    def conversation(self, mailbox: str, uid: int) -> str:
        return f"/conversation/{uid}/{quote(mailbox)}"

    def writer(self, address: str, password: str) -> Visitor:
        return self.sign_in(address, password)

    def compose(self) -> str:
        return "/compose"

    def reply(self, mailbox: str, uid: int) -> str:
        return f"/reply/{uid}/{quote(mailbox)}"

    def begin(self, visitor: Visitor) -> Form:
        return self.form(visitor.page(self.compose(), "gzip").text)

    def form(self, html: str) -> Form:
        return Form(action(html, FORM), untouched(html, FORM))

    def press(self, visitor: Visitor, form: Form, button: str, file: bytes = b"", **typed: str) -> Answer:
        """One of the form's buttons, with a file where there are bytes for one. Raises RuntimeError where it was refused."""
        answer = visitor.submit(form.path, {**form.fields, **typed, "action": button}, file)
        if answer.status != 303:
            raise RuntimeError(f"{button}: {answer.status} {answer.text[:300]}")
        return answer

    def send(self, visitor: Visitor, form: Form, to: str, subject: str, text: str, file: bytes = b"") -> float:
        """From the press on "Send" to the next page, ms: POST, 303, GET. The file goes along with it."""
        return visitor.followed(self.press(visitor, form, "send", file, to=to, subject=subject, body=text)).ms

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

    def large(self, visitor: Visitor, mailbox: str, uid: int) -> str:
        return self._preview(visitor, mailbox, uid, LARGE_LETTER)

    def writer(self, address: str, password: str) -> Visitor:
        """Its compose pages are fetched by the browser itself, not by its scripts."""
        visitor = self.sign_in(address, password)
        visitor.headers = {}
        return visitor

    def compose(self) -> str:
        return "/?_task=mail&_action=compose"

    def reply(self, mailbox: str, uid: int) -> str:
        return f"/?_task=mail&_action=compose&_reply_uid={uid}&_mbox={quote(mailbox)}"

    def begin(self, visitor: Visitor) -> Form:
        answer = visitor.get(self.compose())
        place = urlsplit(answer.headers["location"])
        html = visitor.get(f"/?{place.query}").text
        return Form("/?_task=mail&_lang=fr_FR&_framed=1", untouched(html, "form[name=form]"))

    def send(self, visitor: Visitor, form: Form, to: str, subject: str, text: str, file: bytes = b"") -> float:
        """The file as its scripts send it (a request of its own), the form, the page of the list, the list."""
        ms = 0.0
        if file:
            path = f"/?_task=mail&_action=upload&_id={form.fields['_id']}&_uploadid=upload1&_from=compose&_remote=1"
            answer = visitor.submit(path, {"_token": form.fields["_token"]}, file, "_attachments[]")
            if answer.status != 200 or "add2attachment_list" not in answer.text:
                raise RuntimeError(f"upload: {answer.status} {answer.text[-500:]}")
            ms += answer.ms
        answer = visitor.submit(form.path, {**form.fields, "_to": to, "_subject": subject, "_message": text})
        if answer.status != 200 or "sent_successfully" not in answer.text:
            raise RuntimeError(f"send: {answer.status} {answer.text[-500:]}")
        ms += answer.ms + visitor.get(self.inbox(), COMPRESSED).ms
        return ms + visitor.get(self.list_page("INBOX", 1), COMPRESSED).ms

    def _preview(self, visitor: Visitor, mailbox: str, uid: int, needle: str) -> str:
        path = f"/?_task=mail&_mbox={quote(mailbox)}&_uid={uid}&_framed=1&_action=preview"
        visitor.expect(path, needle)
        return path


def _visitor(base: str) -> Visitor:
    parts = urlsplit(base)
    return Visitor(str(parts.hostname), int(parts.port or 80))
