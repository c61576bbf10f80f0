"""Undo of what was changed in calendars."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from webmail.calendar import editing, meeting_mail
from webmail.calendar.blueprint import blueprint
from webmail.calendar.guests import organising
from webmail.calendar.guests.organising import Posting
from webmail.calendar.notifications.guest_letters import guest_page_url
from webmail.calendar.objects import UidTakenError
from webmail.compose.outbox import queue
from webmail.database.connection import db
from webmail.errors import LimitReachedError, NoSuchMessageError
from webmail.itip.messages import ItipMessage
from webmail.mail import Draft
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.web.current import current_user, sealed_credential, settings, time_zone, wake
from webmail.web.forms.request_values import local_path
from webmail.web.notices import notify, undone


class _LeftError(Exception):
    """A message has left already."""


def undo_of(done: Iterable[editing.Done], back: str = "") -> tuple[str, dict[str, Any]] | None:
    """The undo of a notice; none of what they don't see any more."""
    done = list(done)
    name = "" if any(one.hidden for one in done) else editing.offer_undo(current_user(), done)
    return (url_for("calendar.undo_last"), {"undo": name, "back": back}) if name else None


def posting(note: str = "", *, silent: bool = False, remind: bool | None = None) -> Posting:
    """How guests of what the person writes now are told. `remind`: not where the worker has no token to write with."""
    user, chosen = current_user(), settings()

    def draft(message: ItipMessage) -> Draft:
        return meeting_mail.draft_of(user, message, chosen, time_zone(), guest_page_url(message.link))

    return Posting(chosen, sealed_credential, draft, note.strip(), silent, remind if chosen.token_key_file else None)


@blueprint.post("/calendar/changes/undo")
def undo_last() -> Answer:
    back = redirect(local_path(request.form.get("back", "")) or url_for("calendar.show"), 303)
    try:
        with db.atomic():  # the event and what waits in the outbox because of it: both, or neither
            if not _withdrawn(request.form.get("sent", "")):
                raise _LeftError
            done, rows = organising.undo(current_user(), request.form.get("undo", ""), posting())
    except _LeftError:
        notify(_("Your reply has already left, so the event stays as it is. Reply once more to change it."), "caution")
        return back
    except editing.EventChangedElsewhereError:
        notify(_("This event was changed again in the meantime, so it stays as it is."), "caution")
        return back
    except (editing.NotWritableError, LimitReachedError, UidTakenError, UnusableCalendarError):
        notify(_("This can no longer be undone: the calendar is full, or you can’t change it any more."), "caution")
        return back
    for row in rows:
        wake(row)
    undone(_("Undone.") if done else _("There was nothing to undo."))
    return back


def _withdrawn(numbers: str) -> bool:
    """Whether what waited in the outbox because of a change leaves no more; True for nothing."""
    wanted = [int(one) for one in numbers.split(",")[:10] if one.isascii() and one.isdigit() and len(one) < 18]
    try:
        return all(queue.undo(current_user(), number) is not None for number in wanted)
    except NoSuchMessageError:
        return False


def hidden_words(done: Iterable[editing.Done]) -> str:
    """That they no longer see what they have just written, after a sentence; "" where they do."""
    return " " + _("It is private: from now on you see only its time.") if any(one.hidden for one in done) else ""
