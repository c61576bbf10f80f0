"""Page rows: what every page shows from the database (tags, saved searches, the outbox ...), read in one SELECT for a request.

An area adds its part as its modules are imported, since this one knows none of them: a number and up to four texts for each row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import peewee as pw
from flask import g, request

from webmail.database.prepared import Prepared, Slot
from webmail.models import now
from webmail.web.current import current_user

_TEXTS = 4
_EMPTY = pw.SQL("''")


class PageRow(NamedTuple):
    """A row of a part: `number`, and its texts, "" where there are fewer."""

    number: int
    text: str
    text2: str
    text3: str
    text4: str


class _Part(NamedTuple):
    table: type[pw.Model]
    columns: tuple[Any, ...]
    where: Callable[[Slot], Any]
    group_by: tuple[Any, ...]


_parts: dict[str, _Part] = {}
_prepared: list[Prepared] = []  # one, from the first page on


def add_rows(
    name: str, table: type[pw.Model], columns: tuple[Any, ...], where: Callable[[Slot], Any], group_by: tuple[Any, ...] = ()
) -> None:
    """Read these columns, a number and at most four texts, with every page. The condition has the id of the person as
    `slot("user")` and the time as `slot("now")`."""
    _parts[name] = _Part(table, columns, where, group_by)
    _prepared.clear()


def page_rows(name: str) -> list[PageRow]:
    """The rows of a part, in no order: 1 query for all parts of a page. A request that may change them reads each anew."""
    held = g._get_current_object()
    found: dict[str, list[PageRow]] | None = getattr(held, "page_rows", None)
    if found is None:
        found = _read()
        if request.method in ("GET", "HEAD"):
            held.page_rows = found
    return found.get(name, [])


def _read() -> dict[str, list[PageRow]]:
    if not _prepared:
        _prepared.append(Prepared(_joined))
    found: dict[str, list[PageRow]] = {}
    for name, *values in _prepared[0](user=current_user().id, now=now()):
        found.setdefault(name, []).append(PageRow(*values))
    return found


def _joined(placeholder: Slot) -> Any:
    joined: Any = None
    for name, part in _parts.items():
        padding = [_EMPTY] * (1 + _TEXTS - len(part.columns))
        rows: Any = part.table.select(pw.SQL(f"'{name}'"), *part.columns, *padding).where(part.where(placeholder))
        rows = rows.group_by(*part.group_by) if part.group_by else rows
        joined = rows if joined is None else joined.union_all(rows)
    return joined.tuples()
