"""Keeping: an encrypted message that its reader keeps decrypted on the mail server, and the way back to what was sent.

The copy holds the encrypted original (`webmail/mime/protected/kept_copy.py`), so nothing about it is stored anywhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from webmail.account import Account
from webmail.config.settings import Settings
from webmail.database.user_lock import user_lock
from webmail.imap.bulk import file_removal, replacement
from webmail.imap.connections.pool import connect
from webmail.keys.messages.opening import EncryptionState, OpenedPart
from webmail.mime import structure
from webmail.mime.headers import headers
from webmail.mime.protected import header_reading, kept_copy
from webmail.mime.protected.kept_copy import CannotKeepError, KeptCopy, KeptFacts, KeptSignature
from webmail.mime.text import plain_text
from webmail.models import User
from webmail.preferences import sort_on_server

Place = tuple[str, int, int]  # mailbox, UID, UIDVALIDITY
LEFT_ENCRYPTED = "$KeepEncrypted"  # the keyword of a message that its reader took back: no rule keeps it decrypted again
_ENCRYPTED = "$encrypted"  # the mark in lists, which the mail server sets on what arrives encrypted


def can_be_kept(part: OpenedPart | None) -> bool:
    """Whole messages alone, that were decrypted, and in which nothing was left closed."""
    return part is not None and part.whole and part.encryption is EncryptionState.DECRYPTED and not part.left


def copy_of(raw: bytes, part: OpenedPart, user: User, settings: Settings) -> bytes:
    """The copy to keep of an opened message. Raises CannotKeepError."""
    content = part.content
    if not can_be_kept(part) or content is None:
        raise CannotKeepError("nothing whole was decrypted")
    said = tuple(KeptSignature(one.state.value, one.kind, one.signer, one.name, one.fingerprint) for one in part.signatures)
    outer = headers.envelope(header_reading.header_block(raw))
    differences = header_reading.differences(outer, part.headers) if part.headers else ()
    facts = KeptFacts(datetime.now(UTC), said, part.protected, differences)
    if part.is_text:
        inside = kept_copy.plain_part(plain_text.decode_text(content, "", part.charset or "utf-8"))
    else:
        inside = content if part.protected else kept_copy.without_formatting(content)
    fields = kept_copy.protected_fields(content) if part.headers else ()
    return kept_copy.build(raw, inside, facts, secret=settings.secret_key, owner=user.id, protected=fields)


def found_in(raw: bytes, user: User, settings: Settings) -> KeptCopy | None:
    """The kept copy that these bytes are, if they are one of this person's."""
    return kept_copy.read(raw, secret=settings.secret_key, owner=user.id)


def keep(account: Account, user: User, settings: Settings, where: Place, copy: bytes, original: bytes) -> int:
    """Put the copy in the place of the original; its UID. Raises what `replacement.put_in_place` raises."""

    def is_same(raw: bytes) -> bool:
        found = found_in(raw, user, settings)
        return found is not None and found.original == original

    files = kept_copy.without_original(structure.classify(structure.from_bytes(copy))).attachments
    return _put(account, user, where, copy, is_same, original, minus=(LEFT_ENCRYPTED, _ENCRYPTED), has_files=bool(files))


def take_back(account: Account, user: User, where: Place, original: bytes) -> int:
    """Put the encrypted original in the place of its copy; its UID. Raises what `replacement.put_in_place` raises."""
    return _put(account, user, where, original, lambda raw: raw == original, original, plus=(LEFT_ENCRYPTED, _ENCRYPTED))


def _put(
    account: Account, user: User, where: Place, content: bytes, is_same: Callable[[bytes], bool], original: bytes, *,
    plus: tuple[str, ...] = (), minus: tuple[str, ...] = (), has_files: bool | None = None,
) -> int:  # fmt: skip
    mailbox, uid, uidvalidity = where
    message_id = headers.envelope(header_reading.header_block(original)).message_id
    with user_lock(user.id), connect(account, mailbox) as connection:
        newest = uid >= file_removal.floor(connection, mailbox) - 1
        new = replacement.put_in_place(
            connection, mailbox, uid, uidvalidity, content, is_same,
            message_id=message_id, plus=plus, minus=minus, has_files=has_files,
        )  # fmt: skip
    if not newest:  # its new number says that it came last: the mailbox is sorted by date from now on
        sort_on_server(user, mailbox)
    return new
