"""Activity: how many accounts there are, and how many people use them, for administrators. Numbers alone. No Flask here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import peewee as pw

from webmail.models import AppPassword, Session, User


def accounts_by_state() -> dict[str, int]:
    """`active` and `disabled`. 1 SELECT."""
    rows: Any = User.select(User.active, pw.fn.COUNT(User.id)).group_by(User.active)
    found = dict(rows.tuples())
    return {"active": found.get(1, 0), "disabled": found.get(0, 0)}


def addresses(condition: Any = None) -> Any:
    """A query of the addresses of the accounts of which `condition` is true, or of all, for conditions of others."""
    found = User.select(User.address)
    return found if condition is None else found.where(condition)


def session_count() -> int:
    return Session.select().where(~Session.pending).count()


def active_since(when: datetime) -> int:
    """How many people used pages, a telephone or a mail program with an app password since then. 1 SELECT."""
    pages = Session.select(Session.user).where(Session.seen >= when, ~Session.pending)
    programs = AppPassword.select(AppPassword.user).where(AppPassword.used >= when)
    return User.select().where(User.id.in_(pages) | User.id.in_(programs)).count()


def promised_bytes() -> int:
    """The sum of the quotas of accounts in use."""
    return int(User.select(pw.fn.COALESCE(pw.fn.SUM(User.quota_bytes), 0)).where(User.active == 1).scalar())


def used_bytes() -> int:
    """What their mail takes, as the mail server last said (the worker asks it once a day)."""
    return int(User.select(pw.fn.COALESCE(pw.fn.SUM(User.used_bytes), 0)).where(User.active == 1).scalar())


def belonging(condition: Any = None) -> Callable[[Any], Any]:
    """Gives, for a column that names an account, the condition that `condition` is true of it; of all accounts without one."""
    if condition is None:
        return lambda _column: pw.SQL("1 = 1")
    return lambda column: pw.fn.EXISTS(User.select(pw.Value(1)).where(User.id == column, condition))


def by_number(wanted: Iterable[int], condition: Any = True) -> dict[int, User]:
    """The accounts of these numbers of which `condition` is true. 1 SELECT; 0 where there are none."""
    chosen = list(dict.fromkeys(wanted))
    found = User.select().where(User.id.in_(chosen)) if condition is True else User.select().where(User.id.in_(chosen), condition)
    return {user.id: user for user in found} if chosen else {}


def with_preferences(mark: str) -> Any:
    """The query for open accounts whose preferences have this text in them, as JSON."""
    return User.select().where(User.active == 1, User.preferences.contains(mark))
