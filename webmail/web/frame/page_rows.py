"""Page rows: what every page shows from the database (tags, saved searches, the outbox ...), read in one SELECT for a request.

An area adds its part as its modules are imported, since this one knows none of them: a number and up to four texts for each row.
What some pages alone show is a group: it is read along with the rest where it is asked for first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import peewee as pw
from flask import Request, g, request

from webmail.database.connection import db
from webmail.database.prepared import Prepared, Slot
from webmail.models import now
from webmail.web.current import current_user

_TEXTS = 4
_EMPTY = pw.SQL("''")
Column = partial[Any]  # of `_as_json`: its first argument is the groups


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


@dataclass(slots=True)
class _Found:
    """What a request has read, and the groups that it asked for."""

    rows: dict[str, list[PageRow]] = field(default_factory=dict)
    groups: tuple[str, ...] = ()


_USUAL = ""  # the group of what every page shows
_parts: dict[str, _Part] = {}
_prepared: dict[tuple[str, ...], Prepared] = {}  # by the groups that are read together
_columns: dict[tuple[str, ...], Column] = {}
_expected: dict[str, tuple[str, ...]] = {}  # by endpoint: the groups that the last visit asked for


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
    global _parts
    _parts = {**_parts, name: _Part(table, columns, where, group_by, group, join)}  # others may be looking through it
    for made in (_prepared, _columns):
        for groups in [groups for groups in list(made) if group in groups]:
            made.pop(groups, None)


def page_rows(name: str) -> list[PageRow]:
    """The rows of a part, in no order: 1 query for all parts of a page, none where they came with the session. A request that may
    change them reads each anew."""
    if name not in _parts:
        return []
    group, found = _parts[name].group, _found()
    if group in found.groups:
        return found.rows[name]
    if not _only_reads(request):
        return _read(group)[name]
    found.groups += (group,)
    _expected[request.endpoint or ""] = tuple(dict.fromkeys((_USUAL, *found.groups)))
    if name not in found.rows:
        found.rows |= _read(*dict.fromkeys((group,) if found.rows else (_USUAL, group)))
    return found.rows[name]


def forget_rows() -> None:
    """Where a request that only reads has changed them all the same, or is another person's now."""
    g.pop("page_rows", None)


def _only_reads(visit: Request) -> bool:
    return visit.method in ("GET", "HEAD")


def _found() -> _Found:
    held = g._get_current_object()  # asked for several times a page
    found: _Found | None = getattr(held, "page_rows", None)
    if found is None:
        found = held.page_rows = _Found()
    return found


def _read(*groups: str) -> dict[str, list[PageRow]]:
    if groups not in _prepared:
        _prepared[groups] = Prepared(lambda placeholder: _joined(groups, placeholder).tuples())
    return _by_part(groups, _prepared[groups](user=current_user().id, now=now()))


def _by_part(groups: Container[str], rows: Iterable[Sequence[Any]]) -> dict[str, list[PageRow]]:
    found: dict[str, list[PageRow]] = {name: [] for name, part in _parts.items() if part.group in groups}
    for name, *values in rows:
        found[name].append(PageRow(*values))
    return found


def _joined(groups: tuple[str, ...], placeholder: Slot) -> Any:
    joined: Any = None
    for name, part in _parts.items():
        if part.group not in groups:
            continue
        padding = [_EMPTY] * (1 + _TEXTS - len(part.columns))
        named = [column.alias(f"c{at}") for at, column in enumerate((pw.SQL(f"'{name}'"), *part.columns, *padding))]
        rows: Any = part.table.select(*named)
        rows = (rows.join(part.join) if part.join else rows).where(part.where(placeholder))
        rows = rows.group_by(*part.group_by) if part.group_by else rows
        joined = rows if joined is None else joined.union_all(rows)
    return joined


# --- with the session: what a page showed the last time is read along with it ----------------------------------------


def column_ahead(visit: Request) -> Column | None:
    """What the last visit to this page asked for, as a column of the query that finds the person; None if that was nothing. It is
    made of the placeholders of that query, which has the time as `slot("now")`, and of whose rows they are."""
    groups = _expected.pop(visit.endpoint or "", ()) if _only_reads(visit) else ()
    if groups and groups not in _columns:
        _columns[groups] = partial(_as_json, groups)
    return _columns[groups] if groups else None


def take_in(column: Column, found: str | None) -> None:
    """What was read so."""
    _found().rows = _by_part(column.args[0], json.loads(found or "[]"))


def _as_json(groups: tuple[str, ...], placeholder: Slot, whose: Any) -> Any:
    rows = _joined(groups, lambda name: whose if name == "user" else placeholder(name)).alias("page_rows")
    together, each = (
        ("json_agg", "json_build_array") if isinstance(db.obj, pw.PostgresqlDatabase) else ("json_group_array", "json_array")
    )
    values = getattr(pw.fn, each)(*(getattr(rows.c, f"c{at}") for at in range(2 + _TEXTS)))
    return pw.Select([rows], [getattr(pw.fn, together)(values).cast("TEXT")])
