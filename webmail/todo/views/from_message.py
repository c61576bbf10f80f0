"""Something to be done from a message, and the way back to that, wherever it lies now."""

from __future__ import annotations

from flask import Response, abort, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from webmail import imap
from webmail.calendar import event_changes
from webmail.calendar.quick_entry import dates_in_text
from webmail.compose.replies import reply
from webmail.imap.connections.commands import quoted
from webmail.mime.headers.subjects import bare_subject
from webmail.todo.blueprint import blueprint
from webmail.todo.forms import TodoForm
from webmail.todo.views.common import mine, todo_url
from webmail.todo.views.item import form_page
from webmail.web.current import current_account
from webmail.web.formatting import here, local
from webmail.web.forms.request_values import uidvalidity
from webmail.web.message_links import back_to_message
from webmail.web.notices import notify

MOST_SEARCHED = 200  # folders


@blueprint.get("/todo/of/<int:uid>/<path:mailbox>")
def of_message(uid: int, mailbox: str) -> Response:
    """The form with what a message says: its subject, the first day that it names, a link to it. 2 round trips.

    `at`: another day, as chips name it.
    """
    with imap.connect(current_account(), mailbox) as connection:
        message = imap.messages.fetch(connection, mailbox, uid, uidvalidity())
        text = reply.text_of(connection, message, signed=False)
    subject = bare_subject(message.envelope.subject)
    sent = local(message.envelope.sent or message.received).replace(tzinfo=None)
    day, _hours, hour = request.args.get("at", "")[:16].partition("T")
    if not day:
        dates = dates_in_text.dates_in(f"{subject}\n{text}", sent, here().locale, 1)
        day, hour = (f"{dates[0].start:%Y-%m-%d}", "") if dates else ("", "")
    form = TodoForm(
        title=" ".join(subject.split())[:500], due=day, due_hour=hour, uid=event_changes.new_uid(),
        message=message.envelope.message_id,
    )  # fmt: skip
    return form_page(form, back=back_to_message(uid, mailbox))


@blueprint.get("/todo/items/<int:calendar>/<href>/message")
def message_of(calendar: int, href: str) -> Answer:
    """Leads to the message that something comes from, in whatever folder it is now. 2 round trips, the folders besides."""
    _access, _row, found = mine(calendar, href)
    name = found.fields.message
    if not name:
        abort(404)
    with imap.connect(current_account()) as connection:
        overview = imap.mailboxes.overview(connection)
        names = [box.name for box in overview.mailboxes if box.selectable][:MOST_SEARCHED]
        places, _skipped = imap.multi_search.matching(connection, names, b"HEADER Message-ID %b" % quoted(name))
    for place in places:
        if place.uids:
            return redirect(url_for("message.show", uid=place.uids[0], mailbox=place.mailbox, v=place.uidvalidity), 303)
    notify(_("The message of this task was not found: it was deleted, or it is somebody else’s."), "caution")
    return redirect(todo_url(calendar, href), 303)
