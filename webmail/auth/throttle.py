"""Throttle: how many wrong passwords are checked, counted in SQL for all processes together. No Flask here.

Failed attempts count per address and per network. That alone would lock a person out for as long as somebody guesses in their
name, so there are more ways to have a password checked, and none gives whoever guesses many tries:

- a browser on which the person signed in before (auth/known_devices.py) has a count of its own: failures elsewhere do not block
  it, its own failures block nobody else, and whoever steals it has as few tries;
- a browser that was told to wait, and did so quietly, has a turn: one try per minute and address, whoever it is. Programs that go
  on guessing have never waited, so the owner gets in on a new browser within a minute or two while they do;
- a code that was mailed to the person's recovery address (auth/door_codes.py), for when even those wait who guess.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Sequence
from datetime import timedelta

from peewee import Expression

from webmail.config import Settings
from webmail.database.connection import db
from webmail.database.locks import serialize
from webmail.errors import MailError
from webmail.models import SignInFailure, now

WINDOW = timedelta(minutes=15)
_NETWORK_FACTOR = 5  # many users may share one public address, e.g. of a school

# turns of browsers that have waited, once the ordinary tries are used up
_TURN_OF_ADDRESS = timedelta(minutes=1)
_TURN_OF_ADDRESS_AND_NETWORK = timedelta(minutes=5)  # so that one place alone can't take all the turns
_TURN_OF_NETWORK = timedelta(seconds=10)  # where the network's tries are used up too, over all addresses
_QUIET_SECONDS = 50  # who is told "a minute" may look at another clock
_MOST_TRIES = 12  # while one waits: a person who presses the button again is not sent back to the beginning, a program is

Place = tuple[int, int]  # a browser's place in the queue: since when it waits (seconds since 1970), and its tries meanwhile


class TooManyAttempts(MailError):
    """Too many failed attempts for this address or from this network; retry after `retry_minutes`."""

    status = 429

    def __init__(self, retry_minutes: int) -> None:
        super().__init__(f"too many attempts; again in {retry_minutes} min")
        self.retry_minutes = retry_minutes


def begin(address: str, network: str, limit: int, *, waited: bool = False) -> SignInFailure:
    """Record a failure before the password is checked, so that concurrent attempts all count; it is deleted on success.

    `waited`: whether this browser has waited for its turn (`has_waited`). Raises TooManyAttempts; such an attempt is not
    recorded, so that waiting always helps, and costs two SELECTs alone.
    """
    minutes, crowded = _waits(address, network, limit)
    if minutes and not waited:
        raise TooManyAttempts(min(minutes, _minutes(_TURN_OF_ADDRESS)))
    forget_old_failures()
    with db.atomic():
        serialize("sign-in")
        minutes, crowded = _waits(address, network, limit)
        if minutes and waited:
            minutes = _take_turn(address, network, crowded)
        elif minutes:
            minutes = min(minutes, _minutes(_TURN_OF_ADDRESS))
        if not minutes:
            return SignInFailure.create(address=address, network=network)
    raise TooManyAttempts(minutes)


def is_slowed(address: str, network: str, limit: int) -> bool:
    """Whether the ordinary tries for this address from this network are used up. Two SELECTs."""
    return bool(_waits(address, network, limit)[0])


def attempt_at(what: str, settings: Settings) -> SignInFailure:
    """Count an attempt to say a secret elsewhere than at the door; delete what is returned if it was right.

    Raises TooManyAttempts. `what` tells apart whose they are: they count by themselves, and nobody has turns.
    """
    with db.atomic():
        serialize("sign-in")
        forget_old_failures()
        if minutes := _wait(SignInFailure.address == what[:254], settings.sign_in_attempts):
            raise TooManyAttempts(minutes)
        return SignInFailure.create(address=what[:254], network="")


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


def has_waited(place: Sequence[int] | None) -> bool:
    """Whether a browser with this place has waited for its turn."""
    since, tries = _read(place)
    return since + _QUIET_SECONDS <= time.time() <= since + WINDOW.total_seconds() and tries <= _MOST_TRIES


def next_place(place: Sequence[int] | None) -> Place:
    """The place of a browser that is told to wait (again). One that doesn't stop trying begins anew."""
    since, tries = _read(place)
    if time.time() > since + WINDOW.total_seconds() or tries >= _MOST_TRIES:
        return int(time.time()), 1
    return since, tries + 1


def _read(place: Sequence[int] | None) -> Place:
    return (place[0], place[1]) if place else (0, 0)


def _waits(address: str, network: str, limit: int) -> tuple[int, bool]:
    """Minutes until an ordinary attempt is allowed, 0 for now; and whether the network has used up its own."""
    of_address = _wait(SignInFailure.address == address, limit)
    of_network = _wait(SignInFailure.network == network, limit * _NETWORK_FACTOR) if network else 0
    return max(of_address, of_network), bool(of_network)


def _wait(same: Expression, limit: int) -> int:
    """Minutes until another attempt is allowed, 0 for now."""
    recent = SignInFailure.select(SignInFailure.at).where(same, SignInFailure.at > now() - WINDOW)
    counting = recent.order_by(SignInFailure.at.desc()).limit(1).offset(limit - 1).first()
    return _minutes(counting.at + WINDOW - now()) if counting else 0


def _take_turn(address: str, network: str, crowded: bool) -> int:
    """Take the turn of this address, and of this network where it is `crowded`; else the minutes until there is one."""
    turns = {
        _turn("address", address): _TURN_OF_ADDRESS,
        _turn("address and network", address, network): _TURN_OF_ADDRESS_AND_NETWORK,
    }
    if crowded:
        turns[_turn("network", network)] = _TURN_OF_NETWORK
    taken = SignInFailure.select().where(SignInFailure.address.in_(list(turns)))
    if waits := [wait for row in taken if (wait := row.at + turns[row.address] - now()) > timedelta(0)]:
        return _minutes(max(waits))
    for key in turns:
        SignInFailure.create(address=key, network="")
    return 0


def _turn(*what: str) -> str:
    """Under what a turn is recorded among the failures. No name that somebody types is like it, and it fits the column."""
    return "turn " + hashlib.sha256("\n".join(what).encode()).hexdigest()


def _minutes(wait: timedelta) -> int:
    return max(1, math.ceil(wait.total_seconds() / 60))
