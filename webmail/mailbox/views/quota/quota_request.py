"""Quota request view: the form on the page that makes room, by which one asks the administrator for more."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import imap
from webmail.mail import Quota
from webmail.mailbox.blueprint import blueprint
from webmail.mailbox.notifications.quota_requests import letter
from webmail.mailbox.quota import quota_request
from webmail.models import AuditAct, now
from webmail.web.audit import audited
from webmail.web.current import current_account, current_user, settings, wake_system_mail
from webmail.web.notices import notify


def request_context(quota: Quota | None) -> dict[str, Any]:
    """What the page says of the person's request. Where the mail server tells more room than then, that is the answer."""
    asked = quota_request.latest(current_user())
    if asked and not asked.closed and quota and quota.limit > asked.room:
        quota_request.close(current_user(), quota.limit)
        asked = quota_request.latest(current_user())
    answered = asked if asked and asked.closed and asked.closed > now() - quota_request.TOLD else None
    return {
        "asked": asked if asked and not asked.closed else None, "answered": answered,
        "can_ask": quota is not None and quota_request.may_ask(asked) and quota_request.is_offered(current_user(), settings()),
        "longest_note": quota_request.LONGEST_NOTE,
    }  # fmt: skip


@blueprint.post("/room/ask")
def ask_for_room() -> Response:
    back = redirect(url_for("mailbox.room") + "#room-ask", 303)
    if not quota_request.is_offered(current_user(), settings()):
        return back
    with imap.connect(current_account()) as connection:
        quota = imap.mailboxes.overview(connection).quota
    if quota is None:
        return back
    note = request.form.get("note", "").strip()[: quota_request.LONGEST_NOTE]
    row, sent = quota_request.ask(current_user(), note, quota, letter(current_user(), note, quota), settings())
    if row is None:
        notify(_("You asked for more space less than a day ago. Wait for an answer first."), "caution")
        return back
    audited(AuditAct.ROOM_ASKED, current_user().address, room=f"{quota.limit // 1024**2}M")
    for message in sent:
        wake_system_mail(message)
    notify(_("Your request was sent to your administrator."))
    return back
