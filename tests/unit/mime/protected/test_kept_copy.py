"""Kept copies: what is in them, and that nobody but this installation makes one, for nobody but its reader."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from webmail.mime import structure
from webmail.mime.headers import headers
from webmail.mime.protected import kept_copy
from webmail.mime.protected.kept_copy import CannotKeepError, KeptFacts, KeptSignature

SECRET, OWNER = "a secret of the installation", 7
ORIGINAL = (
    b"Received: from a by b\r\nFrom: Bob <bob@outside.example>\r\nSubject: ...\r\nX-Traboule-Kept: v=1; not ours\r\nBroken line\r\n"
    b"Message-ID: <1@outside.example>\r\nContent-Type: multipart/encrypted; boundary=e\r\n\r\n--e\r\n\r\n\xe9\r\n--e--\r\n"
)
INSIDE = b'Content-Type: text/plain; hp="cipher"\nSubject: =?utf-8?q?=C3=89t=C3=A9?=\n and more\nSubject: second\n\nHello\n'
FACTS = KeptFacts(
    datetime(2026, 3, 2, 10, tzinfo=UTC),
    (KeptSignature("good", "openpgp", "bob@outside.example", "Bôb", "AB" * 20),),
    True,
    ("to",),
)


def made(**changed: object) -> bytes:
    given = {"secret": SECRET, "owner": OWNER, "protected": kept_copy.protected_fields(INSIDE)} | changed
    return kept_copy.build(ORIGINAL, INSIDE, FACTS, **given)  # type: ignore[arg-type]


def test_it_is_read_as_it_was_made():
    found = kept_copy.read(made(), secret=SECRET, owner=OWNER)
    assert found is not None and (found.original, found.facts) == (ORIGINAL, FACTS)


def test_it_is_a_message_with_the_text_the_subject_and_the_original():
    raw = made()
    message = structure.read(raw)
    shape = structure.classify(message.root)
    assert [part.section for part in shape.text] == ["1"] and message.content("2") == ORIGINAL
    assert kept_copy.without_original(shape).attachments == () and len(shape.attachments) == 1
    envelope = headers.envelope(raw.partition(b"\r\n\r\n")[0])
    assert (envelope.subject, envelope.sender[0].email, envelope.message_id) == (
        "Été and more",
        "bob@outside.example",
        "<1@outside.example>",
    )
    assert (
        raw.count(b"X-Traboule-Kept:") == 2 and raw.partition(b"\r\n\r\n")[0].count(b"X-Traboule-Kept:") == 1
    )  # theirs is not ours
    assert raw.partition(b"\r\n\r\n")[0].lower().count(b"subject:") == 1


@pytest.mark.parametrize(("secret", "owner"), [("another", OWNER), (SECRET, OWNER + 1), ("", OWNER)])
def test_it_is_nobody_elses(secret, owner):
    assert kept_copy.read(made(), secret=secret, owner=owner) is None


def test_every_byte_counts():
    raw = made()
    for at in (one for one in range(0, len(raw), 7) if one > raw.index(b"From: Bob") or not raw[one : one + 1].isspace()):
        changed = bytearray(raw)
        changed[at] ^= 1
        assert kept_copy.read(bytes(changed), secret=SECRET, owner=OWNER) is None, at
    for other in (
        b"Received: x\r\n" + raw,
        raw + b"\r\n",
        raw[:-1],
        b"",
        b"X-Traboule-Kept: " + b"a" * 20_000,
        b"X-Traboule-Kept: \xff=\xff\r\n\r\n",
    ):
        assert kept_copy.read(other, secret=SECRET, owner=OWNER) is None


def test_what_no_server_takes_is_not_kept(monkeypatch):
    with pytest.raises(CannotKeepError):
        kept_copy.build(ORIGINAL, b"\r\n\0", FACTS, secret=SECRET, owner=OWNER)
    monkeypatch.setattr(kept_copy, "LARGEST", 1000)
    with pytest.raises(CannotKeepError):
        made()


def test_what_could_have_been_altered_is_plain_text_with_its_files():
    content = (
        b"Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: text/html\r\n\r\n<p>Hello</p><img src='https://x.example/'>\r\n"
        b'--m\r\nContent-Type: text/html; name=a.html\r\nContent-Disposition: attachment; filename="\xc3\xa9 a.html"\r\n\r\n<b>x</b>\r\n--m--\r\n'
    )
    kept = kept_copy.without_formatting(content)
    message = structure.read(kept)
    shape = structure.classify(message.root)
    assert shape.html == () and [part.type for part in shape.attachments] == ["application/octet-stream"]
    assert shape.attachments[0].filename == "é a.html" and b"x.example" not in kept
    alone = structure.classify(structure.from_bytes(kept_copy.without_formatting(b"Content-Type: text/html\r\n\r\n<p>Hi</p>")))
    assert alone.html == () and len(alone.text) == 1
