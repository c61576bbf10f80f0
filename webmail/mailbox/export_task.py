"""Export task: a worker saves any number of messages as one file, part by part (tasks/mail_parts.py)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from webmail import imap
from webmail.account import Account
from webmail.errors import SignInRefusedError
from webmail.imap.bulk import chosen as choice
from webmail.imap.bulk.chosen import Selection, count
from webmail.mailbox import export
from webmail.mime.formats.mbox_writer import folder_name
from webmail.storage import FileGoneError, Storage, open_file, open_storage
from webmail.tasks import leftovers, mail_parts, store
from webmail.tasks.export_provenance import Marking, marking_of
from webmail.tasks.kinds import TaskFailedError, TaskKind, TaskRun
from webmail.tasks.mail_account import account_of
from webmail.tasks.mail_parts import Position, packed, unpacked

NAME = "mail-export"
SELECTION = "selection"  # the file that says which messages
MOST_KEPT = 5  # finished exports of one person: older ones give way


def _work(run: TaskRun) -> dict[str, Any]:
    files = open_storage(run.settings)
    try:
        account = account_of(run)
        chosen = _chosen(run, files, account)
        position = mail_parts.store_parts(run, files, account, chosen, _writer(run, account, chosen))
    except FileGoneError as error:
        raise TaskFailedError("file-gone") from error
    except SignInRefusedError as error:
        raise TaskFailedError("sign-in") from error
    if not position.written:
        raise TaskFailedError("no-messages")
    given, name = run.arguments, _name(run, "messages")
    size = files.put(name, _whole(run, files, position, chosen, marking_of(account, run.user)))
    _forget_old(run)
    return {
        "file": name, "name": given["name"], "type": export.KINDS.get(given["kind"], export.KINDS["zip"]), "size": size,
        "count": position.written, "missing": count(chosen) - position.written,
    }  # fmt: skip


def _chosen(run: TaskRun, files: Storage, account: Account) -> list[Selection]:
    """What was selected; of a whole mailbox, what is there when the task begins, noted so that it stays the same."""
    name = _name(run, SELECTION)
    if run.arguments["kind"] == export.FOLDERS and not files.exists(name):
        with imap.connect(account) as connection:
            chosen, skipped = choice.everything(connection)
        if skipped:  # never a file that lacks a folder silently
            raise TaskFailedError("folders-away")
        files.put(name, [packed(chosen)])
    return unpacked(b"".join(files.get(name)))


def _writer(run: TaskRun, account: Account, chosen: Sequence[Selection]) -> mail_parts.Write:
    kind, folders = run.arguments["kind"], len(chosen) > 1
    kind = "mbox" if kind == export.FOLDERS else kind
    return lambda group, batch, written: export.pieces(account, [(group, list(batch))], kind, written, folders=folders)


def _whole(run: TaskRun, files: Storage, position: Position, chosen: Sequence[Selection], marking: Marking) -> Iterator[bytes]:
    """The parts as one file."""
    everything = range(position.parts)
    match run.arguments["kind"]:
        case "zip":
            names = mail_parts.watched(run, position, chosen, everything)
            places = {one.mailbox: folder_name(one.mailbox) + "/" if len(chosen) > 1 else "/" for one in chosen}
            return export.joined_archives((open_file(files, name) for name in names), places, marking)
        case export.FOLDERS:
            spans = zip(chosen, position.spans(), strict=False)
            mailboxes = ((group.mailbox, mail_parts.joined(run, files, position, chosen, span)) for group, span in spans if span)
            return export.archive_of_folders(mailboxes, datetime.now(UTC), marking)
        case _:
            return mail_parts.joined(run, files, position, chosen, everything)


def _forget_old(run: TaskRun) -> None:
    """So that nobody fills the storage with theirs."""
    before = sorted(store.other_results(run.task), key=lambda task: task.created, reverse=True)
    for task in before[MOST_KEPT - 1 :]:
        task.delete_instance()
        leftovers.remove(task.id, run.settings)


def _name(run: TaskRun, what: str) -> str:
    return f"{leftovers.folder(run.task.id)}/{what}"


KIND = TaskKind(NAME, _work)
