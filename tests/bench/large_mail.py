"""Mailboxes of 1,000 up to 1,000,000 messages for `large.py`: their made-up mail, and how it gets into the mail server."""

from __future__ import annotations

import imaplib
import json
import random
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from email.utils import format_datetime
from functools import cache
from pathlib import Path

from imapclient import imap_utf7

from deploy.demo import accounts
from deploy.demo.child import HOST, ServiceFailedError
from deploy.demo.services import Services
from tests.bench.fill import maildir, write_letters
from tests.bench.letters import NEWEST, Letter, encoded, random_person, random_subject
from webmail import models

ASIDE = "Rangées"  # the folder that messages are moved to and back from
ASIDE_ENCODED = imap_utf7.encode(ASIDE).decode()  # RFC 3501 section 5.1.3
RARE = 50  # messages of one sender, and as many with one word, in a mailbox of any size
RARE_SENDER, RARE_WORD = "zephyrine@ailleurs.example", "quixotique"
TALK, TALK_GAP = 20, 7  # messages of the conversation that is opened, and how many others stand between two of them
_GAP = timedelta(minutes=4)  # between two messages: a million are seven and a half years
_EDITION = "4"  # another value makes the mail anew

# Of each 20 messages in a row: which of them answers which (-1: it begins a conversation). 12 conversations of 1 to 4.
_ANSWERS = (-1, -1, 0, -1, 2, -1, -1, 1, -1, 4, -1, 6, -1, -1, 10, -1, 11, -1, 12, -1)
_HEADERS = (
    "SUBJECT FROM TO CC DATE MESSAGE-ID IN-REPLY-TO REFERENCES REPLY-TO SENDER BCC CONTENT-TYPE LIST-ID IMPORTANCE X-PRIORITY"
)


def owner_of(size: int) -> str:
    """Whose inbox holds so many messages: a person each, since all mailboxes of one weigh on each of her pages."""
    return f"boite{size}@{accounts.DOMAIN}"


def letters(total: int, to: str) -> Iterator[Letter]:
    """The messages of a mailbox, oldest first: the same for the same numbers."""
    return (_letter(place, total, to) for place in range(total))


def talk_places(total: int) -> list[int]:
    """Where the messages of the conversation stand, which are near the newest of the mailbox."""
    return [total - 10 - TALK_GAP * back for back in reversed(range(TALK))]


def fill(services: Services, size: int) -> dict[str, float]:
    """One mailbox, written and indexed, as far as it is not yet. Returns the seconds that each step took when it was done."""
    stamp = services.base / f"filled-{size}.json"
    took = _known(stamp)
    address = owner_of(size)
    steps: dict[str, Callable[[], object]] = {
        "written": lambda: _write(services, address, size),
        "found by the server": lambda: _doveadm(services, "mailbox", "status", "-u", address, "messages vsize", "INBOX"),
        "headers cached": lambda: _cache_headers(services, address, size),
        "word index": lambda: _index_words(services, address),
    }
    for name, do in steps.items():
        if name not in took:
            began = time.monotonic()
            do()
            took[name] = round(time.monotonic() - began, 1)
            stamp.write_text(json.dumps({"edition": _EDITION, "took": took}))
    return took


def _known(stamp: Path) -> dict[str, float]:
    known = json.loads(stamp.read_text()) if stamp.exists() else {}
    return dict(known["took"]) if known.get("edition") == _EDITION else {}


def _write(services: Services, address: str, size: int) -> None:
    _account(services, address)
    folder = maildir(services, address)
    shutil.rmtree(folder.parent, ignore_errors=True)
    write_letters(services.owner, folder, letters(size, address))
    write_letters(services.owner, folder / ASIDE, [])


def _cache_headers(services: Services, address: str, size: int) -> None:
    """Has the server keep what delivery would have made it keep: the headers that lists, threads and searches need."""
    items = f"(UID FLAGS RFC822.SIZE INTERNALDATE PREVIEW BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS ({_HEADERS})])"
    client = imaplib.IMAP4(HOST, services.ports.imap)
    client.login(address, services.password)
    client.select("INBOX", readonly=True)
    for first in range(1, size + 1, 2000):
        answer, lines = client.fetch(f"{first}:{min(first + 1999, size)}", items)
        if answer != "OK":
            raise ServiceFailedError(f"the mail server can't read the mailbox: {lines!r}")
    client.logout()


def _index_words(services: Services, address: str) -> None:
    """As deliveries would, but with one language only: telling languages apart takes 70% of the time, and these words are of
    none. Searches find the same. Begun anew each time: one that was broken off may be damaged."""
    full = (services.base / "etc" / "dovecot.conf").read_text()
    plain = services.base / "etc" / "one-language.conf"
    plain.write_text(re.sub(r"^language (?!fr )\w+ \{.*?^\}\n", "", full, flags=re.MULTILINE | re.DOTALL))
    for words in (["fts", "flatcurve", "remove"], ["fts", "rescan"], ["index"]):
        _doveadm(services, *words, "-u", address, *(() if "rescan" in words else ("INBOX",)), configuration=plain.name)


