"""Recent HTML: what the page of a message read of its HTML, for the frame in it, which asks for the same a moment later.

In the memory of this process, for one session of one account, for seconds, and once. A frame that another process answers, or for
which there was no space, asks the mail server.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import NamedTuple

from webmail.account import Account, Server
from webmail.mail import Message

SECONDS = 30.0
MOST_BYTES = 4_000_000  # of everybody together
MOST_OF_ONE = 500_000  # bytes of one session


class _Position(NamedTuple):
    """All that must be the same."""

    session: str
    address: str
    server: Server
    mailbox: str
    uidvalidity: int
    uid: int


class _Html(NamedTuple):
    until: float
    parts: dict[str, bytes]  # by section
    size: int


_recent: OrderedDict[_Position, _Html] = OrderedDict()  # the oldest first
_lock = threading.Lock()


def keep(session: str, account: Account, message: Message) -> None:
    """Keep the HTML of a message that was read, for its frame in the same session (the `id` of one, "" for none)."""
    if not session or not message.html:
        return
    at = _Position(session, account.address, account.imap, message.mailbox, message.uidvalidity, message.uid)
    parts = {section: text.encode("utf-8", "surrogatepass") for section, text in message.html.items()}
    found = _Html(time.monotonic() + SECONDS, parts, sum(map(len, parts.values())))
    if found.size > MOST_OF_ONE:
        return
    with _lock:
        _recent.pop(at, None)
        _recent[at] = found
        _drop_what_is_too_much(session)


def take(session: str, account: Account, mailbox: str, uid: int, uidvalidity: int | None) -> dict[str, str]:
    """The HTML parts of that message by section, if they were kept a moment ago; they are forgotten then."""
    at = _Position(session, account.address, account.imap, mailbox, uidvalidity or 0, uid)
    with _lock:
        found = _recent.pop(at, None)
    if found is None or found.until < time.monotonic():
        return {}
    return {section: part.decode("utf-8", "surrogatepass") for section, part in found.parts.items()}


def forget_all() -> None:
    with _lock:
        _recent.clear()


def _drop_what_is_too_much(session: str) -> None:
    """What is too old, and the oldest of what has too many bytes."""
    now = time.monotonic()
    of_one = sum(html.size for at, html in _recent.items() if at.session == session)
    of_all = sum(html.size for html in _recent.values())
    for at, html in list(_recent.items()):
        if html.until < now or of_all > MOST_BYTES or (at.session == session and of_one > MOST_OF_ONE):
            del _recent[at]
            of_all -= html.size
            of_one -= html.size if at.session == session else 0
