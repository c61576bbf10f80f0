"""Full-text index of Dovecot, upset by a mail: reading and searching go on, in its folder and in others, quickly."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from imapclient.exceptions import IMAPClientError

from deploy.demo.delivery import deliver
from deploy.demo.services import Services
from tests.support.strangers import line
from tests.support.visits import Visitor
from tests.support.waiting import eventually

HEAD = b"From: Ann <ann@far.example>\r\nTo: alice@lycee.example\r\nSubject: %s\r\nMessage-ID: <%d@far.example>\r\n"
_SECONDS = 7.0  # a page that waits for the index takes 8


def plain(number: int, subject: bytes = b"Bonjour", more: bytes = b"") -> bytes:
    return more + HEAD % (subject, number) + b"\r\nLe mot commun\r\n"


def parts(count: int) -> bytes:
    body = b"".join(b"--b\r\nContent-Type: text/plain; name=%d.txt\r\n\r\nun\r\n" % number for number in range(count))
    return HEAD % (b"Parts", 1) + b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + body + b"--b--\r\n"


def words(count: int) -> bytes:
    chosen = random.Random(1)
    return b"\r\n".join(b"%x %x" % (chosen.getrandbits(40), chosen.getrandbits(40)) for _ in range(count))


POISON = {
    "a header name of 300 letters": plain(1, more=b"X-" + b"a" * 300 + b": hello world\r\n"),
    "a part with such a header": (
        HEAD % (b"Part", 1) + b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nX-" + b"a" * 300
        + b": hello\r\nContent-Type: text/plain\r\n\r\nun\r\n--b--\r\n"
    ),
    "a word of 3 MB": plain(1) + b"a" * 3_000_000,
    "20,000 parts": parts(20_000),
    "5,000 headers": plain(1, more=b"".join(b"X-%d: %d\r\n" % (number, number) for number in range(5000))),
    "NULs": plain(1, b"a\0b", b"X\0Y: z\r\n") + b"\0" * 10_000,
    "no charset of this world": HEAD % (b"\xff\xfe", 1) + b"Content-Type: text/plain; charset=" + b"x" * 3000 + b"\r\n\r\n\xff\x80\r\n",
    "an address of 2,000 letters": plain(1, more=b"Cc: " + b"a" * 1000 + b"@" + b"b" * 1000 + b".example\r\n"),
}  # fmt: skip


@contextmanager
def quick(seconds: float = _SECONDS) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


@pytest.fixture
def arrive(services: Services, alice: Visitor) -> Callable[[bytes], None]:
    def lmtp(content: bytes) -> None:
        answer = deliver(services.ports.lmtp, "ann@far.example", alice.address, content, [])
        assert answer.good, answer.line

    return lmtp


@pytest.mark.parametrize("poison", POISON.values(), ids=list(POISON))
def test_after_it_a_stranger_s_message_opens_and_every_folder_can_be_searched(poison, alice, arrive, fill, imap_of):
    imap_of(alice.address).create_folder("Autre")
    fill(alice, plain(2), mailbox="Autre")
    arrive(plain(3))
    arrive(poison)
    arrive(plain(4))
    uids = fill(alice)
    for uid in (uids[-1], uids[-2]):  # the last, and the poison itself
        with quick():
            page = alice.get(f"/message/{uid}/INBOX")
        assert page.status == 200 and "outside your organisation" in line(page)
    for address in ("/mailbox/INBOX?query=commun", "/mailbox/Autre?query=commun", "/mailbox/INBOX?query=commun&scope=all"):
        with quick():
            page = alice.get(address)
        assert page.status == 200 and "Bonjour" in page.text, address


def test_a_subject_of_500_000_words_takes_the_index_its_time_but_does_not_end_it(alice, arrive, imap_of):
    arrive(plain(1, words(250_000).replace(b"\r\n", b" ")))
    arrive(plain(2, b"Ensuite"))
    with quick(8):  # the first search may come before the index has it all: it says so, before the page gives up
        assert alice.get("/mailbox/INBOX?query=commun").status in (200, 503)
    client = imap_of(alice.address)

    def both() -> bool:
        client.select_folder("INBOX")
        try:
            return len(client.search(["TEXT", "commun"])) == 2
        except IMAPClientError:  # still indexing
            return False

    eventually(both, seconds=60)
    assert "Ensuite" in alice.get("/mailbox/INBOX?query=commun").text
