"""Export view: downloads selected messages as one mbox or zip file."""

from __future__ import annotations

from flask import current_app, redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import imap
from webmail.mailbox import export
from webmail.mailbox.blueprint import blueprint
from webmail.mailbox.views.action_form import SELECT_FIRST, back_address, chosen_messages
from webmail.web import downloads
from webmail.web.current import current_account
from webmail.web.formatting import file_size, number, today
from webmail.web.notices import notify


@blueprint.post("/export/<path:mailbox>")
def save_as_file(mailbox: str) -> Response:
    """Download the selection, spooled to a temporary file first: a failure becomes an error page, never a truncated file."""
    kind = request.form.get("kind", "")
    account = current_account()
    with imap.connect(account, mailbox) as connection:
        chosen = chosen_messages(connection, mailbox, request.form.getlist("uids"))
        if kind not in export.KINDS or not chosen:
            notify(str(SELECT_FIRST), "caution")
            return redirect(back_address(mailbox), 303)
        try:
            found = export.measure(connection, chosen)
        except export.ExportTooLarge:
            words = _("One file holds at most %(num)s messages or %(size)s. Select fewer messages.")
            notify(words % {"num": number(export.MOST_MESSAGES), "size": file_size(export.MOST_BYTES)}, "caution")
            return redirect(back_address(mailbox), 303)
    try:
        response = downloads.written(lambda spool: export.write(account, found, kind, spool), export.KINDS[kind])
    except OSError as error:  # writing the file failed; network errors are ServerAway
        current_app.logger.error("an export can't be written: %s", error)
        notify(_("There is no room on the server for this file at the moment. Select fewer messages."), "danger")
        return redirect(back_address(mailbox), 303)
    name = f"{mailbox.rsplit('/', 1)[-1]}-{today():%Y-%m-%d}.{kind}"
    response.headers["Content-Disposition"] = downloads.disposition(name, plain=f"messages.{kind}")
    response.headers["Content-Security-Policy"] = downloads.POLICY
    return response
