"""Sent notice: the notice after "Send", with Undo while there is time."""

from __future__ import annotations

from flask import session, url_for
from flask_babel import gettext as _

from webmail.compose.outbox import queue, send_later, status
from webmail.compose.views.attachments.large_files import file_coming
from webmail.models import Outbox, OutboxState
from webmail.web.current import current_user, settings
from webmail.web.formatting import long_date
from webmail.web.notices import notify


def say_sent(sent: Outbox, *, linked: bool = True) -> None:
    """Notify that the message is on its way; deduplicated for double clicks. `linked`: whether it may wait for a large file."""
    seconds = queue.undo_seconds(current_user(), settings())
    undo = None
    poll = None
    file = None
    words = _("The message is on its way.")
    if send_later.waits(sent):
        undo = (url_for("compose.change", outbox_id=sent.id), {"action": "undo"})
        words = _("The message will be sent on %(when)s.", when=long_date(sent.due))
    elif linked and sent.state == OutboxState.WAITING and (file := file_coming(sent.draft)) is not None:
        undo = (url_for("compose.change", outbox_id=sent.id), {"action": "undo"})
        words = _("The message will be sent as soon as “%(name)s” is uploaded.", name=file.path)
    elif sent.state == OutboxState.WAITING and seconds:
        undo = (url_for("compose.change", outbox_id=sent.id), {"action": "undo"})
        words = _("Sending in %(seconds)d s.", seconds=seconds)
    elif sent.state == OutboxState.SENT:
        words = _("This message has already been sent. It was not sent again.")
    kind = "done"
    if sent.state == OutboxState.WAITING and status.is_stopped():
        kind = "caution"
        words = f"{words} {_stopped_words()}" if send_later.waits(sent) else _stopped_words()
    if sent.state in (OutboxState.WAITING, OutboxState.SENDING) and not send_later.waits(sent) and file is None:
        poll = (url_for("compose.state", outbox_id=sent.id), seconds + 2)
    waiting = session.get("notices", [])
    if not any(notice["text"] == words and (notice["undo"] or [""])[0] == (undo or [""])[0] for notice in waiting):
        counts = kind == "done" and undo is not None and not send_later.waits(sent) and file is None
        notify(words, kind, undo, seconds if undo else 0, poll=poll, count=seconds if counts else 0)


def _stopped_words() -> str:
    return (
        _("Sending is not working at the moment.")
        + " "
        + _("Your message is safe here and will be sent as soon as possible. Tell your administrator.")
    )
