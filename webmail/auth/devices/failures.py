"""Failures of devices: when a telephone or program last tried a wrong password, for the page that waits for it. No Flask here.

They are kept apart from those that count (throttle.py, attempts.py), since the same wrong password counts once but is
told each time. One row for a person, for an hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from webmail.models import SignInFailure, now

DAV = "dav"  # calendars or contacts
_KEPT = timedelta(hours=1)
_STEP = timedelta(seconds=3)  # at most this often: somebody may be guessing


@dataclass(frozen=True, slots=True)
class DeviceFailure:
    at: datetime  # naive UTC
    protocol: str  # of app_passwords.USES, or DAV
    network: str


def note(address: str, protocol: str, network: str) -> None:
    """Somebody tried a wrong password for this account over this protocol. 1 query, 2 if it was not told just now."""
    row = _row(address)
    if row is not None and row.at > now() - _STEP:
        return
    told = f"{protocol} {network}"[:64]
    if row is None:
        SignInFailure.create(address=_key(address), network=told)
    else:
        SignInFailure.update(at=now(), network=told).where(SignInFailure.id == row.id).execute()


def last(address: str, since: datetime) -> DeviceFailure | None:
    """The last one since then (naive UTC). 1 query."""
    row = _row(address)
    if row is None or row.at < since:
        return None
    protocol, _space, network = row.network.partition(" ")
    return DeviceFailure(row.at, protocol, network)


def expire() -> int:
    """Forget those that no page waits for any more; returns how many. One DELETE."""
    return int(SignInFailure.delete().where(SignInFailure.at < now() - _KEPT).execute())


def _key(address: str) -> str:
    """No address begins so, and no limit counts it."""
    return f"tried {address}"[:254]


def _row(address: str) -> SignInFailure | None:
    found: SignInFailure | None = (
        SignInFailure.select().where(SignInFailure.address == _key(address)).order_by(SignInFailure.at.desc()).first()
    )
    return found
