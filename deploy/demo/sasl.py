"""SASL: has Dovecot check a credential for SMTP, by its authentication protocol, as Postfix does.

https://doc.dovecot.org/main/developers/design/auth_protocol.html
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import os
import re
from dataclasses import dataclass

SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Verdict:
    good: bool
    explanation: str = ""  # Dovecot's error for an invalid token: JSON (RFC 7628 section 3.2.2)


def initial_response(text: str) -> bytes:
    """Decode the initial response of an AUTH command: base64, or "=" if empty. Raises ValueError."""
    try:
        return b"" if text == "=" else base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


def user_of(mechanism: str, credential: bytes) -> str:
    """The user of a credential that Dovecot accepted: a lower-case address.

    Dovecot rejects a token whose `sub` differs from the user name sent with it, so that name can be trusted.
    """
    text = credential.decode(errors="replace")
    if mechanism == "PLAIN":  # authorization identity NUL authentication identity NUL password
        authorize, authenticate, _ = text.split("\0", 2)
        return (authorize or authenticate).lower()
    found = re.match(r"user=([^\x01]+)\x01" if mechanism == "XOAUTH2" else r"n,a=([^,\x01]+),", text)
    return found[1].replace("=2C", ",").replace("=3D", "=").lower() if found else ""


async def ask_dovecot(port: int, mechanism: str, credential: bytes) -> Verdict:
    """Check a credential for SMTP; at most 3 round trips. Raises OSError (or TimeoutError) if Dovecot is down."""
    async with asyncio.timeout(SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(f"VERSION\t1\t2\nCPID\t{os.getpid()}\n".encode())
            while await _line(reader) != ["DONE"]:
                pass
            words = f"AUTH\t1\t{mechanism}\tservice=smtp\trip=127.0.0.1\tsecured\tnologin\tresp="
            writer.write(words.encode() + base64.b64encode(credential) + b"\n")
            kind, _number, *fields = await _line(reader)
            explanation = ""
            if kind == "CONT":  # why a token is refused; an empty answer is awaited, then it fails
                explanation = base64.b64decode(fields[0]).decode(errors="replace") if fields else ""
                writer.write(b"CONT\t1\tAQ==\n")
                kind, *_ = await _line(reader)
            return Verdict(kind == "OK", explanation)
        finally:
            writer.close()


async def _line(reader: asyncio.StreamReader) -> list[str]:
    line = await reader.readline()
    if not line:
        raise ConnectionResetError("Dovecot closed the connection")
    return line.decode(errors="replace").rstrip("\n").split("\t")
