"""Takeout archive: the contacts and calendars of an archive that waits in storage, read one at a time."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import PurePosixPath

from webmail.config.settings import Settings
from webmail.mailbox.imports import import_task
from webmail.mailbox.imports.import_archive import BROKEN, entry_name
from webmail.storage import FileGoneError, open_file, open_storage
from webmail.tasks.kinds import TaskFailedError


@contextmanager
def opened(settings: Settings, mail_task: str) -> Iterator[zipfile.ZipFile]:
    """The archive that waits for the import of its mail. Raises TaskFailedError."""
    with ExitStack() as open_ones:
        try:
            file = open_ones.enter_context(open_file(open_storage(settings), import_task.file_name(mail_task)))
            archive = open_ones.enter_context(zipfile.ZipFile(file))
        except FileGoneError as error:
            raise TaskFailedError("file-gone") from error
        except BROKEN as error:
            raise TaskFailedError("broken") from error
        yield archive


def content_of(archive: zipfile.ZipFile, name: str) -> bytes:
    """No more than `takeout_parts` lets pass. Raises TaskFailedError."""
    try:
        return archive.read(name)
    except BROKEN as error:
        raise TaskFailedError("broken") from error


def cards_in(archive: zipfile.ZipFile, names: Sequence[str]) -> bytes:
    """All contacts as one file; a group of them is in the archive again as a file of its own, which is left out where it is the
    same."""
    contents = [content_of(archive, name) for name in names]
    return b"\r\n".join({hashlib.sha256(one).digest(): one for one in contents}.values())


def title_of(archive: zipfile.ZipFile, name: str) -> str:
    """What a calendar's file is called, for one that does not say its own name."""
    return PurePosixPath(entry_name(archive.getinfo(name))).stem
