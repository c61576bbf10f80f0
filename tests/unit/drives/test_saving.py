"""Files are saved to a drive by a task: with kills, stops, faults of the service, and undone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from werkzeug.wrappers import Response

from tests.support.nextcloud import Nextcloud
from tests.unit.drives.conftest import connected
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.drives import saving
from webmail.drives.drive import PIECE, DriveEntry
from webmail.drives.saving import FileToSave, save_kind
from webmail.drives.webdav.webdav_drive import WebDavDrive
from webmail.models import Task, User
from webmail.tasks import store
from webmail.tasks.kinds import TaskRun
from webmail.tasks.runner import TaskRunner

CONTENTS = {"small.txt": b"small", "film.mp4": os.urandom(2 * PIECE + 5), "last.txt": b"last"}


class Killed(BaseException):
    """The worker ends here."""


@contextmanager
def files_of(_run: TaskRun) -> Iterator[Sequence[FileToSave]]:
    yield [
        FileToSave(name, len(content), "text/plain", lambda start, content=content: iter([content[start:]]))  # type: ignore[misc]
        for name, content in CONTENTS.items()
    ]


KIND = save_kind("drive-save-test", files_of)


@pytest.fixture
def task(cloud: Nextcloud, yann: User, settings: Settings) -> Task:
    connection = connected(cloud, yann, settings)
    (cloud.files / "Mail").mkdir()
    return store.start(yann, KIND.name, {"connection": connection.id, "folder": "Mail"})


def work(settings: Settings) -> None:
    Task.update(due=Task.created, lease=None).execute()
    runner = TaskRunner([KIND, saving.UNDO_KIND], settings, "worker")
    while runner.run_one():
        pass


def there(cloud: Nextcloud) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in sorted((cloud.files / "Mail").iterdir())}


def test_files_are_saved_and_undone(task: Task, cloud: Nextcloud, yann: User, settings: Settings) -> None:
    work(settings)
    assert store.result_of(Task.get_by_id(task.id))["saved"] == 3
    assert there(cloud) == CONTENTS
    (cloud.files / "Mail" / "last.txt").write_bytes(b"somebody wrote more")
    store.start_once(yann, saving.UNDO, {"task": task.id})
    work(settings)
    assert list(there(cloud)) == ["last.txt"]  # what was changed since stays
    undo = Task.get(Task.kind == saving.UNDO)
    assert store.result_of(undo) == {"deleted": 2, "kept": 1}
    assert store.result_of(Task.get_by_id(task.id))["undone"]


def test_five_kills_lose_and_double_nothing(task: Task, cloud: Nextcloud, settings: Settings) -> None:
    """At five requests of the upload, each time another one."""
    for kill in (2, 4, 5, 3, 2):
        asked: list[str] = []

        def before(method: str, _path: str, asked: list[str] = asked, kill: int = kill) -> Response | None:
            asked.append(method)
            return Response("", 500) if len(asked) == kill else None

        cloud.before = before
        Task.update(state="waiting", due=Task.created, tries=0).execute()
        TaskRunner([KIND], settings, "worker").run_one()
        assert Task.get_by_id(task.id).error == "service-away"
    cloud.before = lambda _method, _path: None
    Task.update(state="waiting").execute()
    work(settings)
    assert Task.get_by_id(task.id).state == "done"
    assert there(cloud) == CONTENTS and not list(cloud.uploads.iterdir())


def test_what_was_stopped_leaves_no_half_file(task: Task, cloud: Nextcloud, yann: User, settings: Settings) -> None:
    def before(method: str, path: str) -> None:
        if path.endswith("00001"):
            Task.update(cancelling=True).execute()

    cloud.before = before
    work(settings)
    assert Task.get_by_id(task.id).state == "cancelled"
    assert there(cloud) == {"small.txt": b"small"} and not list(cloud.uploads.iterdir())


@pytest.mark.parametrize(
    ("status", "reason"), [(507, "drive-full"), (403, "drive-refused"), (401, "drive-sign-in"), (413, "drive-too-large")]
)
def test_what_cannot_be_is_told(task: Task, cloud: Nextcloud, settings: Settings, status: int, reason: str) -> None:
    cloud.before = lambda method, _path: Response("", status) if method == "PUT" else None
    work(settings)
    assert (Task.get_by_id(task.id).state, Task.get_by_id(task.id).error) == ("failed", reason)


def test_consent_that_ends_in_mid_task(task: Task, cloud: Nextcloud, settings: Settings) -> None:
    def before(_method: str, path: str) -> None:
        if path.endswith("00002"):
            cloud.password = "another"

    cloud.before = before
    work(settings)
    assert Task.get_by_id(task.id).error == "drive-sign-in"
    assert there(cloud) == {"small.txt": b"small"}


def test_undoing_asks_outside_of_a_transaction(
    task: Task, cloud: Nextcloud, yann: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And goes on where the service was away in the middle of it."""
    work(settings)
    depths, delete = list[int](), WebDavDrive.delete

    def noted(drive: WebDavDrive, entry: DriveEntry) -> None:
        depths.append(db.transaction_depth())
        delete(drive, entry)

    monkeypatch.setattr(WebDavDrive, "delete", noted)
    cloud.before = lambda method, path: Response("", 503) if method == "DELETE" and path.endswith("small.txt") else None
    store.start_once(yann, saving.UNDO, {"task": task.id})
    TaskRunner([saving.UNDO_KIND], settings, "worker").run_one()
    assert list(there(cloud)) == ["small.txt"] and "undone" not in store.result_of(Task.get_by_id(task.id))
    cloud.before = lambda _method, _path: None
    work(settings)
    assert not there(cloud) and store.result_of(Task.get_by_id(task.id))["undone"]
    assert store.result_of(Task.get(Task.kind == saving.UNDO)) == {"deleted": 3, "kept": 0}
    assert depths == [0, 0, 0, 0]


def test_what_cannot_be_undone_now_is_not_called_undone(task: Task, cloud: Nextcloud, yann: User, settings: Settings) -> None:
    work(settings)
    cloud.password = "another"
    store.start_once(yann, saving.UNDO, {"task": task.id})
    work(settings)
    assert Task.get(Task.kind == saving.UNDO).error == "drive-sign-in"
    assert "undone" not in store.result_of(Task.get_by_id(task.id)) and len(there(cloud)) == 3
