"""Page rows: what every page shows from the database (tags, saved searches, the outbox ...), read in one SELECT for a request.

An area adds its part as its modules are imported, since this one knows none of them: a number and up to four texts for each row.
What some pages alone show is a group: it is read along with the rest where it is asked for first.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
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
    group: str
    join: type[pw.Model] | None


_USUAL = ""  # the group of what every page shows
_parts: dict[str, _Part] = {}
_prepared: dict[tuple[str, ...], Prepared] = {}  # by the groups that are read together


def add_rows(
    name: str,
    table: type[pw.Model],
    columns: tuple[Any, ...],
    where: Callable[[Slot], Any],
    group_by: tuple[Any, ...] = (),
    *,
    group: str = _USUAL,
    join: type[pw.Model] | None = None,
) -> None:
    """Read these columns, a number and at most four texts, with every page, or with those that ask for something of the group.
    The condition has the id of the person as `slot("user")` and the time as `slot("now")`."""
    _parts[name] = _Part(table, columns, where, group_by, group, join)
    _prepared.clear()


def page_rows(name: str) -> list[PageRow]:
    """The rows of a part, in no order: 1 query for all parts of a page. A request that may change them reads each anew."""
    if name not in _parts:
        return []
    group = _parts[name].group
    if request.method not in ("GET", "HEAD"):
        return _read(group)[name]
    held = g._get_current_object()
    found: dict[str, list[PageRow]] = getattr(held, "page_rows", {})
    if name not in found:
        held.page_rows = found = found | _read(*dict.fromkeys((group,) if found else (_USUAL, group)))
    return found[name]


def _read(*groups: str) -> dict[str, list[PageRow]]:
    if groups not in _prepared:
        _prepared[groups] = Prepared(partial(_joined, groups))
    found: dict[str, list[PageRow]] = {name: [] for name, part in _parts.items() if part.group in groups}
    for name, *values in _prepared[groups](user=current_user().id, now=now()):
        found[name].append(PageRow(*values))
    return found


def _joined(groups: tuple[str, ...], placeholder: Slot) -> Any:
    joined: Any = None
    for name, part in _parts.items():
        if part.group not in groups:
            continue
        padding = [_EMPTY] * (1 + _TEXTS - len(part.columns))
        rows: Any = part.table.select(pw.SQL(f"'{name}'"), *part.columns, *padding)
        rows = (rows.join(part.join) if part.join else rows).where(part.where(placeholder))
        rows = rows.group_by(*part.group_by) if part.group_by else rows
        joined = rows if joined is None else joined.union_all(rows)
    return joined.tuples()
