"""Kept copy: what was inside an encrypted message, as a message that can be read without a key, with the encrypted one attached.

Its first header says what was known when it was made (`KeptFacts`), with an HMAC-SHA-256 by a key made of `secret_key`: over the
person it was made for, those facts, and every other byte. So a sender can't make a message that looks like one, nor another
person of the installation, and one that was changed is no kept copy. The encrypted original is the last part, byte for byte.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from urllib.parse import quote

from webmail.mail import Part, Structure
from webmail.mime import structure
from webmail.mime.headers.filenames import safe_name
from webmail.mime.parser import ParsedMessage
from webmail.mime.protected import header_reading, payload
from webmail.mime.protected.protected_parts import KEPT_NAME
from webmail.mime.text import plain_text
from webmail.mime.transfer_encoding import decode_transfer

NAME = "X-Traboule-Kept"
_ORIGINAL = ("2", "message/rfc822", KEPT_NAME)
LARGEST = 40_000_000  # bytes of a copy
_LARGEST_MARK = 8_000  # bytes of its first header
_VERSION = "1"
_MOST_SIGNATURES = 3
_LONGEST = 200  # characters of a name in the mark
_STAMP = "%Y%m%dT%H%M%SZ"
_BREAK = re.compile(rb"\r\n(?![ \t])")
_MIME = re.compile(rb"(?:content-[a-z-]+|mime-version|x-traboule-(?:kept|draft))[ \t]*:", re.I)
_SHOWN = (b"subject", b"to", b"cc", b"date")  # of the protected headers, those that a page shows in place of the outer ones
_BARE = re.compile(rb"\r\n|\r|\n")


class CannotKeepError(ValueError):
    """What was inside can't stand in a message on a mail server, or is too large."""


@dataclass(frozen=True, slots=True)
class KeptSignature:
    """What was said of a signature when the copy was made. `state`: a word of `SignatureState`."""

    state: str
    kind: str = ""
    signer: str = ""
    name: str = ""
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class KeptFacts:
    """When the copy was made (UTC), its signatures, whether it was protected against alteration, which headers differed."""

    made: datetime
    signatures: tuple[KeptSignature, ...] = ()
    protected: bool = True
    differences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptCopy:
    """A copy whose mark is ours; `original` is the encrypted message."""

    facts: KeptFacts
    original: bytes = field(repr=False)


def build(
    original: bytes, inside: bytes, facts: KeptFacts, *, secret: str, owner: int, protected: Iterable[bytes] = ()
) -> bytes:  # fmt: skip
    """The copy of `original`, with CRLF line ends, for the person `owner`. `inside`: what it held, as MIME. `protected`: the
    header fields that were inside (`protected_fields`), which stand in the place of the outer ones. Raises CannotKeepError."""
    inside = _BARE.sub(b"\r\n", inside)
    if b"\0" in inside or b"\0" in original:
        raise CannotKeepError("a NUL, which no mail server takes")
    boundary = f"=_{secrets.token_hex(16)}".encode()
    outer = _header(original, protected)
    encoding = b"7bit" if original.isascii() else b"8bit"
    end = b"\r\n--" + boundary + b"--\r\n"
    rest = b"".join([
        outer, b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n boundary="', boundary, b'"\r\n\r\n--', boundary, b"\r\n",
        inside, b"\r\n--", boundary, b"\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: ", encoding,
        b'\r\nContent-Disposition: attachment; filename="', KEPT_NAME.encode(), b'"\r\n\r\n', original, end,
    ])  # fmt: skip
    if len(rest) + _LARGEST_MARK > LARGEST:
        raise CannotKeepError(f"{len(rest)} bytes")
    return _mark(rest, original, len(end), facts, secret, owner) + rest


def read(raw: bytes, *, secret: str, owner: int) -> KeptCopy | None:
    """The copy, if `raw` is one that was made here for this person and is as it was. Never raises."""
    if not secret or len(raw) > LARGEST or not raw.startswith(f"{NAME}:".encode()):
        return None
    broken = _BREAK.search(raw, 0, _LARGEST_MARK)
    if broken is None:
        return None
    found = _fields(raw[len(NAME) + 1 : broken.start()])
    rest = raw[broken.end() :]
    told = ";".join(f"{name}={found.get(name, '')}" for name in ("v", "at", "of", "size", "end", "said"))
    if found.get("v") != _VERSION or not hmac.compare_digest(
        found.get("sum", "").encode(), _sum(told, rest, secret, owner).encode()
    ):
        return None
    size, end = int(found["size"]), int(found["end"])  # from here on it is what `build` wrote
    original = rest[len(rest) - end - size : len(rest) - end]
    facts = _facts(found["at"], found["said"])
    return KeptCopy(facts, original) if facts else None


def without_original(shape: Structure) -> Structure:
    """The structure of a message without the encrypted original among its files."""
    files = tuple(part for part in shape.attachments if (part.section, part.type, part.filename) != _ORIGINAL)
    return replace(shape, attachments=files)


