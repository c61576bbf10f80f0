"""First steps: what a signed-in person has to do before anything else is shown, one after the other. No Flask here."""

from __future__ import annotations

from enum import StrEnum

from webmail.auth.recovery import recovery_address
from webmail.auth.sign_in import terms
from webmail.config.settings import Settings
from webmail.models import User, now


class FirstStep(StrEnum):
    """A step, by the view that shows its page."""

    PASSWORD = "auth.show_password"  # a temporary password is replaced
    TERMS = "auth.show_terms"  # the terms of use are accepted
    SECOND_STEP = "auth.show_security"  # a second factor is set up, where it is required and the days of grace are over
    RECOVERY = "auth.show_recovery"  # a recovery address is given, where it is required


def first_step(user: User, settings: Settings, *, by_provider: bool = False) -> FirstStep | None:
    """The step that comes first for this person now; None if nothing is left to do. No query: it is asked for every page.

    `by_provider`: signed in without the temporary password, which they may never have seen.
    """
    if user.must_change and settings.sign_in == "accounts" and not by_provider:
        return FirstStep.PASSWORD
    if terms.must_accept(user, settings):
        return FirstStep.TERMS
    if user.second_step_due is not None and not user.second_step and user.second_step_due <= now():
        return FirstStep.SECOND_STEP
    if settings.recovery_address == "required" and not user.recovery_address and recovery_address.is_offered(settings):
        return FirstStep.RECOVERY
    return None
