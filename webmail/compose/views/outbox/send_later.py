"""Send later views: choosing the time of sending in the form, and rescheduling or cancelling in the outbox."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from flask import request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from webmail import schedule
from webmail.account import Password
from webmail.compose.blueprint import blueprint
from webmail.compose.forms import ComposeForm
from webmail.compose.outbox import queue, recipient_limits, send_later, spool
from webmail.compose.views.drafts_folder import day_and_clock, put_into_drafts
from webmail.compose.views.editor import no_room_words
from webmail.models import DraftRow
from webmail.rate_limits import HOUR, TooManyRequestsError
from webmail.storage import StorageAwayError, StorageFullError
from webmail.web.current import current_account, current_user, settings, time_zone, wake
from webmail.web.formatting import local, long_date
from webmail.web.notices import notify


@dataclass(frozen=True, slots=True)
class TimeChoice:
    """A time offered for sending later."""

    name: str
    when: datetime


@blueprint.app_template_global()
def later_choices() -> list[TimeChoice]:
    """The times offered: this evening unless it is near, tomorrow morning, Monday morning."""
    return [TimeChoice(name, when) for name, when in send_later.choices(schedule.local_now(time_zone())).items()]


@blueprint.app_template_filter()
def local_time(moment: datetime) -> datetime:
    """The time in the configured time zone."""
    return local(moment)


@blueprint.app_template_global()
def keeps_password() -> bool:
    """Whether scheduled messages store the (encrypted) password, because token authentication is not used."""
    return isinstance(current_account().credential, Password)


@blueprint.app_template_global()
def little_room() -> str:
    """A sentence with the remaining recipients of the rate limit; "" while there are plenty."""
    room = recipient_limits.near(current_user(), settings())
    if room is None:
        return ""
    words = _room_words(room.window == HOUR, room.people)
    return words + " " + _("You can send more from %(time)s.", time=day_and_clock(room.again)) if room.again else words


def chosen_time(form: ComposeForm) -> datetime | None:
    """The form's sending time (naive UTC), None for at once; an invalid time adds an error to the field.

    The form then holds the resolved date and time, so that "Send anyway" uses the same ones.
    """
    if not form.later.data:
        return None
    try:
        at = send_later.chosen(form.later.data, form.day.data or "", form.hour.data or "", schedule.local_now(time_zone()))
    except schedule.BadTimeError:
        form.mark("later", _("Choose a date and time within the next year."))
        return None
    show_time(form, at)
    return at


def show_time(form: ComposeForm, at: datetime) -> None:
    """Set the form's sending time (naive UTC)."""
    form.later.data, form.day.data, form.hour.data = "at", f"{local(at):%Y-%m-%d}", f"{local(at):%H:%M}"


def too_many_words(error: TooManyRequestsError) -> str:
    """Why the message can't be sent at that time, and when it can."""
    words = _room_words(error.limit is not None and error.limit.span == HOUR, error.left)
    if error.again is None:
        return words + " " + _("This message has more recipients than you can write to at one time. Send it in several batches.")
    when = long_date(error.again)
    if not error.left:
        return words + " " + _("This message can go out on %(when)s. Schedule it for then.", when=when)
    return words + " " + _("This message can go out on %(when)s. Schedule it for then, or remove some recipients.", when=when)


def _room_words(hour: bool, people: int) -> str:
    if not people:
        if hour:
            return _("You have reached the hourly recipient limit.")
        return _("You have reached the daily recipient limit.")
    if hour:
        return ngettext(
            "You can write to %(num)d more person this hour.", "You can write to %(num)d more people this hour.", people
        )
    return ngettext("You can write to %(num)d more person today.", "You can write to %(num)d more people today.", people)


# --- in the outbox ---------------------------------------------------------------------------------------------------


class NotDoneError(Exception):
    """A button of the outbox had no effect; `words` is the reason to show, `kind` the kind of the notice."""

    def __init__(self, text: str, kind: str = "caution") -> None:
        super().__init__(text)
        self.words, self.kind = text, kind


def send_now(outbox_id: int) -> str | None:
    with _refusals_in_words():
        if not send_later.send_now(current_user(), outbox_id, settings()):
            return None
    wake(queue.find(current_user(), outbox_id))
    return ""


def change_time(outbox_id: int) -> str | None:
    values = request.form
    day, hour = values.get("day", ""), values.get("hour", "")
    with _refusals_in_words():
        at = send_later.chosen(values.get("later", "at"), day, hour, schedule.local_now(time_zone()))
        if not send_later.change(current_user(), outbox_id, at, settings()):
            return None
    wake(queue.find(current_user(), outbox_id))
    notify(_("The message will be sent on %(when)s.", when=long_date(at)))
    return ""


@contextmanager
def _refusals_in_words() -> Iterator[None]:
    """Turns errors of rescheduling into NotDoneError. A large message is written again with its new date."""
    try:
        yield
    except schedule.BadTimeError as error:
        raise NotDoneError(_("Choose a date and time within the next year."), "danger") from error
    except TooManyRequestsError as error:
        raise NotDoneError(too_many_words(error)) from error
    except (StorageFullError, StorageAwayError) as error:
        words = _("Nothing was changed. The message will be sent as scheduled.") + " " + no_room_words(error)
        raise NotDoneError(words, "danger") from error
    except spool.ContentGoneError as error:
        words = _("This message is no longer available here. Cancel sending, then send it again from the draft.")
        raise NotDoneError(words, "danger") from error


def cancel(outbox_id: int) -> str | None:
    """Cancel a scheduled message and save it to Drafts. Returns where to go next, None if it is too late."""
    draft_id = queue.undo(current_user(), outbox_id)
    if draft_id is None:
        return None
    draft = DraftRow.get_or_none(DraftRow.id == draft_id)
    words = _("Sending cancelled. Nothing was sent.")
    if draft and not put_into_drafts(draft):
        notify(words, "caution")  # the form says why it is not among the drafts yet
        return url_for("compose.show", draft_id=draft_id)
    notify(words + " " + _("You will find it in Drafts."))
    return ""