def plain_part(text: str) -> bytes:
    """A text as a part."""
    content = base64.encodebytes(text.encode("utf-8", "replace")).replace(b"\n", b"\r\n")
    return b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" + content


def without_formatting(content: bytes) -> bytes:
    """What was inside as plain text with its files, none of which says what it is: for what could have been altered on its way,
    so that nothing in it is ever shown as a page."""
    message = structure.read(content)
    shape = structure.classify(message.root)
    text = plain_part("\n".join(_text(message, part) for part in shape.text or shape.html))
    files = [
        _file(part.filename or "attachment", decode_transfer(message.content(part.section), part.encoding))
        for part in shape.attachments + shape.inline
    ]
    if not files:
        return text
    boundary = f"=_{secrets.token_hex(16)}".encode()
    pieces = b"".join(b"--" + boundary + b"\r\n" + one + b"\r\n" for one in [text, *files])
    return b'Content-Type: multipart/mixed; boundary="' + boundary + b'"\r\n\r\n' + pieces + b"--" + boundary + b"--\r\n"


def _text(message: ParsedMessage, part: Part) -> str:
    content = plain_text.content(message.content(part.section), part)
    return plain_text.html_to_text(content) if part.type == "text/html" else content


def _file(name: str, data: bytes) -> bytes:
    told = "Content-Type: application/octet-stream\r\nContent-Disposition: attachment;\r\n"
    told += f" filename*=UTF-8''{quote(safe_name(name))}\r\n"
    return told.encode() + b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(data).replace(b"\n", b"\r\n")


def protected_fields(content: bytes) -> tuple[bytes, ...]:
    """Of what was inside, the protected header fields that a page shows in the place of the outer ones."""
    if header_reading.protected_headers(content) is None:
        return ()
    fields = payload.split(_BARE.sub(b"\r\n", header_reading.header_block(content)))[0]
    return tuple(one for one in fields if _name(one) in _SHOWN and one.partition(b":")[2].strip())


def _header(original: bytes, protected: Iterable[bytes]) -> bytes:
    """The original's header with what is protected: so the mail server finds the subject, and no search needs a key."""
    fields = payload.split(original)[0] if not original.startswith(b"\r\n") else []
    inner = {_name(one): one for one in reversed(tuple(protected))}
    kept = [one for one in fields if b":" in one and not _MIME.match(one) and _name(one) not in inner]
    return b"".join(one + b"\r\n" for one in [*kept, *inner.values()])


def _name(header: bytes) -> bytes:
    return header.partition(b":")[0].strip().lower()


# --- the mark --------------------------------------------------------------------------------------------------------


def _mark(rest: bytes, original: bytes, end: int, facts: KeptFacts, secret: str, owner: int) -> bytes:
    values = {
        "v": _VERSION, "at": facts.made.astimezone(UTC).strftime(_STAMP), "of": hashlib.sha256(original).hexdigest(),
        "size": str(len(original)), "end": str(end), "said": _said(facts),
    }  # fmt: skip
    told = ";".join(f"{name}={value}" for name, value in values.items())
    lines = [f"{name}={value}" for name, value in values.items() if name != "said"]
    lines.append("said=" + "\r\n  ".join(re.findall(".{1,70}", values["said"])))
    lines.append(f"sum={_sum(told, rest, secret, owner)}")
    return (f"{NAME}: " + ";\r\n ".join(lines) + "\r\n").encode()


def _fields(value: bytes) -> dict[str, str]:
    pieces = "".join(value.decode("ascii", "replace").split()).split(";")[:20]
    return {name: text for name, _equals, text in (piece.partition("=") for piece in pieces)}


def _sum(told: str, rest: bytes, secret: str, owner: int) -> str:
    key = hashlib.sha256(b"traboule kept\0" + secret.encode()).digest()
    made = hmac.new(key, f"{owner}\n{told}\n".encode(), hashlib.sha256)
    made.update(hashlib.sha256(rest).digest())
    return made.hexdigest()


def _said(facts: KeptFacts) -> str:
    signatures = [{k: v[:_LONGEST] for k, v in asdict(one).items()} for one in facts.signatures[:_MOST_SIGNATURES]]
    told = {"signatures": signatures, "protected": facts.protected, "differences": list(facts.differences)}
    return base64.urlsafe_b64encode(json.dumps(told, separators=(",", ":")).encode()).decode().rstrip("=")


def _facts(at: str, said: str) -> KeptFacts | None:
    """None for what another version wrote."""
    try:
        told = json.loads(base64.urlsafe_b64decode(said + "=" * (-len(said) % 4)))
        signatures = tuple(KeptSignature(**one) for one in told["signatures"])
        made = datetime.strptime(at, _STAMP).replace(tzinfo=UTC)
        return KeptFacts(made, signatures, bool(told["protected"]), tuple(told["differences"]))
    except (ValueError, TypeError, KeyError):
        return None
