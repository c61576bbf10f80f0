"""Message builder: encodes a Draft as RFC 5322 bytes: headers, format=flowed text (RFC 3676), optional HTML, attachments.

The standard library encodes header words (`email.header`, RFC 2047); the rest is done here, because `email.policy.SMTP` loses
the quotes of long names when folding (so that one recipient becomes two), and because its generator holds several copies of
each attachment in memory.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime
from urllib.parse import quote

from webmail.errors import UnsafeValueError
from webmail.mail import Address, Attachment, Draft, Identity
from webmail.mime.charsets import without_surrogates
from webmail.mime.headers.address_input import ascii_address, ascii_domain, parse_addresses
from webmail.mime.headers.filenames import safe_name
from webmail.mime.headers.subjects import forward_subject, reply_subject
from webmail.mime.text.plain_text import flow
from webmail.mime.transfer_encoding import crlf_pieces

__all__ = [
    "ascii_address", "ascii_domain", "build", "forward_subject", "header_value", "needs_smtputf8", "new_message_id",
    "parse_addresses", "pieces", "reply_subject", "resent",
]  # fmt: skip

LINE = 76
REFERENCES_LIMIT = 20
NOTE = "X-Traboule-Draft"  # header for the state of a draft, only in the copy in Drafts, never sent
_PRIORITY = {"high": ("1 (Highest)", "high"), "low": ("5 (Lowest)", "low")}
_BASE64_LINES = 57 * 1024  # bytes encoded at once: a whole number of base64 lines

_CONTROLS = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_ATOM_TEXT = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
_TYPE = re.compile(r"(?!multipart/|message/)[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,100}")
_DELICATE = re.compile(rb"[ \t]\r\n|[ \t]\Z|^From ", re.M)
_FROM = re.compile(rb"^From ", re.M)
_TEXT_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f]")


def header_value(text: str) -> str:
    """Sanitize a header value; all pass through here. Raises UnsafeValueError on CR, LF and NUL (header injection); other
    controls are removed, tabs and line separators become spaces, lone surrogates U+FFFD.
    """
    if any(mark in text for mark in "\r\n\0"):
        raise UnsafeValueError("a header's value holds CR, LF or NUL")
    return without_surrogates(_CONTROLS.sub("", re.sub("[\t\u2028\u2029]", " ", text)))


def new_message_id(domain: str) -> str:
    """A globally unique Message-ID (RFC 5322 section 3.6.4), with angle brackets."""
    try:
        name = ascii_domain(header_value(domain))
    except UnicodeError:
        name = ""
    return f"<{secrets.token_hex(16)}@{name if re.fullmatch('[A-Za-z0-9.-]{1,253}', name) else 'localhost'}>"


def needs_smtputf8(draft: Draft) -> bool:
    """Whether an address has a non-ASCII local part, which needs SMTPUTF8 (RFC 6531)."""
    return any(not a.email.rpartition("@")[0].isascii() for a in (draft.identity.address, *draft.recipients))


def build(draft: Draft, *, date: datetime, include_bcc: bool = False) -> bytes:
    """Build the message in memory; see `pieces`."""
    return b"".join(pieces(draft, date=date, include_bcc=include_bcc))


def pieces(draft: Draft, *, date: datetime, include_bcc: bool = False) -> Iterator[bytes]:
    """The message with CRLF line ends, in pieces; attachments are read as their turn comes.

    `include_bcc` is only for the copy in the Drafts mailbox; it also includes the draft's note.

    Raises UnsafeValueError for CR, LF or NUL in a header, BadAddressError for an invalid domain, and what reading an attachment
    raises.
    """
    yield _lines(_headers(draft, date, include_bcc))
    beside = [attachment for attachment in draft.attachments if not attachment.content_id]
    if not beside and not draft.calendar:
        yield from _bodies(draft)
        return
    boundary = _boundary()
    yield _lines([f'Content-Type: multipart/mixed;\r\n boundary="{boundary}"', "", f"--{boundary}"])
    yield from _bodies(draft)
    for attachment in beside:
        yield _lines(["", f"--{boundary}"])
        yield from _attach(attachment, exact=draft.exact)
    if draft.calendar:
        yield _lines(["", f"--{boundary}"])
        yield _calendar_file(draft.calendar)
    yield _lines(["", f"--{boundary}--"])


def _boundary() -> str:
    """A unique boundary; "=_" can't occur in quoted-printable or base64 (RFC 2045 section 6.7)."""
    return f"=_{secrets.token_hex(16)}"


_PRIVATE = re.compile(rb"(?:bcc|return-path|delivered-to|x-original-to|x-traboule-(?!proof)[a-z-]+|status|x-status)[ \t]*:", re.I)


