"""Credentials: with which account the worker acts for whoever wrote a message or a draft."""

from __future__ import annotations

from webmail import preferences, vault
from webmail.account import Account
from webmail.config.settings import ConfigError, Settings
from webmail.errors import SignInRefusedError
from webmail.models import DraftRow, Outbox


def account_of(row: Outbox | DraftRow, settings: Settings) -> Account:
    """The account an outbox row is sent from, or a draft is of: with our token, else the password sealed in the row. Raises
    SignInRefusedError.
    """
    address = row.user.address
    if not row.user.active:  # disabled since it was written
        raise SignInRefusedError(f"{address} is disabled")
    try:
        if settings.token_key_file:
            return preferences.with_roles(settings.account(address), row.user)
        if row.credential is None:
            raise SignInRefusedError(f"{row.id} has no credential")
        password = vault.open_for_outbox(row.credential, settings.secret_key, row.user.id)
        return preferences.with_roles(settings.account(address, password=password), row.user)
    except (vault.CannotOpenError, ConfigError) as error:
        raise SignInRefusedError(str(error)) from error
