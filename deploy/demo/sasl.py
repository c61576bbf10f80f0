"""SASL: checks a credential against Dovecot by signing in to IMAP with it (RFC 3501 section 6.2.2, RFC 4959)."""

from __future__ import annotations

import asyncio
import base64
import binascii
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


async def ask_dovecot(imap_port: int, mechanism: str, credential: bytes) -> Verdict:
    """Check a credential: one IMAP connection, at most 4 round trips. Raises OSError (or TimeoutError) if Dovecot is down."""
    async with asyncio.timeout(SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", imap_port)
        try:
            await reader.readline()
            writer.write(b"a AUTHENTICATE %s %s\r\n" % (mechanism.encode(), base64.b64encode(credential) or b"="))
            line = await reader.readline()
            explanation = ""
            if line.startswith(b"+"):
                explanation = base64.b64decode(line[1:]).decode(errors="replace")
                writer.write(b"AQ==\r\n")
                line = await reader.readline()
            while line.startswith(b"*"):
                line = await reader.readline()
            if not line:
                raise ConnectionResetError("Dovecot closed the connection")
            return Verdict(line.startswith(b"a OK"), explanation)
        finally:
            writer.close()
