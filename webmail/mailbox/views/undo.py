"""Undo view: undoes the last action on messages."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail import imap
from webmail.mailbox import undo as undoing
from webmail.mailbox.blueprint import blueprint
from webmail.user_lock import user_lock
from webmail.web.current import current_account, current_user
from webmail.web.notices import notify, withdraw_notices
from webmail.web.request_values import local_path


@blueprint.post("/undo")
def undo_last() -> Response:
    with user_lock(current_user().id), imap.connect(current_account()) as connection:
        count = undoing.undo(connection, current_user(), request.form.get("undo", ""))
    withdraw_notices()
    notify(
        ngettext("Undone for %(num)d message.", "Undone for %(num)d messages.", count)
        if count
        else _("There was nothing to undo.")
    )
    return redirect(local_path(request.form.get("back", "")) or url_for("mailbox.show", mailbox="INBOX"), 303)
