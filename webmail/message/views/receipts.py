"""Receipts: sends or declines a requested read receipt (RFC 8098)."""

from __future__ import annotations

from typing import NamedTuple

from flask import abort, current_app, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import imap
from webmail.errors import MailError
from webmail.imap.connections.connection import Connection
from webmail.mail import Identity, Message, Role
from webmail.message import receipts
from webmail.message.blueprint import blueprint
from webmail.message.receipts import ReceiptRequest
from webmail.message.sender_check import Trust
from webmail.message.views.phishing import uidvalidity
from webmail.web.current import current_account, current_user, preferences, sealed_credential, settings, wake
from webmail.web.formatting import long_date
from webmail.web.forms.request_values import fetched_ahead, local_path
from webmail.web.notices import notify


class ReceiptLine(NamedTuple):
    """What a message's page says about its receipt: a question, or (`sent`) that it has just left by itself."""

    request: ReceiptRequest
    sent: bool = False


def receipt_for(message: Message, trust: Trust, role: Role | None) -> ReceiptLine | None:
    """The receipt to ask about; one that the user allowed beforehand is sent, once (1 round trip after the SELECT)."""
    wanted = preferences().receipts
    asked = receipts.receipt_request(message, current_user(), wanted, role, settings())
    if asked is None:
        return None
    if request.method != "GET" or not receipts.goes_by_itself(asked, wanted, trust, current_user(), settings()):
        return ReceiptLine(asked)
    if fetched_ahead():  # nobody has seen the page yet: it is to be asked for again then
        abort(Response(status=204))
    try:
        with imap.connect(current_account(), message.mailbox) as connection:
            _answered(connection, message)
        _send(message, asked, by_itself=True)
    except (MailError, *receipts.UNSENDABLE) as error:
        current_app.logger.warning("a receipt did not leave by itself: %s", error)
        return ReceiptLine(asked)
    return ReceiptLine(asked, sent=True)


@blueprint.post("/receipt/<int:uid>/<path:mailbox>")
def answer_receipt(uid: int, mailbox: str) -> Response:
    """Send the receipt or decline. The answer is first stored as a flag on the server, so that it is given only once."""
    back = local_path(request.form.get("back", "")) or url_for("message.show", uid=uid, mailbox=mailbox)
    with imap.connect(current_account(), mailbox) as connection:
        message = imap.messages.fetch(connection, mailbox, uid, uidvalidity())
        asked = receipts.receipt_request(message, current_user(), "ask", None, settings())
        if asked is not None:
            _answered(connection, message)
    if asked is None:
        notify(_("This message no longer asks for a read receipt."), "caution")
    elif request.form.get("answer") != "send":
        notify(_("No read receipt was sent."))
    else:
        try:
            _send(message, asked)
            notify(_("The read receipt is on its way."))
        except receipts.UNSENDABLE:
            notify(_("The read receipt can’t be sent: the address is not valid."), "caution")
    return redirect(back, 303)


def _answered(connection: Connection, message: Message) -> None:
    """Note on the server that the user has answered. Raises what set_flags raises."""
    imap.actions.set_flags(connection, message.mailbox, [message.uid], [receipts.FLAG], True, message.uidvalidity)


def _send(message: Message, receipt_request: ReceiptRequest, by_itself: bool = False) -> None:
    """Raises receipts.UNSENDABLE."""
    user = current_user()
    subject = _("Read: %(subject)s", subject=message.envelope.subject[:200])
    when = long_date(message.envelope.sent or message.received)
    text = _(
        "Your message of %(date)s to %(address)s was displayed. This does not mean that it was read or understood.",
        date=when,
        address=user.address,
    )
    content = receipts.answer(message, receipt_request, Identity(user.name, user.address), subject, text, by_itself=by_itself)
    wake(receipts.enqueue(user, message, receipt_request, content, sealed_credential()))
