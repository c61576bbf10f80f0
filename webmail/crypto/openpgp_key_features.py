"""Key features: what a key says its owner's programs can read.

The program's new keys announce the second version of encrypted packets (RFC 9580), and whoever can writes to them so. Their
owners may take the key to GnuPG or Thunderbird, which can't read that: a new key's signatures are made anew without it.
"""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa, utils

from webmail.crypto.errors import MalformedDataError
from webmail.crypto.openpgp_certificates import written_packet
from webmail.crypto.openpgp_packets import (
    SECRET_KEY,
    SIGNATURE,
    USER_ID,
    KeyPacket,
    Packet,
    hashed_key,
    key_packet,
    multiprecision,
    packets,
    signature_packet,
)

FEATURES = 30
COMMON = 0x01  # the first version of encrypted packets, which all programs read
_SHA512 = 10


def limited_to_common(key: bytes) -> bytes:
    """A new private key without passphrase, which announces nothing that other programs don't read."""
    found = list(packets(key))
    if not found or found[0].tag != SECRET_KEY:
        raise MalformedDataError("not a private key")
    first, *others = found
    primary = key_packet(first.body, secret=True)
    written = [written_packet(first)]
    signed = b""
    for packet in others:
        if packet.tag == USER_ID:
            signed = b"\xb4" + len(packet.body).to_bytes(4, "big") + packet.body
        limited = _limited(packet, primary, signed, first.body) if packet.tag == SIGNATURE else packet
        written.append(written_packet(limited))
    return b"".join(written)


def _limited(packet: Packet, primary: KeyPacket, signed: bytes, secret: bytes) -> Packet:
    """The signature without the further features, made anew; one that announces none as it is."""
    at = _feature_offset(packet.body)
    if at is None or packet.body[at] == COMMON:
        return packet
    size = int.from_bytes(packet.body[4:6], "big")
    head = packet.body[:3] + bytes([_SHA512]) + packet.body[4:at] + bytes([COMMON]) + packet.body[at + 1 : 6 + size]
    unhashed_size = int.from_bytes(packet.body[6 + size : 8 + size], "big")
    trailer = head + b"\x04\xff" + len(head).to_bytes(4, "big")
    digest = hashlib.sha512(hashed_key(primary, 4) + signed + trailer).digest()
    numbers = _signature(digest, primary, secret[len(primary.body) :])
    return Packet(
        SIGNATURE, head + packet.body[6 + size : 8 + size + unhashed_size] + digest[:2] + b"".join(map(_written, numbers))
    )


def _feature_offset(body: bytes) -> int | None:
    """Where the one byte of features stands among what the signature vouches for."""
    signature = signature_packet(body)
    if signature.version != 4 or len(signature.hashed.get(FEATURES, b"")) != 1:
        return None
    at, end = 6, 6 + int.from_bytes(body[4:6], "big")
    while at < end:
        size, width = (body[at], 1) if body[at] < 192 else (((body[at] - 192) << 8) + body[at + 1] + 192, 2)
        if body[at + width] & 0x7F == FEATURES:
            return at + width + 1
        at += width + size
    return None


def _signature(digest: bytes, primary: KeyPacket, secret: bytes) -> list[int]:
    if secret[:1] != b"\0":
        raise MalformedDataError("the private key has a passphrase")
    numbers = multiprecision(secret[1:-2])
    if primary.algorithm == 22:
        made = ed25519.Ed25519PrivateKey.from_private_bytes(numbers[0].to_bytes(32, "big")).sign(digest)
        return [int.from_bytes(made[:32], "big"), int.from_bytes(made[32:], "big")]
    modulus, exponent = multiprecision(primary.material, 2)
    d, p, q, _inverse = numbers
    private = rsa.RSAPrivateNumbers(
        p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q), rsa.RSAPublicNumbers(exponent, modulus)
    ).private_key()
    return [int.from_bytes(private.sign(digest, padding.PKCS1v15(), utils.Prehashed(hashes.SHA512())), "big")]


def _written(number: int) -> bytes:
    return number.bit_length().to_bytes(2, "big") + number.to_bytes((number.bit_length() + 7) // 8, "big")
