"""Vouchers: a colleague vouches for somebody who knows their password but has no second factor at hand. No Flask here.

The person at the door names one colleague and sees a number, which they tell that colleague in person; the colleague, signed in
elsewhere, types it. The voucher is then good once, in the browser in which it was asked for, until a quarter of an hour after
it was asked for. It replaces the second factor, never the password. The person at the door never learns whether the colleague
they name has an account: a wish to nobody looks the same and is never granted.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterator, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Any

from webmail import rate_limits
from webmail.auth.sign_in.names import normalise
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.database.idempotency import in_turn
from webmail.models import Session, User, Voucher, now
from webmail.rate_limits import DAY, HOUR, RateLimit

VALID = timedelta(minutes=15)
ASKED = RateLimit("vouchers asked for", 5, HOUR)  # by one person
GIVEN = RateLimit("vouchers given", 5, DAY)  # by one person
MOST_TRIES = 3  # at the number; the wish is refused after that many wrong ones
_KEPT = timedelta(days=2)


class WishFault(StrEnum):
    """Why a colleague can't be named."""

    UNUSABLE = "unusable"  # not an address or user name
    ONESELF = "oneself"
    OUTSIDE = "outside"  # of another establishment


class GiveFault(StrEnum):
    """Why a voucher is not given."""

    NO_FACTOR = "no-factor"  # the giver has no second factor of their own
    TOO_MANY = "too-many"  # GIVEN
    GONE = "gone"  # too late, refused or given meanwhile, or never theirs to give
    WRONG_NUMBER = "wrong-number"
    TOO_MANY_TRIES = "too-many-tries"  # at the number: the wish is refused now


class NotAskedError(ValueError):
    """The colleague can't be named; the argument is a WishFault."""


class NotGivenError(ValueError):
    """The voucher was not given; the argument is a GiveFault."""


class State(StrEnum):
    """What became of a wish."""

    WAITING = "waiting"
    GIVEN = "given"
    REFUSED = "refused"
    OVER = "over"  # too late, or used


# --- at the door -----------------------------------------------------------------------------------------------------


def ask(receiver: User, colleague: str, session: str, settings: Settings, *, user_agent: str = "", network: str = "") -> Voucher:
    """Ask a colleague, named by address or user name, to vouch for `receiver` in this pending session (its `id_hash`).

    What was asked in it before is withdrawn, and what was asked in sessions that are over. The same queries whether there is such
    a colleague or not. Raises NotAskedError, and TooManyRequestsError beyond ASKED.
    """
    address = normalise(colleague[:300], receiver.domain)
    if fault := _fault_of(address, receiver, settings):
        raise NotAskedError(fault)
    at = now()
    Voucher.delete().where(Voucher.created < at - _KEPT).execute()
    with db.atomic():
        in_turn(receiver)
        rate_limits.take(settings, ASKED.by(receiver.id))
        giver = User.select().where(User.address == address, *_may_give(receiver)).first()
        others = Session.select(Session.id_hash).where(Session.user == receiver, Session.id_hash != session)
        over = (Voucher.receiver == receiver) & Voucher.session.not_in(others)
        Voucher.update(refused=at).where(over, Voucher.used.is_null(), Voucher.refused.is_null()).execute()
        return Voucher.create(
            giver=giver, receiver=receiver, named=address, session=session, number=f"{secrets.randbelow(10_000):04d}",
            user_agent=user_agent[:255], network=network[:64], created=at, expires=at + VALID,
        )  # fmt: skip


def asked_in(session: str) -> Voucher | None:
    """What was last asked in this pending session. One SELECT."""
    row: Voucher | None = Voucher.select().where(Voucher.session == session).order_by(Voucher.id.desc()).first()
    return row


def state_of(wish: Voucher) -> State:
    if wish.refused is not None:
        return State.REFUSED
    if wish.used is not None or wish.expires <= now():
        return State.OVER
    return State.GIVEN if wish.given is not None else State.WAITING


def use(session: str) -> Voucher | None:
    """Use the voucher of this pending session up; None if there is none that is good, or its giver is one who may no more.

    The UPDATE decides: of two at once one wins.
    """
    wish = asked_in(session)
    if wish is None or state_of(wish) is not State.GIVEN:
        return None
    if not User.select().where(User.id == wish.giver_id, *_may_give(wish.receiver)).exists():
        return None
    at = now()
    good = Voucher.given.is_null(False) & Voucher.refused.is_null() & Voucher.used.is_null() & (Voucher.expires > at)
    return wish if Voucher.update(used=at).where(Voucher.id == wish.id, good).execute() else None


# --- the colleague ---------------------------------------------------------------------------------------------------


