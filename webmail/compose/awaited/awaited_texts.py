"""Awaited texts: what pages say of a message to which a reply is awaited."""

from __future__ import annotations

from datetime import date

from flask_babel import gettext as _

from webmail.models import AwaitedReply
from webmail.web.formatting import day_in_full, local, long_date


def state_words(row: AwaitedReply) -> str:
    """What is awaited, or what came."""
    if row.answered:
        return _("%(name)s replied on %(when)s.", name=row.answerer or "?", when=long_date(row.answered))
    if row.ended:
        return _("You are no longer waiting for a reply.")
    if row.told:
        return _("Nobody has replied yet.")
    return _("You will be reminded on %(day)s if nobody has replied.", day=due_day(row))


def notes(row: AwaitedReply) -> list[str]:
    """What programs sent in return: that does not count as a reply."""
    found = []
    if row.bounced_at:
        found.append(_("It was not delivered to %(people)s.", people=row.bounced))
    if row.automatic_at:
        when, name = long_date(row.automatic_at), row.automatic or "?"
        found.append(
            _("%(name)s sent an automatic reply on %(when)s: “%(subject)s”", name=name, when=when, subject=row.automatic_subject)
            if row.automatic_subject
            else _("%(name)s sent an automatic reply on %(when)s.", name=name, when=when)
        )
        found += absence_words(row.automatic_until)
    return found


def absence_words(said: str) -> list[str]:
    """`said`: as `automatic_until` has it."""
    kind, _space, day = (said or "").partition(" ")
    if not day:
        return []
    when = day_in_full(date.fromisoformat(day))
    return [_("Absent until %(day)s.", day=when) if kind == "until" else _("Back on %(day)s.", day=when)]


def due_day(row: AwaitedReply) -> str:
    return day_in_full(local(row.due).date())
