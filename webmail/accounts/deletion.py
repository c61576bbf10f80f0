"""Deletion of accounts: a person asks for it and may withdraw. An administrator does it (admin/account_deletion.py)."""

from __future__ import annotations

from webmail.models import User, now

LONGEST_REASON = 500  # characters


def ask(user: User, reason: str) -> bool:
    """Note that the person asks for it; False if they had asked already, and nothing changes then. 1 UPDATE."""
    user.deletion_asked, user.deletion_reason = now(), reason.strip()[:LONGEST_REASON]
    wanted = User.update(deletion_asked=user.deletion_asked, deletion_reason=user.deletion_reason)
    return bool(wanted.where((User.id == user.id) & User.deletion_asked.is_null()).execute())


def withdraw(user: User) -> bool:
    """Whether they had asked. 1 UPDATE."""
    user.deletion_asked, user.deletion_reason = None, ""
    asking = (User.id == user.id) & User.deletion_asked.is_null(False)
    return bool(User.update(deletion_asked=None, deletion_reason="").where(asking).execute())


def deletion_requests() -> list[User]:
    """Those who ask for it, the first to have asked first. One SELECT."""
    return list(User.select().where(User.deletion_asked.is_null(False)).order_by(User.deletion_asked).limit(1000))
