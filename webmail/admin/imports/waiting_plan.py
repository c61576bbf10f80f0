"""Waiting plan: what a file of people would do waits in storage, with the file, until somebody decides; a day at most."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from webmail.admin.imports.people_columns import PeopleColumns
from webmail.admin.imports.people_plan import ImportOptions, PlannedPerson
from webmail.config.settings import Settings
from webmail.storage import open_storage
from webmail.tasks import waiting_files

_PLAN = "plan.json"


@dataclass(slots=True)
class WaitingPlan:
    """`name`: of the file. `columns`: None of a school year without a file. `planned`: empty while the columns say too little."""

    name: str
    columns: PeopleColumns | None
    options: ImportOptions
    planned: list[PlannedPerson] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)  # of the school year: webmail/admin/imports/school_year.py

    def to_json(self) -> dict[str, Any]:
        columns = {"keys": list(self.columns.keys), "has_header": self.columns.has_header} if self.columns else None
        return {
            "name": self.name, "columns": columns, "options": self.options.to_json(), "more": self.more,
            "planned": [one.to_json() for one in self.planned],
        }  # fmt: skip

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> WaitingPlan:
        columns = data["columns"]
        return cls(
            data["name"], PeopleColumns(tuple(columns["keys"]), columns["has_header"]) if columns else None,
            ImportOptions.from_json(data["options"]), [PlannedPerson.from_json(one) for one in data["planned"]], data["more"],
        )  # fmt: skip


def keep(settings: Settings, task_id: str, waiting: WaitingPlan) -> None:
    """In place of the one before. Raises StorageFullError, StorageAwayError."""
    files, name = open_storage(settings), waiting_files.file_name(task_id, _PLAN)
    files.delete(name)
    files.put(name, [json.dumps(waiting.to_json(), ensure_ascii=False).encode()])


def load(settings: Settings, task_id: str) -> WaitingPlan:
    """Raises FileGoneError."""
    content = b"".join(open_storage(settings).get(waiting_files.file_name(task_id, _PLAN)))
    return WaitingPlan.from_json(json.loads(content))
