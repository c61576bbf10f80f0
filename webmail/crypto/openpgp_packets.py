"""OpenPGP packets (RFC 9580): armour, packets and the fields of keys and signatures, read within bounds.

Nothing here decides whether something is genuine; it only takes apart.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from webmail.crypto.errors import CryptoTooLargeError, MalformedDataError

MOST_PACKETS = 20_000
MOST_ARMOURED = 2**23  # bytes of keys and signatures; messages go to the program as they are
SIGNATURE, PUBLIC_KEY, USER_ID, PUBLIC_SUBKEY, USER_ATTRIBUTE = 2, 6, 13, 14, 17
SECRET_KEY, SECRET_SUBKEY, COMPRESSED, LITERAL, PADDING = 5, 7, 8, 11, 21
SESSION_KEY, ONE_PASS, ENCRYPTED, ENCRYPTED_PROTECTED, MARKER = 1, 4, 9, 18, 10
# subpackets of signatures
MADE, SIGNATURE_ENDS, KEY_ENDS, ISSUER, KEY_FLAGS, REASON, EMBEDDED, FINGERPRINT = 2, 3, 9, 16, 27, 29, 32, 33
_BLOCK = re.compile(
    rb"-----BEGIN PGP (?P<kind>[A-Z ]{4,40})-----[ \t]*\r?\n(?P<rest>.*?)\r?\n?-----END PGP (?P=kind)-----", re.DOTALL
)
_BEGIN = b"-----BEGIN PGP "


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet: its kind, and its body without the header."""

    tag: int
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyPacket:
    """A key or subkey, without its secret. `algorithm` is its number; `material` its public numbers, as they are written."""

    version: int
    made: datetime
    algorithm: int
    material: bytes = field(repr=False)
    fingerprint: str
    body: bytes = field(repr=False)  # what signatures are made over

    @property
    def key_id(self) -> str:
        return self.fingerprint[:16] if self.version >= 5 else self.fingerprint[-16:]


@dataclass(frozen=True, slots=True)
class SignaturePacket:
    """A signature. `hashed`: the subpackets that it vouches for; `trailer`: what is hashed after what is signed."""

    version: int
    kind: int
    algorithm: int
    digest: int
    hashed: dict[int, bytes]
    unhashed: dict[int, bytes]
    trailer: bytes = field(repr=False)
    digest_start: bytes
    salt: bytes
    material: bytes = field(repr=False)

    @property
    def made(self) -> datetime | None:
        value = self.hashed.get(MADE, b"")
        return datetime.fromtimestamp(int.from_bytes(value, "big"), UTC) if len(value) == 4 else None

    @property
    def issuer(self) -> str:
        """The fingerprint of the key that made it, or its key id; "" where it tells none."""
        if len(written := self.hashed.get(FINGERPRINT) or self.unhashed.get(FINGERPRINT, b"")) > 16:
            return written[1:].hex().upper()
        return (self.hashed.get(ISSUER) or self.unhashed.get(ISSUER, b"")).hex().upper()

    def is_by(self, key: KeyPacket) -> bool:
        """Whether it says to be made by this key, or does not say by which."""
        return self.issuer in ("", key.fingerprint, key.key_id)


def is_armoured(data: bytes) -> bool:
    return _BEGIN in data[: 2**16]


def dearmoured(data: bytes, kinds: tuple[str, ...] = ()) -> bytes:
    """The packets of all armoured blocks, of these kinds (such as "SIGNATURE") or of any; what isn't armoured as it is.

    Raises MalformedDataError where a block can't be read, or there is none of these kinds.
    """
    if len(data) > MOST_ARMOURED:
        raise CryptoTooLargeError(f"{len(data)} bytes of keys or signatures")
    if not is_armoured(data):
        return data
    blocks = [_decoded(match["rest"]) for match in _BLOCK.finditer(data) if not kinds or match["kind"].decode() in kinds]
    if not blocks:
        raise MalformedDataError("no armoured block that ends")
    return b"".join(blocks)


