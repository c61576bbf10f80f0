"""Demo letter: a message of the demo, and its RFC 5322 bytes."""

from __future__ import annotations

import hashlib
import html
import re
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from deploy.demo.letters.people import Contact


@dataclass(frozen=True, slots=True)
class File:
    name: str
    type: str
    content: bytes = field(repr=False)
    content_id: str = ""  # embedded in the HTML if set


@dataclass(slots=True)
class Letter:
    """One message; `id` and `references` include angle brackets."""

    sender: Contact
    to: tuple[Contact, ...]
    subject: str
    text: str
    when: datetime
    cc: tuple[Contact, ...] = ()
    html: str = ""
    files: tuple[File, ...] = ()
    id: str = ""
    references: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.id:
            key = f"{self.sender.email} {self.when.isoformat()} {self.subject}"
            domain = self.sender.email.rpartition("@")[2]
            self.id = f"<{hashlib.sha256(key.encode()).hexdigest()[:20]}@{domain}>"


@dataclass(slots=True)
class Item:
    """A message stored in a mailbox."""

    mailbox: str
    content: bytes = field(repr=False)
    when: datetime
    flags: tuple[str, ...] = ()


def typeset(text: str) -> str:
    """French typography: no-break spaces before double punctuation and inside guillemets, curly apostrophes."""
    text = re.sub(r"(?<=\w)'(?=\w)", "\u2019", text)
    text = re.sub(r" ([?!;])", "\u202f\\1", text)
    text = re.sub(r" ([:%€»])", "\u00a0\\1", text)
    return re.sub(r"« ", "«\u00a0", text)


def build(letter: Letter) -> bytes:
    """Build the message: multipart/mixed around multipart/alternative and related, as needed."""
    message = EmailMessage(policy=SMTP)
    message["From"] = _address(letter.sender)
    message["To"] = [_address(contact) for contact in letter.to]
    if letter.cc:
        message["Cc"] = [_address(contact) for contact in letter.cc]
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(letter.when)
    message["Message-ID"] = letter.id
    if letter.references:
        message["In-Reply-To"] = letter.references[-1]
        message["References"] = " ".join(letter.references)
    for name, value in letter.headers.items():
        message[name] = value
    message.set_content(letter.text, charset="utf-8", cte="quoted-printable")
    if letter.html:
        message.add_alternative(letter.html, subtype="html", charset="utf-8", cte="quoted-printable")
        for file in (f for f in letter.files if f.content_id):
            part = message.get_payload()[1]  # type: ignore[index]
            kind, _, subtype = file.type.partition("/")
            part.add_related(file.content, kind, subtype, cid=f"<{file.content_id}>", filename=file.name, disposition="inline")  # type: ignore[union-attr]
    for file in (f for f in letter.files if not f.content_id):
        kind, _, subtype = file.type.partition("/")
        message.add_attachment(file.content, kind, subtype, filename=file.name)
    return message.as_bytes()


def as_html(text: str) -> str:
    """The text as HTML in the style of office programs: paragraphs, quoted lines in a blockquote."""
    body, quote = re.split(r"\n(?=Le [^\n]+ a écrit)", text + "\n", maxsplit=1) if " a écrit" in text else (text, "")
    paragraphs = "".join(f"<p>{html.escape(p).replace(chr(10), '<br>')}</p>" for p in body.strip().split("\n\n"))
    if quote:
        quoted = html.escape(re.sub(r"(?m)^> ?", "", quote)).replace("\n", "<br>")
        paragraphs += (
            f'<blockquote style="border-left:2px solid #999;margin:0 0 0 8px;padding-left:8px;color:#555">{quoted}</blockquote>'
        )
    return f'<html><body style="font-family:Calibri,Arial,sans-serif;font-size:11pt;color:#222">{paragraphs}</body></html>'


def _address(contact: Contact) -> Address:
    return Address(contact.name, addr_spec=contact.email)
