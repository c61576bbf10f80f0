"""Drafts: rows with the latest text of messages being written; creating, storing with conflict detection, and deleting.

Files are in `attachments.py`, copies on the IMAP server in `draft_copies.py`. Every function needs an open database connection.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from enum import StrEnum
from typing import Any

import peewee as pw

from webmail.compose import identities
from webmail.compose.attachments import attachment_rows, uploads
from webmail.compose.drafts import sealed_drafts
from webmail.compose.drafts.fields import NO_FIELDS, Fields, fields_of, normalised, revision_of, storable, values_of
from webmail.compose.encryption import protection
from webmail.compose.large_files import large_files
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.database.prepared import Prepared, PreparedInsert, Slot
from webmail.errors import MailError, NoSuchMessageError
from webmail.mime import builder
from webmail.models import AttachmentRow, DraftRow, Outbox, OutboxState, User, now
from webmail.storage import FileGoneError

_TOUCH = timedelta(milliseconds=1)  # created < updated marks a row that the user may have edited, see leave_untouched
_COPY_EVERY = timedelta(minutes=1)
_COPY_SIZE = 1_000_000
_NAMED = 16  # letters of a form's name beside which its turn has room in the column
_AT_REST = timedelta(minutes=1)  # after the last change, the worker puts the copy into Drafts where no page did


class CopyTrouble(StrEnum):
    """Why the latest text of a draft is not in the Drafts folder."""

    AWAY = "away"  # the mail server does not answer
    FULL = "full"  # the mailbox is over quota
    FILES = "files"  # the draft's own files can't be read
    REFUSED = "refused"


class DraftChangedElsewhereError(MailError):
    """Another form stored a different text in the draft meanwhile; `row` has that text."""

    status = 409

    def __init__(self, row: DraftRow) -> None:
        super().__init__(f"draft {row.id} was changed by another form")
        self.row = row


class AlreadyLeftError(MailError):
    """The draft is in the outbox or was sent, so it can no longer be changed."""

    status = 409


_made = PreparedInsert(DraftRow)
_sent = Prepared(lambda slot: Outbox.select(Outbox.id).where(Outbox.draft == slot("draft")))


def new(
    user: User,
    fields: Fields = NO_FIELDS,
    draft_id: str = "",
    writer: str = "",
    revision: int = 0,
    *,
    twin: DraftRow | None = None,
) -> DraftRow:
    """Create a draft row. `draft_id` is the id that the form was given; empty for a new one. `writer`, `revision`: see `store`.
    `twin`: the draft whose sealed files it will have.

    Raises NoSuchMessageError for a malformed id, AlreadyLeftError if a message was sent under it, and what
    `sealed_drafts.columns` does.
    """
    draft_id = draft_id or new_id()
    if not uploads.is_draft_id(draft_id):
        raise NoSuchMessageError(f"no draft has the id {draft_id!r}")
    if _sent.plain(draft=draft_id):
        raise AlreadyLeftError(f"draft {draft_id} has left")
    domain = user.address.rpartition("@")[2]
    begun, values = now(), storable(fields)
    kept = {} if twin is None else {"seal_public": twin.seal_public, "seal_private": twin.seal_private}
    made: DraftRow = _made(
        id=draft_id, user=user, message_id=builder.new_message_id(domain), created=begun - _TOUCH, updated=begun,
        copy_due=begun + _AT_REST, writer=_signed(writer, revision), **kept | sealed_drafts.columns(twin, user.id, values),
    )  # fmt: skip
    sealed_drafts.note_text(made, values)
    return made


def store(user: User, draft_id: str, fields: Fields, *, writer: str = "", revision: int = 0, began_from: str = "") -> DraftRow:
    """Store the text of a form, creating the row the first time (optimistic locking).

    `writer` is a random name that the form got when it was rendered, `began_from` the revision it was rendered with. A text that
    another form stored meanwhile is not overwritten; one from the same form is, unless that has a later `revision`: what is saved
    by itself and what is saved as the page is left may arrive in the wrong order. `revision` 0: a browser without scripts, in
    order.

    Raises NoSuchMessageError, AlreadyLeftError, DraftChangedElsewhereError, and what `sealed_drafts.columns` does.
    """
    row = _own.first(draft=draft_id, user=user.id)
    if row is None:
        try:
            with db.atomic():
                return new(user, fields, draft_id, writer, revision)
        except pw.IntegrityError:  # created by a concurrent request, or another user's
            row = load(user, draft_id)
    fields = normalised(fields)
    while sealed_drafts.lacks_text(row) or fields_of(row) != fields:
        if was_stored_by(row, writer):
            if 0 < revision < last_turn(row):
                return row  # overtaken by what was typed later
        elif revision_at(row) != began_from:
            raise DraftChangedElsewhereError(row)
        if _write(row, fields, (DraftRow.updated == row.updated) & _still_here(row.id), writer=_signed(writer, revision)):
            return row
        row = load(user, draft_id)  # written concurrently
        if has_left(row.id):
            raise AlreadyLeftError(f"draft {row.id} has left")
    if was_stored_by(row, writer) and revision > last_turn(
        row
    ):  # the same text again: what was typed in between may still arrive
        row.writer = _signed(writer, revision)
        DraftRow.update(writer=row.writer).where((DraftRow.id == row.id) & (DraftRow.updated == row.updated)).execute()
    return row


def _write(row: DraftRow, fields: Fields, still: Any, writer: str | None) -> bool:
    """Store the text, sealed where that was chosen; False if the condition does not hold."""
    values = values_of(fields)
    if not touch(row, still, writer=writer, **sealed_drafts.columns(row, row.user_id, values)):
        return False
    sealed_drafts.note_text(row, values)
    return True


def revision_at(row: DraftRow) -> str:
    """What names the text that the row has now, for a form that is rendered with it."""
    return sealed_drafts.revision(row) if sealed_drafts.is_sealed(row) else revision_of(fields_of(row))


def _signed(writer: str, revision: int) -> str | None:
    """The column `writer`: the name of the form that stored last and, where there is room, its turn."""
    return f"{writer}-{revision}" if revision and len(writer) == _NAMED else writer or None


def was_stored_by(row: DraftRow, writer: str) -> bool:
    """Whether this form stored the row's text last."""
    return (row.writer or "").partition("-")[0] == writer


