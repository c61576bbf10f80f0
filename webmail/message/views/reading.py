"""Reading: one message with its text, cards and verdict, for its page and where it is unfolded in a conversation."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from flask import request, session

from webmail import imap
from webmail.calendar.quick_entry import date_chips
from webmail.mail import Message, Rights, Role
from webmail.message import receipts, recent_html, sender_check, viewers
from webmail.message.sender_check import Trust
from webmail.message.views.encryption import kept_messages
from webmail.message.views.encryption.protected_page import protected
from webmail.message.views.remote_images import decide_images, may_load_previews
from webmail.message.views.text_bodies import shown_bodies, text_or_html
from webmail.mime import part_kinds
from webmail.mime.headers.subjects import bare_subject
from webmail.mime.part_kinds import PartKind
from webmail.web.current import current_account, current_user, preferences, remember_overview, settings
from webmail.web.formatting import here, local
from webmail.web.forms.request_values import uidvalidity
from webmail.web.frame.areas import shows


class ReadMessage(NamedTuple):
    """A message that was read; `context` is what its templates show, with `message`, `trust`, `role` and `rights` in it."""

    message: Message
    trust: Trust
    role: Role | None
    rights: Rights | None
    keeps_receipts: bool
    context: dict[str, Any]


def read(uid: int, mailbox: str, *, mark: bool) -> ReadMessage:
    """Read the message of the request, and mark it as read with `mark`: round trips of `imap.messages.read`, and of
    `imap.earlier_messages` if a stranger wrote it."""
    as_text = request.args.get("as", "text" if preferences().prefer_text else "") == "text"
    account, look_up = current_account(), sender_check.SenderLookUp(current_user(), settings())
    with imap.connect(account, mailbox) as connection:
        message, overview = imap.messages.read(
            connection,
            mailbox,
            uid,
            uidvalidity(),
            prefer_html=not as_text,
            mark=mark,
            stranger=look_up.stranger,
            whole=partial(sender_check.needs_whole, user=current_user(), settings=settings()),
        )
        keeps = receipts.can_keep(connection.permanent, connection.read_only)
    remember_overview(overview)
    recent_html.keep(session.id, account, message)  # type: ignore[attr-defined]
    message, as_text = text_or_html(imap.earlier_messages.looked_for(account, message), as_text=as_text)
    current = overview.get(mailbox)
    role, rights = (current.role, current.rights) if current else (None, None)
    message, kept = kept_messages.if_kept(message)
    judged = sender_check.judge(message, current_user(), settings(), role, look_up=look_up)
    sealed = protected(message) if kept is None else None
    message = sealed.message if sealed else message
    context = {
        "message": message, "mailbox": mailbox, "bodies": shown_bodies(message), "role": role, "rights": rights, "sealed": sealed,
        "kept": kept, "keepable": sealed is not None and kept_messages.can_be_kept_here(sealed, current),
        "as_text": as_text, "trust": judged, "pictures": kept_messages.pictures(decide_images(message, judged, role), kept),
        "viewed": viewers.view(message, with_pictures=may_load_previews()),
        "chips": _chips(message) if role != "junk" and not judged.is_dangerous and shows("calendar") else [],
    }  # fmt: skip
    return ReadMessage(message, judged, role, rights, keeps, context)


def _chips(message: Message) -> list[date_chips.DateChip]:
    """The times that its text names, as far as the page has it; an invitation's card says them itself."""
    if any(part_kinds.kind_of_part(part) is PartKind.CALENDAR for part in message.structure.attachments):
        return []
    plain = "\n".join(message.bodies.get(part.section, "") for part in message.structure.text)
    text = plain if plain.strip() else date_chips.text_of(message.opening)
    sent, now = (local(one).replace(tzinfo=None) for one in (message.envelope.sent or message.received, datetime.now(UTC)))
    return date_chips.chips(f"{bare_subject(message.envelope.subject)}\n{text}", sent, now, here().locale)
