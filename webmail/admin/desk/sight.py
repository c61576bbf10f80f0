"""Desk sight: whose requests somebody sees and answers. Administrators those of their domains; deputies those of the people they
help, about signing in.
"""

from __future__ import annotations

from typing import Any

from webmail.auth import account_management
from webmail.auth.recovery import deputies
from webmail.config.settings import Settings
from webmail.desk import cases
from webmail.establishments.scope import Scope
from webmail.models import User


def within(scope: Scope | None, helper: User, settings: Settings) -> Any:
    """What is true of the cases that `helper` sees; None for who sees none. One SELECT for who administers nothing."""
    if scope is not None:
        if scope.everything:
            return cases.of_domains(None)
        return cases.of_domains(scope.domains) & cases.but_of(account_management.outside(scope.domains, scope.condition()))
    if deputies.may_help(helper):
        return cases.about_sign_in(deputies.addresses(helper, settings))
    return None
