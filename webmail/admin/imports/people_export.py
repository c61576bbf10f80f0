"""People export: the accounts of a scope as a table that an import reads again, with no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from webmail.admin.imports.people_plan import current_values
from webmail.auth import account_batches
from webmail.config.settings import Settings
from webmail.mime.formats.address_books.csv_out import harmless
from webmail.models import User
from webmail.people import memberships

_PIECE = 400
_UNITS = (("G", 1024**3), ("M", 1024**2), ("K", 1024))


def written(condition: Any, heads: Sequence[str], settings: Settings) -> Iterator[bytes]:
    """The file in pieces, UTF-8 with a mark. `heads`: of address, name, groups, quota, role, end, language, state. 2 queries for
    400 people."""
    yield ("\ufeff" + _row(heads)).encode()
    people = account_batches.listed(condition, _PIECE)
    while piece := list(islice(people, _PIECE)):
        groups = memberships.of_people([user.id for user in piece])
        yield "".join(_row(_cells(user, [one.name for one in groups.get(user.id, ())], settings)) for user in piece).encode()


def _cells(user: User, groups: Iterable[str], settings: Settings) -> list[str]:
    values = current_values(user, settings)
    return [
        user.address, values["name"], "; ".join(groups), size(user.quota_bytes), "admin" if user.role == "admin" else "",
        values["ends"] or "", user.language, "" if user.active else "disabled",
    ]  # fmt: skip


def size(quota_bytes: int) -> str:
    """A quota that `cell_values.quota` reads back exactly."""
    for unit, factor in _UNITS:
        if quota_bytes and quota_bytes % factor == 0:
            return f"{quota_bytes // factor}{unit}"
    return str(quota_bytes)


def _row(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([harmless(cell) for cell in cells])
    return text.getvalue()
