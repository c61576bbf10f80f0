"""Files go to drives and come from them while workers are killed with SIGKILL: `python -m tests.bench.drives_killed [MB] [KILLS]`.

A file of MB (2,048) up and down through each kind of drive (Nextcloud, WebDAV, Google Drive, OneDrive), each time with KILLS (5)
kills of the process that has the task. The services are stand-ins, whose content is made as it is read and kept as a digest
(WebDAV's is on disk). Told: whether SHA-256 is the same at both ends, how many files there are, what is left behind, and the
most memory that a worker took. Ends with 1 where something is not right.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.support.fakes.google_drive import SCOPE, FakeGoogleDrive
from tests.support.fakes.onedrive import FakeOneDrive
from tests.support.fakes.synthetic import ReceivedContent, SyntheticContent, digest_of, digest_of_pieces
from tests.support.nextcloud import LOGIN, PASSWORD, Nextcloud

LEASE = timedelta(seconds=1)
KINDS = ("nextcloud", "webdav", "google", "microsoft")
NAME = "film d’été.mp4"
PATIENCE = 3600.0  # seconds


@dataclass(frozen=True, slots=True)
class Report:
    """`wrong`: what is not as it should be, in words; none of them where all is well."""

    kind: str
    way: str
    megabytes: int
    kills: int
    seconds: float
    memory: int
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        found = "; ".join(self.wrong) or "the same SHA-256, once, nothing left behind"
        return (
            f"{self.kind:10} {self.way:4} {self.megabytes} MB, {self.kills} kills: {found}; "
            f"{self.seconds:.0f} s, a worker took {self.memory} MB at most"
        )


class _Service:
    """A stand-in with one file to fetch. `values`: settings of an application that asks it."""

    def __init__(self, kind: str, folder: Path, content: SyntheticContent, pace: float) -> None:
        self.kind, self.content, self.pace = kind, content, pace
        self.values: dict[str, Any] = {}
        self.cloud = Nextcloud(folder / "cloud", own=kind == "nextcloud") if kind in ("nextcloud", "webdav") else None
        self.google = FakeGoogleDrive() if kind == "google" else None
        self.onedrive = FakeOneDrive() if kind == "microsoft" else None

    @contextmanager
    def serving(self) -> Iterator[None]:
        with ExitStack() as stack:
            if self.cloud is not None:
                self.cloud.pace = self.pace
                stack.enter_context(self.cloud.serve())
                with (self.cloud.files / NAME).open("wb") as out:
                    out.writelines(self.content.read())
            api = self.google or self.onedrive
            if api is not None:
                stack.enter_context(api.serving())
                self.values = api.settings()
                api.received = lambda: ReceivedContent(self.pace)
                there = SyntheticContent(len(self.content), self.pace)
                assert there.digest  # now: of gigabytes it takes longer than a request may
                api.add(NAME if self.google else f"/{NAME}", there)
            yield

    def connect(self, user: Any, settings: Any) -> Any:
        from webmail.services import connections, providers

        provider = providers.find("nextcloud" if self.cloud else self.kind, settings)
        assert provider is not None
        if self.cloud is not None:
            secret = {"password": PASSWORD}
            return connections.make(user, provider, login=LOGIN, secret=secret, settings=settings, address=self.cloud.root)[0]
        api: Any = self.google or self.onedrive
        scopes = SCOPE if self.google else "Files.ReadWrite"
        access, refresh = api.give(scopes)
        secret = {"access": access, "refresh": refresh}
        return connections.make(user, provider, login="marie", secret=secret, settings=settings, scopes=scopes)[0]

    def sent(self, name: str) -> list[str]:
        """The digests of files of this name, or numbered after it."""
        stem = name.rpartition(".")[0]
        if self.cloud is not None:
            found = [one for one in self.cloud.files.iterdir() if one.name.startswith(stem)]
            return [digest_of_pieces(_file_pieces(one)) for one in found]
        items: Any = self.google.files if self.google else self.onedrive.items  # type: ignore[union-attr]
        return [digest_of(one.content) for one in items.values() if one.name.startswith(stem)]

    def left_behind(self) -> list[str]:
        """What is neither the file to fetch nor the one that was sent."""
        if self.cloud is not None:
            hidden = [one.name for one in self.cloud.files.iterdir() if one.name.startswith(".")]
            return hidden + [one.name for one in self.cloud.uploads.iterdir()]
        sessions = [one for one in self.google.uploads.values() if not one.became] if self.google else []
        return [str(one) for one in (sessions or (self.onedrive.sessions.values() if self.onedrive else ()))]


def _file_pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            yield piece


class _Trial:
    """One kind of drive with an instance of its own."""

    def __init__(self, service: _Service, folder: Path, kills: int) -> None:
        self.service, self.folder, self.kills = service, folder, kills
        self.worker: subprocess.Popen[bytes] | None = None
        self.next: subprocess.Popen[bytes] | None = None  # has begun, and waits for its turn
        self.started, self.memory = 0, 0

    def run(self, megabytes: int) -> list[Report]:
        from webmail.config import settings as config
        from webmail.database.connection import db, open_database
        from webmail.database.migrate import migrate
        from webmail.models import User

        values = {
            "services": "microsoft,google,nextcloud", "google_client_id": "x", "google_client_secret": "x",
            "microsoft_client_id": "x", "microsoft_client_secret": "x", "service_networks": "127.0.0.0/8",
            "public_url": "https://mail.lycee.example", "database_url": f"sqlite:///{self.folder / 'x.sqlite'}",
        }  # fmt: skip
        values |= self.service.values
        (self.folder / "values.json").write_text(json.dumps(values))
        self.settings = config.load(self.folder / "instance", **values)
        open_database(self.settings.database_url)
        with db.connection_context():
            migrate()
            self.user = User.create(address="yann@lycee.example", local="yann", domain="lycee.example")
            self.connection = self.service.connect(self.user, self.settings)
        return [self._told("up", megabytes, self._up), self._told("down", megabytes, self._down)]

    def _told(self, way: str, megabytes: int, trial: Callable[[], list[str]]) -> Report:
        began, self.memory = time.monotonic(), 0
        wrong = trial()
        return Report(self.service.kind, way, megabytes, self.kills, time.monotonic() - began, self.memory, wrong)

    def _up(self) -> list[str]:
        from webmail.tasks import store

        task = store.start(
            self.user, "trial-save", {"connection": self.connection.id, "folder": "", "size": len(self.service.content)}
        )
        wrong = self._killed(task.id)
        found, wanted = self.service.sent("sent.mp4"), self.service.content.digest
        if found != [wanted]:
            wrong.append(f"{len(found)} files there, {found.count(wanted)} of them right")
        return wrong + [f"left there: {one[:200]}" for one in self.service.left_behind()]

    def _down(self) -> list[str]:
        from webmail.compose.attachments import drive_files
        from webmail.compose.large_files import large_files
        from webmail.drives import open_drives
        from webmail.models import AttachmentRow, DraftRow, StoredContent, TransferFile
        from webmail.transfers import content

        draft = DraftRow.create(id=os.urandom(16).hex(), user=self.user, message_id="<d@lycee.example>")
        drive = open_drives.open_drive(self.connection, self.settings)
        [entry] = [one for one in drive.list_folder().entries if one.name == NAME]
        task = drive_files.start(draft, self.connection.id, [entry])
        wrong = self._killed(task.id)
        transfer = large_files.of_draft(draft.id)
        files = list(TransferFile.select().where(TransferFile.transfer == transfer)) if transfer else []
        if len(files) != 1 or AttachmentRow.select().count() or StoredContent.select().count() != 1:
            return [*wrong, f"{len(files)} files in the draft, {StoredContent.select().count()} contents"]
        content.sweep_strays(self.settings, older=0.0)  # pieces of killed workers, which the worker looks for every few hours
        if digest_of_pieces(content.read(files[0].content, self.settings)) != self.service.content.digest:
            wrong.append("another SHA-256")
        if strays := content.sweep_strays(self.settings, older=0.0):
            wrong.append(f"{strays} pieces that nobody knows of stay")
        return wrong

    # --- kills -------------------------------------------------------------------------------------------------------

    def _killed(self, task_id: str) -> list[str]:
        """Work on a task, killed again and again while it moves; what is wrong with it afterwards."""
        from webmail.models import Task, TaskState

        done, seen, end = 0, -1, time.monotonic() + PATIENCE
        self._start()
        try:
            while time.monotonic() < end:
                task = Task.get_by_id(task_id)
                if task.state not in (TaskState.WAITING, TaskState.RUNNING):
                    break
                self._look_at_memory()
                is_its = task.state == TaskState.RUNNING and task.worker == str(self.started)
                if done < self.kills and is_its and task.progress > 0 and task.progress != seen and self._is_due(task, done):
                    self._end()
                    done, seen = done + 1, task.progress
                    self._start()
                time.sleep(0.005)
        finally:
            self._end()
            if self.next is not None:
                self.next.kill()
                self.next.wait()
                self.next = None
        task = Task.get_by_id(task_id)
        wrong = [] if task.state == TaskState.DONE else [f"the task is {task.state}: {task.error}"]
        return wrong + ([] if done == self.kills else [f"only {done} kills: give it more bytes"])

    def _is_due(self, task: Any, done: int) -> bool:
        """Spread over the file; where an upload begins anew after each, at any of its parts."""
        if self.service.kind == "webdav" and task.kind == "trial-save":
            return True
        return task.progress >= task.total * (done + 1) / (self.kills + 2)

    def _start(self) -> None:
        self.worker, self.next = self.next or self._begun(), None
        assert self.worker.stdin is not None
        self.worker.stdin.write(b"\n")
        self.worker.stdin.flush()
        self.started += 1
        self.next = self._begun()

    def _begun(self) -> subprocess.Popen[bytes]:
        number = self.started + 1
        command = [sys.executable, "-m", "tests.bench.drives_killed", "worker", str(self.folder), str(number)]
        return subprocess.Popen(command, cwd=Path(__file__).parents[2], stdin=subprocess.PIPE)

    def _end(self) -> None:
        assert self.worker is not None
        self._look_at_memory()
        self.worker.send_signal(signal.SIGKILL)
        self.worker.wait()

    def _look_at_memory(self) -> None:
        assert self.worker is not None
        try:
            status = Path(f"/proc/{self.worker.pid}/status").read_text()
        except OSError:
            return
        told = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
        self.memory = max(self.memory, *(int(one) // 1024 for one in told), 0)


def run(megabytes: int = 2048, kills: int = 5, kinds: Sequence[str] = KINDS) -> list[Report]:
    found = list[Report]()
    content = SyntheticContent(megabytes * 1024 * 1024)
    pace = min(0.02, 4.0 / megabytes)  # seconds for each MiB: a small file takes long enough to be killed in
    for kind in kinds:
        with tempfile.TemporaryDirectory() as folder:
            service = _Service(kind, Path(folder), content, pace)
            with service.serving():
                for report in _Trial(service, Path(folder), kills).run(megabytes):
                    print(report, flush=True)
                    found.append(report)
    return found


def work(folder: str, number: str) -> None:
    """A worker with short leases, for saving what is made as it is read, and for attaching."""
    from webmail.compose.attachments import drive_files
    from webmail.config import settings as config
    from webmail.database.connection import open_database
    from webmail.drives.saving import FileToSave, save_kind
    from webmail.tasks.kinds import TaskRun
    from webmail.tasks.runner import TaskRunner

    @contextmanager
    def files_of(run: TaskRun) -> Iterator[Sequence[FileToSave]]:
        content = SyntheticContent(run.arguments["size"])
        yield [FileToSave("sent.mp4", len(content), "video/mp4", content.read)]

    settings = config.load(Path(folder) / "instance", **json.loads((Path(folder) / "values.json").read_text()))
    open_database(settings.database_url)
    kinds = [save_kind("trial-save", files_of), drive_files.KIND]
    sys.stdin.readline()
    TaskRunner(kinds, settings, number, threads=1, lease=LEASE, poll=0.05).start()
    signal.pause()


def main(arguments: Sequence[str]) -> int:
    if arguments[:1] == ["worker"]:
        work(*arguments[1:])
        return 0
    numbers = [int(one) for one in arguments if one.isdigit()]
    kinds = [one for one in arguments if one in KINDS] or KINDS
    return int(any(one.wrong for one in run(*numbers, kinds=kinds)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
