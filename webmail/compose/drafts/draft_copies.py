"""Draft copies: saves drafts to the IMAP Drafts mailbox, resumes them from there, and removes them."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import IO

import peewee as pw

from webmail import imap
from webmail.account import Account
from webmail.compose import identities, signatures
from webmail.compose.attachments import attachments
from webmail.compose.drafts import draft_message, draft_note, drafts, message_options, sealed_drafts
from webmail.compose.drafts.fields import Fields
from webmail.compose.encryption import finished_messages
from webmail.compose.encryption.protection import MessageProtection
from webmail.compose.large_files import large_files, link_block
from webmail.compose.outbox import spool
from webmail.compose.replies import quoting, reply
from webmail.compose.replies.decrypted_original import DecryptedOriginal
from webmail.config.settings import Settings
from webmail.errors import MailboxChangedError, MailError, NoSuchMailboxError, NoSuchMessageError, ServerAwayError
from webmail.imap.connections.connection import Connection
from webmail.imap.mailbox_list import mailboxes
from webmail.imap.reading import attached_messages, messages
from webmail.keys import own_keys
from webmail.mail import Draft, Identity, Message, Role
from webmail.mime import builder
from webmail.mime.headers.address_text import address_text
from webmail.models import DraftRow, User, now

log = logging.getLogger(__name__)
Copy = tuple[str, int, int]  # mailbox, UIDVALIDITY, UID
_GONE = (NoSuchMessageError, NoSuchMailboxError, MailboxChangedError)


def save(row: DraftRow, account: Account, identity: Identity, settings: Settings, *, patience: float | None = None) -> bool:
    """Update the copy in Drafts: append the new one, then expunge the previous one.

    Returns False if the draft was sent or discarded meanwhile (no copy is left behind then). Round trips: APPEND, and
    SELECT + STORE + EXPUNGE for the previous copy. Raises ServerAwayError, OverQuotaError, StorageAwayError ...: the row
    keeps the text in any case. `patience` as in `imap.connect`.

    A copy whose APPEND was never answered (a server that fell silent, a killed process) may be there or not: its mark stays in
    the row, and the next save removes what has that mark.
    """
    if _save_once(row, account, identity, settings, patience):
        return True
    # A concurrent request saved it (an autosave racing a click), or the draft is gone.
    current = DraftRow.get_or_none(DraftRow.id == row.id)
    if current is None or (drafts.unsaved(current) and not _save_once(current, account, identity, settings, patience)):
        return False
    return reread(row)


def reread(row: DraftRow) -> bool:
    """Let the row say of its copy what is stored by now; False if the draft is gone."""
    current = DraftRow.get_or_none(DraftRow.id == row.id)
    if current is None:
        return False
    for name in ("saved_mailbox", "saved_uidvalidity", "saved_uid", "saved_at", "saved_mark", "copy_error", "copy_due"):
        setattr(row, name, getattr(current, name))
    return True


def _save_once(row: DraftRow, account: Account, identity: Identity, settings: Settings, patience: float | None) -> bool:
    started = now()
    mark, unsettled = _begin(row)
    handed_over = False
    try:
        draft = draft_message.as_draft(row, identity, settings, lenient=True)
        draft = replace(draft, note=draft_note.marked(draft.note, mark))
        with _copy_file(row, draft, settings) as content, imap.connect(account, patience=patience) as conn:
            mailbox = mailboxes.for_role(conn, Role.DRAFTS)
            handed_over = True
            uidvalidity, uid = messages.append(conn, mailbox, content, flags=("\\Draft", "\\Seen"))
            if not uid:  # a server without UIDPLUS (RFC 4315)
                uid = max(messages.find_message_id(conn, mailbox, row.message_id), default=0)
            former, former_mark = (row.saved_mailbox, row.saved_uidvalidity, row.saved_uid), row.saved_mark or ""
            fresh = (mailbox, uidvalidity, uid)
            if not _remember(row, former, fresh, started, mark):
                _delete(conn, *fresh)
                _end(row, "" if unsettled else mark)
                return False
            if former != fresh:
                _delete(conn, *former)
            if unsettled:
                _delete_marked(conn, mailbox, row.message_id, mark, below=uid)
            if former[0] == mailbox and former[1] != uidvalidity:  # the folder was rebuilt: the former copy has another UID now
                _delete_marked(conn, mailbox, row.message_id, former_mark, below=uid, most=1)  # not the user's own copy
    except MailError as error:
        if not handed_over or not isinstance(error, ServerAwayError):  # surely not there
            _end(row, "" if unsettled else mark)
        raise
    return True


def _copy_file(row: DraftRow, draft: Draft, settings: Settings) -> AbstractContextManager[IO[bytes]]:
    """The message for the Drafts mailbox; of a sealed draft encrypted for its writer, and on no disk before."""
    if not sealed_drafts.is_sealed(row):
        return spool.draft_copy_file(draft, settings)
    message = builder.build(draft, date=datetime.now(UTC), include_bcc=True)
    return BytesIO(finished_messages.own_copy(message, own_keys.own_keys(row.user_id), row.user_id))


def _begin(row: DraftRow) -> tuple[str, bool]:
    """The mark for a new copy, noted in the row, and whether an earlier attempt with it has not ended."""
    mark = secrets.token_hex(6)
    if DraftRow.update(copy_mark=mark).where((DraftRow.id == row.id) & DraftRow.copy_mark.is_null()).execute():
        return mark, False
    noted = DraftRow.select(DraftRow.copy_mark).where(DraftRow.id == row.id).scalar()
    return noted or mark, True


def _end(row: DraftRow, mark: str) -> None:
    """This attempt has ended, and left nothing behind."""
    DraftRow.update(copy_mark=None).where((DraftRow.id == row.id) & (DraftRow.copy_mark == mark)).execute()


def _remember(row: DraftRow, former: Copy, fresh: Copy, at: datetime | None, mark: str = "") -> bool:
    """Point the row at its new copy; False if a concurrent save did so first or the draft is gone (compare-and-swap)."""
    values = dict(zip(("saved_mailbox", "saved_uidvalidity", "saved_uid"), fresh, strict=True))
    values |= {"saved_at": at, "saved_mark": mark, "copy_error": None, "credential": None}
    unchanged = (
        (DraftRow.saved_mailbox == former[0]) & (DraftRow.saved_uidvalidity == former[1]) & (DraftRow.saved_uid == former[2])
    )
    due = pw.Case(None, [(DraftRow.updated > at, DraftRow.copy_due)], None)  # what was typed meanwhile is not in it
    open_mark = pw.Case(None, [(DraftRow.copy_mark == mark, None)], DraftRow.copy_mark)
    changed = DraftRow.update(copy_due=due, copy_mark=open_mark, **values)
    if not changed.where((DraftRow.id == row.id) & unchanged).execute():
        return False
    for name, value in values.items():
        setattr(row, name, value)
    return True


def _delete(conn: Connection, mailbox: str, uidvalidity: int, uid: int) -> None:
    """Expunge a copy. A failure leaves one draft too many, never one too few, so it is only logged."""
    if not mailbox or not uid:
        return
    try:
        imap.actions.delete(conn, mailbox, [uid], uidvalidity or None)
    except _GONE:
        return
    except MailError as error:
        log.warning("a former draft stays in %s as UID %d: %s", mailbox, uid, error)


def _marked(conn: Connection, mailbox: str, message_id: str, mark: str) -> list[int]:
    """The UIDs of the copies with this mark: SELECT and SEARCH, and the header of each copy of the draft.

    Searched by Message-ID: servers with a full-text index may find nothing in a header of our own.
    """
    found = sorted(messages.find_message_id(conn, mailbox, message_id)) if mark else []
    return [uid for uid in found if draft_note.mark_of(attached_messages.head(conn, mailbox, uid, "", conn.uidvalidity)) == mark]


def _delete_marked(conn: Connection, mailbox: str, message_id: str, mark: str, *, below: int, most: int | None = None) -> None:
    """Expunge the copies with this mark that are older than the UID `below`. Logged like `_delete` if it fails."""
    try:
        for uid in [uid for uid in _marked(conn, mailbox, message_id, mark) if uid < below][:most]:
            _delete(conn, mailbox, 0, uid)
    except MailError as error:
        log.warning("copies with the mark %s may stay in %s: %s", mark, mailbox, error)


def settle(row: DraftRow, account: Account) -> None:
    """Remove what an attempt without an outcome may have left in Drafts, before the row goes. Nothing to do almost always.

    Raises ServerAwayError and other mail errors.
    """
    if not row.copy_mark:
        return
    with imap.connect(account) as conn:
        mailbox = mailboxes.for_role(conn, Role.DRAFTS)
        for uid in _marked(conn, mailbox, row.message_id, row.copy_mark):
            imap.actions.delete(conn, mailbox, [uid])
    _end(row, row.copy_mark)


def remove(account: Account, mailbox: str, uidvalidity: int, uid: int) -> None:
    """Expunge a copy that is no longer needed; idempotent. Raises ServerAwayError and other mail errors."""
    if not mailbox or not uid:
        return
    with imap.connect(account) as conn:
        try:
            imap.actions.delete(conn, mailbox, [uid], uidvalidity or None)
        except _GONE:
            return


def discard(row: DraftRow, account: Account, settings: Settings) -> None:
    """Delete a draft permanently: first the copy, so that an error there loses nothing. Raises as `remove` does."""
    settle(row, account)
    remove(account, row.saved_mailbox, row.saved_uidvalidity, row.saved_uid)
    drafts.forget(row.id, settings)


def resume(
    user: User,
    account: Account,
    mailbox: str,
    uid: int,
    uidvalidity: int | None,
    settings: Settings,
    *,
    afresh: bool = False,
    decrypted: Callable[[Connection, Message], DecryptedOriginal | None] = lambda _conn, _message: None,
) -> tuple[DraftRow, int]:
    """The draft row for a message in Drafts, and the number of its files that were left out (beyond reply.MOST_PARTS).

    It is the existing row if the copy is ours, else a new one made from the message, files included. A message without the
    \\Draft flag serves as a template: it stays unchanged, and its row is reused as long as it was not edited. A draft with too
    many files stays too: saving the row would replace it and lose the others. `afresh`: start a new thread (no In-Reply-To).
    `decrypted`: gives what is inside an encrypted one.

    Raises NoSuchMessageError, MailboxChangedError, ServerAwayError, and uploads.REFUSALS.
    """
    if uidvalidity and (row := _live(user, mailbox, uidvalidity, uid)):
        return row, 0
    with imap.connect(account) as conn:
        message = messages.fetch(conn, mailbox, uid, uidvalidity)
        if row := _live(user, mailbox, message.uidvalidity, uid):
            return row, 0
        left_out = max(len(reply.carried_parts(message)) - reply.MOST_PARTS, 0)
        replaces = "\\Draft" in message.flags and not left_out
        # the header is trusted only with \Draft: any sender can add the header, but only the user's own clients set the flag
        head = attached_messages.head(conn, mailbox, uid, "", message.uidvalidity) if "\\Draft" in message.flags else b""
        if row := _under_another_uid(user, mailbox, message.uidvalidity, uid, draft_note.mark_of(head)):
            return row, 0
        noted = draft_note.from_header(head, Fields())
        inside = decrypted(conn, message)
        if inside is not None:
            found = quoting.Quoted(inside.text)
        elif noted.get("format") == message_options.FORMATTED:  # its text contains the image marks already
            found = quoting.resumed(conn, message)
        else:
            found = quoting.with_pictures(conn, message, attachments.free_bytes(user, settings), alone=False)
    text, transfers = link_block.found_in(found.text, user)
    me = identities.matching(identities.usable(user, settings), message.envelope.sender, text)
    usual = message.envelope.reply_to == identities.noun(me).reply_to
    answers = "" if usual else address_text(message.envelope.reply_to)
    fields = replace(_fields_of(message, text, template=not replaces), identity=me.id, reply_to=answers)
    if found.names:
        fields = replace(fields, format=message_options.FORMATTED)
    if afresh:
        fields = replace(fields, in_reply_to="", references="")
    fields = replace(fields, **noted)
    if inside is not None:
        subject = inside.subject or fields.subject
        fields = replace(fields, subject=subject, protection=fields.protection or MessageProtection.BOTH)
    before = None if replaces else drafts.untouched(user, fields)
    row = before or drafts.new(user, fields)
    if before and (before.attachments.exists() or not reply.carried_parts(message)):
        return before, left_out
    for transfer in transfers if before is None else ():
        left_out += 0 if large_files.copy_to(transfer, row.id, settings) else 1
    if inside is not None:
        _put_inside(row, inside, settings)
        _settle_resumed(row, message, replaces=replaces)
        return row, 0
    ours = noted.get("format") == message_options.FORMATTED
    try:
        reply.carry(row, account, message, settings, found, left=signatures.picture_keys(user) if ours else ())
    except MailError:
        if not before:
            drafts.forget(row.id, settings)
        raise
    _settle_resumed(row, message, replaces=replaces)
    return row, left_out


def _settle_resumed(row: DraftRow, message: Message, *, replaces: bool) -> None:
    if replaces:
        _remember(row, ("", 0, 0), (message.mailbox, message.uidvalidity, message.uid), now())
    else:
        drafts.leave_untouched(row)


def _put_inside(row: DraftRow, inside: DecryptedOriginal, settings: Settings) -> None:
    """The files of a message that was encrypted, among those of its draft; without them there is no draft."""
    try:
        if inside.files:
            attachments.add_all(row, [([content], name, kind) for content, name, kind in inside.files], settings)
    except MailError:
        drafts.forget(row.id, settings)
        raise


def _fields_of(message: Message, text: str, *, template: bool) -> Fields:
    """The compose fields of a message. Those made from a template name it as source, so that its row is found again."""
    envelope = message.envelope
    return Fields(
        to=address_text(envelope.to),
        cc=address_text(envelope.cc),
        bcc=address_text(envelope.bcc),
        subject=envelope.subject,
        body=text,
        in_reply_to=" ".join(envelope.in_reply_to),
        references=" ".join(envelope.references),
        source_mailbox=message.mailbox if template else "",
        source_uidvalidity=message.uidvalidity if template else 0,
        source_uid=message.uid if template else 0,
    )


def _live(user: User, mailbox: str, uidvalidity: int, uid: int) -> DraftRow | None:
    return DraftRow.get_or_none(
        (DraftRow.user == user)
        & (DraftRow.saved_mailbox == mailbox)
        & (DraftRow.saved_uidvalidity == uidvalidity)
        & (DraftRow.saved_uid == uid)
    )


def _under_another_uid(user: User, mailbox: str, uidvalidity: int, uid: int, mark: str) -> DraftRow | None:
    """The row whose copy this is although its UID is another: of an attempt that never heard it, or of a rebuilt folder."""
    if not mark:
        return None
    row = DraftRow.get_or_none((DraftRow.user == user) & ((DraftRow.copy_mark == mark) | (DraftRow.saved_mark == mark)))
    if row is None or row.copy_mark == mark:
        return row
    former = (row.saved_mailbox, row.saved_uidvalidity, row.saved_uid)
    if former[0] != mailbox or former[1] == uidvalidity:  # a copy that the user made
        return None
    _remember(row, former, (mailbox, uidvalidity, uid), row.saved_at, mark)
    return row
