"""Mail that Dovecot encrypts on disk: what delivery, opening, lists, searches and space cost beside mail in clear.

`python -m tests.bench.mail_at_rest [MESSAGES]` (1000): three Dovecots one after the other, each with the same letters of 2 to 40 kB in one
folder, the first twentieth delivered by LMTP. Prints a table in Markdown. Times are medians, in milliseconds.
"""

from __future__ import annotations

import os
import random
import smtplib
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError

from deploy.demo.child import HOST
from deploy.demo.services import Services
from deploy.dovecot.render import MAIL_ENCRYPTION
from tests.support.passing_folder import passing_folder

_PERSON = "alice@lycee.example"
_PAGE = 50  # rows of a list
_ROW = ["FLAGS", "INTERNALDATE", "RFC822.SIZE", "BODY.PEEK[HEADER.FIELDS (FROM TO CC SUBJECT DATE MESSAGE-ID REFERENCES)]"]
_VOCABULARY = [f"mot{number}" for number in range(5000)]


def letter(number: int) -> bytes:
    """The same message for the same number: words of a vocabulary, and one word that no other has."""
    chance = random.Random(number)
    words = chance.choices(_VOCABULARY, k=chance.randint(300, 6000))
    lines = [" ".join(words[at : at + 10]) for at in range(0, len(words), 10)]
    head = f"From: <sender{number % 40}@lycee.example>\r\nTo: <{_PERSON}>\r\nSubject: {' '.join(words[:5])}\r\n"
    head += f"Date: Tue, 1 Dec 2026 10:00:00 +0100\r\nMessage-ID: <{number}@bench.example>\r\n\r\n"
    return (head + "\r\n".join(lines) + f"\r\nunique{number}word\r\n").encode()


def figures(folder: Path, encryption: str, messages: int) -> dict[str, float]:
    """What one Dovecot takes: milliseconds, and megabytes of each kind of file."""
    with Services(folder, web=False, mail_encryption=encryption) as services:
        found = {"delivery of one message, ms": _delivery(services, max(20, messages // 20))}
        with IMAPClient(HOST, services.ports.imap, ssl=False, timeout=600) as client:
            client.login(_PERSON, services.password)
            for number in range(max(20, messages // 20), messages):
                client.append("INBOX", letter(number))
            client.select_folder("INBOX", readonly=True)
            _until_indexed(client)
            uids = client.search(["ALL"])
            page, opened = uids[-_PAGE:], random.Random(1).sample(uids, 60)
            found["list of 50, first time, ms"] = _took(lambda: client.fetch(page, _ROW))
            found["list of 50, again, ms"] = statistics.median(_took(lambda: client.fetch(page, _ROW)) for _ in range(15))
            found["opening, ms"] = statistics.median(
                _took(lambda uid=uid: client.fetch([uid], ["BODY.PEEK[]"])) for uid in opened
            )  # type: ignore[misc]
            found["search for a word of the text, ms"] = statistics.median(_took(_search(client, number)) for number in range(5))
        found["messages, MB"] = _size(folder, lambda file: "Maildir" in file.parts)
        found["words (full text), MB"] = _size(folder, lambda file: "fts-flatcurve" in file.parts)
        found["other indexes, MB"] = _size(folder, lambda file: "index" in file.parts and "fts-flatcurve" not in file.parts)
        return found


def _delivery(services: Services, count: int) -> float:
    times = []
    with smtplib.LMTP(HOST, services.ports.lmtp) as lmtp:
        for number in range(count):
            times.append(_took(lambda number=number: lmtp.sendmail("x@lycee.example", [_PERSON], letter(number))))  # type: ignore[misc]
    return statistics.median(times)


def _search(client: IMAPClient, number: int) -> Callable[[], object]:
    def search() -> None:
        assert len(client.search(["BODY", f"unique{number}word"])) == 1

    return search


def _until_indexed(client: IMAPClient) -> None:
    for _attempt in range(60):
        try:
            client.search(["BODY", "unique0word"])
        except IMAPClientError:  # a search waits six seconds for what is not in the index yet
            continue
        return
    raise TimeoutError("the full-text index was not made within six minutes")


def _took(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return (time.perf_counter() - begun) * 1000


def _size(folder: Path, counts: Callable[[Path], bool]) -> float:
    files = (file for file in (folder.resolve() / "mail").rglob("*") if file.is_file() and counts(file))
    return sum(os.stat(file).st_size for file in files) / 1e6


def main(messages: int = 1000) -> None:
    found = {}
    for encryption in MAIL_ENCRYPTION:
        with passing_folder() as folder:
            found[encryption] = figures(folder / "demo", encryption, messages)
    print(f"| {messages} messages | {' | '.join(f'`{name}`' for name in found)} |\n|---|{'---|' * len(found)}")
    for row in found["none"]:
        print(f"| {row} | {' | '.join(f'{figures[row]:.1f}' for figures in found.values())} |")


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:2]))