def _doveadm(services: Services, *words: str, configuration: str = "dovecot.conf") -> None:
    file = str(services.base / "etc" / configuration)
    command = ["/usr/bin/setpriv", "--pdeathsig", "TERM", "--", "/usr/bin/doveadm", "-c", file, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ServiceFailedError(f"{' '.join(command)}: {done.stderr.strip()[-500:]}")


def _account(services: Services, address: str) -> None:
    with accounts.tables(services.database):
        there = models.User.select().where(models.User.address == address).exists()
    if not there:
        services.add_account(address, address.partition("@")[0].capitalize(), quota=100 * 1024**3)


# --- one message -----------------------------------------------------------------------------------------------------


def _letter(place: int, total: int, to: str) -> Letter:
    choose = random.Random(place)
    when = NEWEST - (total - place) * _GAP
    name, address = random_person(choose)
    title, answers = _title_and_answers(place, total, choose)
    body = _body(choose)
    step = max(total // RARE, 2)
    if place % step == 1:
        name, address = "Zéphyrine Ailleurs", RARE_SENDER
    if place % step == 0:
        body = f"{body} {RARE_WORD}."
    stamp, key = format_datetime(when), choose.getrandbits(64)
    head = (
        f"Return-Path: <{address}>\r\nDelivered-To: {to}\r\n"
        f"Received: from mx.lycee.example ([192.0.2.9]) by mail.lycee.example with LMTP id {key:016X}\r\n"
        f" (envelope-from <{address}>) for <{to}>; {stamp}\r\n"
        f"Received: from relay.example (relay.example [192.0.2.7]) by mx.lycee.example (Postfix)\r\n"
        f" with ESMTPS id {key >> 24:010X} for <{to}>; {stamp}\r\n"
        f"Authentication-Results: lycee.example; dkim=pass header.d=ecole.example; spf=pass smtp.mailfrom={address}\r\n"
        f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple; d=ecole.example; s=k1; h=from:to:subject:date;\r\n"
        f" bh={key:016x}{key ^ 0xFFFF:016x}; b={key:016x}{key >> 3:016x}{key >> 5:016x}\r\n"
        f"From: {encoded(name)} <{address}>\r\nTo: <{to}>\r\nSubject: {encoded(title)}\r\nDate: {stamp}\r\n"
        f"Message-ID: {_id(place)}\r\n{_references(answers)}MIME-Version: 1.0\r\nUser-Agent: Bench 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    )
    return Letter(f"{head}{body}\r\n".encode(), when, choose.random() < 0.8, False)


def _title_and_answers(place: int, total: int, choose: random.Random) -> tuple[str, list[int]]:
    """The subject, and the places of the messages that it answers, the first of the conversation first."""
    talk = talk_places(total)
    if place in talk:
        before = talk[: talk.index(place)]
        return ("Re: " if before else "") + "Bench, a conversation", before
    answers: list[int] = []
    inside = place % len(_ANSWERS)
    while (inside := _ANSWERS[inside]) >= 0:
        answers.insert(0, place - place % len(_ANSWERS) + inside)
    if any(one in talk for one in answers):
        answers = []
    title = random_subject(random.Random(answers[0] if answers else place))
    return (f"Re: {title}" if answers else title), answers


def _id(place: int) -> str:
    return f"<{place}.large.bench@ecole.example>"


def _references(answers: list[int]) -> str:
    if not answers:
        return ""
    return f"In-Reply-To: {_id(answers[-1])}\r\nReferences: {' '.join(map(_id, answers[-10:]))}\r\n"


_STARTS, _VOWELS = "b c d f g j l m n p r s t v ch tr pl", "a e i o u ou an"


@cache
def _vocabulary() -> list[str]:
    """8,000 words of syllables: an index of sixty words would say nothing about one of real mail."""
    choose = random.Random("vocabulary")
    syllables = [start + vowel for start in _STARTS.split() for vowel in _VOWELS.split()]
    return sorted({"".join(choose.choices(syllables, k=choose.randint(1, 4))) for _ in range(9000)}, key=len)[:8000]


def _body(choose: random.Random) -> str:
    """15 to 35 words, short ones far more often than long ones, as in a language. More would only take longer to index."""
    words, number = _vocabulary(), choose.randint(15, 35)
    text = [words[int(len(words) * choose.random() ** 3)] for _ in range(number)]
    return "\r\n".join(" ".join(text[first : first + 12]) for first in range(0, number, 12))
