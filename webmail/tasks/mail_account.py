"""Mail account of a task: whose mail its work is on, and the passwords left for it, sealed in its row until it ends."""

from __future__ import annotations

import json

from webmail import preferences, vault
from webmail.account import Account
from webmail.config.settings import ConfigError, Settings
from webmail.errors import SignInRefusedError
from webmail.models import User
from webmail.tasks.kinds import TaskRun


def seal(user: User, settings: Settings, own: str | None, other: str = "") -> bytes | None:
    """The credential of a task (`store.start`): the person's mail password, None with tokens, and that of another server."""
    if own is None and not other:
        return None
    return vault.seal_for_outbox(json.dumps({"own": own, "other": other}), settings.secret_key, user.id)


def account_of(run: TaskRun) -> Account:
    """With our token, else the password left for the task. Raises SignInRefusedError, also for a person who is suspended."""
    user, settings = run.user, run.settings
    if not user.active:
        raise SignInRefusedError(f"{user.address} is disabled")
    try:
        if settings.token_key_file:
            return preferences.with_roles(settings.account(user.address), user)
        return preferences.with_roles(settings.account(user.address, password=_opened(run)["own"]), user)
    except ConfigError as error:
        raise SignInRefusedError(str(error)) from error


def other_password(run: TaskRun) -> str:
    """Raises SignInRefusedError."""
    return str(_opened(run)["other"])


def _opened(run: TaskRun) -> dict[str, str | None]:
    if run.task.credential is None:
        raise SignInRefusedError(f"task {run.task.id} has no credential")
    try:
        opened = vault.open_for_outbox(run.task.credential, run.settings.secret_key, run.user.id)
    except vault.CannotOpenError as error:
        raise SignInRefusedError(str(error)) from error
    return dict(json.loads(opened))
