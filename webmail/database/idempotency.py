"""Idempotency: what is removed twice is removed once; requests of one person can be serialized."""

from __future__ import annotations

from webmail.database.prepared import Prepared
from webmail.models import Table, User

_in_turn = Prepared(lambda slot: User.update(active=User.active).where(User.id == slot("user")))


def in_turn(user: User) -> None:
    """Serialize transactions of one person: others that call this wait until this one ends, on PostgreSQL too. One UPDATE."""
    _in_turn.change(user=user.id)


def in_turn_together(*people: int) -> None:
    """The same for what concerns several people (by `id`), whoever of them begins: always in the same order. One UPDATE each."""
    for number in sorted(set(people)):
        _in_turn.change(user=number)


def removed(table: type[Table], number: int, user: User) -> bool:
    """Delete a row of this person by its id; False if it was deleted already (a double click) or is not theirs. One DELETE."""
    mine = (table.id == number) & (table.user == user)  # type: ignore[attr-defined]
    return number < 2**63 and bool(table.delete().where(mine).execute())
