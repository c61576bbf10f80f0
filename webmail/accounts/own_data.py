"""Own data: what a person's account holds beside the mail, as one zip file, made by a worker.

It reads the tables, which lie below all areas; so no area has to be asked, and a new table of an area is added to `_TABLES`.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import peewee as pw

from webmail.models import (
    Acquaintance,
    AllowedAddress,
    AppPassword,
    AuditEntry,
    Authenticator,
    Contact,
    Correspondent,
    ImageSender,
    PhishingReport,
    ReadyText,
    RoomRequest,
    SavedSearch,
    SecurityKey,
    Session,
    Signature,
    Tag,
    TrustedDevice,
    User,
    WritingIdentity,
)
from webmail.storage import open_storage
from webmail.tasks import leftovers, store
from webmail.tasks.kinds import TaskKind, TaskRun

NAME = "own-data"
_TYPE = "application/zip"
_PIECE = 100  # cards in memory at once
_SECRET = {  # columns that are never handed out
    "password", "credential", "id_hash", "data", "token_hash", "secret", "last_step", "sha", "credential_hash", "credential_id",
    "public_key", "sign_count",
}  # fmt: skip
_TABLES: dict[str, type[pw.Model]] = {
    "identities": WritingIdentity,
    "allowed-addresses": AllowedAddress,
    "signatures": Signature,
    "templates": ReadyText,
    "room-requests": RoomRequest,
    "searches": SavedSearch,
    "tags": Tag,
    "correspondents": Correspondent,
    "acquaintances": Acquaintance,
    "image-senders": ImageSender,
    "phishing-reports": PhishingReport,
    "sessions": Session,
    "trusted-browsers": TrustedDevice,
    "authenticator-apps": Authenticator,
    "security-keys": SecurityKey,
    "app-passwords": AppPassword,
}


def _work(run: TaskRun) -> dict[str, Any]:
    """The file takes the place of those made before, so that nobody fills the storage with theirs."""
    name = f"{leftovers.folder(run.task.id)}/data.zip"
    size = open_storage(run.settings).put(name, zipped(files_of(run.user)))
    before = store.results_before(run.task)
    with run.step(None, done=1, total=1):
        for task in before:
            task.delete_instance()
    for task in before:
        leftovers.remove(task.id, run.settings)
    return {"file": name, "name": f"{run.user.local}.zip", "type": _TYPE, "size": size}


def files_of(user: User) -> Iterator[tuple[str, Iterable[str]]]:
    """Each file's name and its content in pieces. One SELECT per table, for the contacts one per _PIECE."""
    yield "account.json", [_json([_plain(user)])]
    for name, table in _TABLES.items():
        rows = table.select().where(table.user == user)  # type: ignore[attr-defined]
        yield f"{name}.json", [_json([_plain(row) for row in rows])]
    mine = AuditEntry.select().where(AuditEntry.actor == user).order_by(AuditEntry.at)
    yield "activity.json", [_json([_plain(row) for row in mine])]
    yield "contacts.vcf", _cards(user)


def _cards(user: User) -> Iterator[str]:
    """All cards may be hundreds of megabytes."""
    found: Any = Contact.select(Contact.id).where(Contact.user == user).order_by(Contact.sort).tuples()
    numbers = [number for (number,) in found]
    for at in range(0, len(numbers), _PIECE):
        some: Any = Contact.select(Contact.vcard).where(Contact.id.in_(numbers[at : at + _PIECE])).order_by(Contact.sort)
        yield "".join(card for (card,) in some.tuples())


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


def zipped(files: Iterable[tuple[str, Iterable[str]]]) -> Iterator[bytes]:
    """A zip archive in pieces: neither it nor a file in it is ever whole in memory, nor on a disk of this machine."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, pieces in files:
            with archive.open(name, "w", force_zip64=True) as file:
                for piece in pieces:
                    file.write(piece.encode("utf-8", "replace"))
                    yield pipe.taken()
    yield pipe.taken()


KIND = TaskKind(NAME, _work)
