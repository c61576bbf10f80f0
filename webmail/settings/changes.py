"""Changes of preferences: stores what somebody chose and nothing else. What was there before goes into a signed value to undo it.

The value is kept by the page, not by the undo store: that holds five steps a person, which are worth more for messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from itsdangerous import BadSignature, URLSafeTimedSerializer

from webmail import preferences
from webmail.auth import account_management
from webmail.calendar import birthdays
from webmail.calendar.reminders import daily_agenda, reminder_rows
from webmail.models import User

SECONDS = 3600  # how long a change can be undone
Changed = dict[str, tuple[Any, Any]]  # name -> before, after


class CannotUndoError(Exception):
    """The value to undo by is too old, not this person's, or everything in it was changed again since."""


def current(user: User) -> dict[str, Any]:
    """All that can be changed here: the preferences, and the language ("": as the browser says)."""
    return asdict(preferences.for_user(user)) | {"language": user.language}


def make(user: User, values: Mapping[str, Any]) -> Changed:
    """Store these values; returns what differs from before. At most 4 queries, none if nothing differs."""
    before = current(user)
    wanted = {name: value for name, value in values.items() if before[name] != value}
    if "language" in wanted:
        account_management.set_language(user, wanted["language"])
    if chosen := {name: value for name, value in wanted.items() if name != "language"}:
        preferences.change(user, **chosen)
        if "birthdays" in chosen:
            birthdays.choose(user, chosen["birthdays"], user.language)
        if {"time_zone", "remind_hour"} & chosen.keys():
            reminder_rows.look_again(user)
        if {"time_zone", "agenda_hour"} & chosen.keys():
            daily_agenda.choose(user)
    after = current(user)
    return {name: (before[name], after[name]) for name in wanted if before[name] != after[name]}


def token(user: User, changed: Changed, secret: str) -> str:
    """The value that `undo` takes; "" if nothing was changed."""
    return _signer(secret).dumps([user.id, changed]) if changed else ""


def undo(user: User, value: str, secret: str) -> list[str]:
    """Put back what was changed; returns the names. What was changed again since stays. Raises CannotUndoError."""
    try:
        whose, changed = _signer(secret).loads(value, max_age=SECONDS)
    except BadSignature as error:
        raise CannotUndoError("too old, or not ours") from error
    if whose != user.id:
        raise CannotUndoError(f"of user {whose}")
    now = current(user)
    back = {name: before for name, (before, after) in changed.items() if now.get(name) == after}
    if not back:
        raise CannotUndoError("changed again since")
    return list(make(user, back))


def _signer(secret: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret, salt="settings-undo")
