"""Busy times alone: what an event is called on devices of somebody who may know when it is, and nothing else of it."""

from __future__ import annotations

from webmail.calendar.privacy import hidden_name


def href_of(href: str) -> str:
    """What its name in the calendar is for them: most programs name an event by its UID."""
    return f"{hidden_name(href)}.ics"
