"""Space page: how full the mailbox is, what takes the room, and what can go; and the word on every page while it fills up."""

from __future__ import annotations

from datetime import timedelta

from flask import redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import imap, preferences
from webmail.imap.mailbox_list.space_usage import largest
from webmail.mail import Quota, Role
from webmail.mailbox.blueprint import blueprint
from webmail.mailbox.quota.space_report import counted_mailboxes
from webmail.mailbox.views.quota.quota_request import request_context
from webmail.mailbox.views.quota.space_report import report_context
from webmail.web.current import current_account, current_user, overview_beside, overview_known, remember_overview
from webmail.web.current import preferences as preferred
from webmail.web.formatting import today
from webmail.web.forms.request_values import local_path
from webmail.web.frame.areas import page_location
from webmail.web.frame.banners import add_banner
from webmail.web.rendering import page

_QUIET_DAYS = 7
_MOST_FOLDERS = 100  # listed
_MOST_SEARCHED = 300  # folders in which the largest messages are looked for
_MOST_MESSAGES = 25


@blueprint.get("/room")
def room() -> Response:
    """6 to 8 round trips: NOOP, the folders with their counts and the quota, the sizes, the largest messages (`imap.room`)."""
    imap.mailboxes.forget_all(current_account())  # whoever makes room looks at the numbers
    with imap.connect(current_account()) as connection:
        imap.folders.refresh(connection)
        found = imap.mailboxes.overview(connection)
        sizes = imap.folders.sizes(connection, found.mailboxes)
        large = largest(connection, counted_mailboxes(found, sent=True)[:_MOST_SEARCHED], _MOST_MESSAGES)
    remember_overview(found)
    own = [m for m in found.mailboxes if not m.owner and (sizes.get(m.name) if sizes else m.messages)]
    return page(
        "mailbox/room.html", quota=found.quota, sizes=sizes, large=large, **report_context(), **request_context(found.quota),
        folders=sorted(own, key=lambda m: -sizes.get(m.name, 0))[:_MOST_FOLDERS] if sizes else [],
        emptied=[m for m in own if m.role in (Role.TRASH, Role.JUNK)],
    )  # fmt: skip


@blueprint.post("/room/later")
def room_later() -> Response:
    """Say nothing of it for some days, unless the mailbox fills up further."""
    until = today() + timedelta(days=_QUIET_DAYS)
    preferences.change(current_user(), room_quiet_until=until.isoformat())
    return redirect(local_path(request.form.get("back", "")) or url_for("mailbox.show", mailbox="INBOX"), 303)


@add_banner("mailbox/_room_low.html", "room-low")
@blueprint.app_template_global()
def low_room() -> Quota | None:
    """The quota where pages mention it. The side bar of mail asks for it anyway; a page with another one says what is known."""
    found = overview_known() if page_location().side_bar else overview_beside()
    return found.quota if found and found.quota and room_is_mentioned(found.quota) else None


def room_is_mentioned(quota: Quota) -> bool:
    """Whether pages say that the mailbox fills up: from 80 % on, unless it was put off; from 95 % on in any case."""
    return quota.step > 80 or (quota.step == 80 and preferred().room_quiet_until <= today().isoformat())


@blueprint.app_template_filter()
def percentage(percent: int) -> str:
    """As each language writes it: "83%", « 83 % »."""
    return _("%(num)s%%", num=percent)
