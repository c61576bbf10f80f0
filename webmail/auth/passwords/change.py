"""Password change: a person replaces the password of an account whose passwords this application keeps. No Flask here."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from webmail import rate_limits
from webmail.auth.passwords import hashing
from webmail.auth.passwords import strength as password_strength
from webmail.auth.passwords.check_admission import checking
from webmail.auth.passwords.strength import Strength
from webmail.auth.recovery import temporary_passwords
from webmail.auth.sign_in.throttle import attempt_at
from webmail.config.settings import Settings
from webmail.models import User


class ChangeFault(StrEnum):
    """Why a password was not changed."""

    WRONG = "wrong"  # the password of now
    DIFFERENT = "different"  # the two new ones
    SAME = "same"  # as before
    UNUSABLE = "unusable"  # too long, or with characters that no protocol carries
    WEAK = "weak"


@dataclass(slots=True)
class PasswordNotChangedError(ValueError):
    """`faults` by the field of the form they belong to; `strength` of the new password."""

    faults: dict[str, ChangeFault] = field(default_factory=dict)
    strength: Strength = field(default_factory=lambda: Strength(0))


def strength(password: str, user: User, settings: Settings) -> Strength:
    """How strong it is for this person: their name and address, and the establishment's, are known to everybody."""
    domains = (one.display_name for one in settings.domains)
    known = (user.name, user.address, settings.name, settings.domain, *domains)
    return password_strength.judge(password, existing=known, shortest=settings.password_length)


def faults_of(new: str, again: str, judged: Strength, settings: Settings, *, before: str = "") -> dict[str, ChangeFault]:
    """What is wrong with a new password, by the field of the form; `before`: the one it replaces, where that is known."""
    if not hashing.usable(new):
        return {"new_password": ChangeFault.UNUSABLE}
    if before and new == before:
        return {"new_password": ChangeFault.SAME}
    if judged.score < settings.password_score or len(new) < settings.password_length:
        return {"new_password": ChangeFault.WEAK}
    return {"new_password_again": ChangeFault.DIFFERENT} if new != again else {}


def hash_in_turn(new: str) -> str:
    """Its hash, once there is a turn for it. Raises TooBusyError."""
    with checking():
        return hashing.hash_password(new)


def change(user: User, before: str, new: str, again: str, settings: Settings) -> None:
    """Replace the password `before` of `user` by `new`. The caller ends the other sessions.

    Raises PasswordNotChangedError with all that is wrong, TooManyRequestsError after too many wrong passwords on this page (their
    count is its own: they neither lock the sign-in nor are they reset by it), and TooBusyError.
    """
    judged = strength(new, user, settings)
    refused = PasswordNotChangedError(strength=judged)
    attempt = attempt_at(f"password of {user.id}", settings)
    before = temporary_passwords.as_kept(user, before)
    with checking():
        right = hashing.verify(user.password, before)
    if right:
        rate_limits.give_back(attempt)
    else:
        refused.faults["password"] = ChangeFault.WRONG
    refused.faults |= faults_of(new, again, judged, settings, before=before if right else "")
    if right and temporary_passwords.as_kept(user, new) == before:  # whoever has the sheet knows it
        refused.faults = {"new_password": ChangeFault.SAME}
    if refused.faults:
        raise refused
    hashed = hash_in_turn(new)
    # only over the password that was checked: of two changes at once, the second one knows the first one's no more
    same = (User.id == user.id) & (User.password == user.password)
    if not User.update(password=hashed, must_change=0).where(same).execute():
        raise PasswordNotChangedError({"password": ChangeFault.WRONG}, judged)
    user.password, user.must_change = hashed, 0
