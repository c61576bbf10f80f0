"""People remembered for suggestions: listed, forgotten, taken back. Forgetting changes no trust: written to stays written to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from webmail.mime.headers.encoded_words import fold
from webmail.mime.headers.shown_address import readable_address
from webmail.models import Acquaintance, Correspondent, User, now

_TABLES: tuple[Any, ...] = (Correspondent, Acquaintance)


@dataclass(frozen=True, slots=True)
class Remembered:
    """`written` and `received`: how many messages the user wrote to them, and had from them, as far as is known."""

    address: str  # as in the tables
    shown: str  # with a Unicode domain
    name: str
    written: int
    received: int
    last: datetime  # UTC, naive

    @property
    def email(self) -> str:
        return self.shown


def listing(user: User, text: str = "") -> list[Remembered]:
    """Those written to most often first, then those who wrote most often; with `text`, who has all of them. 2 queries."""
    found: dict[str, Remembered] = {}
    for table in _TABLES:
        rows: Any = table.select(table.address, table.name, table.count, table.last).where(table.user == user)
        for address, name, count, last in rows.where(table.hidden.is_null()).tuples():
            known = found.get(address)
            written = count if table is Correspondent else known.written if known else 0
            received = count if table is Acquaintance else 0
            newest = max(last, known.last) if known else last
            found[address] = Remembered(
                address, readable_address(address), (known.name if known else "") or name, written, received, newest
            )
    wanted = fold(text).split()
    kept = [one for one in found.values() if all(word in fold(f"{one.name} {one.shown}") for word in wanted)]
    return sorted(kept, key=lambda one: (-one.written, -one.received, one.address))


def forget(user: User, address: str) -> bool:
    """No longer suggest an address, until the user writes to it again; whether it was. 2 queries."""
    return _hide(user, address, now()) > 0


def take_back(user: User, address: str) -> None:
    """Undo `forget`. 2 queries."""
    _hide(user, address, None)


def forget_all(user: User) -> datetime | None:
    """No longer suggest any of them; when that was, for `take_back_all`. None if there was nobody. 2 queries."""
    when = now()
    count = sum(table.update(hidden=when).where((table.user == user) & table.hidden.is_null()).execute() for table in _TABLES)
    return when if count else None


def take_back_all(user: User, when: datetime) -> None:
    """Undo `forget_all`. 2 queries."""
    for table in _TABLES:
        table.update(hidden=None).where((table.user == user) & (table.hidden == when)).execute()


def _hide(user: User, address: str, when: datetime | None) -> int:
    changed = 0
    for table in _TABLES:
        fits = table.hidden.is_null() if when else table.hidden.is_null(False)
        changed += table.update(hidden=when).where((table.user == user) & (table.address == address) & fits).execute()
    return changed
