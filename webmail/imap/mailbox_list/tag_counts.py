"""Tag counts: how many unread messages of an account have each keyword; counted beside the pages, kept in memory."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from webmail.account import Account, Server
from webmail.errors import MailError
from webmail.imap.connections.account_queue import AccountQueue, ask_apart
from webmail.imap.connections.commands import flag_list, mailbox_name
from webmail.imap.connections.connection import Command, Connection
from webmail.imap.connections.responses import count_of, numbers_of

Answer = dict[str, list[Any]] | MailError

MOST_KEYWORDS = 20  # counted for an account
MOST_MAILBOXES = 100  # in which they are counted
_FRESH_SECONDS = 60.0
_PAUSE_SECONDS = 2.0  # between two counts of an account, however much changes
_KEEP_SECONDS = 900.0
_PATIENCE_SECONDS = 5.0  # to connect, and for each answer
_TAG = re.compile(rb'TAG "[A-Z]*(\d+)"')
_BATCH_BYTES = 24_000  # of commands sent at once: see multi_search.py


@dataclass(slots=True)
class _CachedCounts:
    """What is known of an account. `began`: when it was last counted; `changed`: when a change was last made through Traboule."""

    began: float = -_KEEP_SECONDS
    changed: float = -_KEEP_SECONDS
    counted: frozenset[str] = frozenset()  # keywords
    places: frozenset[str] = frozenset()  # mailboxes
    counts: dict[str, int] = field(default_factory=dict)


_Who = tuple[Server, str]  # mail server and address: the counts outlive a sign-in, its password does not

_kept: dict[_Who, _CachedCounts] = {}
_lock = threading.Lock()


def _who(account: Account) -> _Who:
    return account.imap, account.address


def cached(account: Account) -> dict[str, int]:
    """The unread messages with each keyword, as last counted; keywords that were not counted yet are missing. No round trip."""
    with _lock:
        kept = _kept.get(_who(account))
        return dict(kept.counts) if kept else {}


def changed(account: Account) -> None:
    """Note that messages of the account changed, so that the next page asks for another count."""
    with _lock:
        if kept := _kept.get(_who(account)):
            kept.changed = time.monotonic()


def count_soon(account: Account, keywords: Iterable[str], mailboxes: Iterable[str]) -> None:
    """Have a thread count these keywords in these mailboxes, over a connection of its own, unless that was done a moment ago.
    Returns at once. At most MOST_KEYWORDS and MOST_MAILBOXES."""
    wanted, places = frozenset(list(keywords)[:MOST_KEYWORDS]), frozenset(list(mailboxes)[:MOST_MAILBOXES])
    with _lock:
        if not _is_fresh(_kept.setdefault(_who(account), _CachedCounts()), wanted, places):
            _accounts.put(account, (wanted, places))


def recount_soon(account: Account) -> None:
    """Have what was counted last counted again, if it changed since. Returns at once."""
    with _lock:
        kept = _kept.get(_who(account))
        if kept and kept.counted and not _is_fresh(kept, kept.counted, kept.places):
            _accounts.put(account, (kept.counted, kept.places))


def count(connection: Connection, keywords: Sequence[str], mailboxes: Iterable[str]) -> dict[str, int]:
    """Count the unread messages with each keyword: 1 round trip per 24 KB of commands. Mailboxes that cannot be opened count
    as empty. Raises ServerAwayError."""
    found = dict.fromkeys(keywords, 0)
    size = sum(map(len, keywords)) + 50 * len(keywords)
    several = max(1, _BATCH_BYTES // (size + 200))
    names = list(mailboxes) if keywords else []
    for start in range(0, len(names), several):
        commands = [command for name in names[start : start + several] for command in _commands(connection, keywords, name)]
        answers, each = connection.run_apart(*commands), len(keywords) + 1
        for first in range(0, len(answers), each):
            for keyword, number in zip(keywords, _numbers(answers[first : first + each], len(keywords)), strict=False):
                found[keyword] += number
    return found


def _numbers(answers: Sequence[Answer], expected: int) -> list[int]:
    """The counts in the answers to the commands for one mailbox, in their order; [] if one is missing.

    Not each in the answer to its command: Dovecot says that a SEARCH is done only after the answers to those that follow.
    """
    told = [answer for answer in answers if not isinstance(answer, MailError)]
    counts = sorted((line for answer in told for line in answer.get("ESEARCH", [])), key=_tag_number)
    numbers = [count_of({"ESEARCH": [line]}) or 0 for line in counts]
    numbers = numbers or [len(numbers_of([line])) for answer in told for line in answer.get("SEARCH", [])]
    return numbers if len(numbers) == expected and len(told) == len(answers) else []


def _tag_number(line: bytes) -> int:
    """The number in `(TAG "ABCD12")`: imaplib counts its commands."""
    found = _TAG.search(line)
    return int(found[1]) if found else 0


def _commands(connection: Connection, keywords: Sequence[str], name: str) -> list[Command]:
    ask = (b"SEARCH", b"RETURN (COUNT)") if connection.has("ESEARCH") else (b"SEARCH",)  # RFC 4731
    keys = [b"UNSEEN KEYWORD " + flag_list([keyword])[1:-1] for keyword in keywords]
    return [(b"EXAMINE", mailbox_name(name)), *((*ask, key) for key in keys)]


def _is_fresh(stored: _CachedCounts, wanted: frozenset[str], places: frozenset[str]) -> bool:
    age = time.monotonic() - stored.began
    same = wanted <= stored.counted and places <= stored.places
    return age < _PAUSE_SECONDS or (age < _FRESH_SECONDS and same and stored.changed < stored.began)


def _count(account: Account, work: tuple[frozenset[str], frozenset[str]]) -> None:
    keywords, places = work
    with _lock:
        began = time.monotonic()
        for old in [one for one, kept in _kept.items() if max(kept.began, kept.changed) < began - _KEEP_SECONDS]:
            del _kept[old]
        _kept.setdefault(_who(account), _CachedCounts()).began = began
    found = dict.fromkeys(keywords, 0)
    answer = ask_apart(account, _PATIENCE_SECONDS, lambda one: count(one, sorted(keywords), sorted(places))) if places else found
    with _lock:
        kept = _kept.setdefault(_who(account), _CachedCounts(began))
        if answer is None:
            kept.began = time.monotonic() + _FRESH_SECONDS  # a server that is away is not asked at each page
        else:
            kept.counted, kept.places, kept.counts = keywords, places, answer


_accounts = AccountQueue[tuple[frozenset[str], frozenset[str]]]("tag-counts", _count)  # keywords, mailboxes
