"""Phishing: the "Report as phishing" action and its undo."""

from __future__ import annotations

from flask import current_app, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import imap
from webmail.compose.attachments import uploads
from webmail.compose.drafts import draft_message, drafts
from webmail.compose.drafts.fields import Fields
from webmail.compose.outbox import queue
from webmail.compose.replies import reply as replies
from webmail.database.user_lock import user_lock
from webmail.errors import MailboxChangedError, UnsafeValueError
from webmail.imap.bulk.actions import MovedMessages
from webmail.mail import Identity, Message, Role
from webmail.mailbox.moves_by_hand import MovedByHand, tell
from webmail.message import phishing_reports as reports
from webmail.message.blueprint import blueprint
from webmail.models import AuditAct, DraftRow, Outbox
from webmail.rate_limits import TooManyRequestsError
from webmail.rights import Rights
from webmail.storage import StorageAwayError, StorageFullError
from webmail.web.audit import audited
from webmail.web.current import current_account, current_user, sealed_credential, settings, wake
from webmail.web.forms.request_values import local_path
from webmail.web.frame.list_buttons import LIST_BUTTONS
from webmail.web.notices import notify, withdraw_notices


def can_be_reported(message: Message, role: Role | None, rights: Rights | None) -> bool:
    """Whether to offer reporting a message: it is not the user's own, not reported yet, and can be moved to junk."""
    movable = rights is None or (rights.may_flag and rights.may_delete)
    return movable and role not in (Role.SENT, Role.DRAFTS) and reports.FLAG not in message.flags


@blueprint.post("/report/<int:uid>/<path:mailbox>")
def report(uid: int, mailbox: str) -> Response:
    """Move the message to junk (if that fails, nothing is reported), then forward it, then record the report."""
    back = local_path(request.form.get("back", "")) or url_for("mailbox.show", mailbox=mailbox)
    account = current_account()
    with imap.connect(account, mailbox) as connection:
        message = imap.messages.fetch(connection, mailbox, uid, uidvalidity())
    if reports.FLAG in message.flags:
        notify(_("You have already reported this message."), "caution")
        return redirect(back, 303)
    draft = _letter(message)
    try:
        with user_lock(current_user().id), imap.connect(account, mailbox) as connection:
            moved = reports.put_away(connection, mailbox, uid, message.uidvalidity)
        sent = _send(draft) if draft else None
    except BaseException:
        if draft:
            drafts.forget(draft.id, settings())
        raise
    tell(MovedByHand("junk", frozenset((mailbox,)), moved.mailbox if moved else mailbox, 1, ()))
    row = reports.note(current_user(), message, sent.id if sent else 0)
    audited(AuditAct.PHISHING_REPORTED, row.sender.lower(), sent=sent is not None)
    words = _("Reported and moved to Junk. Thank you.") if sent else _("Marked as phishing and moved to Junk.")
    notify(words, undo=_undoing(row.id, mailbox, moved, message, back))
    return redirect(back, 303)


def _report_shown(mailbox: str, _argument: str) -> Response:
    """The message that the form above it names."""
    uid = request.form.get("uids", 0, int)
    if not 0 < uid < 2**32:
        raise UnsafeValueError("not one message")
    return report(uid, mailbox)


LIST_BUTTONS["report"] = _report_shown


@blueprint.post("/report/undo")
def take_back_report() -> Response:
    form = request.form
    mailbox, to = form.get("mailbox", ""), form.get("to", "")
    with imap.connect(current_account(), mailbox) as connection:
        uid, validity = form.get("uid", 0, int), form.get("v", 0, int)
        reports.bring_back(connection, mailbox, uid, validity, to, was_ham="ham" in form)
    withdraw_notices()
    row = reports.find(current_user(), form.get("report", 0, int))
    withdrawn = row is not None and _withdrawn(row.outbox)
    if row is not None:
        audited(AuditAct.PHISHING_REPORT_UNDONE, row.sender.lower(), sent=not withdrawn)
    if row is not None and withdrawn:
        reports.withdraw(row)
        notify(_("The message is back where it was. Nothing was reported."))
    else:
        notify(_("The message is back where it was. The report had already been sent."), "caution")
    return redirect(local_path(form.get("back", "")) or url_for("mailbox.show", mailbox=to or "INBOX"), 303)


def _letter(message: Message) -> DraftRow | None:
    """A draft to the configured address with the original attached; None if no address is set or it is too large."""
    if not settings().phishing_address:
        return None
    fields = Fields(
        to=settings().phishing_address,
        subject=_("Phishing report: %(subject)s", subject=message.envelope.subject[:200]),
        body=_("%(address)s reported the attached message as phishing.", address=current_user().address),
    )
    draft = drafts.new(current_user(), fields)
    try:
        replies.carry_whole(draft, current_account(), message, settings())
    except uploads.REFUSALS as error:
        drafts.forget(draft.id, settings())
        if isinstance(error, StorageFullError | StorageAwayError):
            notify(
                _("The message could not be sent to your administrator: the server can’t store files at the moment."), "caution"
            )
        else:
            notify(_("The message is too large to send to your administrator."), "caution")
        return None
    except BaseException:
        drafts.forget(draft.id, settings())
        raise
    return draft


def _send(draft: DraftRow) -> Outbox | None:
    """Queue the report; None if the user's rate limit is reached: the message is moved and recorded all the same."""
    user = current_user()
    try:
        message = draft_message.as_draft(draft, Identity(user.name, user.address), settings())
        sent = queue.enqueue(draft, message, settings(), sealed_credential())
    except TooManyRequestsError as error:
        current_app.logger.warning("a report of %s is not sent: %s", user.address, error)
        drafts.forget(draft.id, settings())
        return None
    wake(sent)
    return sent


def _withdrawn(outbox_id: int) -> bool:
    """Cancel sending; returns whether nothing was sent and nothing will be."""
    if not outbox_id:
        return True
    draft_id = queue.undo(current_user(), outbox_id)
    if draft_id:
        drafts.forget(draft_id, settings())
    return draft_id is not None


def _undoing(
    report_id: int, mailbox: str, moved: MovedMessages | None, message: Message, back: str
) -> tuple[str, dict[str, object]] | None:
    """The undo form, or None if the server did not report the message's new UID."""
    if moved is not None and not moved.uids:
        return None
    here = moved or MovedMessages(mailbox, message.uidvalidity, (message.uid,))
    fields = {"mailbox": here.mailbox, "v": here.uidvalidity, "uid": here.uids[0], "to": mailbox, "back": back}
    if reports.HAM in message.flags:
        fields["ham"] = "1"
    return url_for("message.take_back_report"), {**fields, "report": report_id}


# --- shared with receipts --------------------------------------------------------------------------------------------


def uidvalidity() -> int:
    """The UIDVALIDITY in the form. Raises MailboxChangedError if it is missing or invalid (RFC 3501 section 9)."""
    number = request.form.get("v", 0, int)
    if not 0 < number < 2**32:
        raise MailboxChangedError(f"{number} is no UIDVALIDITY")
    return number
