"""OpenPGP messages: who can read one, and who it claims to be signed by, told from its packets.

The program tells which signatures are good, and is silent about the others: these are found here, to say why. Nothing read here
makes a signature good.
"""

from __future__ import annotations

import bz2
import re
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESOCB3
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from webmail.crypto.errors import CryptoTooLargeError, MalformedDataError
from webmail.crypto.openpgp_packets import (
    COMPRESSED,
    ENCRYPTED,
    ENCRYPTED_PROTECTED,
    LITERAL,
    MARKER,
    ONE_PASS,
    PADDING,
    SESSION_KEY,
    SIGNATURE,
    Packet,
    dearmoured,
    packets,
    signature_packet,
    start_of,
)
from webmail.crypto.openpgp_signature_check import DIGESTS

MOST_RECIPIENTS = 2000
MOST_SIGNATURES = 20
_START = 2**16  # bytes of a message in which its first packets stand
_FIRST_CHUNK = 2**22 + 2**16  # what is decrypted at once where chunks are as large as they may be
_HEAD = 2**14
_BLANK_LINE = re.compile(
    rb"^(-----BEGIN PGP MESSAGE-----[ \t]*\r?\n(?:[A-Za-z]{2,20}: [^\n]*\n)*)(?:[ \t\xa0]|\xc2)+(\r?\n)", re.MULTILINE
)
_AES = {7: 16, 8: 24, 9: 32}
_LIBREPGP_ENCRYPTED = 20


@dataclass(frozen=True, slots=True)
class ClaimedSignature:
    """A signature that a message has, good or not: by which key it says to be (a fingerprint or key id, or ""), and when."""

    issuer: str
    made: datetime | None = None
    is_weak: bool = False


@dataclass(frozen=True, slots=True)
class MessageRecipients:
    """An encrypted message's recipients: the key ids (or fingerprints) that stand in it, and how many are hidden.

    `is_readable`: in a way that the program decrypts. `with_password`: whoever knows a password can read it too.
    """

    key_ids: tuple[str, ...]
    hidden: int
    with_password: bool
    is_readable: bool


def mended(message: bytes) -> bytes:
    """A message whose armour has a line of blanks where an empty one belongs, as some programs make of it, with the empty one."""
    head = _BLANK_LINE.sub(rb"\1\2", message[:_HEAD], count=1)
    return head + message[_HEAD:] if len(head) != min(len(message), _HEAD) else message


def recipients(message: bytes) -> MessageRecipients:
    """Raises MalformedDataError where it isn't an encrypted message."""
    key_ids, hidden, with_password = [], 0, False
    for packet in packets(start_of(message, 2**20), MOST_RECIPIENTS, is_start=True):
        if packet.tag == SESSION_KEY:
            key_id = _recipient(packet.body)
            hidden += not key_id
            key_ids += [key_id] if key_id else []
        elif packet.tag == 3:
            with_password = True
        elif packet.tag in (ENCRYPTED, ENCRYPTED_PROTECTED, _LIBREPGP_ENCRYPTED):
            return MessageRecipients(tuple(key_ids), hidden, with_password, packet.tag == ENCRYPTED_PROTECTED)
        elif packet.tag not in (MARKER, PADDING):
            break
    raise MalformedDataError("not an encrypted message")


def _recipient(body: bytes) -> str:
    """Key id or fingerprint; "" where it is hidden."""
    if body[:1] == b"\x03":
        return body[1:9].hex().upper() if any(body[1:9]) else ""
    return body[3 : 2 + body[1]].hex().upper() if body[:1] == b"\x06" and body[1:2] != b"\0" else ""


def detached_signatures(data: bytes) -> tuple[ClaimedSignature, ...]:
    """Raises MalformedDataError where it isn't signatures."""
    return tuple(_claims(dearmoured(data, ("SIGNATURE", "MESSAGE"))))


def inline_signatures(text: bytes) -> tuple[ClaimedSignature, ...]:
    """Of clear text with a signature under it, or of a signed message. Raises MalformedDataError where it is neither."""
    if b"-----BEGIN PGP SIGNED MESSAGE-----" in text:
        signed = text[text.index(b"-----BEGIN PGP SIGNED MESSAGE-----") :]  # the first, as the program takes it
        _signed, begin, rest = signed.partition(b"-----BEGIN PGP SIGNATURE-----")
        armour, end, _rest = rest.partition(b"-----END PGP SIGNATURE-----")
        return detached_signatures(begin + armour + end)
    return tuple(_claims(start_of(text, _START), is_start=True))