def last_turn(row: DraftRow) -> int:
    """The turn of the form that stored the row's text last; 0 if it had none."""
    return int((row.writer or "").partition("-")[2] or 0)


def apart(row: DraftRow, fields: Fields, writer: str, settings: Settings) -> DraftRow:
    """A separate draft, with the same files, for the text of a form that may not overwrite `row`; one per form.

    Raises as `duplicate` does.
    """
    own = (DraftRow.user == row.user) & DraftRow.writer.startswith(writer) & (DraftRow.id != row.id)
    if writer and (before := DraftRow.select().where(own & _not_in_outbox()).first()):
        update(before, fields)
        return before
    return _with_files_of(row, new(row.user, fields, writer=writer, twin=row), settings)


def leave_untouched(row: DraftRow) -> None:
    """Mark the row's content as generated, not typed: cleanup may remove it after a day."""
    DraftRow.update(updated=DraftRow.created, copy_due=None).where(DraftRow.id == row.id).execute()


def untouched(user: User, fields: Fields) -> DraftRow | None:
    """An existing unedited row with the same fields, so that following a link twice creates only one draft."""
    values = storable(fields)
    if protection.is_sealed(values["protection"]):
        return None  # what they hold can't be compared
    same = [getattr(DraftRow, name) == value for name, value in values.items()]
    return DraftRow.select().where(DraftRow.user == user, DraftRow.saved_at.is_null(), _not_in_outbox(), *same).first()


