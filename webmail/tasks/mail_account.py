"""Mail account of a task: whose mail the work of a task is on, with the credential that the person left for it."""

from __future__ import annotations

from webmail import preferences, vault
from webmail.account import Account
from webmail.config import ConfigError
from webmail.errors import SignInRefused
from webmail.tasks.kinds import TaskRun


def account_of(run: TaskRun) -> Account:
    """With our token, else the password sealed in the task. Raises SignInRefused, also for a person who is switched off."""
    user, settings = run.user, run.settings
    if not user.active:
        raise SignInRefused(f"{user.address} is disabled")
    try:
        if settings.token_key_file:
            return preferences.with_roles(settings.account(user.address), user)
        if run.task.credential is None:
            raise SignInRefused(f"task {run.task.id} has no credential")
        password = vault.open_for_outbox(run.task.credential, settings.secret_key, user.id)
        return preferences.with_roles(settings.account(user.address, password=password), user)
    except (vault.CannotOpen, ConfigError) as error:
        raise SignInRefused(str(error)) from error
