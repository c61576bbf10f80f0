"""Plain recipients: the addresses that a person chose never to encrypt messages for, whatever keys are known of them.

Nothing encrypts for them by itself or asks about it; what is chosen for one message goes before.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from webmail.database.connection import db
from webmail.database.idempotency import in_turn
from webmail.models import PlainRecipient, User

MOST = 1000  # of one person
_MOST_ADDRESSES = 500  # asked for at once


def among(user_id: int, addresses: Iterable[str]) -> tuple[str, ...]:
    """Those of these addresses, in lower case and their order. One SELECT; none for no addresses."""
    wanted = list(dict.fromkeys(one.lower() for one in addresses))[:_MOST_ADDRESSES]
    if not wanted:
        return ()
    mine: Any = PlainRecipient.select(PlainRecipient.address).where(PlainRecipient.user == user_id)
    found = {address for (address,) in mine.where(PlainRecipient.address.in_(wanted)).tuples()}
    return tuple(one for one in wanted if one in found)


def of_user(user_id: int) -> list[str]:
    """All of a person's, by address. One SELECT."""
    mine: Any = PlainRecipient.select(PlainRecipient.address).where(PlainRecipient.user == user_id)
    return [address for (address,) in mine.order_by(PlainRecipient.address).tuples()]


def add(user: User, address: str) -> bool:
    """Whether the person has it among theirs now; not where they have too many. 3 queries."""
    wanted = address.lower()
    with db.atomic():
        in_turn(user)
        known = of_user(user.id)
        if wanted in known:
            return True
        if len(known) >= MOST:
            return False
        PlainRecipient.create(user=user, address=wanted)
    return True


def remove(user: User, address: str) -> bool:
    """Whether it was among theirs. One DELETE."""
    mine = (PlainRecipient.user == user) & (PlainRecipient.address == address.lower())
    return bool(PlainRecipient.delete().where(mine).execute())
