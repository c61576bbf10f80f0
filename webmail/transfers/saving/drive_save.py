"""Drive save: saves files of a transfer to its owner's drive, as a task of the worker.

Only what this server can open: neither what was encrypted end to end, nor what the key in a link alone opens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from webmail.config.settings import Settings
from webmail.drives.drive import ReadFrom
from webmail.drives.saving import FileToSave, save_kind
from webmail.models import ContentState, StoredContent, Transfer, TransferFile
from webmail.storage import FileGoneError
from webmail.tasks.kinds import TaskFailedError, TaskRun
from webmail.transfers import changes, content, store
from webmail.transfers.content import ContentDamagedError, WrongKeyError

NAME = "drive-save-transfer"
FILE_GONE = "file-gone"  # why a task failed


def is_possible(transfer: Transfer) -> bool:
    """Whether its files are here, and can be opened here."""
    return store.is_offered(transfer) and not transfer.end_to_end and not transfer.key_check


def is_ready(file: TransferFile) -> bool:
    """Whether it is whole and was not refused."""
    stored = file.content
    return stored is not None and stored.state == ContentState.READY and not stored.key_in_link


def to_save(file: TransferFile, settings: Settings) -> FileToSave:
    """A file that is ready, by its name without its folders."""
    name = str(file.path).rpartition("/")[2]
    return FileToSave(name, file.size, file.media_type or "application/octet-stream", _reader(file.content, settings))


def _reader(stored: StoredContent | None, settings: Settings) -> ReadFrom:
    def read(start: int) -> Iterator[bytes]:
        if stored is None:
            raise TaskFailedError(FILE_GONE)
        try:
            yield from content.read(stored, settings, start) if start < stored.size else ()
        except (FileGoneError, ContentDamagedError, WrongKeyError) as error:
            raise TaskFailedError(FILE_GONE) from error

    return read


@contextmanager
def _open_files(run: TaskRun) -> Iterator[Sequence[FileToSave]]:
    """What was saved before a kill may be gone by now; what was not is needed."""
    transfer = changes.of_owner(run.arguments["transfer"], run.user)
    found = {file.id: file for file in store.files(transfer)} if transfer is not None and is_possible(transfer) else {}
    saved = (run.cursor or {"at": 0})["at"]
    files = list[FileToSave]()
    for at, number in enumerate(run.arguments["files"]):
        file = found.get(number)
        if file is not None and is_ready(file):
            files.append(to_save(file, run.settings))
        elif at < saved:
            files.append(FileToSave("", 0, "", lambda _start: iter(())))
        else:
            raise TaskFailedError(FILE_GONE)
    yield files


KIND = save_kind(NAME, _open_files)