def _not_in_outbox() -> Any:
    return DraftRow.id.not_in(Outbox.select(Outbox.draft))


def has_left(draft_id: str) -> bool:
    """Whether its message is queued or was sent: further changes would not be part of it."""
    return bool(_leaving(draft_id).exists())


def _still_here(draft_id: str) -> Any:
    return ~pw.fn.EXISTS(_leaving(draft_id))


def _leaving(draft_id: str) -> Any:
    stopped = [OutboxState.CANCELLED, OutboxState.FAILED]
    return Outbox.select(Outbox.id).where(Outbox.draft == draft_id, Outbox.state.not_in(stopped))


def new_id() -> str:
    return secrets.token_hex(16)


def drawn_id(user: User, secret: str) -> str:
    """A new id that shows that it was drawn for this person, so that an address can name it before there is a row."""
    begin = secrets.token_hex(8)
    return begin + _drawn_for(user, begin, secret)


def is_drawn(user: User, draft_id: str, secret: str) -> bool:
    """Whether `drawn_id` made this id, for this person: others may know an id that somebody made up, and take it before them."""
    return uploads.is_draft_id(draft_id) and hmac.compare_digest(draft_id[16:], _drawn_for(user, draft_id[:16], secret))


def _drawn_for(user: User, begin: str, secret: str) -> str:
    return hmac.new(secret.encode(), f"draft {user.id} {begin}".encode(), "sha256").hexdigest()[:16]


def _stored_or_sent(placeholder: Slot) -> Any:
    sent = Outbox.select(pw.SQL("1")).where(Outbox.draft == placeholder("draft"))
    return DraftRow.select(pw.SQL("1")).where(DraftRow.id == placeholder("draft")).union_all(sent).limit(1)


_begun = Prepared(_stored_or_sent)


def is_begun(draft_id: str) -> bool:
    """Whether something was stored or sent under this id, by whomever. One SELECT."""
    return bool(_begun.plain(draft=draft_id))


_own = Prepared(lambda slot: DraftRow.select().where(DraftRow.id == slot("draft"), DraftRow.user == slot("user")))


def load(user: User, draft_id: str) -> DraftRow:
    """The user's draft. Raises NoSuchMessageError, also for somebody else's."""
    row: DraftRow | None = _own.first(draft=draft_id, user=user.id)
    if row is None:
        raise NoSuchMessageError(f"no draft {draft_id!r} of {user.address}")
    return row


def update(row: DraftRow, fields: Fields) -> bool:
    """Store the fields unconditionally; returns whether anything changed."""
    values = storable(fields)
    if sealed_drafts.is_sealed(row) or protection.is_sealed(values["protection"]):
        touch(row, **sealed_drafts.columns(row, row.user_id, values))
        sealed_drafts.note_text(row, values)
        return True
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    if changed:
        touch(row, **changed)
    return bool(changed)


def change(user: User, draft_id: str, edit: Callable[[Fields], Fields], opener: sealed_drafts.Opener | None = None) -> DraftRow:
    """Change the text as it is now, whichever form stored it: every form that is open then finds it changed elsewhere.

    `opener`: of the keyring, for a sealed draft. Raises NoSuchMessageError, AlreadyLeftError, and for a sealed draft what
    `sealed_drafts.lay_open` does.
    """
    while True:
        row = load(user, draft_id)
        if has_left(row.id):
            raise AlreadyLeftError(f"draft {row.id} has left")
        if opener is not None:
            sealed_drafts.openable(row, opener)
        sealed_drafts.lay_open(row)
        before = fields_of(row)
        if (fields := normalised(edit(before))) == before:
            return row
        if _write(row, fields, (DraftRow.updated == row.updated) & _still_here(row.id), writer=None):
            return row


def is_empty(row: DraftRow) -> bool:
    """Whether the user put nothing into it: the identity's signature, Cc and Bcc do not count."""
    return (
        not sealed_drafts.lacks_text(row)
        and not identities.has_words(row)
        and not row.attachments.exists()
        and not large_files.has_any(row.id)
    )


