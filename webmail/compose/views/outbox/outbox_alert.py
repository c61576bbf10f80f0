"""Outbox alert: how many messages wait or need attention, beside the folders and in a notice on every page."""

from __future__ import annotations

from typing import cast

import peewee as pw
from flask import g
from flask_babel import gettext as _
from flask_babel import ngettext

from webmail.compose.blueprint import blueprint
from webmail.compose.outbox import status
from webmail.models import Outbox, OutboxState
from webmail.web.current import current_user
from webmail.web.frame.banners import add_banner
from webmail.web.frame.page_rows import add_rows, page_rows

add_rows("outbox", Outbox, (pw.fn.COUNT(Outbox.id), Outbox.state), status.of_person, (Outbox.state,))


def _status() -> status.OutboxStatus:
    if "outbox_status" not in g:
        g.outbox_status = status.of_counts((row.text, row.number) for row in page_rows("outbox"))
    return cast(status.OutboxStatus, g.outbox_status)


@blueprint.app_template_global()
def outbox_pending() -> int:
    """How many messages are waiting or need attention, for the folder list."""
    return _status().total


@blueprint.app_template_global()
def outbox_alert_words() -> str:
    """What became of the one message that needs attention, for that notice."""
    one = status.troubled_message(current_user())
    subject = one.subject if one else ""
    if one is None or not subject:
        return _("A message could not be sent to everyone.")
    match one.state:
        case OutboxState.FAILED:
            return _("“%(subject)s” was not sent.", subject=subject)
        case OutboxState.UNCERTAIN:
            return _("“%(subject)s” may not have been sent.", subject=subject)
    if not one.people:
        return _("“%(subject)s” was not delivered to everyone.", subject=subject)
    return ngettext(
        "“%(subject)s” was not delivered to %(num)d of %(all)d recipients.",
        "“%(subject)s” was not delivered to %(num)d of %(all)d recipients.",
        one.refused,
        subject=subject,
        all=one.people,
    )


@add_banner("compose/_alert.html", "alert")
@blueprint.app_template_global()
def outbox_alert() -> int | None:
    """How many messages need attention (failed, uncertain, partly refused), for a notice on every page; None if none."""
    return _status().failed or None
