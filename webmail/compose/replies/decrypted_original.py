"""Decrypted original: what is inside an encrypted message that is answered, forwarded, or was a draft; read with one's keys.

Whole messages alone are decrypted: a part beside others is left to the page that reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from webmail.compose.encryption import own_messages
from webmail.compose.encryption.protection_errors import ProtectionError, SealedDraftError
from webmail.imap.connections.connection import Connection
from webmail.imap.reading import messages
from webmail.keys.open_keyring import OpenKeyring
from webmail.keys.own_keys import OPENPGP, SMIME, OwnKey
from webmail.mail import Message, Structure
from webmail.mime import parser
from webmail.mime.parser import ParsedMessage
from webmail.mime.protected import header_reading, protected_parts
from webmail.mime.structure import classify, default_name
from webmail.mime.text import plain_text
from webmail.mime.transfer_encoding import decode_transfer

LARGEST = 40_000_000  # bytes of a message that is decrypted to be answered
_LAYERS = 3  # encrypted, signed inside, and one more
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


def read(
    connection: Connection, message: Message, keys: Sequence[OwnKey], opened: OpenKeyring | None, owner: int
) -> DecryptedOriginal:
    """2 round trips at most, and a process for each layer. Raises SealedDraftError where the keyring is closed,
    NotDecryptedError, CryptoError."""
    if opened is None:
        raise SealedDraftError("the keyring is closed")
    raw = messages.raw(connection, message.mailbox, message.uid, message.uidvalidity, limit=LARGEST + 1)
    if len(raw) > LARGEST:
        raise NotDecryptedError(f"{message.uid} is too large")
    return _described(_inside(raw, keys, opened, owner))


def _inside(raw: bytes, keys: Sequence[OwnKey], opened: OpenKeyring, owner: int) -> bytes:
    """What is inside all layers, the first of which is encryption."""
    content, decrypted = raw, False
    for _layer in range(_LAYERS):
        part = next((one for one in protected_parts.find(content).parts if one.whole and not one.kind.is_inline), None)
        if part is None:
            break
        if part.kind.is_encrypted:
            kind = SMIME if part.kind.is_smime else OPENPGP
            content, decrypted = own_messages.decrypted(part.content, kind, keys, opened, owner), True
        elif part.kind.is_beside:
            content = part.content
        else:
            break
    if not decrypted:
        raise NotDecryptedError("not encrypted as a whole")
    return content


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
