"""Autocrypt header: one's own OpenPGP certificate in each message that is sent, so that others can answer encrypted (Autocrypt
1.1, section 2)."""

from __future__ import annotations

import base64
import re

LARGEST = 7_000  # bytes of a certificate: the header has at most 10 KiB
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")


def written(address: str, certificate: bytes, *, mutual: bool) -> bytes:
    """The header with its line end; empty where the certificate is too large or the address holds what the header can't.

    `certificate`: not armored. `mutual`: its owner prefers encrypted mail wherever both can.
    """
    if not certificate or len(certificate) > LARGEST or not _ADDRESS.fullmatch(address):
        return b""
    keydata = base64.b64encode(certificate).decode()
    lines = "".join(f"\r\n {keydata[at : at + 76]}" for at in range(0, len(keydata), 76))
    prefer = " prefer-encrypt=mutual;" if mutual else ""
    return f"Autocrypt: addr={address.lower()};{prefer} keydata={lines}\r\n".encode()
