"""Notifications of what administrators do: a person is told what an administrator changed about their mail for them."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from webmail import preferences, schedule, system_mail
from webmail.filters.absence.absence import Absence
from webmail.models import User
from webmail.web.current import settings, wake_system_mail
from webmail.web.formatting import written_in
from webmail.web.public_links import public_link


def absence_changed(user: User, found: Absence | None) -> None:
    """Queue a mail to the person; nothing where the establishment sends none."""
    current = settings()
    if current.system_sender is None:
        return
    language = system_mail.in_language_of(user, current)
    with written_in(language):
        subject = _("Your automatic replies are on") if found else _("Your automatic replies are off")
        body = _on_words(user, found) if found else _off_words(user)
        link = public_link("filters.show_absence")
        row = system_mail.send(user.address, "absence", subject, "\n".join(filter(None, [body, "", link])), language)
    if row:
        wake_system_mail(row)


def _off_words(user: User) -> str:
    return _("An administrator turned off the automatic replies of %(address)s.", address=user.address)


def _on_words(user: User, found: Absence) -> str:
    zone = ZoneInfo(preferences.for_user(user).time_zone or settings().timezone)
    start = " ".join(filter(None, schedule.day_and_hour(found.start, zone, ends=False)))
    until = " ".join(filter(None, schedule.day_and_hour(found.until, zone, ends=True)))
    lines = [_("An administrator turned on automatic replies for %(address)s.", address=user.address), ""]
    lines.append(_("From: %(when)s", when=start))
    lines.append(_("Until: %(when)s", when=until) if until else _("Until they are turned off"))
    lines += ["", _("People who write to you get this reply:"), ""]
    lines += [f"> {line}" for line in found.text.splitlines()]
    lines += ["", _("You can change this, or turn it off, under “Out of office”:")]
    return "\n".join(lines)
