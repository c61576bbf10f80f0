"""Sealed drafts: rows of messages that are to be encrypted. Subject, text and files are stored sealed, and nothing in the clear.

A row that a form has just stored has the text of that form; one that was read from the database has none until it is laid open,
which takes the keyring. Nobody else than its writer can, the worker neither: it puts no copy of it into Drafts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from webmail.compose.encryption import draft_seal, own_messages, protection
from webmail.compose.encryption.draft_seal import OpenSeal
from webmail.compose.encryption.protection_errors import SealedDraftError
from webmail.keys import own_keys
from webmail.keys.open_keyring import OpenKeyring
from webmail.models import AttachmentRow, DraftRow

if TYPE_CHECKING:
    pass

_TEXTS = ("subject", "body")
Opener = Callable[[], OpenKeyring | None]


@dataclass(slots=True)
class Secrecy:
    """What a request knows of a sealed row: whether the text is in it, and what opens its files."""

    has_text: bool = False
    opener: Opener | None = None
    seal: OpenSeal | None = None


def _secrecy(row: DraftRow) -> Secrecy:
    if row.secrecy is None:
        row.secrecy = Secrecy()
    held: Secrecy = row.secrecy
    return held


def is_sealed(row: DraftRow) -> bool:
    """Whether its text is stored sealed."""
    return row.sealed is not None


def lacks_text(row: DraftRow) -> bool:
    """Whether the row is sealed and its text is not here."""
    return row.sealed is not None and not (row.secrecy is not None and row.secrecy.has_text)


# --- writing ---------------------------------------------------------------------------------------------------------


def columns(row: DraftRow | None, user_id: int, values: dict[str, Any]) -> dict[str, Any]:
    """What is stored of these values (`fields.storable`): sealed where that was chosen. `row`: which has a seal already.

    One SELECT and one process the first time. Raises NoOwnKeyError, CryptoError: then nothing may be stored.
    """
    if not protection.is_sealed(values["protection"]):
        return {**values, "sealed": None}
    public, private = (row.seal_public, row.seal_private) if row is not None and row.seal_public else _new_seal(user_id)
    texts = {name: values[name] for name in _TEXTS}
    sealed = draft_seal.put_in(public, texts)
    return {**values, **dict.fromkeys(_TEXTS, ""), "sealed": sealed, "seal_public": public, "seal_private": private}


def _new_seal(user_id: int) -> tuple[bytes, bytes]:
    public, private = draft_seal.make()
    return public, own_messages.encrypted(private, own_keys.own_keys(user_id), user_id)


def note_text(row: DraftRow, values: dict[str, Any]) -> None:
    """The row has just been stored with these values: it has the text as it was written."""
    if row.sealed is not None:
        for name in _TEXTS:
            setattr(row, name, values[name])
        _secrecy(row).has_text = True


def revision(row: DraftRow) -> str:
    """What names the state of a sealed row: a hash of what stands there, not of the text, which could be guessed by it."""
    return hashlib.sha256(bytes(row.sealed or b"")).hexdigest()[:24]


# --- reading ---------------------------------------------------------------------------------------------------------


def openable(row: DraftRow, opener: Opener) -> DraftRow:
    """Let the row be opened when it is needed. `opener`: the keyring, None while it is closed."""
    if row.seal_public is not None:
        _secrecy(row).opener = opener
    return row


def opener_of(row: DraftRow) -> Opener | None:
    return row.secrecy.opener if row.secrecy is not None else None


def lay_open(row: DraftRow) -> None:
    """Put the text of a sealed row into it. One SELECT and one process. Raises SealedDraftError, CryptoError, SealBrokenError."""
    if not lacks_text(row):
        return
    values = seal_of(row).read(bytes(row.sealed or b""))
    for name in _TEXTS:
        setattr(row, name, str(values.get(name, "")))
    _secrecy(row).has_text = True


def seal_of(row: DraftRow) -> OpenSeal:
    """What reads the row and its files; opened once in a request. Raises as `lay_open` does."""
    held = _secrecy(row)
    if held.seal is None:
        keyring = held.opener() if held.opener is not None else None
        if keyring is None or row.seal_private is None:
            raise SealedDraftError(f"draft {row.id} is sealed")
        private = own_messages.read(bytes(row.seal_private), own_keys.own_keys(row.user_id), keyring, row.user_id)
        held.seal = draft_seal.opened(private)
    return held.seal


def can_open(row: DraftRow) -> bool:
    """Whether the row is not sealed, or the keyring is open. Raises CryptoError."""
    try:
        if row.seal_public is not None:
            seal_of(row)
    except SealedDraftError:
        return False
    return True


# --- files -----------------------------------------------------------------------------------------------------------


def sealed_file(row: DraftRow, filename: str, kind: str, key: bytes) -> bytes:
    """The column of a file of this draft."""
    return draft_seal.put_in(bytes(row.seal_public or b""), {"filename": filename, "type": kind, "key": key.hex()})


def open_files(row: DraftRow, files: list[AttachmentRow]) -> None:
    """Put names and keys into the rows of sealed files, if the draft can be opened. Raises CryptoError, SealBrokenError."""
    if not any(one.sealed is not None and one.content_key is None for one in files) or not can_open(row):
        return
    seal = seal_of(row)
    for one in files:
        if one.sealed is not None and one.content_key is None:
            values = seal.read(bytes(one.sealed))
            one.filename, one.type = str(values["filename"]), str(values["type"])
            one.content_key = bytes.fromhex(values["key"])
