"""Forgeries: ways to write From, and ways to come, of tests/samples/forgeries.tsv, and what row and page say of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from deploy.demo.accounts import PEOPLE, Person
from webmail.config.settings import Settings
from webmail.imap.lists.listing import summary_of
from webmail.mail import Message, Structure
from webmail.message import sender_check
from webmail.mime.headers import headers, proof
from webmail.models import User
from webmail.people import impostors

TABLE = Path(__file__).resolve().parents[1] / "samples" / "forgeries.tsv"
SETTINGS = Settings(name="Lycée Ampère", domain="lycee.example", authserv_id="lycee.example", secret_key="k" * 32)
MALLORY = Person("mallory@lycee.example", "Mallory Petit")  # a pupil
_LMTP = "Received: from mx ([10.1.1.1]) by store with LMTP id 1; Tue, 24 Nov 2026 14:02:01 +0100\r\n"
_OUTSIDE = "Received: from localhost (evil.example [198.51.100.9]) by mx with ESMTPS id 2; Tue, 24 Nov 2026 14:02:00 +0100\r\n"
_SIGNED_IN = "Received: from phone (x [198.51.100.9]) by mx with ESMTPSA id 2; Tue, 24 Nov 2026 14:02:00 +0100\r\n"
_LOOPBACK = "Received: from localhost ([127.0.0.1]) by mx with ESMTP id 2; Tue, 24 Nov 2026 14:02:00 +0100\r\n"
_RESULTS = "Authentication-Results: lycee.example; "

WAYS = {
    "outside": "from outside; our server's milter is away",
    "checked": "from outside; our server checked it, and nothing is published",
    "forged": "from outside, with results in our name; the milter is away",
    "forged twice": "from outside, with results in our name below ours",
    "passed": "from outside; DMARC passed",
    "failed": "from outside; DMARC failed",
    "spf": "from outside; SPF passed for mallory",
    "mallory": "mallory signed in; the milter said so",
    "mallory as": "mallory signed in, and the milter took her word for From",
    "mallory, away": "mallory signed in; the milter is away",
    "mallory, forged": "mallory signed in, with results in our name; the milter is away",
    "owner": "whoever owns From signed in; the milter said so",
    "machine": "our own machine wrote it",
    "found": "no trace of a way: an imported or old message",
    "unset": "no authserv_id is set; with results in our name",
    "marked": "our outbox sent it; no authserv_id is set",
    "lifted": "with the mark of another message of the same author",
    "marked by others": "with a mark by another key",
}


@dataclass(frozen=True, slots=True)
class Forgery:
    """What it tries; the value of From, and further headers; how it came. Then what is expected of it."""

    tries: str
    sender: str
    way: str
    row: str  # "" or "address": beside the name stands the address
    verdict: str
    kinds: str


@dataclass(frozen=True, slots=True)
class Seen:
    row: str
    verdict: str
    kinds: str


def table() -> Iterator[Forgery]:
    """The lines of the table; what can't be seen is escaped there as in Python."""
    for line in TABLE.read_text(encoding="utf-8").splitlines()[1:]:
        way, tries, sender, row, verdict, kinds = line.split("\t")
        readable = sender.encode("ascii", "backslashreplace").decode("unicode_escape")
        yield Forgery(tries, readable, way, row, verdict, kinds)


def people() -> tuple[Person, ...]:
    return (*PEOPLE, MALLORY)


def seen(one: Forgery, user: User) -> Seen:
    """What the row of a list and the page of a message say, of headers as the IMAP server gives them."""
    settings = SETTINGS if one.way not in ("unset", "marked", "lifted", "marked by others") else replace(SETTINGS, authserv_id="")
    raw = _message(one)
    head = raw.partition(b"\r\n\r\n")[0] + b"\r\n"
    row = summary_of(1, {b"BODY[HEADER.FIELDS (FROM TO SUBJECT DATE)]": head})
    doubtful = impostors.marked(user, row.sender, settings)
    envelope, trace = headers.envelope(head), headers.trace(head, head)
    whole = raw if sender_check.needs_whole(trace, envelope, user, settings) else b""
    message = Message(
        "INBOX", 1, 1, frozenset(), len(raw), datetime.now(UTC), envelope, Structure(), trace=trace, whole=whole, earlier=True
    )
    trust = sender_check.judge(message, user, settings)
    kinds = ", ".join(sorted(warning.kind for warning in trust.warnings))
    return Seen("address" if doubtful else "", trust.verdict, kinds)


def _message(one: Forgery) -> bytes:
    own = f"From: {one.sender}\r\nTo: alice@lycee.example\r\nSubject: x\r\nMessage-ID: <1@x>\r\n"
    author = next((a.email for a in headers.envelope(own.encode()).sender), "")
    domain = author.rpartition("@")[2]
    auth = "auth=pass (login) smtp.auth={0} smtp.mailfrom={0} header.from={1}"
    lie = f"{_RESULTS}{auth.format(author, author)}; dmarc=pass header.from={domain}; dkim=pass header.d={domain}\r\n"
    checked = f"{_RESULTS}spf=none smtp.mailfrom={author}; dkim=none; dmarc=none header.from={domain}\r\n"
    mallory = MALLORY.address
    way = {
        "outside": _LMTP + _OUTSIDE,
        "checked": _LMTP + checked + _OUTSIDE,
        "forged": _LMTP + _OUTSIDE + lie,
        "forged twice": _LMTP + checked + lie + _OUTSIDE + lie,
        "passed": f"{_LMTP}{_RESULTS}dkim=pass header.d={domain}; dmarc=pass header.from={domain}\r\n{_OUTSIDE}",
        "failed": f"{_LMTP}{_RESULTS}spf=fail smtp.mailfrom={author}; dmarc=fail header.from={domain}\r\n{_OUTSIDE}",
        "spf": f"{_LMTP}{_RESULTS}spf=pass smtp.mailfrom={mallory}\r\n{_OUTSIDE}",
        "mallory": f"{_LMTP}{_RESULTS}{auth.format(mallory, author)}\r\n{_SIGNED_IN}",
        "mallory as": f"{_LMTP}{_RESULTS}auth=pass smtp.auth={mallory}; dkim=pass header.d={domain}\r\n{_SIGNED_IN}",
        "mallory, away": _LMTP + _SIGNED_IN,
        "mallory, forged": _LMTP + _SIGNED_IN + lie,
        "owner": f"{_LMTP}{_RESULTS}{auth.format(author, author)}\r\n{_SIGNED_IN}",
        "machine": f"{_LMTP}{_RESULTS}dkim=none; dmarc=fail header.from={domain}\r\n{_LOOPBACK}",
        "unset": lie,
    }.get(one.way, "")
    message = f"{own}\r\nBonjour\r\n".encode()
    mark = {
        "marked": lambda: proof.header(message, SETTINGS.secret_key),
        "lifted": lambda: proof.header(message.replace(b"Bonjour", b"Bonsoir"), SETTINGS.secret_key),
        "marked by others": lambda: proof.header(message, "x" * 32),
    }.get(one.way, lambda: b"")()
    return way.encode() + mark + message
