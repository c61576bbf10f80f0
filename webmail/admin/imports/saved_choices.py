"""Saved choices: columns and options that an administrator keeps by name, for the next file of the same program."""

from __future__ import annotations

import json
from dataclasses import dataclass

from webmail.admin.imports.people_columns import PeopleTable, SavedColumns
from webmail.admin.imports.people_plan import ImportOptions
from webmail.database.connection import db
from webmail.errors import LimitReachedError
from webmail.models import SavedImport, User

LONGEST_NAME = 60
MOST = 50  # of one administrator


@dataclass(frozen=True, slots=True)
class SavedChoices:
    name: str
    columns: SavedColumns
    options: ImportOptions


def listed(administrator: User) -> list[SavedChoices]:
    """By name. 1 query."""
    rows = SavedImport.select().where(SavedImport.user == administrator).order_by(SavedImport.name)
    return [_read(row) for row in rows]


def find(administrator: User, name: str) -> SavedChoices | None:
    row = SavedImport.get_or_none(SavedImport.user == administrator, SavedImport.name == name)
    return _read(row) if row is not None else None


def fitting(administrator: User, table: PeopleTable) -> SavedChoices | None:
    """The first whose columns are all in this file. 1 query."""
    return next((one for one in listed(administrator) if one.columns.fit(table)), None)


def save(administrator: User, name: str, table: PeopleTable, options: ImportOptions) -> None:
    """In place of those of this name. Raises ValueError for no name, LimitReachedError."""
    name = " ".join(name.split())[:LONGEST_NAME]
    if not name or not name.isprintable():
        raise ValueError("a name is needed")
    choices = json.dumps({"columns": SavedColumns.from_table(table).to_json(), "options": options.to_json()}, ensure_ascii=False)
    mine = SavedImport.user == administrator
    with db.atomic():
        if SavedImport.update(choices=choices).where(mine, SavedImport.name == name).execute():
            return
        if SavedImport.select().where(mine).count() >= MOST:
            raise LimitReachedError(f"{administrator.address} has {MOST} saved choices")
        SavedImport.create(user=administrator, name=name, choices=choices)


def remove(administrator: User, name: str) -> bool:
    return bool(SavedImport.delete().where(SavedImport.user == administrator, SavedImport.name == name).execute())


def _read(row: SavedImport) -> SavedChoices:
    choices = json.loads(row.choices)
    return SavedChoices(row.name, SavedColumns.from_json(choices["columns"]), ImportOptions.from_json(choices["options"]))
