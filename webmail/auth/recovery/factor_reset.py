"""Factor reset: the last way back in for somebody who has lost everything but their password. No Flask here."""

from __future__ import annotations

from webmail.auth.factors import second_step, vouchers
from webmail.database.connection import db
from webmail.models import MailedCode, User


def reset_factors(user: User) -> int:
    """Forget all second factors of somebody: apps, keys, codes by e-mail, recovery codes, vouchers asked for or given.

    Returns how many factors there were. Signing in then takes the password alone; where a second step is required, a new factor
    is set up at once. App passwords stay. The caller ends their sessions and the trust in their browsers (endings.py), tells
    them and records it.
    """
    with db.atomic():
        count = second_step.reset(user)
        MailedCode.delete().where(MailedCode.user == user).execute()
        vouchers.withdraw(user)
    return count
