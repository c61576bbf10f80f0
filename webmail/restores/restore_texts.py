"""Texts of bringing back: what a request is, how far it is, and what to do where it failed."""

from __future__ import annotations

from datetime import datetime

from flask_babel import format_date, ngettext
from flask_babel import gettext as _

from webmail.models import RestoreKind, RestoreRequest, RestoreState, now
from webmail.restores.requests import LATE
from webmail.web.formatting import local, long_date, number


def all_words(kind: str) -> str:
    """What all of a kind is called."""
    return {
        RestoreKind.MAIL: _("All my mail"),
        RestoreKind.CALENDAR: _("All my calendars"),
        RestoreKind.BOOK: _("All my address books"),
    }[RestoreKind(kind)]


def place_words(title: str, night: datetime) -> str:
    """What is made for something: its name with the day, in the language of who asks. No slash: it may be a folder's name."""
    words = _("%(name)s of %(date)s", name=title, date=format_date(local(night), "d MMMM y"))
    return words.replace("/", "-").strip()


def title_words(row: RestoreRequest) -> str:
    return row.title or all_words(row.kind)


def state_words(row: RestoreRequest) -> str:
    match row.state:
        case RestoreState.WAITING if row.asked < now() - LATE:
            return _("Still waiting: the server has not begun. Tell your administrator.")
        case RestoreState.WAITING:
            return _("Waiting. It begins within a few minutes.")
        case RestoreState.WORKING:
            return _("In progress. You can leave this page.")
        case RestoreState.DONE:
            return _done(row)
    return problem_words(row.problem)


def _done(row: RestoreRequest) -> str:
    count = number(row.number)
    if row.kind == RestoreKind.MAIL:
        told = ngettext(
            "%(count)s message is in “%(place)s”.",
            "%(count)s messages are in “%(place)s”.",
            row.number,
            count=count,
            place=row.place,
        )
    elif row.kind == RestoreKind.CALENDAR:
        told = ngettext(
            "%(count)s event is in “%(place)s”.", "%(count)s events are in “%(place)s”.", row.number, count=count, place=row.place
        )
    else:
        told = ngettext(
            "%(count)s contact is in “%(place)s”.",
            "%(count)s contacts are in “%(place)s”.",
            row.number,
            count=count,
            place=row.place,
        )
    if row.left_out:
        told += " " + ngettext("%(num)d could not be read.", "%(num)d could not be read.", row.left_out)
    return told


def problem_words(problem: str) -> str:
    return {
        "no-room": _("There is not enough room for it. Delete something or ask for more room, then try again."),
        "not-there": _("It was not in this backup. Choose another night."),
        "night-gone": _("This backup is no longer kept. Choose another night."),
        "stopped": _("The server stopped halfway. Try again; what was already brought back stays."),
    }.get(problem, _("It could not be brought back. Tell your administrator."))


def letter(row: RestoreRequest, organisation: str) -> tuple[str, str]:
    """Subject and text of the email that tells that a request has ended."""
    done = row.state == RestoreState.DONE
    subject = _("Brought back from a backup") if done else _("Not brought back from a backup")
    head = _("%(place)s: “%(what)s” as of %(night)s.", place=organisation, what=title_words(row), night=long_date(row.night))
    parts = [head, state_words(row)]
    if row.asked_by != row.user.address:
        parts.append(_("Asked for by %(who)s.", who=row.asked_by))
    return subject, "\n\n".join(parts)
