"""Files to attach, and messages that carry them."""

from __future__ import annotations

import io
import random
import struct
import zipfile
from collections.abc import Callable
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

from tests.support.visits import Page, Visitor

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


def zipped(*names: str, locked: bool = False, filler: int = 10) -> bytes:
    """`locked`: only the flags say so, which is what is looked at."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, random.Random(1).randbytes(filler))
    made = bytearray(out.getvalue())
    if locked:
        for signature, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
            place = made.find(signature)
            made[place + at] |= 1
    return bytes(made)


def packed(source: bytes) -> bytes:
    """Rich text as winmail.dat holds it, as literals alone."""
    body = b"".join(b"\0" + source[place : place + 8] for place in range(0, len(source), 8))
    return struct.pack("<II4sI", len(body) + 12, len(source), b"LZFu", 0) + body


def letter(subject: str, *parts: object, text: str = "Voir ci-dessous") -> MIMEMultipart:
    made = MIMEMultipart()
    made["Subject"], made["From"], made["To"] = subject, "Bob Girard <bob@lycee.example>", "alice@lycee.example"
    made["Date"] = "Tue, 24 Nov 2026 14:02:00 +0100"
    made.attach(MIMEText(text))
    for one in parts:
        made.attach(one)  # type: ignore[arg-type]
    return made


def file(name: str, data: bytes, kind: str = "octet-stream") -> MIMEApplication:
    made = MIMEApplication(data, kind)
    made.add_header("Content-Disposition", "attachment", filename=name)
    return made


def opened(person: Visitor, fill: Callable[..., list[int]], made: object) -> tuple[int, Page]:
    """Its UID in the inbox, and its page."""
    uid = fill(person, made)[-1]
    return uid, person.get(f"/message/{uid}/INBOX")
