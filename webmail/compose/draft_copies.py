"""Draft copies: saves drafts to the IMAP Drafts mailbox, resumes them from there, and removes them."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

from webmail import imap, preferences
from webmail.account import Account
from webmail.compose import (
    attachments,
    draft_cleanup,
    draft_message,
    draft_note,
    drafts,
    identities,
    message_options,
    quoting,
    reply,
)
from webmail.compose.fields import Fields
from webmail.compose.outbox import spool
from webmail.config import Settings
from webmail.errors import MailboxChanged, MailError, NoSuchMailbox, NoSuchMessage
from webmail.imap import mailboxes, messages
from webmail.imap.connection import Connection
from webmail.mail import Identity, Message, Role
from webmail.mime.address_text import address_text
from webmail.models import DraftRow, User, now

log = logging.getLogger(__name__)
_GONE = (NoSuchMessage, NoSuchMailbox, MailboxChanged)


def save(row: DraftRow, account: Account, identity: Identity, settings: Settings) -> bool:
    """Update the copy in Drafts: append the new one, then expunge the previous one.

    Returns False if the draft was sent or discarded meanwhile (no copy is left behind then). Round trips: APPEND, and
    SELECT + STORE + EXPUNGE for the previous copy. Raises ServerAway, OverQuota, StorageAway ...: the row
    keeps the text in any case.
    """
    if _save_once(row, account, identity, settings):
        return True
    # A concurrent request saved it (an autosave racing a click), or the draft is gone.
    current = DraftRow.get_or_none(DraftRow.id == row.id)
    if current is None or (drafts.unsaved(current) and not _save_once(current, account, identity, settings)):
        return False
    row.saved_mailbox, row.saved_uidvalidity, row.saved_uid = current.saved_mailbox, current.saved_uidvalidity, current.saved_uid
    row.saved_at = current.saved_at
    return True


def _save_once(row: DraftRow, account: Account, identity: Identity, settings: Settings) -> bool:
    started = now()
    draft = draft_message.as_draft(row, identity, settings, lenient=True)
    with spool.for_drafts(draft, settings) as content, imap.connect(account) as conn:
        mailbox = mailboxes.for_role(conn, Role.DRAFTS)
        uidvalidity, uid = messages.append(conn, mailbox, content, flags=("\\Draft", "\\Seen"))
        if not uid:  # a server without UIDPLUS (RFC 4315)
            uid = max(messages.find_message_id(conn, mailbox, row.message_id), default=0)
        former = (row.saved_mailbox, row.saved_uidvalidity, row.saved_uid)
        fresh = (mailbox, uidvalidity, uid)
        if not _remember(row, former, fresh, started):
            _delete(conn, *fresh)
            return False
        if former != fresh:
            _delete(conn, *former)
    return True


def _remember(row: DraftRow, former: tuple[str, int, int], fresh: tuple[str, int, int], at: datetime) -> bool:
    """Point the row at its new copy; False if a concurrent save did so first or the draft is gone (compare-and-swap)."""
    values = dict(zip(("saved_mailbox", "saved_uidvalidity", "saved_uid"), fresh, strict=True))
    unchanged = (
        (DraftRow.saved_mailbox == former[0]) & (DraftRow.saved_uidvalidity == former[1]) & (DraftRow.saved_uid == former[2])
    )
    if not DraftRow.update(saved_at=at, **values).where((DraftRow.id == row.id) & unchanged).execute():
        return False
    row.saved_mailbox, row.saved_uidvalidity, row.saved_uid = fresh
    row.saved_at = at
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


def remove(account: Account, mailbox: str, uidvalidity: int, uid: int) -> None:
    """Expunge a copy that is no longer needed; idempotent. Raises ServerAway and other mail errors."""
    if not mailbox or not uid:
        return
    with imap.connect(account) as conn:
        try:
            imap.actions.delete(conn, mailbox, [uid], uidvalidity or None)
        except _GONE:
            return


def discard(row: DraftRow, account: Account, settings: Settings) -> None:
    """Delete a draft permanently: first the copy, so that an error there loses nothing. Raises as `remove` does."""
    remove(account, row.saved_mailbox, row.saved_uidvalidity, row.saved_uid)
    drafts.forget(row.id, settings)


def resume(
    user: User, account: Account, mailbox: str, uid: int, uidvalidity: int | None, settings: Settings, *, afresh: bool = False
) -> tuple[DraftRow, int]:
    """The draft row for a message in Drafts, and the number of its files that were left out (beyond reply.MOST_PARTS).

    It is the existing row if the copy is ours, else a new one made from the message, files included. A message without the
    \\Draft flag serves as a template: it stays unchanged, and its row is reused as long as it was not edited. A draft with too
    many files stays too: saving the row would replace it and lose the others. `afresh`: start a new thread (no In-Reply-To).

    Raises NoSuchMessage, MailboxChanged, ServerAway, and uploads.REFUSALS.
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
        head = imap.attached_messages.head(conn, mailbox, uid, "", message.uidvalidity) if "\\Draft" in message.flags else b""
        noted = draft_note.from_header(head, Fields())
        if noted.get("format") == message_options.FORMATTED:  # its text contains the image marks already
            found = quoting.plain(conn, message)
        else:
            found = quoting.with_pictures(conn, message, attachments.room(user, settings), alone=False)
    text = found.text
    me = identities.matching(identities.usable(user, settings), message.envelope.sender, text)
    usual = message.envelope.reply_to == identities.noun(me).reply_to
    answers = "" if usual else address_text(message.envelope.reply_to)
    fields = replace(_fields_of(message, text, template=not replaces), identity=me.id, reply_to=answers)
    if found.names:
        fields = replace(fields, format=message_options.FORMATTED)
    if afresh:
        fields = replace(fields, in_reply_to="", references="")
    fields = replace(fields, **noted)
    before = None if replaces else drafts.untouched(user, fields)
    row = before or drafts.new(user, fields)
    if before and (before.attachments.exists() or not reply.carried_parts(message)):
        return before, left_out
    try:
        reply.carry(row, account, message, settings, found.names)
    except MailError:
        if not before:
            drafts.forget(row.id, settings)
        raise
    if replaces:
        _remember(row, ("", 0, 0), (mailbox, message.uidvalidity, uid), now())
    else:
        drafts.leave_untouched(row)
    return row, left_out


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


def rescue(settings: Settings) -> int:
    """Save abandoned drafts to the Drafts mailboxes, where users find them; returns how many.

    Only possible with token authentication: no password is available while the user is signed out.
    """
    saved = 0
    for row in draft_cleanup.unseen() if settings.token_key_file else []:
        try:
            account = preferences.with_roles(settings.account(row.user.address), row.user)
            saved += save(row, account, identities.of_draft(row, settings), settings)
        except MailError as error:
            log.info("draft %s is not in Drafts yet: %s", row.id, error)
    return saved
