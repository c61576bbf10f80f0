"""Deletion of accounts: a person asks for it and may withdraw. An administrator does it (admin/account_deletion.py)."""

from __future__ import annotations

from webmail.database.connection import db
from webmail.desk import cases
from webmail.models import DeskKind, User, now

LONGEST_REASON = 500  # characters


def ask(user: User, reason: str) -> bool:
    """Note that the person asks for it; False if they had asked already, and nothing changes then. 1 UPDATE, 1 INSERT."""
    user.deletion_asked, user.deletion_reason = now(), reason.strip()[:LONGEST_REASON]
    wanted = User.update(deletion_asked=user.deletion_asked, deletion_reason=user.deletion_reason)
    with db.atomic():
        if not wanted.where((User.id == user.id) & User.deletion_asked.is_null()).execute():
            return False
        cases.open_case(DeskKind.DELETION, user.id, user=user, text=user.deletion_reason)
    return True


def withdraw(user: User) -> bool:
    """Whether they had asked. 1 UPDATE, 1 DELETE."""
    user.deletion_asked, user.deletion_reason = None, ""
    asking = (User.id == user.id) & User.deletion_asked.is_null(False)
    with db.atomic():
        cases.withdraw(DeskKind.DELETION, user.id)
        return bool(User.update(deletion_asked=None, deletion_reason="").where(asking).execute())


def refuse(user: User) -> bool:
    """An administrator does not delete the account, and says why on the desk; whether it was asked for. 1 UPDATE."""
    asking = (User.id == user.id) & User.deletion_asked.is_null(False)
    return bool(User.update(deletion_asked=None, deletion_reason="").where(asking).execute())


def deletion_requests() -> list[User]:
    """Those who ask for it, the first to have asked first. One SELECT."""
    return list(User.select().where(User.deletion_asked.is_null(False)).order_by(User.deletion_asked).limit(1000))
