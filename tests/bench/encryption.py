"""Somebody reads encrypted messages of 10 MB: how much longer another person's page takes meanwhile in the same process.

`python -m tests.bench.encryption [ROUNDS]` (6): quiet, then busy, again and again, since the machine does other things too. The page
is a month of a calendar, made by the whole application; the messages are signed and encrypted, one after the other without a pause.
Fails where a page takes more than twice its time in the middle of the rounds.
"""

from __future__ import annotations

import logging
import os
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from flask.testing import FlaskClient

from tests.bench.calendar_pages import fill, visitor
from tests.support.passing_folder import passing_folder
from webmail import create_app
from webmail.crypto import openpgp, smime
from webmail.crypto.x509_certificates import SmimeKey

SIZE = 10 * 2**20  # bytes
_SECONDS = 3.0  # of each half of a round
_OTHER = "other@bench.example"


def run(rounds: int = 6) -> bool:
    logging.disable(logging.INFO)  # a line for each page
    with passing_folder() as folder:
        app = create_app(folder / "encryption", sign_in="accounts", domain="bench.example", secure_cookies=False, imap_port=1)
        fill(_OTHER, 2, 200)
        page = visitor(app, _OTHER)
        _times(page, _SECONDS)
        is_quick = True
        for kind, decrypt in (("OpenPGP", _openpgp()), ("S/MIME", _smime())):
            ratios, counts = [], []
            for _round in range(rounds):
                before = statistics.median(_times(page, _SECONDS))
                with _decrypting(decrypt) as done:
                    during = statistics.median(_times(page, _SECONDS))
                ratios.append(during / before)
                counts.append(_SECONDS / max(1, len(done)))
            ratio = statistics.median(ratios)
            is_quick = is_quick and ratio <= 2
            print(f"{kind}: a page takes {ratio:.2f} times as long, a message of 10 MB {statistics.median(counts):.2f} s")
        return is_quick


def _openpgp() -> object:
    key = openpgp.generate_key("Reader", "reader@lycee.example", owner="bench")
    certificate = openpgp.certificate_of(key, owner="bench")
    message = openpgp.encrypt(os.urandom(SIZE), [certificate], sign_with=key, owner="bench")
    return lambda: openpgp.decrypt(message, [key], [certificate], owner="reader")


def _smime() -> object:
    from tests.support.smime_people import smime_person

    person: SmimeKey = smime_person("reader")
    signed = smime.sign_opaque(os.urandom(SIZE), person, owner="bench")
    message = smime.encrypt(signed, [person.certificate], owner="bench")

    def opened() -> None:
        content = smime.decrypt(message, [person], owner="reader").content
        smime.verify_opaque(content, [person.certificate], owner="reader")

    return opened


@contextmanager
def _decrypting(decrypt: object) -> Iterator[list[None]]:
    done: list[None] = []
    stop = threading.Event()

    def loop() -> None:
        while not stop.is_set():
            decrypt()  # type: ignore[operator]
            done.append(None)

    thread = threading.Thread(target=loop)
    thread.start()
    time.sleep(0.3)
    try:
        yield done
    finally:
        stop.set()
        thread.join()


def _times(page: FlaskClient, seconds: float) -> list[float]:
    found = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        answer = page.get(f"/calendar/month/{datetime.now().date()}")
        assert answer.status_code == 200, answer.status
        found.append(time.monotonic() - began)
        time.sleep(0.01)
    return found


if __name__ == "__main__":
    sys.exit(0 if run(int(sys.argv[1]) if len(sys.argv) > 1 else 6) else 1)