def resent(original: bytes, identity: Identity, to: tuple[Address, ...], *, message_id: str, date: datetime) -> bytes:
    """A message resent unchanged, with CRLF line ends (RFC 5322 section 3.6.6): Resent-* fields are put on top.

    Removes only private headers: Bcc, delivery traces, our own notes; the proof of who wrote it stays (`proof.py`).
    Raises UnsafeValueError and BadAddressError.
    """
    whole = original.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    head, _blank, body = whole.partition(b"\n\n") if not whole.startswith(b"\n") else (b"", b"", whole[1:])
    fields = re.split(rb"\n(?![ \t])", head)
    kept = [field for field in fields if field and not _PRIVATE.match(field) and not field.startswith((b"From ", b">From "))]
    top = _lines([
        _addresses("Resent-From", (identity.address,)),
        _addresses("Resent-To", to),
        f"Resent-Date: {format_datetime(date if date.tzinfo else date.replace(tzinfo=UTC))}",
        f"Resent-Message-ID: {_message_id(message_id)}",
    ])  # fmt: skip
    return top + b"\n".join([*kept, b"", body]).replace(b"\n", b"\r\n")


def _lines(lines: list[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8")


# --- headers -------------------------------------------------------------------------------------------------------


def _headers(draft: Draft, date: datetime, include_bcc: bool) -> list[str]:
    identity = draft.identity
    writer = (identity.sender,) if identity.sender else ()
    lists: list[tuple[str, tuple[Address, ...]]] = [("From", (identity.address,)), ("Sender", writer)]
    lists += [("Reply-To", identity.reply_to), ("To", draft.to), ("Cc", draft.cc)]
    if include_bcc:
        lists.append(("Bcc", draft.bcc))
    if draft.read_receipt:  # RFC 8098 section 2.1
        lists.append(("Disposition-Notification-To", (identity.address,)))
    lines = [_addresses(name, found) for name, found in lists if found]
    if identity.organisation:  # RFC 1036 section 2.2.8; mail clients show it
        lines.append(f"Organization: {_folded_value(header_value(identity.organisation), len('Organization: '))}")
    lines.append(f"Subject: {_folded_value(header_value(draft.subject), len('Subject: '))}")
    lines.append(f"Date: {format_datetime(date if date.tzinfo else date.replace(tzinfo=UTC))}")
    if draft.message_id:
        lines.append(f"Message-ID: {_message_id(draft.message_id)}")
    if draft.in_reply_to:
        lines.append(f"In-Reply-To: {_message_id(draft.in_reply_to)}")
    references = [_message_id(found) for found in draft.references]
    if len(references) > REFERENCES_LIMIT:  # the thread's root and the nearest ancestors (RFC 5322 section 3.6.4)
        references = [references[0], *references[1 - REFERENCES_LIMIT :]]
    if references:
        lines.append("References: " + "\r\n ".join(references))
    lines += _wishes(draft)
    if draft.autocrypt:
        lines.append(f"Autocrypt: {draft.autocrypt}")
    if include_bcc and draft.note:
        lines.append(f"{NOTE}: {_folded_value(header_value(draft.note), len(NOTE) + 2)}")
    return [*lines, "MIME-Version: 1.0"]


def _wishes(draft: Draft) -> list[str]:
    """Priority headers as mail clients use them (RFC 2156 section 5.4, and older), Auto-Submitted (RFC 3834 section 5), and
    Content-Language (RFC 3282)."""
    number, word = _PRIORITY.get(draft.priority, ("", ""))
    lines = [f"X-Priority: {number}", f"Importance: {word}"] if word else []
    if draft.automatic:
        lines.append("Auto-Submitted: auto-generated")
    return [*lines, f"Content-Language: {header_value(draft.language)}"] if draft.language else lines


def _message_id(text: str) -> str:
    words = header_value(text).split()
    if len(words) != 1 or len(words[0]) > 990:
        raise UnsafeValueError("not a message id")
    return words[0]


def _addresses(name: str, found: tuple[Address, ...]) -> str:
    """An address header, folded between addresses."""
    lines = [f"{name}:"]
    for place, address in enumerate(found):
        item = _address(address) + ("," if place < len(found) - 1 else "")
        first, *rest = item.split("\r\n")
        if len(lines[-1]) + 1 + len(first) > LINE and lines[-1] != f"{name}:":
            lines.append("")
        lines[-1] += f" {first}"
        lines += rest
    return "\r\n".join(lines)


def _address(address: Address) -> str:
    email = ascii_address(header_value(address.email))
    if re.search(r"[\s<>,;]", email):
        raise UnsafeValueError("an address holds white space or brackets")
    name = " ".join(header_value(address.name).split())
    if not name:
        return email if email.isascii() else f"<{email}>"
    return f"{_phrase(name)} <{email}>"


def _phrase(name: str) -> str:
    """Encode a display name (RFC 5322 section 3.2.5): unchanged, quoted, or entirely as encoded words, which no parser splits."""
    if not name.isascii() or len(name) > 60 or "=?" in name:
        return Header(name, "utf-8", maxlinelen=70).encode(linesep="\r\n")
    if _ATOM_TEXT.fullmatch(name):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _folded_value(text: str, used: int) -> str:
    """Fold an unstructured value; it is encoded if it is not ASCII or would not survive folding."""
    plain = text.isascii() and "=?" not in text and text == " ".join(text.split(" ")).strip(" ") and "  " not in text
    if plain and max((len(word) for word in text.split(" ")), default=0) < 60:
        return _folded(text, used)
    return Header(text, "utf-8", maxlinelen=LINE - 2, header_name=" " * used).encode(linesep="\r\n")


def _folded(text: str, used: int) -> str:
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > LINE - (used if len(lines) == 1 else 0):
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] or len(lines) > 1 else word
    return "\r\n".join(lines)


# --- bodies --------------------------------------------------------------------------------------------------------


def _bodies(draft: Draft) -> Iterator[bytes]:
    """The text part, or multipart/alternative of text, HTML and calendar, the richer one last (RFC 2046 section 5.1.4)."""
    if not draft.html and not draft.calendar:
        yield _leaf(*_text(_plain(draft), exact=draft.exact))
        return
    boundary = _boundary()
    yield _lines([f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"', "", f"--{boundary}"])
    yield _leaf(*_text(_plain(draft), exact=draft.exact))
    if draft.html:
        yield _lines(["", f"--{boundary}"])
        shown = [attachment for attachment in draft.attachments if attachment.content_id]
        if shown:
            yield from _related(draft.html, shown, exact=draft.exact)
        else:
            yield _leaf(*_html(draft.html, exact=draft.exact))
    if draft.calendar:
        yield _lines(["", f"--{boundary}"])
        method = calendar_method(draft.calendar)
        kind = f"Content-Type: text/calendar; charset=utf-8; method={method}"
        yield _leaf(*_encoded(kind, _calendar_bytes(draft.calendar), exact=draft.exact))
    yield _lines(["", f"--{boundary}--"])


def calendar_method(text: str) -> str:
    """The METHOD of an iTIP message, which its Content-Type names too (RFC 6047, 2.4)."""
    found = re.search(r"^METHOD:([A-Z]{1,20})\r?$", text, re.MULTILINE)
    return found[1] if found else "PUBLISH"


def _calendar_bytes(text: str) -> bytes:
    return without_surrogates(text.replace("\r\n", "\n")).replace("\n", "\r\n").encode("utf-8")


def _calendar_file(text: str) -> bytes:
    """The same as a file, for programs that look for one (Outlook, telephones)."""
    headers = ['Content-Type: application/ics; name="invite.ics"', 'Content-Disposition: attachment; filename="invite.ics"']
    content = base64.encodebytes(_calendar_bytes(text)).replace(b"\n", b"\r\n")
    return _leaf([*headers, "Content-Transfer-Encoding: base64"], content)


def _plain(draft: Draft) -> str:
    return draft.text.rstrip("\n") + draft.quoted if draft.quoted else draft.text


def _related(html: str, visible: list[Attachment], *, exact: bool) -> Iterator[bytes]:
    """multipart/related: the HTML and the images it refers to (RFC 2387)."""
    boundary = _boundary()
    yield _lines([f'Content-Type: multipart/related; type="text/html";\r\n boundary="{boundary}"', "", f"--{boundary}"])
    yield _leaf(*_html(html, exact=exact))
    for attachment in visible:
        yield _lines(["", f"--{boundary}"])
        yield from _attach(attachment, exact=exact)
    yield _lines(["", f"--{boundary}--"])


def _leaf(headers: list[str], content: bytes) -> bytes:
    return _lines([*headers, ""]) + content


def _html(html: str, *, exact: bool) -> tuple[list[str], bytes]:
    whole = without_surrogates(html.removesuffix("\n")) + "\n"  # b2a_qp keeps the line ends of the text
    data = whole.replace("\n", "\r\n").encode("utf-8")
    return _encoded("Content-Type: text/html; charset=utf-8", data, exact=exact)


def _text(text: str, *, exact: bool) -> tuple[list[str], bytes]:
    """Headers and content of the text/plain part."""
    tidy = without_surrogates(_TEXT_CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))
    flowed = flow(tidy if tidy.endswith("\n") else f"{tidy}\n")
    data = flowed.replace("\n", "\r\n").encode("utf-8")
    return _encoded("Content-Type: text/plain; charset=utf-8; format=flowed", data, exact=exact)


def _encoded(kind: str, data: bytes, *, exact: bool) -> tuple[list[str], bytes]:
    """7bit if possible, else quoted-printable or base64, whichever is shorter. `exact`: nothing is left that a server on the way
    might change: blanks at the ends of lines, and lines that begin with "From " (RFC 3156 section 3)."""
    delicate = exact and _DELICATE.search(data)
    if data.isascii() and max(map(len, data.split(b"\r\n"))) <= 990 and not delicate:
        return [kind, "Content-Transfer-Encoding: 7bit"], data
    if sum(1 for byte in data if byte > 126) * 5 < len(data):
        quoted = binascii.b2a_qp(data, istext=True)
        return [kind, "Content-Transfer-Encoding: quoted-printable"], _FROM.sub(b"=46rom ", quoted) if exact else quoted
    return [kind, "Content-Transfer-Encoding: base64"], base64.encodebytes(data).replace(b"\n", b"\r\n")


def _attach(attachment: Attachment, *, exact: bool) -> Iterator[bytes]:
    """One attachment with its headers. Attached messages are not base64-encoded (RFC 2046 section 5.2.1): where each byte has to
    stay (`exact`), one that is not 7bit goes as a file."""
    name = safe_name(header_value(attachment.filename)) or "attachment"
    kind = attachment.type.strip().lower()
    if kind == "message/rfc822" and (encoding := _plain_encoding(attachment.chunks())) in (
        ("7bit",) if exact else ("7bit", "8bit")
    ):
        yield _lines([*_part_headers("message/rfc822", name), f"Content-Transfer-Encoding: {encoding}", ""])
        yield from crlf_pieces(attachment.chunks())
        return
    kind = kind if _TYPE.fullmatch(kind) else "application/octet-stream"
    yield _lines([*_part_headers(kind, name, attachment.content_id), "Content-Transfer-Encoding: base64", ""])
    for block in _blocks(attachment.chunks(), _BASE64_LINES):
        yield base64.encodebytes(block).replace(b"\n", b"\r\n")


def _plain_encoding(chunks: Iterable[bytes]) -> str:
    """7bit or 8bit, or "" for a message that can't be sent unencoded (NUL, lines over 998 bytes)."""
    plain, unended = True, 0  # length so far of a line that continues in the next piece
    for piece in crlf_pieces(chunks):
        lengths = [len(line) for line in piece.split(b"\r\n")]
        lengths[0] += unended
        if b"\0" in piece or max(lengths) > 998:
            return ""
        plain, unended = plain and piece.isascii(), lengths[-1]
    return "7bit" if plain else "8bit"


def _blocks(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The same bytes in blocks of this size, the last one shorter."""
    held = b""
    for chunk in chunks:
        held += chunk
        whole = len(held) // size * size
        yield from (held[at : at + size] for at in range(0, whole, size))
        held = held[whole:]
    if held:
        yield held


def _part_headers(kind: str, name: str, content_id: str = "") -> list[str]:
    """Content-Type with the name for old mail clients, Content-Disposition with the name as in RFC 2231."""
    old = name.replace("\\", "_").replace('"', "'")
    if not old.isascii():
        old = Header(old, "utf-8", maxlinelen=70).encode(linesep="\r\n")
    return [
        f'Content-Type: {kind};\r\n name="{old}"',
        f"Content-Disposition: {'inline' if content_id else 'attachment'};\r\n " + ";\r\n ".join(_filename_params(name)),
        *([f"Content-ID: {_message_id(f'<{content_id}>')}"] if content_id else []),
    ]


def _filename_params(name: str) -> Iterator[str]:
    """The filename parameter; a long name in numbered pieces, percent-encoded if not ASCII (RFC 2231 section 3)."""
    if name.isascii() and len(name) <= 60 and not re.search(r'["\\]', name):
        yield f'filename="{name}"'
        return
    encoded = quote(name, safe="!#$&+-.^_`|~")
    if len(encoded) <= 60:
        yield f"filename*=UTF-8''{encoded}"
        return
    pieces = re.findall(r"(?:%[0-9A-F]{2}|[^%]){1,50}", encoded)
    for number, piece in enumerate(pieces):
        start = "UTF-8''" if number == 0 else ""
        yield f"filename*{number}*={start}{piece}"
