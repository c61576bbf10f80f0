"""Undo view: undoes the last action on messages."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from flask import redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail import imap
from webmail.database.user_lock import user_lock
from webmail.errors import OverQuotaError
from webmail.mailbox import undo as undoing
from webmail.mailbox.blueprint import blueprint
from webmail.mailbox.partial_texts import why_not_all
from webmail.web.current import current_account, current_user
from webmail.web.forms.request_values import local_path
from webmail.web.frame.quota_notice import room_link
from webmail.web.notices import notify, withdraw_notices

_AGAIN_SECONDS = 600  # to make room meanwhile; the steps are kept for an hour


@blueprint.post("/undo")
def undo_last() -> Response:
    name, back = request.form.get("undo", ""), local_path(request.form.get("back", ""))
    try:
        with user_lock(current_user().id), imap.connect(current_account()) as connection:
            done = undoing.undo(connection, current_user(), name, beyond=_is_later(back))
    except OverQuotaError:
        return _no_room(name, back)
    withdraw_notices()
    words = ngettext("Undone for %(num)d message.", "Undone for %(num)d messages.", done.count)
    if done.failed:
        again = (url_for("mailbox.undo_last"), {"undo": name, "back": back})
        link = room_link() if isinstance(done.failed, OverQuotaError) else None
        notify(f"{words} {why_not_all(done.failed)}", "caution", again, keep=_AGAIN_SECONDS, link=link)
    else:
        notify(words if done.count else _("There was nothing to undo."))
    return redirect(back or url_for("mailbox.show", mailbox="INBOX"), 303)


def _is_later(address: str) -> bool:
    """Whether this is a page of a list after its first."""
    return parse_qs(urlsplit(address).query).get("page", ["1"])[-1] != "1"


def _no_room(name: str, back: str) -> Response:
    """What was moved away does not fit any more. The steps are still stored, so undo is offered again."""
    withdraw_notices()
    words = _(
        "Your mailbox is full, so the messages could not be moved back. They are still where you moved them. Free up space first."
    )
    undo = (url_for("mailbox.undo_last"), {"undo": name, "back": back})
    notify(words, "caution", undo, keep=_AGAIN_SECONDS, link=room_link())
    return redirect(back or url_for("mailbox.show", mailbox="INBOX"), 303)
