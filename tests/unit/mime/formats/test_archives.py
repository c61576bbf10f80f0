"""Archives and documents by their first and last bytes."""

from __future__ import annotations

import base64
import random
import struct
from datetime import UTC, datetime

import pytest

from tests.support.attachments import zipped
from tests.support.cpu_time import cpu_seconds
from webmail.imap.reading import part_edges
from webmail.mail import Envelope, Message, Part, Structure
from webmail.mime.formats import archives
from webmail.mime.threats.dangerous_files import Danger, danger_in, looked_into

OLE = bytes.fromhex("d0cf11e0a1b11ae1")


def rar5(kind: int, *, extra: bytes = b"") -> bytes:
    main = bytes((0, 0, 0, 0, 3, 1, 0, 0))
    inner = bytes((kind, 1, len(extra))) + b"name" + extra if extra else bytes((kind, 0)) + b"name"
    return b"Rar!\x1a\x07\x01\x00" + main + bytes(4) + bytes((len(inner),)) + inner


def rar4(main_flags: int = 0, file_flags: int = 0) -> bytes:
    return (
        b"Rar!\x1a\x07\x00" + struct.pack("<HBHH6x", 0, 0x73, main_flags, 13) + struct.pack("<HBHH25x", 0, 0x74, file_flags, 32)
    )


@pytest.mark.parametrize(
    ("name", "data", "locked"),
    [
        ("a.zip", zipped("facture.pdf"), False), ("a.zip", zipped("facture.pdf", locked=True), True),
        ("a.zip", zipped("b.txt", "c.txt", locked=True), True), ("a.rar", rar4(), False), ("a.rar", rar4(main_flags=0x80), True),
        ("a.rar", rar4(file_flags=0x04), True), ("a.rar", rar5(2), False), ("a.rar", rar5(4), True),
        ("a.rar", rar5(2, extra=b"\x02\x01\x00"), True), ("a.rar", rar5(2, extra=b"\x02\x03\x00"), False),
        ("a.7z", b"7z\xbc\xaf\x27\x1c" + bytes(100), False),
        ("a.7z", b"7z\xbc\xaf\x27\x1c" + bytes(60) + bytes.fromhex("06f10701") + bytes(9), True),
        ("a.docx", OLE + bytes(600), True), ("a.doc", OLE + bytes(600), False), ("a.docx", zipped("[Content_Types].xml"), False),
        ("a.zip", b"", False), ("a.zip", b"PK\3\4", False), ("a.pdf", b"%PDF", False),
    ],
)  # fmt: skip
def test_what_a_password_closes(name: str, data: bytes, locked: bool) -> None:
    assert archives.inspect(name, data, data).locked is locked


def found_in(name: str, data: bytes) -> tuple[Danger | None, str]:
    """As the page of a message finds it: by the ends of the base64 that a server has."""
    encoded = base64.encodebytes(data).replace(b"\n", b"\r\n")
    part = Part("2", "application/octet-stream", len(encoded), "base64", filename=name)
    values = {}
    for command in part_edges.commands(1, [part]):
        for section in command[2].split(b"BODY.PEEK[2]<")[1:]:
            start, most = map(int, section.split(b">")[0].split(b"."))
            values[b"BODY[2]<%d>" % start] = encoded[start : start + most]
    message = Message(
        mailbox="INBOX", uidvalidity=1, uid=1, flags=frozenset(), size=1, received=datetime.now(UTC), envelope=Envelope(),
        structure=Structure(attachments=(part,)), ends=part_edges.read([part], values),
    )  # fmt: skip
    return danger_in(part, message)


@pytest.mark.parametrize(
    ("name", "data", "kind", "told"),
    [
        ("facture.zip", zipped("facture.exe"), "packed", "facture.zip (facture.exe)"),
        ("facture.zip", zipped("dossier/", "dossier/lisez.txt", "dossier/x.lnk"), "packed", "facture.zip (x.lnk)"),
        ("projet.zip", zipped(*(f"src/{n}.js" for n in range(9))), None, "projet.zip"),
        ("projet.zip", zipped(*(f"src/{n}.txt" for n in range(9)), "a.pdf.exe"), "packed", "projet.zip (a.pdf.exe)"),
        ("grand.zip", zipped("a.jpg", "b.scr", filler=90_001), "packed", "grand.zip (b.scr)"),
        ("photos.zip", zipped("a.jpg", "b.jpg", filler=50_000), None, "photos.zip"),
        ("a.zip", zipped("a.pdf", "b.pdf", locked=True, filler=20_003), "locked", "a.zip"),
        ("a.7z", b"7z\xbc\xaf\x27\x1c" + bytes(20_001) + bytes.fromhex("06f10701") + bytes(9), "locked", "a.7z"),
        ("a.doc", OLE + bytes(900) + "_VBA_PROJECT".encode("utf-16-le"), "macros", "a.doc"),
        ("a.exe", b"MZ", "program", "a.exe"), ("a.docx", OLE + bytes(9_000), "locked", "a.docx"), ("a.xls", OLE + bytes(9), None, "a.xls"),
    ],
)  # fmt: skip
def test_what_is_said_of_them(name: str, data: bytes, kind: str | None, told: str) -> None:
    assert found_in(name, data) == (kind, told)


def test_few_parts_are_looked_into() -> None:
    parts = [
        Part("1", "application/pdf", 1, filename="a.pdf"),
        *(Part(str(n), "application/zip", 1, filename="") for n in range(9)),
    ]
    assert [part.section for part in looked_into(parts)] == ["0", "1", "2", "3", "4"]
    assert part_edges.commands(1, []) == []
    small = part_edges.commands(1, [Part("2", "application/zip", 4096)])
    assert small[0][2] == b"(UID BODY.PEEK[2]<0.4096>)"
    assert part_edges.commands(1, [Part("2", "application/zip", 90_000_000)]) == small


def test_any_bytes_are_survived() -> None:
    luck = random.Random(7)
    whole = [zipped("a.exe", locked=True), rar4(0, 4), rar5(2, extra=b"\x02\x01\x00"), OLE + bytes(50)]
    with cpu_seconds(2):
        for data in whole:
            for size in range(len(data)):
                archives.inspect("a.docx", data[:size], data[size:])
            for _ in range(500):
                broken = bytearray(data)
                for _change in range(4):
                    broken[luck.randrange(len(broken))] = luck.randrange(256)
                archives.inspect("a.zip", bytes(broken), bytes(broken))
        archives.inspect("a.zip", b"PK\3\4" * 1024, b"PK\1\2" * 1024)
