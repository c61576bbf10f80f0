"""Detaching: files go, a line says which, and every other byte of the message stays, whatever its shape."""

from __future__ import annotations

import email
import email.policy
import mmap
import tempfile
import tracemalloc
from email.message import EmailMessage

import pytest

from tests.support.attachments import PNG, file, letter
from webmail.mime import parser
from webmail.mime.detach import CannotDetachError, KeepReason, detachable, note, without
from webmail.mime.parser import Raw

WORDS = "Attachment removed on 26 November 2026: “Réunion 1.pdf” (31 MB)."


def crlf(message: object) -> bytes:
    return message.as_bytes(policy=email.policy.SMTP)  # type: ignore[attr-defined,no-any-return]


def detached(raw: Raw, *sections: str, words: str = WORDS) -> bytes:
    parsed = parser.read(raw)
    parts = {part.section: part for part in detachable(parsed.root).parts}
    wanted = {section: (parts[section].type, parts[section].size, words) for section in sections or parts}
    return b"".join(without(raw, parsed, wanted))


def of(raw: bytes) -> EmailMessage:
    return email.message_from_bytes(raw, policy=email.policy.default)  # type: ignore[return-value]


def test_the_file_goes_and_all_else_stays_byte_for_byte() -> None:
    raw = crlf(letter("Sujet", file("a.pdf", b"A" * 5000, "pdf"), file("b.png", PNG, "png"), text="Le texte\nreste."))
    new = detached(raw, "2")
    head, _pdf, tail = parser.read(raw).span("2")  # type: ignore[misc]
    assert new == raw[:head] + note(WORDS) + raw[tail:]
    shown = of(new)
    names = [part.get_filename() for part in shown.walk()]
    assert "a.pdf" not in names and "b.png" in names
    texts = [part.get_content() for part in shown.walk() if part.get_content_type() == "text/plain"]
    assert "Le texte" in texts[0] and "Réunion 1.pdf" in texts[1].replace("\n", " ")


def test_several_at_once_and_again() -> None:
    raw = crlf(letter("Sujet", file("a.pdf", b"A" * 5000, "pdf"), file("b.bin", b"B" * 900, "octet-stream")))
    new = detached(raw)
    assert detachable(parser.read(new).root).kept is KeepReason.NONE
    assert len(of(new).get_payload()) == len(of(raw).get_payload())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "ending", [b"--X--\r\n", b"--X--", b"--X--\r\nepilogue\r\n--X\r\n", b""], ids=["usual", "bare", "more", "cut"]
)
@pytest.mark.parametrize("preamble", [b"", b"preamble\r\n--Y\r\n"])
def test_odd_ends_and_beginnings_stay(preamble: bytes, ending: bytes) -> None:
    head = b"From: a@b\r\nSubject: =?x?=\r\n  folded\r\nContent-Type: multipart/mixed; boundary=X\r\n\r\n"
    text = b"--X\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
    pdf = b"Content-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment\r\n\r\n" + b"Q" * 300
    raw = head + preamble + text + b"--X\r\n" + pdf + b"\r\n" + ending
    new = detached(raw)
    assert new.startswith(head + preamble + text + b"--X\r\n") and b"QQQ" not in new
    if ending:
        assert new.endswith(b"\r\n" + ending)


def test_a_boundary_inside_the_file_cuts_nothing_else() -> None:
    inner = b"\r\n--XY\r\nnot ours\r\n--X2--\r\n"
    raw = (
        b"Content-Type: multipart/mixed; boundary=X\r\n\r\n--X\r\n\r\ntext\r\n--X\r\n"
        b"Content-Type: application/octet-stream; name=x.bin\r\n\r\n" + inner + b"\r\n--X\r\n"
        b"Content-Type: image/png; name=kept.png\r\n\r\nPNG\r\n--X--\r\n"
    )
    new = detached(raw, "2")
    assert b"not ours" not in new and new.endswith(b"--X\r\nContent-Type: image/png; name=kept.png\r\n\r\nPNG\r\n--X--\r\n")


