"""Account rows: the people of the establishment that somebody sees, to be searched while a name is typed."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Any

import peewee as pw

from webmail.database.plain_rows import plain_rows
from webmail.database.prepared import Prepared
from webmail.models import User
from webmail.people.suggestions.search_rows import PersonRow, kept, row_of
from webmail.people.visibility import Sight

MOST = 20_000  # accounts that are kept; of larger establishments the database is asked each time
_MOST_FOUND = 500  # of what the database is asked
_SECONDS = 300  # after which they are read anew in any case
_STRICT = re.compile(r"[^bfmpqvx0-9@.-]+")  # everything but characters that practically no language writes with an accent

_shape = Prepared(
    lambda _slot: User.select(
        pw.fn.COUNT(User.id), pw.fn.MAX(User.id), pw.fn.SUM(pw.fn.LENGTH(User.name)), pw.fn.SUM(User.active)
    ).tuples()
)


def candidates(sight: Sight, texts: Sequence[str]) -> Sequence[PersonRow]:
    """Rows among which are all that fit the words. 1 query, 2 if accounts have changed.

    Where everyone is seen, they are a copy that may be some minutes old: `checked` says who of them is there, and is seen. Of
    more than MOST the first ones for no words.
    """
    if sight.nobody:
        return ()
    if (rows := _all_rows(sight)) is not None:
        return rows
    fits = [(User.address**like) | (User.name**like) for like in _patterns(texts)]
    return _read(sight, fits, MOST if not texts else _MOST_FOUND)


def warm_up(sight: Sight) -> None:
    """Have in memory what can be kept there. 1 query, 2 if accounts have changed."""
    if not sight.nobody:
        _all_rows(sight)


def _all_rows(sight: Sight) -> Sequence[PersonRow] | None:
    """All accounts where everyone is seen; None where the database has to be asked each time."""
    if not sight.everyone:
        return None
    shape = _shape()[0]
    if shape[0] > MOST:
        return None
    version = (*shape, sight.own, int(time.time() / _SECONDS))
    return kept.rows(("accounts", sight.domains), version, lambda: _read(sight, []))


def count_of_many(sight: Sight) -> int:
    """How many are seen, where they are more than MOST, so that nobody reads all of them at once; else 0. 1 query."""
    if sight.nobody or (sight.everyone and _shape()[0][0] <= MOST):
        return 0
    count = User.select().where(*sight.accounts()).count()
    return count if count > MOST else 0


def part(sight: Sight, start: int, most: int) -> list[PersonRow]:
    """Some of those who are seen, in the order of the database, which may sort accents in its own way. 1 query."""
    return _read(sight, [], most, start)


def checked(sight: Sight, addresses: Sequence[str]) -> dict[str, str]:
    """The names, by address, of those of these people who are seen now. 1 query per 500."""
    found: dict[str, str] = {}
    for at in range(0, len(addresses), 500):
        chosen: Any = User.select(User.address, User.name).where(User.address.in_(addresses[at : at + 500]), *sight.accounts())
        found.update(chosen.tuples())
    return found


def _read(sight: Sight, conditions: list[Any], most: int = 0, start: int = 0) -> list[PersonRow]:
    found: Any = User.select(User.name, User.address).where(*sight.accounts(), *conditions).order_by(User.name, User.address)
    wanted = found.offset(start).limit(most) if most else found
    return [row_of(name, address) for name, address in plain_rows(wanted)]


def _patterns(texts: Sequence[str]) -> list[str]:
    """LIKE patterns that every match satisfies; a superset is fine, because databases don't match "é" with "e"."""
    return [f"%{pattern}%" for word in texts if (pattern := _STRICT.sub("%", word).strip("%"))]
