"""Receipts: sends or declines a requested read receipt (RFC 8098)."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import imap
from webmail.mail import Identity
from webmail.message import receipts
from webmail.message.blueprint import blueprint
from webmail.message.views.phishing import uidvalidity
from webmail.web.current import current_account, current_user, sealed_credential, settings, wake
from webmail.web.formatting import long_date
from webmail.web.notices import notify
from webmail.web.request_values import local_path


@blueprint.post("/receipt/<int:uid>/<path:mailbox>")
def answer_receipt(uid: int, mailbox: str) -> Response:
    """Send the receipt or decline. The answer is first stored as a flag on the server, so that it is given only once."""
    back = local_path(request.form.get("back", "")) or url_for("message.show", uid=uid, mailbox=mailbox)
    with imap.connect(current_account(), mailbox) as connection:
        message = imap.messages.fetch(connection, mailbox, uid, uidvalidity())
        asked = receipts.asked(message, current_user(), "ask", None, settings())
        if asked is not None:
            imap.actions.set_flags(connection, mailbox, [uid], [receipts.FLAG], True, message.uidvalidity)
    if asked is None:
        notify(_("No confirmation is asked for here any more."), "caution")
    elif request.form.get("answer") != "send":
        notify(_("No confirmation was sent."))
    else:
        user = current_user()
        subject = _("Read: %(subject)s", subject=message.envelope.subject[:200])
        when = long_date(message.envelope.sent or message.received)
        text = _(
            "Your message of %(date)s to %(address)s was displayed. This does not say that it was read or understood.",
            date=when,
            address=user.address,
        )
        try:
            content = receipts.answer(message, asked, Identity(user.name, user.address), subject, text)
            wake(receipts.enqueue(user, message, asked, content, sealed_credential()))
            notify(_("The confirmation is on its way."))
        except receipts.UNSENDABLE:
            notify(_("The confirmation can't be sent: its address is no good."), "caution")
    return redirect(back, 303)
