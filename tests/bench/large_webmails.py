"""How each webmail is asked for what `large.py` measures: searches, conversations, and what is done to 1,000 messages at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from tests.bench.large_mail import ASIDE, ASIDE_ENCODED, TALK
from tests.bench.visitor import Visitor, fields, untouched
from tests.bench.webmails import Roundcube, Traboule

INBOX = "INBOX"


class SomethingElse(RuntimeError):
    """The webmail answered with another thing than was asked for; the message says with what, in a word or two."""


@dataclass(slots=True)
class Person:
    """Somebody who is signed in, and what her webmail lets her do."""

    visitor: Visitor
    ways: OurWays | TheirWays

    def shows(self, path: str) -> float:
        """What a page takes, ms. Raises RuntimeError where it is none."""
        return self.visitor.page(path).ms

    def shows_what_is_asked(self, path: str) -> None:
        """Raises SomethingElse for a list without rows, or one that is not by conversation, and for a conversation of fewer
        messages than it has: the time would be that of another thing."""
        answer = self.visitor.get(path)
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")
        if "/conversation/" in path:
            if answer.text.count('class="turn"') != TALK:
                raise SomethingElse("message alone")
        elif self.ways.row not in answer.text:
            raise SomethingElse("no rows")
        elif 'notice notice-plain" role="status">' in answer.text:
            raise SomethingElse("one by one")


class OurWays:
    """Traboule: from the press on a button to the list behind the redirection, as a browser without scripts sees it."""

    name = Traboule.name
    row = "data-row"  # stands in each row of a list

    def __init__(self, app: Traboule) -> None:
        self.app = app
        self.roots = app.roots  # processes whose memory is measured

    def sign_in(self, address: str, password: str) -> Person:
        return Person(self.app.sign_in(address, password), self)

    def page(self, number: int) -> str:
        return self.app.list_page(INBOX, number)

    def search(self, words: str, sender: bool) -> str:
        return self.app.search(INBOX, f"from:{words}" if sender else words)

    def conversation(self, uid: int) -> str:
        return self.app.conversation(INBOX, uid)

    def group(self, person: Person, on: bool) -> None:
        path = f"/conversations/{quote(INBOX)}"
        form = fields(person.visitor.get(self.page(1)).text)
        answer = person.visitor.post(path, {"csrf_token": form["csrf_token"], "grouped": "1" if on else ""})
        if answer.status != 303:
            raise RuntimeError(f"{path}: {answer.status}")

    def mark(self, person: Person, uids: Sequence[int], read: bool) -> float:
        return self._press(person, INBOX, uids, "read" if read else "unread")

    def move(self, person: Person, uids: Sequence[int]) -> float:
        return self._press(person, INBOX, uids, f"move:{ASIDE}")

    def move_back(self, person: Person, _uids: Sequence[int]) -> float:
        """By "Undo" in the notice on the next page."""
        html = person.visitor.get(self.page(1)).text
        answer = person.visitor.post("/undo", untouched(html, 'form[action$="/undo"]'))
        return answer.ms + person.visitor.page(self.page(1)).ms

    def _press(self, person: Person, mailbox: str, uids: Sequence[int], action: str) -> float:
        form = untouched(person.visitor.get(self.page(1)).text, "form#messages")
        path = f"/act/{quote(mailbox)}"
        answer = person.visitor.post(path, {**form, "uids": ",".join(map(str, uids)), "action": action})
        if answer.status != 303:
            raise RuntimeError(f"{action}: {answer.status}")
        return person.visitor.followed(answer).ms


class TheirWays:
    """Roundcube: one request, whose answer changes the list that is there."""

    name = Roundcube.name
    row = "add_message_row"

    def __init__(self, app: Roundcube) -> None:
        self.app = app
        self.roots: list[int] = []

    def sign_in(self, address: str, password: str) -> Person:
        return Person(self.app.sign_in(address, password), self)

    def page(self, number: int) -> str:
        return self.app.list_page(INBOX, number)

    def search(self, words: str, sender: bool) -> str:
        where = "from" if sender else "text"
        return f"/?_task=mail&_action=search&_mbox={INBOX}&_q={quote(words)}&_headers={where}&_scope=base&_remote=1"

    def group(self, person: Person, on: bool) -> None:
        person.visitor.get(f"/?_task=mail&_mbox={INBOX}&_threads={int(on)}")

    def mark(self, person: Person, uids: Sequence[int], read: bool) -> float:
        return self._ask(person, "mark", {"_flag": "read" if read else "unread"}, INBOX, uids)

    def move(self, person: Person, uids: Sequence[int]) -> float:
        return self._ask(person, "move", {"_target_mbox": ASIDE_ENCODED}, INBOX, uids)

    def move_back(self, person: Person, uids: Sequence[int]) -> float:
        """It undoes nothing: the messages are moved from the other folder."""
        person.visitor.get(self.app.list_page(ASIDE_ENCODED, 1))
        ms = self._ask(person, "move", {"_target_mbox": INBOX}, ASIDE_ENCODED, uids)
        person.visitor.get(self.page(1))
        return ms

    def _ask(self, person: Person, action: str, more: dict[str, str], mailbox: str, uids: Sequence[int]) -> float:
        values = {"_uid": ",".join(map(str, uids)), "_mbox": mailbox, "_remote": "1", **more}
        answer = person.visitor.post(f"/?_task=mail&_action={action}", values)
        if answer.status != 200 or '"confirmation"' not in answer.text.replace("\\", ""):
            raise RuntimeError(f"{action}: {answer.status} {answer.text[:300]}")
        return answer.ms
