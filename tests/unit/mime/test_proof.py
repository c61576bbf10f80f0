"""Proof, the mark of our own outbox: what it covers, and what may happen to a message on its way."""

from __future__ import annotations

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.mime.headers import proof

SECRET = "a secret of at least thirty-two letters"
MESSAGE = (
    b"From: Bob Girard <bob@lycee.example>\r\nTo: alice@lycee.example\r\nSubject: Sortie de vendredi, avec un sujet assez long\r\n"
    b"Date: Tue, 24 Nov 2026 14:02:00 +0100\r\nMessage-ID: <1@lycee.example>\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n\r\nBonjour,\r\n\r\n-- \r\nBob\r\n"
)
MARKED = proof.header(MESSAGE, SECRET) + MESSAGE


def test_it_is_verified() -> None:
    assert proof.verifies(MARKED, SECRET)
    assert not proof.verifies(MESSAGE, SECRET)
    assert not proof.verifies(MARKED, "another secret of at least thirty-two letters")
    assert not proof.verifies(MARKED, "")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b"Received: from a by b\r\n\tid 1; date\r\nReturn-Path: <x>\r\n"),
        (b"\r\n", b"\n"),
        (b"Subject: Sortie de vendredi, ", b"Subject:  Sortie de vendredi,\r\n "),
        (b"Bob\r\n", b"Bob\r\n\r\n\r\n"),
        (b"-- \r\n", b"--\r\n"),
        (b"Bonjour,\r\n", b"Bonjour,   \r\n"),
        (b"From: ", b"FROM:"),
    ],
)
def test_what_may_change_on_the_way(before: bytes, after: bytes) -> None:
    assert proof.verifies(MARKED.replace(before, after, 1) if before != b"\r\n" else MARKED.replace(before, after), SECRET)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"Bob Girard", b"Alice Leroy"),
        (b"<bob@", b"<head@"),
        (b"To: alice@", b"To: charlie@"),
        (b"Sortie", b"Sorties"),
        (b"24 Nov", b"25 Nov"),
        (b"<1@", b"<2@"),
        (b"text/plain", b"text/html"),
        (b"To: ", b"Reply-To: x@evil.example\r\nTo: "),
        (b"To: ", b"Cc: x@evil.example\r\nTo: "),
        (b"To: ", b"Sender: x@evil.example\r\nTo: "),
        (b"To: ", b"From: x@evil.example\r\nTo: "),
        (b"To: ", b"Content-Transfer-Encoding: base64\r\nTo: "),
        (b"Subject: Sortie de vendredi, avec un sujet assez long\r\n", b""),
        (b"Bonjour,", b"Bonjour, donnez-moi vos notes"),
        (b"Bob\r\n", b"Bob\r\n<script>"),
        (b"Bonjour,\r\n", b""),
        (b"v=1; ", b"v=2; "),
        (b"v=1; ", b"v=1; A"),
    ],
)
def test_what_may_not(before: bytes, after: bytes) -> None:
    changed = MARKED.replace(before, after, 1)
    assert changed != MARKED
    assert not proof.verifies(changed, SECRET)


def test_a_mark_of_another_message_and_two_marks_are_nothing() -> None:
    other = MESSAGE.replace(b"Bonjour", b"Bonsoir")
    assert not proof.verifies(proof.header(MESSAGE, SECRET) + other, SECRET)
    assert not proof.verifies(proof.header(MESSAGE, SECRET) + proof.header(other, SECRET) + other, SECRET)


def test_fields_can_t_be_moved_into_each_other() -> None:
    """The values are covered with their lengths: no two messages give the same text to the hash."""
    moved = MARKED.replace(b"Subject: Sortie de vendredi, avec un sujet assez long\r\nDate: ", b"Subject: Sortie\r\nDate: x ", 1)
    assert not proof.verifies(moved, SECRET)


def test_a_changed_header_is_marked_anew() -> None:
    later = MARKED.replace(b"24 Nov", b"25 Nov")
    assert proof.verifies(proof.renewed(later, SECRET), SECRET)
    assert proof.renewed(MESSAGE, SECRET) == MESSAGE


def test_large_messages_are_not_marked() -> None:
    large = MESSAGE + b"x" * proof.LARGEST
    assert proof.header(large, SECRET) == b""
    assert proof.header(MESSAGE, "") == b""
    assert proof.renewed(proof.header(MESSAGE, SECRET) + large, SECRET) == large


@pytest.mark.parametrize(
    "hostile", [b"\r\n" * 400_000, b"x: y\r\n" * 150_000, b"From: " + b" \r\n\t" * 200_000, b"\x00\xff" * 400_000, b" " * 900_000]
)
def test_hostile_messages_cost_little(hostile: bytes) -> None:
    with cpu_seconds(1):
        assert not proof.verifies(proof.header(MESSAGE, SECRET) + hostile, SECRET)
