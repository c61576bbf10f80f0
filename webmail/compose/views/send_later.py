"""Choosing when a message leaves: what the form says about it, and what the outbox does with one that waits for its time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail import schedule
from webmail.account import Password
from webmail.compose import draft_copies, identities, uploads
from webmail.compose.blueprint import blueprint
from webmail.compose.forms import ComposeForm
from webmail.compose.outbox import queue, rate_limits, send_later, spool
from webmail.compose.views.editor import no_room_words
from webmail.errors import MailError
from webmail.models import DraftRow
from webmail.web.current import current_account, current_user, settings, wake
from webmail.web.formatting import local, long_date
from webmail.web.notices import notify, withdraw_notices


@dataclass(frozen=True, slots=True)
class TimeChoice:
    """A time that is offered."""

    name: str
    when: datetime


@blueprint.app_template_global()
def later_choices() -> list[TimeChoice]:
    """This evening while it is not near, tomorrow, Monday morning."""
    return [TimeChoice(name, when) for name, when in send_later.choices(schedule.local_now(settings())).items()]


@blueprint.app_template_filter()
def local_time(moment: datetime) -> datetime:
    """On the establishment's clocks."""
    return local(moment)


@blueprint.app_template_global()
def keeps_password() -> bool:
    """Whether a message that waits keeps the password with it, because the mail server takes no tokens of ours."""
    return isinstance(current_account().credential, Password)


@blueprint.app_template_global()
def little_room() -> str:
    """How many more people one may write to, in words; empty while that is plenty."""
    room = rate_limits.near(current_user(), settings())
    return _room_words(room.window is rate_limits.HOUR, room.people) if room else ""


def chosen_time(form: ComposeForm) -> datetime | None:
    """When the form wants the message to leave (UTC, naive), None for at once; the field is marked when that is no time.

    The form holds the date and the hour from then on, so that "Send anyway" means the same ones.
    """
    if not form.later.data:
        return None
    try:
        at = send_later.chosen(form.later.data, form.day.data or "", form.hour.data or "", schedule.local_now(settings()))
    except schedule.BadTime:
        form.mark("later", _("Choose a date and a time to come, within a year."))
        return None
    show_time(form, at)
    return at


def show_time(form: ComposeForm, at: datetime) -> None:
    """Have the form hold this time (UTC, naive)."""
    form.later.data, form.day.data, form.hour.data = "at", f"{local(at):%Y-%m-%d}", f"{local(at):%H:%M}"


def too_many_words(error: rate_limits.RecipientLimitReached) -> str:
    """Why a message may not leave now, and when it may."""
    words = _room_words(error.window is rate_limits.HOUR, error.room)
    if error.possible is None:
        return words + " " + _("This message goes to more people than one may ever write to at once: send it in several parts.")
    when = long_date(error.possible)
    return words + " " + _("This message can leave on %(when)s: send it later, or take addresses out.", when=when)


def _room_words(hour: bool, people: int) -> str:
    if hour:
        return ngettext(
            "You may write to %(num)d more person this hour.", "You may write to %(num)d more people this hour.", people
        )
    return ngettext(
        "You may write to %(num)d more person within a day.", "You may write to %(num)d more people within a day.", people
    )


# --- in the outbox ---------------------------------------------------------------------------------------------------


def send_now(outbox_id: int) -> Response:
    try:
        done = send_later.send_now(current_user(), outbox_id, settings())
    except rate_limits.RecipientLimitReached as error:
        notify(too_many_words(error), "caution")
    except (uploads.NoRoom, spool.ContentGone) as error:
        notify(_not_moved(error), "danger")
    else:
        _tell(done, _("The message is on its way."), outbox_id)
    return redirect(url_for("compose.outbox"), 303)


def change_time(outbox_id: int) -> Response:
    values = request.form
    try:
        at = send_later.chosen(
            values.get("later", "at"), values.get("day", ""), values.get("hour", ""), schedule.local_now(settings())
        )
        done = send_later.change(current_user(), outbox_id, at, settings())
    except schedule.BadTime:
        notify(_("Choose a date and a time to come, within a year."), "danger")
    except rate_limits.RecipientLimitReached as error:
        notify(too_many_words(error), "caution")
    except (uploads.NoRoom, spool.ContentGone) as error:
        notify(_not_moved(error), "danger")
    else:
        _tell(done, _("The message leaves on %(when)s.", when=long_date(at)), outbox_id)
    return redirect(url_for("compose.outbox"), 303)


def _not_moved(error: MailError) -> str:
    """A large message is written anew with its new date."""
    if isinstance(error, uploads.NoRoom):
        return _("Nothing was changed: the message leaves at its time.") + " " + no_room_words(error)
    return _("This message can't be read any more here. Stop it, then send it again from its draft.")


def cancel(outbox_id: int) -> Response:
    """Stop it and put it among the drafts, for another day."""
    draft_id = queue.undo(current_user(), outbox_id)
    withdraw_notices()
    if draft_id is None:
        notify(_("Too late: the message has left."), "caution")
        return redirect(url_for("compose.outbox"), 303)
    draft = DraftRow.get_or_none(DraftRow.id == draft_id)
    words = _("The message was stopped. Nothing was sent.")
    try:
        if draft:
            draft_copies.save(draft, current_account(), identities.of_draft(draft, settings()), settings())
        notify(words + " " + _("It is among your drafts."))
    except MailError:
        notify(words + " " + _("The mail server did not take a copy for Drafts yet; here it is kept."), "caution")
        return redirect(url_for("compose.show", draft_id=draft_id), 303)
    return redirect(url_for("compose.outbox"), 303)


def _tell(done: bool, words: str, outbox_id: int) -> None:
    withdraw_notices()
    if done:
        wake(queue.find(current_user(), outbox_id))
        notify(words)
    else:
        notify(_("Too late: the message has left."), "caution")
