"""An odd mailbox: any number of messages that are easily lost, doubled or changed on their way from one account into another."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from imapclient import IMAPClient

FOLDERS = (
    "INBOX", "Classe/3e B", "Corbeille", "INBOX/sous", "Sent", "Spam", "Drafts", "classe", "Trash", "Projets.2024", "a&b 日本",
    "Point : deux ?", "Archives.mbox/2019",
)  # fmt: skip
_FLAGS = ((), ("\\Seen",), ("\\Seen", "\\Answered"), ("\\Flagged",), ("\\Draft", "\\Seen"), ("\\Seen", "classe_3e"), ("\\Draft",))
_ODD_HEADERS = (
    "X-Mozilla-Status: 0008", "X-Gmail-Labels: Corbeille,Spam", "Status: D", "X-Status: D", "X-Keywords: faux",
    "X-Mozilla-Keys: $label1", "X-GM-THRID: 17", "Content-Length: 3", "Lines: 2",
)  # fmt: skip
_BODIES = (
    "Bonjour\r\n", "From here on it rains.\r\n>From there too\r\n", "\r\nFrom z@far.example Tue Mar  5 09:00:00 2019\r\nTo: b\r\n",
    "sans fin de ligne", "trois\r\n\r\n\r\n", "é è à ç\r\n", "", "a\rb\r\n", ".\r\n..\r\n", "long " * 4000 + "\r\n",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class OddLetter:
    """A message, and how it lies in its folder."""

    folder: str
    raw: bytes
    flags: tuple[str, ...]
    received: datetime


def letters(count: int) -> Iterator[OddLetter]:
    """Ten in a row are: five scans alike but for their content, three the same, two with one Message-ID."""
    began = datetime(2019, 3, 5, 9, 0, 7, tzinfo=UTC)
    for number in range(count):
        ten, place = divmod(number, 10)
        if place < 5:
            head = ["From: scanner@lycee.example", "Subject: Scan"]
            body = hashlib.sha256(f"{ten} {place}".encode()).hexdigest() + "\r\n"
        elif place < 8:
            head, body = [f"From: a{ten}@far.example", "Subject: thrice", f"Message-ID: <{ten}@far.example>"], "the same\r\n"
        else:
            head = ["From: =?utf-8?q?Zo=C3=A9?= <z@far.example>", f"Subject: {ten}", f"Message-ID: <two-{ten}@far.example>"]
            body = ("other " if place == 8 else "") + _BODIES[ten % len(_BODIES)]
        if place >= 8:
            odd = _ODD_HEADERS[ten % len(_ODD_HEADERS)]
            head = [odd, *head] if place == 8 else [*head, odd, "Received: by far.example; Mon, 4 Mar 2013 10:00:00 +0100"]
        raw = ("\r\n".join(head) + "\r\n\r\n" + body).encode()
        folder = FOLDERS[ten % len(FOLDERS)]
        yield OddLetter(folder, raw, _FLAGS[number % len(_FLAGS)], began + timedelta(hours=number))


def fill(client: IMAPClient, count: int) -> None:
    there = {name for _flags, _delimiter, name in client.list_folders()}
    for name in FOLDERS:
        if name not in there:
            client.create_folder(name)
    by_folder: dict[str, list[dict[str, Any]]] = {}
    for one in letters(count):
        by_folder.setdefault(one.folder, []).append({"msg": one.raw, "flags": one.flags, "date": one.received})
    for folder, messages in by_folder.items():
        client.multiappend(folder, messages)


def content(client: IMAPClient) -> Counter[tuple[str, bytes, tuple[bytes, ...], datetime]]:
    """All that lies in a mailbox: folder, bytes without the line ends at the end, flags, moment of arrival."""
    found: Counter[tuple[str, bytes, tuple[bytes, ...], datetime]] = Counter()
    for listed, _delimiter, name in client.list_folders():
        if {flag.lower() for flag in listed} & {b"\\noselect", b"\\nonexistent"}:
            continue
        client.select_folder(name, readonly=True)
        uids = client.search()
        for at in range(0, len(uids), 200):
            told = client.fetch(uids[at : at + 200], ["FLAGS", "INTERNALDATE", "BODY.PEEK[]"])
            for one in told.values():
                flags = tuple(sorted(flag for flag in one[b"FLAGS"] if not flag.startswith((b"\\Recent", b"$Has"))))
                found[(name, one[b"BODY[]"].rstrip(b"\r\n"), flags, one[b"INTERNALDATE"])] += 1
    return found