def test_an_attached_message_goes_as_a_whole() -> None:
    inner = letter("Dedans", file("a.pdf", b"A" * 500, "pdf"))
    raw = crlf(letter("Dehors", inner_part(inner)))
    new = detached(raw)
    assert b"Dedans" not in new and b"Dehors" in new


def inner_part(inner: object) -> object:
    from email.mime.message import MIMEMessage

    return MIMEMessage(inner)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "kept"),
    [
        ('multipart/signed; boundary=X; protocol="application/pgp-signature"', KeepReason.SIGNED),
        ("multipart/encrypted; boundary=X", KeepReason.ENCRYPTED),
    ],
)
def test_what_is_signed_or_encrypted_stays(kind: str, kept: KeepReason) -> None:
    part = "Content-Type: application/pdf; name=a.pdf\r\n\r\nQQ\r\n"
    raw = f"Content-Type: {kind}\r\n\r\n--X\r\n\r\nt\r\n--X\r\n{part}--X--\r\n".encode()
    parsed = parser.read(raw)
    assert detachable(parsed.root).kept is kept
    with pytest.raises(CannotDetachError):
        without(raw, parsed, {"2": ("application/pdf", 2, "w")})


def test_sealed_by_smime_stays() -> None:
    raw = b"Content-Type: application/pkcs7-mime; name=smime.p7m\r\n\r\nQQ\r\n"
    assert detachable(parser.read(raw).root).kept is KeepReason.ENCRYPTED


def test_a_message_that_is_a_file_stays() -> None:
    raw = b"Content-Type: application/pdf; name=a.pdf\r\n\r\nQQ\r\n"
    assert detachable(parser.read(raw).root).kept is KeepReason.WHOLE


def test_an_alternative_is_left_alone() -> None:
    """The line in a file's place would be shown instead of the message."""
    raw = (
        b"Content-Type: multipart/alternative; boundary=X\r\n\r\n--X\r\n\r\ntext\r\n"
        b"--X\r\nContent-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\n--X--\r\n"
    )
    assert detachable(parser.read(raw).root).parts == ()


@pytest.mark.parametrize("wrong", [("application/pdf", 1, "w"), ("image/png", 5000, "w")])
def test_a_part_that_is_not_what_the_server_said_stays(wrong: tuple[str, int, str]) -> None:
    raw = crlf(letter("Sujet", file("a.pdf", b"A" * 5000, "pdf")))
    with pytest.raises(CannotDetachError) as refused:
        without(raw, parser.read(raw), {"2": wrong})
    assert refused.value.kept is KeepReason.ODD


def test_hostile_words_are_text() -> None:
    raw = crlf(letter("Sujet", file("a.pdf", b"A" * 5000, "pdf")))
    new = detached(raw, words='“\r\nContent-Type: text/html\r\n\r\n<script>" (1 KB) \ud800 ' + "x" * 300)
    [_text, put] = [part for part in of(new).walk() if part.get_content_type() == "text/plain"]
    assert "<script>" in put.get_content() and not [p for p in of(new).walk() if p.get_content_type() == "text/html"]


def test_a_large_message_takes_no_memory() -> None:
    with tempfile.TemporaryFile() as kept:
        kept.write(b"Content-Type: multipart/mixed; boundary=X\r\n\r\n--X\r\n\r\ntext\r\n--X\r\n")
        kept.write(b"Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n")
        for _ in range(400):
            kept.write((b"A" * 76 + b"\r\n") * 1600)
        kept.write(b"\r\n--X--\r\n")
        kept.flush()
        with mmap.mmap(kept.fileno(), 0, access=mmap.ACCESS_READ) as raw:
            tracemalloc.start()
            parsed = parser.read(raw)
            [part] = detachable(parsed.root).parts
            size = sum(map(len, without(raw, parsed, {"2": (part.type, part.size, WORDS)})))
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
    assert part.size > 49_000_000 and size < 1000 and peak < 3_000_000