def unsaved(row: DraftRow) -> bool:
    """Whether the server's copy is missing or older than the row."""
    return row.saved_at is None or not row.saved_mailbox or row.updated > row.saved_at


def copy_is_due(row: DraftRow, *, leaving: bool = False) -> bool:
    """Whether an autosave should update the copy in Drafts: the first one, then once a minute, and when leaving the page.

    With large files only the first one does, the buttons, and the worker once nothing changes any more, because each copy uploads
    them again. After a failure the worker tries again, so that typing never waits for a server that is away; where it can't (a
    password that was refused), leaving the page does.
    """
    if not unsaved(row) or (row.copy_error and (row.copy_due is not None or not leaving)):
        return False
    if row.saved_at is None:
        return True
    return (leaving or now() - row.saved_at > _COPY_EVERY) and total_size(row) < _COPY_SIZE


def touch(row: DraftRow, still: Any = True, **values: object) -> bool:
    """Update columns of the row and the object, and `updated`; False if the condition `still` does not hold."""
    values["updated"] = at = now()
    if not row.copy_error:  # else the worker tries already
        values["copy_due"] = at + _AT_REST
    if not DraftRow.update(values).where((DraftRow.id == row.id) & still).execute():
        return False
    for name, value in values.items():
        setattr(row, name, value)
    return True


# --- attachments -----------------------------------------------------------------------------------------------------


def total_size(row: DraftRow) -> int:
    """Estimated size of the message in bytes, as encoded for sending."""
    text = len(row.body.encode(errors="replace"))
    text = 4096 + (text * 4 if row.format else text)  # as text and as HTML, base64 at worst
    return text + sum(uploads.encoded_size(attachment.size) for attachment in attachment_rows.of_draft(row))


# --- duplicating and deleting ----------------------------------------------------------------------------------------


def duplicate(row: DraftRow, settings: Settings) -> DraftRow:
    """A separate draft with the same text and files, to be sent as a new message. Raises StorageFullError, StorageAwayError:
    there is none then.
    """
    if sealed_drafts.is_sealed(row):
        return _with_files_of(row, _sealed_twin(row), settings)
    return _with_files_of(row, new(row.user, fields_of(row), twin=row if row.seal_public is not None else None), settings)


def _sealed_twin(row: DraftRow) -> DraftRow:
    """A new draft with the same values as they are stored, which its writer alone can read."""
    twin = new(row.user)
    same = {name: getattr(row, name) for name in values_of(NO_FIELDS)}
    same |= {"subject": "", "body": "", **{name: getattr(row, name) for name in ("sealed", "seal_public", "seal_private")}}
    touch(twin, **same)
    if not sealed_drafts.lacks_text(row):
        sealed_drafts.note_text(twin, {"subject": row.subject, "body": row.body})
    return twin


def _with_files_of(row: DraftRow, twin: DraftRow, settings: Settings) -> DraftRow:
    try:
        for one in attachment_rows.of_draft(row):
            stored = one.stored
            with suppress(FileGoneError):  # its row stays, so that sending tells
                stored = uploads.duplicate(settings, row.id, one.stored, twin.id)
            same = {name: getattr(one, name) for name in ("filename", "type", "size", "content_id", "sealed")}
            if one.sealed is not None:
                same |= {"filename": "", "type": "application/octet-stream"}
            AttachmentRow.create(draft=twin, stored=stored, **same)
        large_files.copy(row.id, twin.id, settings)
    except MailError:
        forget(twin.id, settings)
        raise
    return twin


def forget(draft_id: str, settings: Settings) -> None:
    """Delete the row and the files, also large ones whose link nobody has; the copy in Drafts is left to the caller."""
    large_files.drop(draft_id, settings)
    DraftRow.delete().where(DraftRow.id == draft_id).execute()
    uploads.remove_all(settings, draft_id)
