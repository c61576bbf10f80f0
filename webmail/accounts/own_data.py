"""Own data: what a person's account holds beside the mail, as one zip file, made by a worker.

It reads the tables, which lie below all areas; so no area has to be asked, and a new table of an area is added to `_TABLES`.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import peewee as pw

from webmail.models import (
    AllowedAddress,
    AuditEntry,
    Contact,
    Correspondent,
    ImageSender,
    PhishingReport,
    ReadyText,
    SavedSearch,
    Session,
    Signature,
    Tag,
    User,
    WritingIdentity,
)
from webmail.storage import open_storage
from webmail.tasks.kinds import TaskKind, TaskRun

NAME = "own-data"
_TYPE = "application/zip"
_SECRET = {"password", "credential", "id_hash", "data"}  # columns that are never handed out
_TABLES: dict[str, type[pw.Model]] = {
    "identities": WritingIdentity,
    "allowed-addresses": AllowedAddress,
    "signatures": Signature,
    "templates": ReadyText,
    "searches": SavedSearch,
    "tags": Tag,
    "correspondents": Correspondent,
    "image-senders": ImageSender,
    "phishing-reports": PhishingReport,
    "sessions": Session,
}


def _work(run: TaskRun) -> dict[str, Any]:
    name = f"tasks/{run.task.id}/data.zip"
    size = open_storage(run.settings).put(name, _zipped(files_of(run.user)))
    with run.step(None, done=1, total=1):
        pass
    return {"file": name, "name": f"{run.user.local}.zip", "type": _TYPE, "size": size}


def files_of(user: User) -> Iterator[tuple[str, str]]:
    """Each file's name and content. One SELECT per table; bounded by what one person may have."""
    yield "account.json", _json([_plain(user)])
    for name, table in _TABLES.items():
        rows = table.select().where(table.user == user)  # type: ignore[attr-defined]
        yield f"{name}.json", _json([_plain(row) for row in rows])
    mine = AuditEntry.select().where(AuditEntry.actor == user).order_by(AuditEntry.at)
    yield "activity.json", _json([_plain(row) for row in mine])
    cards: Any = Contact.select(Contact.vcard).where(Contact.user == user).order_by(Contact.sort).tuples()
    yield "contacts.vcf", "".join(card for (card,) in cards)


def _plain(row: pw.Model) -> dict[str, Any]:
    """A row without secrets and without the numbers that join tables."""
    fields = [field for field in row._meta.sorted_fields if not isinstance(field, (pw.ForeignKeyField, pw.AutoField))]
    return {field.name: getattr(row, field.name) for field in fields if field.name not in _SECRET}


def _json(rows: list[dict[str, Any]]) -> str:
    return json.dumps(rows, ensure_ascii=False, indent=1, default=_as_text)


def _as_text(value: object) -> str:
    return value.isoformat() + "Z" if isinstance(value, datetime) else str(value)


class _Pipe(io.RawIOBase):
    """What was written since it was last taken."""

    def __init__(self) -> None:
        super().__init__()
        self._written: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._written.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        taken, self._written = b"".join(self._written), []
        return taken


def _zipped(files: Iterator[tuple[str, str]]) -> Iterator[bytes]:
    """A zip archive of these files, in a piece for each: nothing is kept on a disk of this machine on the way."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, content in files:
            archive.writestr(file, content)
            yield pipe.taken()
    yield pipe.taken()


KIND = TaskKind(NAME, _work)