def wishes_for(giver: User) -> Sequence[Voucher]:
    """Who asks `giver` to vouch for them now, and whom they have vouched for who is not in yet, the first first. One SELECT."""
    return list(
        Voucher.select(Voucher, User)
        .join(User, on=Voucher.receiver)
        .where(is_open_for(giver.id, now()), User.active == 1)
        .order_by(Voucher.id)
    )


def is_open_for(giver_id: Any, at: Any) -> Any:
    """The condition for `wishes_for`."""
    return (Voucher.giver == giver_id) & (Voucher.expires > at) & Voucher.used.is_null() & Voucher.refused.is_null()


def give(voucher_id: int, giver: User, number: str, settings: Settings) -> Voucher:
    """Vouch for whoever sees `number` on their screen. Raises NotGivenError. Of two at once one wins.

    Where a person asks in several browsers, the number says which one it is for: returns that wish.
    """
    if not giver.second_step:
        raise NotGivenError(GiveFault.NO_FACTOR)
    wish = _open(voucher_id, giver)
    if wish is None or wish.given is not None or not _is_still_allowed(wish, giver):
        raise NotGivenError(GiveFault.GONE)
    with db.atomic():  # nothing is raised within: wrong numbers count
        in_turn(giver)
        too_many = rate_limits.is_full(settings, GIVEN.by(giver.id))
        wanted = None if too_many else _with_number(wish, number)
        fault = GiveFault.TOO_MANY if too_many else _given(wanted) if wanted else _wrong_number(wish)
        if not fault:
            rate_limits.note(settings, GIVEN.by(giver.id))
    if fault or wanted is None:
        raise NotGivenError(fault)
    return wanted


def _with_number(wish: Voucher, number: str) -> Voucher | None:
    """The wish with this number, of those that the same person asks the same colleague; `wish` first."""
    typed = "".join(number[:20].split()).encode()
    same = _not_given(wish) & (Voucher.receiver == wish.receiver)
    found = [one for one in Voucher.select().where(same) if hmac.compare_digest(one.number.encode(), typed)]
    return next((one for one in found if one.id == wish.id), found[0] if found else None)


def _given(wish: Voucher) -> GiveFault | None:
    done = Voucher.update(given=now()).where(_not_given(wish), Voucher.id == wish.id).execute()
    return None if done else GiveFault.GONE


def _wrong_number(wish: Voucher) -> GiveFault:
    this = _not_given(wish) & (Voucher.id == wish.id)
    Voucher.update(tries=Voucher.tries + 1).where(this).execute()
    over = Voucher.update(refused=now()).where(this, Voucher.tries >= MOST_TRIES).execute()
    return GiveFault.TOO_MANY_TRIES if over else GiveFault.WRONG_NUMBER


def _not_given(wish: Voucher) -> Any:
    return is_open_for(wish.giver_id, now()) & Voucher.given.is_null()


def refuse(voucher_id: int, giver: User) -> Voucher | None:
    """Refuse a wish, or take back a voucher that was not used yet; None where there is neither."""
    wish = _open(voucher_id, giver)
    if wish is None:
        return None
    mine = (Voucher.id == voucher_id) & is_open_for(giver.id, now())
    return wish if Voucher.update(refused=now()).where(mine).execute() else None


def withdraw(user: User) -> None:
    """End all that somebody was asked, has asked or was given, and that is not used yet. One UPDATE."""
    theirs = (Voucher.giver == user) | (Voucher.receiver == user)
    Voucher.update(refused=now()).where(theirs, Voucher.used.is_null(), Voucher.refused.is_null()).execute()


# --- the rules -------------------------------------------------------------------------------------------------------


def _may_give(receiver: User) -> Iterator[Any]:
    """Who may vouch for `receiver`, as conditions on User.

    Somebody with a second factor: else two stolen passwords would do, one vouching for the other. For an administrator, another
    one: else any account would do to become one.
    """
    yield User.id != receiver.id
    yield User.active == 1
    yield User.must_change == 0
    yield User.second_step == 1
    if receiver.role != "person":
        yield User.role == "admin"


def _is_still_allowed(wish: Voucher, giver: User) -> bool:
    receiver = wish.receiver
    return bool(receiver.active) and User.select().where(User.id == giver.id, *_may_give(receiver)).exists()


def _fault_of(address: str, receiver: User, settings: Settings) -> WishFault | None:
    if not address:
        return WishFault.UNUSABLE
    if address == receiver.address:
        return WishFault.ONESELF
    inside = settings.own_domains(receiver.domain)
    return None if address.rpartition("@")[2] in inside else WishFault.OUTSIDE


def _open(voucher_id: int, giver: User) -> Voucher | None:
    row: Voucher | None = Voucher.select().where(Voucher.id == voucher_id, is_open_for(giver.id, now())).first()
    return row
