"""Throttle: how many wrong passwords are checked, counted in SQL for all processes together. No Flask here.

Failed attempts count by the name that was typed, whether it exists or not, and by where they come from (auth/sources.py). That
alone would keep a person out for as long as somebody guesses in their name, so there are more ways to have a password checked,
and none gives whoever guesses many tries:

- a browser on which the person signed in before (auth/known_devices.py) has a count of its own: failures elsewhere do not block
  it, its own failures block nobody else, and whoever steals it has as few tries;
- a browser that was told to wait, and did so quietly, stands in line (auth/waiting_lines.py): one try a minute for each name, and
  so many a second for each network, who has waited longest first. Programs that go on guessing have never waited, so the owner
  gets in on a new browser within seconds while they do;
- a code that was mailed to the person's recovery address (auth/door_codes.py), for when even those wait who guess.
"""

from __future__ import annotations

import math
from datetime import timedelta

from peewee import Expression

from webmail.auth import waiting_lines
from webmail.auth.sources import SignInSource
from webmail.auth.waiting_lines import Place, WaitingLine, has_waited
from webmail.config import Settings
from webmail.database.connection import db
from webmail.database.locks import serialize
from webmail.errors import MailError
from webmail.models import SignInFailure, now

WINDOW = timedelta(minutes=15)

# seconds between turns of browsers that have waited, once the ordinary tries are used up
_TURN_OF_NAME = 60
_TURN_OF_CODE = 120  # of the second step: three codes of an app are right at any time


class TooManyAttempts(MailError):
    """Too many failed attempts for this name or from this network; retry after `retry_minutes`, or `retry_seconds`."""

    status = 429

    def __init__(self, retry_minutes: int = 0, *, seconds: int = 0) -> None:
        self.retry_seconds = seconds or retry_minutes * 60
        self.retry_minutes = math.ceil(self.retry_seconds / 60)
        super().__init__(f"too many attempts; again in {self.retry_seconds} s")


def begin(name: str, source: SignInSource, limit: int, *, place: Place | None = None) -> SignInFailure:
    """Record a failure before the password is checked, so that concurrent attempts all count; it is deleted on success.

    `place`: of this browser, where it was told to wait. Raises TooManyAttempts; such an attempt is not recorded, so that waiting
    always helps, and costs two SELECTs alone where the browser did not wait.
    """
    if _lines(name, source, limit) and not has_waited(place):
        raise TooManyAttempts(seconds=waiting_lines.FIRST)
    forget_old_failures()
    with db.atomic():
        serialize("sign-in")
        lines, wait = _lines(name, source, limit), 0
        if lines:
            wait = waiting_lines.take(lines, place, source.key) if place and has_waited(place) else waiting_lines.FIRST
        if not wait:
            return SignInFailure.create(address=name, network=source.key)
    raise TooManyAttempts(seconds=wait)


def is_slowed(name: str, source: SignInSource, limit: int) -> bool:
    """Whether the ordinary tries for this name from there are used up. Two SELECTs."""
    return bool(_lines(name, source, limit))


def attempt_at(what: str, settings: Settings) -> SignInFailure:
    """Count an attempt to say a secret elsewhere than at the door; delete what is returned if it was right.

    Raises TooManyAttempts. `what` tells apart whose they are: they count by themselves, and nobody has turns.
    """
    what = what[:254]
    with db.atomic():
        serialize("sign-in")
        forget_old_failures()
        if minutes := _wait(SignInFailure.address == what, settings.sign_in_attempts):
            raise TooManyAttempts(minutes)
        return SignInFailure.create(address=what, network="")


def attempt_in_turn(what: str, settings: Settings, place: Place | None) -> SignInFailure:
    """The same, but a browser that was told to wait has turns: whoever guesses elsewhere keeps nobody out."""
    what = what[:254]
    with db.atomic():
        serialize("sign-in")
        forget_old_failures()
        wait = 0
        if _wait(SignInFailure.address == what, settings.sign_in_attempts):
            line = WaitingLine(what, _TURN_OF_CODE)
            wait = waiting_lines.take([line], place, "") if place and has_waited(place) else waiting_lines.FIRST
        if not wait:
            return SignInFailure.create(address=what, network="")
    raise TooManyAttempts(seconds=wait)


def succeeded(attempt: SignInFailure, limit: int) -> None:
    """The attempt was right. Also forgets the failures before it from the same network, which were typing mistakes then; but not
    while their number slows somebody down: the owner's visits give whoever guesses no new tries.
    """
    take_back(attempt)
    same = SignInFailure.address == attempt.address
    if not _wait(same, limit):
        SignInFailure.delete().where(same, SignInFailure.network == attempt.network, SignInFailure.at <= attempt.at).execute()


def take_back(attempt: SignInFailure) -> None:
    """The attempt counts no more. Not by its number alone: a success may have deleted it, and SQLite gives numbers again."""
    same = (SignInFailure.address == attempt.address) & (SignInFailure.at == attempt.at)
    SignInFailure.delete().where(SignInFailure.id == attempt.id, same).execute()


def forget_old_failures() -> int:
    """Delete the failures older than WINDOW; returns how many."""
    return SignInFailure.delete().where(SignInFailure.at < now() - WINDOW).execute()


def _lines(name: str, source: SignInSource, limit: int) -> list[WaitingLine]:
    """Those in which an attempt has to wait; none where there are ordinary tries left."""
    lines = []
    if _wait(SignInFailure.address == name, limit):
        lines.append(WaitingLine(f"name {name}", _TURN_OF_NAME, by_source=True))
    if source.key and _wait(SignInFailure.network == source.key, source.tries):
        lines.append(source.line)
    return lines


def _wait(same: Expression, limit: int) -> int:
    """Minutes until another attempt is allowed, 0 for now."""
    recent = SignInFailure.select(SignInFailure.at).where(same, SignInFailure.at > now() - WINDOW)
    counting = recent.order_by(SignInFailure.at.desc()).limit(1).offset(limit - 1).first()
    return _minutes(counting.at + WINDOW - now()) if counting else 0


def _minutes(wait: timedelta) -> int:
    return max(1, math.ceil(wait.total_seconds() / 60))
