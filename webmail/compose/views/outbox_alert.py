"""Outbox alert: how many messages wait or need attention, beside the folders and in a notice on every page."""

from __future__ import annotations

from typing import cast

import peewee as pw
from flask import g

from webmail.compose.blueprint import blueprint
from webmail.compose.outbox import status
from webmail.models import Outbox
from webmail.web.current import current_user
from webmail.web.page_rows import add_rows, page_rows

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
def outbox_alert_subject() -> str:
    """The subject of the message that needs attention, for that notice."""
    return status.troubled_subject(current_user())


@blueprint.app_template_global()
def outbox_alert() -> int | None:
    """How many messages need attention (failed, uncertain, partly refused), for a notice on every page; None if none."""
    return _status().failed or None
