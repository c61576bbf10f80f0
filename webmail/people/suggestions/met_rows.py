"""Met rows: those whom a person wrote to or who wrote to them, with what each counts, to be searched while a name is typed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import Any

import peewee as pw

from webmail.database.plain_rows import plain_rows
from webmail.database.prepared import Prepared
from webmail.models import Acquaintance, Correspondent, User, now
from webmail.people.suggestions.search_rows import PersonRow, kept, row_of

HALF_LIFE = 60  # days after which a message counts half
_RECEIVED = 0.1  # what a message received counts, beside one written
_TABLES: tuple[Any, ...] = (Correspondent, Acquaintance)


def _listed(table: Any) -> pw.Function:
    """Another one if somebody is forgotten while somebody else is taken back."""
    return pw.fn.SUM(pw.Case(None, [(table.hidden.is_null(), table.id)], 0))


_shapes = [
    Prepared(
        lambda slot, table=table: (  # type: ignore[misc]
            table.select(pw.fn.COUNT(table.id), pw.fn.SUM(table.count), pw.fn.MAX(table.last), _listed(table))
            .where(table.user == slot("user"))
            .tuples()
        )
    )
    for table in _TABLES
]


def rows(user: User) -> Sequence[PersonRow]:
    """All of them that were not forgotten, with weights for `weight_now`. 2 queries, 4 if some changed."""
    version = tuple(tuple(map(str, shape(user=user.id)[0])) for shape in _shapes)
    return kept.rows(("met", user.id), version, lambda: _read(user))


def _read(user: User) -> list[PersonRow]:
    found: dict[str, PersonRow] = {}
    today = now().date()
    for table in _TABLES:
        written = table is Correspondent
        day = table.last.cast("TEXT")  # a datetime of 4,000 rows takes long to read
        read = table.select(table.name, table.address, table.count, day).where(table.user == user, table.hidden.is_null())
        for name, address, count, last in plain_rows(read):
            weight = weight_of(count if written else count * _RECEIVED, min(date.fromisoformat(last[:10]), today))
            known = found.get(address)
            if known is None:
                found[address] = row_of(name, address, weight, count if written else 0)
            else:
                found[address] = known._replace(weight=known.weight + weight)
    return list(found.values())


def weight_of(messages: float, last: date) -> float:
    """What so many messages count, the last one then; comparable with each other on any day."""
    return float(math.log2(1 + messages) * 2 ** ((last - EPOCH).days / HALF_LIFE))


def weight_now(weight: float) -> float:
    """What a weight is today: 1 for one message written today."""
    return float(weight * 2 ** (-(now().date() - EPOCH).days / HALF_LIFE))


EPOCH = date(2020, 1, 1)
