"""Earlier messages: whether a mailbox has one from the same address as the message that is read."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import replace
from typing import Any

from webmail.account import Account
from webmail.imap.connections.commands import quoted
from webmail.imap.connections.connection import Command, Connection
from webmail.imap.connections.optional import optional
from webmail.imap.connections.responses import count_of, numbers_of
from webmail.mail import Message

_LOOKED_BACK = 2_000  # messages that are searched: each one that is not cached takes the server 0.2 ms
_REMEMBERED = 5_000  # answers, of everybody together
_REMEMBERED_SECONDS = 600.0

_answers: OrderedDict[tuple[object, ...], tuple[bool, float]] = OrderedDict()  # the answer, and until when it is good
_lock = threading.Lock()


def looked_for(account: Account, message: Message) -> Message:
    """The message with `earlier` and `looked_back` filled in, if its sender is a stranger: 1 round trip, 0 if it was searched
    within ten minutes. No message can arrive before it, but those that were there may have been removed meanwhile.

    As it was if the server is slow or refuses: then nobody is told that this is the first message of an address.
    """
    if not message.stranger or not message.place:
        return message
    earlier = message.place > 1 and _remembered(account, message)
    return replace(message, earlier=earlier, looked_back=_LOOKED_BACK if message.place > _LOOKED_BACK + 1 else 0)


def _remembered(account: Account, message: Message) -> bool | None:
    key = (account.imap, account.address, message.mailbox, message.uidvalidity, message.uid, message.stranger)
    at = time.monotonic()
    with _lock:
        answer, until = _answers.get(key, (False, 0.0))
    if until > at:
        return answer
    found = optional(account, message.mailbox, lambda connection: _search(connection, message), None)
    if found is not None:
        with _lock:
            _answers[key] = (found, at + _REMEMBERED_SECONDS)
            while len(_answers) > _REMEMBERED:
                _answers.popitem(last=False)
    return found


def forget_all() -> None:
    with _lock:
        _answers.clear()


def _search(connection: Connection, message: Message) -> bool:
    """Dovecot reads the From of each of these messages: 0.4 ms for 1,000 in its cache, but 20 s for 100,000 that are not."""
    before = b"%d:%d" % (max(message.place - _LOOKED_BACK, 1), message.place - 1)
    returning = (b"RETURN (COUNT)",) if connection.has("ESEARCH") else ()
    # also by UID: messages may have been removed, so that the numbers are those of others
    uids = b"1:%d" % max(message.uid - 1, 1)
    search: Command = (b"UID SEARCH", *returning, before, b"UID", uids, b"FROM", quoted(message.stranger))
    return _has_results(connection.select(message.mailbox, message.uidvalidity, search))


def _has_results(untagged: dict[str, list[Any]]) -> bool:
    """Whether SEARCH, or ESEARCH (RFC 4731 section 3.1), found any."""
    return bool(numbers_of(untagged.get("SEARCH", []))) or bool(count_of(untagged))
