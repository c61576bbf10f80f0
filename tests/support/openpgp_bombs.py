"""OpenPGP bombs: small messages that unpack to a lot, as nobody's program writes them."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
import zlib
from pathlib import Path

from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

from webmail.crypto import openpgp
from webmail.crypto.openpgp_certificates import written_packet
from webmail.crypto.openpgp_packets import COMPRESSED, LITERAL, Packet, packets

_SESSION_KEY, _PROTECTED = 1, 18  # tags: of a session key for a recipient, of what is encrypted and protected (RFC 9580)
_BLOCK = 16  # bytes


def packed_zeros(size: int) -> bytes:
    """A message of OpenPGP that unpacks to so many bytes."""
    packing = zlib.compressobj(9, zlib.DEFLATED, -15)
    literal = b"b\0\0\0\0\0"
    head = bytes([0xC0 | LITERAL, 0xFF]) + (size + len(literal)).to_bytes(4, "big") + literal
    packed = [packing.compress(head)]
    zeros = bytes(2**20)
    packed += [packing.compress(zeros) for _number in range(size // len(zeros))]
    return written_packet(Packet(COMPRESSED, b"\x01" + b"".join(packed) + packing.flush()))


def sealed_zeros(size: int, key: bytes) -> bytes:
    """The same, encrypted for an own private key: with the session key of a real message, so that only the size is odd."""
    real = subprocess.run(
        ["sqop", "dearmor"], input=openpgp.encrypt(b"x", [openpgp.certificate_of(key, owner=0)], owner=0), capture_output=True,
        check=True,
    ).stdout  # fmt: skip
    recipient = next(one for one in packets(real) if one.tag == _SESSION_KEY)
    inside = os.urandom(_BLOCK)
    inside += inside[-2:] + packed_zeros(size) + b"\xd3\x14"
    inside += hashlib.sha1(inside).digest()
    sealing = Cipher(algorithms.AES(_session_key(real, key)), CFB(bytes(_BLOCK))).encryptor()
    return written_packet(recipient) + written_packet(Packet(_PROTECTED, b"\x01" + sealing.update(inside) + sealing.finalize()))


def _session_key(message: bytes, key: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        private, found = Path(folder, "key"), Path(folder, "session")
        private.write_bytes(key)
        subprocess.run(
            ["sqop", "decrypt", f"--session-key-out={found}", str(private)], input=message, capture_output=True, check=True
        )
        algorithm, _colon, text = found.read_text().strip().partition(":")
    assert algorithm == "9", algorithm  # AES with 256 bits
    return bytes.fromhex(text)
