"""Decrypted original: what is inside an encrypted message that is answered, forwarded, or was a draft; read with one's keys.

Whole messages alone are decrypted: a part beside others is left to the page that reads it.
"""

from __future__ import annotations

from dataclasses import dataclass

from webmail.compose.encryption.protection_errors import ProtectionError, SealedDraftError
from webmail.crypto.errors import CryptoBusyError
from webmail.imap.connections.connection import Connection
from webmail.imap.reading import messages
from webmail.keys.messages import opening
from webmail.keys.messages.opening import EncryptionState, MessageReader, OpeningFault
from webmail.mail import Message, Structure
from webmail.mime import parser
from webmail.mime.parser import ParsedMessage
from webmail.mime.protected import header_reading
from webmail.mime.structure import classify, default_name
from webmail.mime.text import plain_text
from webmail.mime.transfer_encoding import decode_transfer

_ENCRYPTED = ("application/pgp-encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime")


class NotDecryptedError(ProtectionError):
    """The message is not encrypted as a whole, or too large to be decrypted here."""


@dataclass(frozen=True, slots=True)
class DecryptedOriginal:
    """A message as it was before it was encrypted. `files`: content, name and type of each."""

    subject: str
    text: str
    files: tuple[tuple[bytes, str, str], ...]


def is_encrypted(message: Message) -> bool:
    """Whether a message came encrypted as a whole, as its MIME structure says."""
    top = [part.type for part in message.structure.attachments if part.section in ("", "1")]
    return any(kind in _ENCRYPTED for kind in top)


def was_encrypted(message: Message) -> bool:
    """Whether it came so, also of one that says it was kept decrypted: an answer is encrypted rather once too often."""
    return message.trace.kept or is_encrypted(message)


def read(connection: Connection, message: Message, who: MessageReader) -> DecryptedOriginal:
    """2 round trips at most, and a process for each layer. Raises SealedDraftError where the keyring is closed, CryptoBusyError,
    NotDecryptedError."""
    raw = messages.raw(connection, message.mailbox, message.uid, message.uidvalidity, limit=opening.LARGEST + 1)
    found = opening.open_message(raw, who).whole
    if found is None or found.encryption is None:
        raise NotDecryptedError(f"{message.uid} is not encrypted as a whole, or too large")
    if found.encryption is EncryptionState.LOCKED:
        raise SealedDraftError("the keyring is closed")
    if found.fault is OpeningFault.BUSY:
        raise CryptoBusyError(f"{message.uid} is not decrypted now")
    if found.content is None:
        raise NotDecryptedError(f"{message.uid}: {found.fault}")
    return _described(found.content)


def _described(content: bytes) -> DecryptedOriginal:
    message = parser.read(content)
    found = classify(message.root)
    told = header_reading.protected_headers(content)
    files = [
        (decode_transfer(message.content(part.section), part.encoding), part.filename or default_name(part.type), part.type)
        for part in found.attachments + found.inline
    ]
    subject = told.envelope.subject if told is not None else ""
    return DecryptedOriginal(subject, _text(message, found), tuple(files))


def _text(message: ParsedMessage, found: Structure) -> str:
    """The plain text; of a message in HTML alone what it says, and nothing that it would load."""
    read = []
    for part in found.text:
        text = plain_text.content(message.content(part.section), part)
        read.append(plain_text.unflow(text, delsp=part.delsp) if part.format == "flowed" else text)
    if not found.text:
        read = [plain_text.html_to_text(plain_text.content(message.content(part.section), part)) for part in found.html]
    return "\n".join(read).rstrip()
