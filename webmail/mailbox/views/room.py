"""Room page: how full the mailbox is, what takes the room, and what can go; and the word on every page while it fills up."""

from __future__ import annotations

from datetime import timedelta

from flask import redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import imap, preferences
from webmail.mail import Quota, Role
from webmail.mailbox.blueprint import blueprint
from webmail.web.banners import add_banner
from webmail.web.current import current_account, current_user, remember_overview
from webmail.web.current import preferences as preferred
from webmail.web.formatting import today
from webmail.web.rendering import page
from webmail.web.request_values import local_path

add_banner("mailbox/_room_low.html")
_QUIET_DAYS = 7
_MOST_FOLDERS = 100  # listed


@blueprint.get("/room")
def room() -> Response:
    """3 round trips: NOOP, the folders with their counts and the quota, the sizes."""
    imap.mailboxes.forget(current_account())  # whoever makes room looks at the numbers
    with imap.connect(current_account()) as connection:
        imap.folders.refresh(connection)
        found = imap.mailboxes.overview(connection)
        sizes = imap.folders.sizes(connection, found.mailboxes)
    remember_overview(found)
    own = [m for m in found.mailboxes if not m.owner and sizes.get(m.name)]
    return page(
        "mailbox/room.html",
        quota=found.quota,
        sizes=sizes,
        folders=sorted(own, key=lambda m: -sizes[m.name])[:_MOST_FOLDERS],
        emptied=[m for m in own if m.role in (Role.TRASH, Role.JUNK)],
    )


@blueprint.post("/room/later")
def room_later() -> Response:
    """Say nothing of it for some days, unless the mailbox fills up further."""
    until = today() + timedelta(days=_QUIET_DAYS)
    preferences.change(current_user(), room_quiet_until=until.isoformat())
    return redirect(local_path(request.form.get("back", "")) or url_for("mailbox.show", mailbox="INBOX"), 303)


@blueprint.app_template_global()
def room_is_mentioned(quota: Quota) -> bool:
    """Whether pages say that the mailbox fills up: from 80 % on, unless it was put off; from 95 % on in any case."""
    return quota.step > 80 or (quota.step == 80 and preferred().room_quiet_until <= today().isoformat())


@blueprint.app_template_filter()
def percentage(percent: int) -> str:
    """As each language writes it: "83%", « 83 % »."""
    return _("%(num)s%%", num=percent)