def start_of(message: bytes, most: int) -> bytes:
    """The first bytes of a message's packets, armoured or not; at least `most` where there are as many."""
    if not is_armoured(message):
        return message[:most]
    start = message[message.index(_BEGIN) :][: most * 3 // 2 + 2**14]
    head, ends, rest = start.partition(b"-----\n" if b"-----\n" in start[:60] else b"-----\r\n")
    text = rest.split(b"-----END PGP ")[0] if ends else b""
    return _decoded(text, is_start=True) if head else b""


def _decoded(rest: bytes, *, is_start: bool = False) -> bytes:
    """Of a block's inside: headers up to an empty line (some write one before them), base64, a checksum nobody relies on."""
    lines = [line.strip(b" \t\r\xa0") for line in rest.split(b"\n")]
    start = lines.index(b"") + 1 if b"" in lines else 0
    text = b"".join(line for line in lines[start:] if not line.startswith(b"=") and b": " not in line)
    if is_start:
        text = text[: len(text) // 4 * 4]
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise MalformedDataError(f"armour: {error}") from error


def packets(data: bytes, most: int = MOST_PACKETS, *, is_start: bool = False) -> Iterator[Packet]:
    """The packets, in their order. `is_start`: `data` is only the start of something, and its last packet may be cut.

    Raises MalformedDataError where one is cut or unreadable, CryptoTooLargeError beyond `most`.
    """
    offset = number = 0
    while offset < len(data):
        number += 1
        if number > most:
            raise CryptoTooLargeError(f"more than {most} packets")
        tag, offset = data[offset], offset + 1
        if not tag & 0x80:
            raise MalformedDataError("not a packet")
        try:
            body, offset = _new_body(data, offset, is_start) if tag & 0x40 else _old_body(data, offset, tag & 3, is_start)
        except IndexError as error:
            raise MalformedDataError("a packet is cut") from error
        yield Packet(tag & 0x3F if tag & 0x40 else (tag >> 2) & 0xF, body)


def _new_body(data: bytes, offset: int, is_start: bool) -> tuple[bytes, int]:
    parts: list[bytes] = []
    while True:
        if is_start and parts and offset >= len(data):
            return b"".join(parts), offset
        first, offset = data[offset], offset + 1
        if first < 192:
            size = first
        elif first < 224:
            size, offset = ((first - 192) << 8) + data[offset] + 192, offset + 1
        elif first == 255:
            size, offset = int.from_bytes(_taken(data, offset, 4), "big"), offset + 4
        else:  # a piece, and more to come
            size = 1 << (first & 0x1F)
        parts.append(_taken(data, offset, size, is_start))
        offset += size
        if not 224 <= first < 255:
            return b"".join(parts), offset


def _old_body(data: bytes, offset: int, size_of_length: int, is_start: bool) -> tuple[bytes, int]:
    if size_of_length == 3:  # up to the end
        return data[offset:], len(data)
    width = 1 << size_of_length
    size = int.from_bytes(_taken(data, offset, width), "big")
    return _taken(data, offset + width, size, is_start), offset + width + size


def _taken(data: bytes, offset: int, size: int, may_be_cut: bool = False) -> bytes:
    if offset + size > len(data) and not may_be_cut:
        raise MalformedDataError("a packet is cut")
    return data[offset : offset + size]


def key_packet(body: bytes, *, secret: bool = False) -> KeyPacket:
    """A key's packet, of which a secret part is left out. Raises MalformedDataError for versions other than 4 and 6."""
    if len(body) < 12 or body[0] not in (4, 6):
        raise MalformedDataError("a key of a version that isn't read")
    version, made, algorithm = body[0], int.from_bytes(body[1:5], "big"), body[5]
    start = 6 if version == 4 else 10
    if secret and version == 4:
        size = _material_size(body[6:], algorithm)
    else:
        size = len(body) - 6 if version == 4 else int.from_bytes(body[6:10], "big")
    material = _taken(body, start, size)
    public = body[: start + size]
    if version == 4:
        digest = hashlib.sha1(_key_prefix(4, public), usedforsecurity=False).hexdigest()
    else:
        digest = hashlib.sha256(_key_prefix(6, public)).hexdigest()
    return KeyPacket(version, datetime.fromtimestamp(made, UTC), algorithm, material, digest.upper(), public)


def _key_prefix(version: int, public: bytes) -> bytes:
    """What stands before a key wherever it is hashed, and the key."""
    if version == 4:
        return b"\x99" + len(public).to_bytes(2, "big") + public
    return b"\x9b" + len(public).to_bytes(4, "big") + public


def hashed_key(key: KeyPacket, signature_version: int) -> bytes:
    """A key, as signatures of this version hash it."""
    return _key_prefix(signature_version, key.body)


def _material_size(data: bytes, algorithm: int) -> int:
    """How long the public numbers are, where secret ones follow (version 4 does not say)."""
    fixed = {25: 32, 26: 56, 27: 32, 28: 57}
    if algorithm in fixed:
        return fixed[algorithm]
    numbers = {1: 2, 2: 2, 3: 2, 16: 3, 17: 4, 18: 1, 19: 1, 22: 1}.get(algorithm)
    if numbers is None:
        raise MalformedDataError(f"a key's algorithm that isn't read: {algorithm}")
    offset = 1 + data[0] if algorithm in (18, 19, 22) else 0  # the curve
    for _number in range(numbers):
        offset += 2 + (int.from_bytes(_taken(data, offset, 2), "big") + 7) // 8
    return offset + (1 + data[offset] if algorithm == 18 else 0)


def multiprecision(data: bytes, most: int = 4) -> list[int]:
    """Numbers, each after its length in bits."""
    found: list[int] = []
    offset = 0
    while offset < len(data) and len(found) < most:
        size = (int.from_bytes(_taken(data, offset, 2), "big") + 7) // 8
        found.append(int.from_bytes(_taken(data, offset + 2, size), "big"))
        offset += 2 + size
    return found


def signature_packet(body: bytes) -> SignaturePacket:
    """Raises MalformedDataError for versions other than 4 and 6."""
    if len(body) < 10 or body[0] not in (4, 6):
        raise MalformedDataError("a signature of a version that isn't read")
    version, kind, algorithm, digest = body[:4]
    width = 2 if version == 4 else 4
    hashed_size = int.from_bytes(_taken(body, 4, width), "big")
    end = 4 + width + hashed_size
    hashed = _subpackets(_taken(body, 4 + width, hashed_size))
    unhashed_size = int.from_bytes(_taken(body, end, width), "big")
    unhashed = _subpackets(_taken(body, end + width, unhashed_size))
    rest = body[end + width + unhashed_size :]
    if len(rest) < 3:
        raise MalformedDataError("a signature is cut")
    salt = _taken(rest, 3, rest[2]) if version == 6 else b""
    trailer = body[:end] + bytes([version, 0xFF]) + end.to_bytes(4, "big")
    material = rest[3 + len(salt) :] if version == 6 else rest[2:]
    return SignaturePacket(version, kind, algorithm, digest, hashed, unhashed, trailer, rest[:2], salt, material)


def _subpackets(data: bytes) -> dict[int, bytes]:
    """By their kind; of several of one kind the last."""
    found = {}
    offset = 0
    while offset < len(data):
        first, offset = data[offset], offset + 1
        if first < 192:
            size = first
        elif first < 255:
            size, offset = ((first - 192) << 8) + _taken(data, offset, 1)[0] + 192, offset + 1
        else:
            size, offset = int.from_bytes(_taken(data, offset, 4), "big"), offset + 4
        body = _taken(data, offset, size)
        if body:
            found[body[0] & 0x7F] = body[1:]
        offset += size
    return found
