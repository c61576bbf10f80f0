"""Import task: a worker puts the messages of a file into folders; see `mail_import.py`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import PurePath
from typing import IO, Any

from webmail.errors import SignInRefusedError
from webmail.mail import Role
from webmail.mailbox.imports import import_kinds
from webmail.mailbox.imports.import_filing import Filing
from webmail.mailbox.imports.import_sources import MailFile, NotMailError, TooManyFilesError
from webmail.mailbox.imports.mail_import import MailImport
from webmail.storage import FileGoneError, open_file, open_storage
from webmail.tasks import leftovers
from webmail.tasks.kinds import TaskFailedError, TaskKind, TaskRun
from webmail.tasks.mail_account import account_of

NAME = import_kinds.IMPORT


FILE = "mail"


def file_name(task_id: str) -> str:
    """Where the file waits for its task."""
    return f"{leftovers.folder(task_id)}/{FILE}"


def _work(run: TaskRun) -> dict[str, Any]:
    files, name = open_storage(run.settings), file_name(run.task.id)
    try:
        with open_file(files, name) as file:
            return _import(run, file)
    except FileGoneError as error:
        raise TaskFailedError("file-gone") from error
    except NotMailError as error:
        raise TaskFailedError("no-mail") from error
    except TooManyFilesError as error:
        raise TaskFailedError("too-many-files") from error
    except SignInRefusedError as error:
        raise TaskFailedError("sign-in") from error


def _import(run: TaskRun, file: IO[bytes]) -> dict[str, Any]:
    given = run.arguments
    own, special = bool(given.get("own")), bool(given.get("special"))
    source = MailFile(file, run.settings, given["name"], own=own, special=special)
    return asdict(MailImport(run, account_of(run), source, given["into"], _by_name(given["name"])).take())


def _by_name(name: str) -> Filing:
    """The folder for messages that tell none: called like the archive that they are in; the inbox for those without a name."""
    path = PurePath(name.replace("\\", "/"))
    if path.suffix.lower() != ".zip" or not path.stem.strip():
        return Filing(role=Role.INBOX)
    return Filing(path=(path.stem,))


KIND = TaskKind(NAME, _work, in_turn=True)