def signatures_inside(message: bytes, session_key: bytes) -> tuple[ClaimedSignature, ...]:
    """Of an encrypted message whose session key the program has told ("9:", hexadecimal digits). Empty where none is found."""
    algorithm, _colon, digits = session_key.strip().decode("ascii", "replace").partition(":")
    try:
        number, key = int(algorithm), bytes.fromhex(digits)
        return tuple(_claims(_plain_start(message, number, key), is_start=True))
    except (ValueError, InvalidTag, MalformedDataError, CryptoTooLargeError):
        return ()


def _plain_start(message: bytes, algorithm: int, key: bytes) -> bytes:
    """What the encrypted packet begins with, once decrypted. The program has checked that nobody changed it."""
    if _AES.get(algorithm) != len(key):
        return b""
    for packet in packets(start_of(message, 2**20), MOST_RECIPIENTS, is_start=True):
        if packet.tag == ENCRYPTED_PROTECTED and packet.body[:1] == b"\x01":
            decryptor = Cipher(algorithms.AES(key), CFB(bytes(16))).decryptor()
            return decryptor.update(packet.body[1:_START])[18:]  # a block of chance, and two of its bytes again
        if packet.tag == ENCRYPTED_PROTECTED and packet.body[:1] == b"\x02":
            return _first_chunk(_body_of_encrypted(message), key)
    return b""


def _body_of_encrypted(message: bytes) -> bytes:
    started = packets(start_of(message, _FIRST_CHUNK), MOST_RECIPIENTS, is_start=True)
    return next(packet.body for packet in started if packet.tag == ENCRYPTED_PROTECTED)


def _first_chunk(body: bytes, session_key: bytes) -> bytes:
    """Of the second version of encrypted packets (RFC 9580, 5.13.2)."""
    head, salt = b"\xd2" + body[:4], body[4:36]
    nonce_size = {2: 15, 3: 12}.get(body[2])
    if nonce_size is None or body[3] > 16:
        return b""
    derived = HKDF(hashes.SHA256(), len(session_key) + nonce_size - 8, salt, head).derive(session_key)
    chunk = body[36 : 36 + (1 << (body[3] + 6)) + 16]
    if len(body) < 36 + (1 << (body[3] + 6)) + 32:  # the only one: the last tag, of the whole, follows it
        chunk = body[36:-16]
    nonce = derived[len(session_key) :] + bytes(8)
    key = derived[: len(session_key)]
    cipher = AESOCB3(key) if nonce_size == 15 else AESGCM(key)
    return cipher.decrypt(nonce, chunk, head)[:_START]


def _claims(data: bytes, *, is_start: bool = False, depth: int = 0) -> Iterator[ClaimedSignature]:
    """The signatures before the content, and of data without content all."""
    number = 0
    for packet in packets(data, 1000, is_start=is_start):
        if packet.tag == COMPRESSED and depth < 4:
            yield from _claims(_unpacked_start(packet.body), is_start=True, depth=depth + 1)
            return
        if packet.tag == LITERAL or number >= MOST_SIGNATURES:
            return
        if packet.tag in (ONE_PASS, SIGNATURE):
            number += 1
            yield _claimed(packet)
        elif packet.tag not in (MARKER, PADDING):
            raise MalformedDataError("neither signature nor content")


def _claimed(packet: Packet) -> ClaimedSignature:
    if packet.tag == ONE_PASS:
        version, digest = packet.body[0], packet.body[2]
        issuer = packet.body[5 + packet.body[4] :][:32] if version == 6 else packet.body[4:12]
        return ClaimedSignature(issuer.hex().upper(), None, digest not in DIGESTS)
    with suppress(MalformedDataError):
        signature = signature_packet(packet.body)
        return ClaimedSignature(signature.issuer, signature.made, signature.digest not in DIGESTS)
    return ClaimedSignature("")


def _unpacked_start(body: bytes) -> bytes:
    """Of a compressed packet; b"" where it can't be unpacked."""
    if body[:1] in (b"\x01", b"\x02"):
        with suppress(zlib.error):
            return zlib.decompressobj(-15 if body[:1] == b"\x01" else 15).decompress(body[1:], _START)
    if body[:1] == b"\x03":
        with suppress(OSError):
            return bz2.BZ2Decompressor().decompress(body[1:], _START)
    return body[1:] if body[:1] == b"\0" else b""
