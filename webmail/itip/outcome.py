"""What a message comes to: what is to be in the calendar, and facts for a card."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from webmail.itip.people import Invitee


class Effect(StrEnum):
    NEW = "new"  # not in the calendar yet: it can be added
    CHANGED = "changed"  # a newer version of what is there
    CANCELLED = "cancelled"  # what is there, or some of it, does not take place
    ANSWERED = "answered"  # a guest answers the organiser
    PROPOSED = "proposed"  # a guest proposes another time: the organiser decides
    REFUSED = "refused"  # the organiser keeps the time, whatever was proposed
    WANTED = "wanted"  # a guest asks for the latest version
    SAME = "same"  # all of it is there already
    OLD = "old"  # a newer version is there
    UNKNOWN = "unknown"  # there is no such event, or no such time of a series
    UNINVITED = "uninvited"  # somebody answers who was not invited: kept apart, the organiser decides
    INCOMPLETE = "incomplete"  # an earlier message is missing: only the organiser has all of it
    UNUSABLE = "unusable"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`text`: what is to be in the calendar in place of what is there, "" if nothing changes. `guest`: who answers or proposes;
    `start`, `end`: the time proposed; `at`: the times of a series it is about (RECURRENCE-ID), none for all of it."""

    effect: Effect
    text: str = ""
    guest: Invitee | None = None
    comment: str = ""
    start: date | datetime | None = None
    end: date | datetime | None = None
    at: tuple[str, ...] = ()
