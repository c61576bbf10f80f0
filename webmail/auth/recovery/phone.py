"""Telephone: a number that text messages reach, for codes when somebody has forgotten their password. No Flask here."""

from __future__ import annotations

from webmail.auth.recovery import password_reset, phone_numbers
from webmail.auth.recovery.phone_numbers import NumberFault, NumberRefusedError
from webmail.config.settings import Settings
from webmail.models import User


def is_offered(settings: Settings) -> bool:
    """Whether people may give one: somebody sends text messages, and passwords that can be forgotten are kept here."""
    return settings.sms is not None and settings.sign_in == "accounts"


def new_number(typed: str, user: User, settings: Settings) -> str:
    """As `phone_numbers.parse`, for somebody's page: another one than they have."""
    number = phone_numbers.parse(typed, settings.sms.country if settings.sms else "")
    if number == user.phone:
        raise NumberRefusedError(NumberFault.SAME)
    return number


def keep(user: User, number: str, *, at_once: bool = True) -> str:
    """Make a confirmed number theirs, "" for none; returns the one before. What was sent there to choose a password ends.

    `at_once`: as in recovery_address.keep.
    """
    before = str(user.phone)
    user.phone, user.phone_from = number, password_reset.counts_from(at_once)
    User.update(phone=number, phone_from=user.phone_from).where(User.id == user.id).execute()
    if before:
        password_reset.void(user)
    return before
