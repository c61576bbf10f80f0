"""Drive save: saves attachments of a message, or the whole of it, to a drive, as a task of the worker.

What is saved is first read into the task's own files: a mail server tells sizes as they are encoded, and a drive wants them
exact. So a killed worker reads nothing twice that is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from webmail import imap
from webmail.account import Account
from webmail.compose.attachments import mail_attachments
from webmail.drives.saving import FileToSave, save_kind
from webmail.errors import MailboxChangedError, NoSuchMailboxError, NoSuchMessageError, NotAllowedError, SignInRefusedError
from webmail.imap.reading import messages
from webmail.mime.headers.filenames import message_name
from webmail.storage import open_storage
from webmail.tasks import leftovers, mail_account
from webmail.tasks.kinds import TaskFailedError, TaskRun

NAME = "drive-save-mail"
WHOLE = "whole"  # in the place of a section: the message itself
_GONE = (NoSuchMessageError, NoSuchMailboxError, MailboxChangedError, NotAllowedError)
_Source = tuple[str, str, Iterator[bytes]]  # name, media type, content


@contextmanager
def _open_files(run: TaskRun) -> Iterator[Sequence[FileToSave]]:
    try:
        found = _stored(run, mail_account.account_of(run))
    except _GONE as error:
        raise TaskFailedError("message-gone") from error
    except SignInRefusedError as error:
        raise TaskFailedError("mail-sign-in") from error
    yield found


def _stored(run: TaskRun, account: Account) -> list[FileToSave]:
    files, found = open_storage(run.settings), list[FileToSave]()
    for number, (name, kind, chunks) in enumerate(_sources(run, account)):
        stored = f"{leftovers.folder(run.task.id)}/{number}"
        if not files.exists(stored):
            files.put(stored, chunks)
        found.append(FileToSave(name, files.size(stored), kind, partial(files.get, stored)))
    return found


def _sources(run: TaskRun, account: Account) -> list[_Source]:
    """What is to be saved, not read yet: 2 round trips after the SELECT."""
    mailbox, uid, validity = run.arguments["mailbox"], run.arguments["uid"], run.arguments["v"] or None
    with imap.connect(account, mailbox) as connection:
        message, shape = mail_attachments.look_inside(connection, mailbox, uid, validity)
    found = list[_Source]()
    for section in run.arguments["sections"]:
        part = shape.part(section) if shape else None
        if section == WHOLE:
            found.append((message_name(message.subject), "message/rfc822", messages.stream_raw(account, mailbox, uid, validity)))
        elif part is not None:
            name = mail_attachments.part_name(part)
            found.append((name, part.type, messages.stream(account, mailbox, uid, part, validity)))
        else:
            raise NoSuchMessageError(f"message {uid} has no part {section[:20]}")
    return found


KIND = save_kind(NAME, _open_files)
