"""Copies of drafts in the IMAP Drafts mailbox: saved there, taken up again from there, removed from there."""

from __future__ import annotations

import logging
from datetime import datetime

from webmail import imap
from webmail.account import Account
from webmail.compose import drafts, reply
from webmail.compose.drafts import Fields
from webmail.config import Settings
from webmail.imap import mailboxes, messages
from webmail.imap.connection import Connection
from webmail.mail import Identity, MailboxChanged, MailError, NoSuchMailbox, NoSuchMessage, Role
from webmail.models import DraftRow, User, now

log = logging.getLogger(__name__)
_GONE = (NoSuchMessage, NoSuchMailbox, MailboxChanged)


def save(row: DraftRow, account: Account, identity: Identity, settings: Settings) -> bool:
    """Bring the copy in Drafts up to date: first the new one, then away with the former one.

    Returns False when the draft was sent or discarded meanwhile (no copy stays behind then). Round trips: APPEND, and
    SELECT + STORE + EXPUNGE for the former copy. Raises ServerAway, OverQuota ...; the row keeps the text in any case.
    """
    if _save_once(row, account, identity, settings):
        return True
    # Somebody else saved at the same moment (an autosave beside a click), or the draft is gone.
    current = DraftRow.get_or_none(DraftRow.id == row.id)
    if current is None or (drafts.unsaved(current) and not _save_once(current, account, identity, settings)):
        return False
    row.saved_mailbox, row.saved_uidvalidity, row.saved_uid = current.saved_mailbox, current.saved_uidvalidity, current.saved_uid
    row.saved_at = current.saved_at
    return True


def _save_once(row: DraftRow, account: Account, identity: Identity, settings: Settings) -> bool:
    started = now()
    content = drafts.built(drafts.as_draft(row, identity, settings, lenient=True), include_bcc=True)
    with imap.connect(account) as conn:
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
    """Point the row at its new copy, unless somebody did so meanwhile or the draft is gone: that one's copy counts then."""
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
    """Expunge a copy. A failure leaves one draft too many, never one too few, so it is only noted."""
    if not mailbox or not uid:
        return
    try:
        messages.delete(conn, mailbox, [uid], uidvalidity or None)
    except _GONE:
        return
    except MailError as error:
        log.warning("a former draft stays in %s as UID %d: %s", mailbox, uid, error)


def remove(account: Account, mailbox: str, uidvalidity: int, uid: int) -> None:
    """Expunge a copy that is not needed any more; one that is gone already is fine. Raises ServerAway and such."""
    if not mailbox or not uid:
        return
    with imap.connect(account) as conn:
        try:
            messages.delete(conn, mailbox, [uid], uidvalidity or None)
        except _GONE:
            return


def discard(row: DraftRow, account: Account, settings: Settings) -> None:
    """Remove a draft for good: the copy first, so that an error there loses nothing."""
    remove(account, row.saved_mailbox, row.saved_uidvalidity, row.saved_uid)
    drafts.forget(row.id, settings)


def resume(user: User, account: Account, mailbox: str, uid: int, uidvalidity: int | None, settings: Settings) -> DraftRow:
    """The row of a message in Drafts: the live one where the copy is ours, else made from the message, files and all.

    Raises NoSuchMessage, MailboxChanged, TooLarge, ServerAway.
    """
    if uidvalidity and (row := _live(user, mailbox, uidvalidity, uid)):
        return row
    with imap.connect(account) as conn:
        message = messages.fetch(conn, mailbox, uid, uidvalidity)
        if row := _live(user, mailbox, message.uidvalidity, uid):
            return row
        text = reply.text_of(conn, message)
    envelope = message.envelope
    fields = Fields(
        to=drafts.address_text(envelope.to),
        cc=drafts.address_text(envelope.cc),
        bcc=drafts.address_text(envelope.bcc),
        subject=envelope.subject,
        body=text,
        in_reply_to=" ".join(envelope.in_reply_to),
        references=" ".join(envelope.references),
    )
    row = drafts.new(user, fields)
    try:
        reply.carry(row, account, message, settings)
    except MailError:
        drafts.forget(row.id, settings)
        raise
    if "\\Draft" in message.flags:
        _remember(row, ("", 0, 0), (mailbox, message.uidvalidity, uid), now())
    return row


def _live(user: User, mailbox: str, uidvalidity: int, uid: int) -> DraftRow | None:
    return DraftRow.get_or_none(
        (DraftRow.user == user)
        & (DraftRow.saved_mailbox == mailbox)
        & (DraftRow.saved_uidvalidity == uidvalidity)
        & (DraftRow.saved_uid == uid)
    )


def rescue(settings: Settings) -> int:
    """Put drafts that were left unsaved into their Drafts mailboxes, where people find them; returns how many.

    Only where the servers take our tokens: without the person there is no password.
    """
    saved = 0
    for row in drafts.unseen() if settings.token_key_file else []:
        try:
            saved += save(row, settings.account(row.user.address), Identity(row.user.name, row.user.address), settings)
        except MailError as error:
            log.info("draft %s is not in Drafts yet: %s", row.id, error)
    return saved
