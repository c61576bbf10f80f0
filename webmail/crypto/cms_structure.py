"""CMS structure (RFC 5652): what an S/MIME body is, by which cipher, and what its signatures say of themselves.

Only as much of BER is read as tells that; nothing here is verified. The program's exit status does not tell whether the cipher
notices alterations, which digest was signed, or when.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from webmail.crypto.errors import CryptoTooLargeError, MalformedDataError

MOST_ELEMENTS = 100_000
MOST_SIGNERS = 20
_DEEPEST = 30
_SEQUENCE, _SET, _OID, _FIRST, _SECOND = 0x30, 0x31, 0x06, 0xA0, 0xA1
_SIGNING_TIME = bytes.fromhex("2a864886f70d010905")


class CmsKind(StrEnum):
    """A CMS body's kind."""

    ENVELOPED = "enveloped"
    AUTH_ENVELOPED = "auth-enveloped"
    SIGNED = "signed"
    COMPRESSED = "compressed"


_KINDS = {
    bytes.fromhex("2a864886f70d010703"): CmsKind.ENVELOPED,
    bytes.fromhex("2a864886f70d0109100117"): CmsKind.AUTH_ENVELOPED,
    bytes.fromhex("2a864886f70d010702"): CmsKind.SIGNED,
    bytes.fromhex("2a864886f70d0109100109"): CmsKind.COMPRESSED,
}
# The ciphers that notice a changed bit: AES-GCM and AES-CCM of three lengths, ChaCha20-Poly1305.
_AUTHENTICATED = {bytes.fromhex(f"6086480165030401{each:02x}") for each in (0x06, 0x07, 0x1A, 0x1B, 0x2E, 0x2F)} | {
    bytes.fromhex("2a864886f70d0109100312")
}
_WEAK_DIGESTS = {  # MD2, MD4, MD5, SHA-1
    bytes.fromhex("2a864886f70d0202"), bytes.fromhex("2a864886f70d0204"), bytes.fromhex("2a864886f70d0205"),
    bytes.fromhex("2b0e03021a"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CmsSigner:
    """A signature's own words: when it says to be made, and whether its digest proves nothing today."""

    made: datetime | None
    is_weak: bool


@dataclass(frozen=True, slots=True)
class CmsBody:
    """An S/MIME body: its kind, and what goes with it.

    Of encrypted ones: whether a changed bit is noticed; whose they are, by serial numbers and key identifiers of certificates (as
    bytes). Of signed ones: whether the content is in it, and the signers.
    """

    kind: CmsKind
    is_authenticated: bool = False
    recipients: frozenset[bytes] = frozenset()
    has_content: bool = False
    signers: tuple[CmsSigner, ...] = ()


@dataclass(frozen=True, slots=True)
class _Element:
    """An element: its tag, where its inside begins and ends."""

    tag: int
    start: int
    end: int


_NOTHING = _Element(0, 0, 0)


@dataclass(slots=True)
class _BerReader:
    """BER, forwards and within bounds."""

    data: bytes = field(repr=False)
    elements: int = 0
    without_length: dict[int, tuple[_Element, int]] = field(default_factory=dict)  # that were walked through already

    def element(self, offset: int, depth: int = 0) -> tuple[_Element, int]:
        """The element at `offset`, and where the next begins."""
        self.elements += 1
        if self.elements > MOST_ELEMENTS or depth > _DEEPEST:
            raise CryptoTooLargeError("S/MIME of too many pieces")
        tag, first = self._byte(offset), self._byte(offset + 1)
        if tag & 0x1F == 0x1F:
            raise MalformedDataError("not S/MIME")
        start = offset + 2
        if first == 0x80:
            if offset not in self.without_length:
                self.without_length[offset] = self._without_length(tag, start, depth)
            return self.without_length[offset]
        size = first
        if first > 0x80:
            width = first & 0x7F
            if width > 5:
                raise MalformedDataError("not S/MIME")
            size, start = int.from_bytes(self.data[start : start + width], "big"), start + width
        if start + size > len(self.data):
            raise MalformedDataError("S/MIME that is cut")
        return _Element(tag, start, start + size), start + size

    def _without_length(self, tag: int, start: int, depth: int) -> tuple[_Element, int]:
        """Up to two zero bytes, behind as many elements as there are."""
        at = start
        while self.data[at : at + 2] != b"\0\0":
            at = self.element(at, depth + 1)[1]
        return _Element(tag, start, at), at + 2

    def _byte(self, offset: int) -> int:
        if offset >= len(self.data):
            raise MalformedDataError("S/MIME that is cut")
        return self.data[offset]

    def inside(self, outer: _Element) -> Iterator[_Element]:
        at = outer.start
        while at < outer.end:
            found, at = self.element(at)
            yield found

    def first(self, outer: _Element, tag: int) -> _Element:
        found = next(self.inside(outer), None)
        if found is None or found.tag != tag:
            raise MalformedDataError("not S/MIME")
        return found

    def value(self, element: _Element) -> bytes:
        return self.data[element.start : element.end]


def read_cms(data: bytes) -> CmsBody:
    """Raises MalformedDataError where it isn't S/MIME, CryptoTooLargeError where it is cut into more pieces than people's are."""
    try:
        return _read(_BerReader(data))
    except (StopIteration, IndexError, ValueError) as error:
        raise MalformedDataError("S/MIME without its parts") from error


def _read(reader: _BerReader) -> CmsBody:
    outer, _end = reader.element(0)
    kind = _KINDS.get(reader.value(reader.first(outer, _OID))) if outer.tag == _SEQUENCE else None
    if kind is None:
        raise MalformedDataError("not S/MIME")
    wrapped = next((each for each in reader.inside(outer) if each.tag == _FIRST), None)
    if wrapped is None:
        raise MalformedDataError("S/MIME without content")
    body = reader.first(wrapped, _SEQUENCE)
    if kind == CmsKind.SIGNED:
        return _signed(reader, body)
    is_authenticated = kind == CmsKind.AUTH_ENVELOPED and _cipher(reader, body) in _AUTHENTICATED
    return CmsBody(kind, is_authenticated, frozenset(_recipients(reader, body)))


def _recipients(reader: _BerReader, body: _Element) -> Iterator[bytes]:
    for each in reader.inside(next((part for part in reader.inside(body) if part.tag == _SET), _NOTHING)):
        parts = list(reader.inside(each))
        if each.tag == _SEQUENCE:  # whose key the message's was encrypted with
            yield from _identifier(reader, parts[1:2])
        elif each.tag == _SECOND and parts:  # with whom a key was agreed on: the last part lists them
            for agreed in reader.inside(parts[-1]):
                yield from _identifier(reader, list(reader.inside(agreed))[:1])


def _identifier(reader: _BerReader, who: list[_Element]) -> Iterator[bytes]:
    """The serial number of a certificate, after its issuer's name; or the identifier of its key."""
    for each in who:
        if each.tag == _SEQUENCE:
            yield reader.value(list(reader.inside(each))[-1])
        elif each.tag == _FIRST:
            yield reader.value(next(reader.inside(each)))
        else:
            yield reader.value(each)


def _cipher(reader: _BerReader, body: _Element) -> bytes:
    """After the recipients comes what is encrypted: its kind, its cipher, itself."""
    content = next((each for each in reader.inside(body) if each.tag == _SEQUENCE), None)
    if content is None:
        raise MalformedDataError("encrypted S/MIME without content")
    algorithm = next((each for each in reader.inside(content) if each.tag == _SEQUENCE), None)
    return reader.value(reader.first(algorithm, _OID)) if algorithm else b""


def _signed(reader: _BerReader, body: _Element) -> CmsBody:
    parts = list(reader.inside(body))
    content = next((each for each in parts if each.tag == _SEQUENCE), None)
    if content is None or len(parts) < 4 or parts[-1].tag != _SET:
        raise MalformedDataError("signed S/MIME without its parts")
    has_content = any(each.tag == _FIRST and each.end > each.start for each in reader.inside(content))
    signers: list[CmsSigner] = []
    for each in reader.inside(parts[-1]):
        if len(signers) >= MOST_SIGNERS:
            raise CryptoTooLargeError("more signers than a message has")
        signers.append(_signer(reader, each))
    return CmsBody(CmsKind.SIGNED, has_content=has_content, signers=tuple(signers))


def _signer(reader: _BerReader, signer: _Element) -> CmsSigner:
    """Version, who, the digest, what is signed besides (when, among it), the signature."""
    parts = list(reader.inside(signer))
    digest = next((each for each in parts[2:] if each.tag == _SEQUENCE), None)
    if digest is None:
        raise MalformedDataError("a signature without a digest")
    attributes = next((each for each in parts[3:] if each.tag == _FIRST), None)
    made = _signing_time(reader, attributes) if attributes else None
    return CmsSigner(made, reader.value(reader.first(digest, _OID)) in _WEAK_DIGESTS)


def _signing_time(reader: _BerReader, attributes: _Element) -> datetime | None:
    for attribute in reader.inside(attributes):
        name, *values = reader.inside(attribute)
        if reader.value(name) == _SIGNING_TIME and values:
            time = next(reader.inside(values[0]), None)
            return _moment(reader.value(time).decode("ascii", "replace")) if time else None
    return None


def _moment(text: str) -> datetime | None:
    """Of UTCTime (two digits of the year: 50 is 1950) or GeneralizedTime."""
    try:
        if len(text) == 13:
            text = ("19" if int(text[:2]) >= 50 else "20") + text
        return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
