"""Drive tasks: what long work on a drive has in common: the drive that its arguments name, and what its faults mean for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from webmail.config.settings import Settings
from webmail.drives import open_drives
from webmail.drives.drive import LATER, Drive, DriveEntry, DriveError, DriveFault, EntryKind
from webmail.errors import OtherServerAwayError
from webmail.models import ConnectedService, User
from webmail.services import connections
from webmail.services.service_errors import NoSuchServiceError
from webmail.tasks.kinds import TaskFailedError, TaskRun

PREFIX = "drive-"  # of a fault as the reason of a failed task
KIB = 1024  # what a task counts its bytes in: their number has to fit into its columns


@dataclass(frozen=True, slots=True)
class DriveProgress:
    """How much was done before what a task is at, of how much in all, in KiB."""

    before: int
    total: int


def drive_for(user: User, number: int, settings: Settings) -> tuple[ConnectedService, Drive]:
    """Raises DriveError, also where it was disconnected."""
    try:
        connection = connections.find(user, number)
    except NoSuchServiceError as error:
        raise DriveError(DriveFault.SIGN_IN, str(error)) from error
    return connection, open_drives.open_drive(connection, settings)


def drive_of(run: TaskRun) -> Drive:
    return drive_for(run.user, int(run.arguments["connection"]), run.settings)[1]


@contextmanager
def task_faults() -> Iterator[None]:
    """What may be well later is tried again; all else ends the task, with the fault as its reason."""
    try:
        yield
    except DriveError as error:
        if error.fault in LATER:
            raise OtherServerAwayError(str(error)) from error
        raise TaskFailedError(f"{PREFIX}{error.fault}") from error


def to_json(entry: DriveEntry) -> dict[str, Any]:
    """What a task keeps of an entry."""
    found = asdict(entry)
    return {key: found[key] for key in ("id", "name", "kind", "size", "version", "type")} | {"exports": list(entry.exports)}


def from_json(found: dict[str, Any]) -> DriveEntry:
    return DriveEntry(**{**found, "kind": EntryKind(found["kind"])})
