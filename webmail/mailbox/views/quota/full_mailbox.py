"""Full mailbox: what follows where an action on messages finds no room: deleting for good, or a notice; nothing was changed."""

from __future__ import annotations

from flask import request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import imap
from webmail.mailbox.views.action_form import ListJob, ask_to_destroy
from webmail.web.frame.quota_notice import nothing_changed, room_link
from webmail.web.labels import owner_label
from webmail.web.notices import notify


def no_room_for(action: str, job: ListJob) -> Response | None:
    """A page that asks, or None with a notice. Deleting is what helps a full mailbox, so it is never only refused."""
    if action == "delete":
        notify(_("Your mailbox is full: there is no space left for these messages in the trash."), "caution")
        return ask_to_destroy(job)
    target = imap.mailboxes.overview(job.connection).get(job.argument or request.form.get("to", ""))
    if target and target.owner:
        words = _("The mailbox of %(owner)s is full. Nothing was changed.", owner=owner_label(target.owner))
        notify(words, "caution")
        return None
    notify(f"{_('Your mailbox is full.')} {nothing_changed()}", "caution", link=room_link())
    return None
