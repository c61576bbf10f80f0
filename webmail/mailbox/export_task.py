"""Export task: a worker saves any number of messages as one file, part by part.

A part is stored before the step that counts it, and put under the same name again after a kill; at the end the parts become one
file. So neither memory nor a time limit bounds what can be saved, only the storage: while it is full, the task waits.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from webmail import imap
from webmail.account import Account
from webmail.errors import MailboxChanged, NoSuchMailbox, NoSuchMessage, NotAllowed, SignInRefused
from webmail.imap import bulk
from webmail.mailbox import export, selection
from webmail.mailbox.selection import Selection, count
from webmail.storage import FileGone, Storage, open_file, open_storage
from webmail.tasks import leftovers, store
from webmail.tasks.kinds import TaskFailed, TaskKind, TaskRun
from webmail.tasks.mail_account import account_of

NAME = "mail-export"
SELECTION = "selection"  # the file that says which messages
MOST_KEPT = 5  # finished exports of one person: older ones give way
_PART_BYTES = 32_000_000
_PART_MESSAGES = 500
_AWAY = (NoSuchMailbox, MailboxChanged, NotAllowed)  # the folder was removed, made anew, or is no longer shared


@dataclass(slots=True)
class Position:
    """How far an export is: the mailbox (its number), the place in its UIDs, the parts stored, the messages in them.

    `ends`: for each mailbox that is done, how many parts there were then.
    """

    group: int = 0
    place: int = 0
    parts: int = 0
    written: int = 0
    ends: list[int] = field(default_factory=list)


def packed(chosen: Sequence[Selection]) -> bytes:
    """A selection as the file that a task is given; `unpacked` is its inverse."""
    return json.dumps([asdict(each) for each in chosen]).encode()


def unpacked(content: bytes) -> list[Selection]:
    return [Selection(each["mailbox"], each["uidvalidity"], tuple(each["uids"])) for each in json.loads(content)]


def _work(run: TaskRun) -> dict[str, Any]:
    files = open_storage(run.settings)
    try:
        account = account_of(run)
        chosen = _chosen(run, files, account)
        position = _store_parts(run, files, account, chosen)
    except FileGone as error:
        raise TaskFailed("file-gone") from error
    except SignInRefused as error:
        raise TaskFailed("sign-in") from error
    if not position.written:
        raise TaskFailed("no-messages")
    given, name = run.arguments, _name(run, "messages")
    size = files.put(name, _whole(run, files, position, chosen))
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
            chosen, skipped = selection.everything(connection)
        if skipped:  # never a file that lacks a folder silently
            raise TaskFailed("folders-away")
        files.put(name, [packed(chosen)])
    return unpacked(b"".join(files.get(name)))


def _store_parts(run: TaskRun, files: Storage, account: Account, chosen: Sequence[Selection]) -> Position:
    position = Position(**(run.cursor or {}))
    while position.group < len(chosen):
        group = chosen[position.group]
        end = min(position.place + _PART_MESSAGES, len(group.uids))
        try:
            known = _looked_up(account, group, group.uids[position.place : end])
            for batch in bulk.batches(known, _PART_BYTES, _PART_MESSAGES):
                _store_part(run, files, account, group, batch, position, len(chosen) > 1)
                position.place = group.uids.index(batch[-1].uid, position.place) + 1
                _step(run, chosen, position)
        except NoSuchMessage:  # a large one went while it was read: look again for what is left of this part
            continue
        except _AWAY:
            end = len(group.uids)
        position.place = end
        if end == len(group.uids):
            position.group, position.place = position.group + 1, 0
            position.ends.append(position.parts)
        _step(run, chosen, position)
    return position


def _looked_up(account: Account, group: Selection, uids: Sequence[int]) -> list[bulk.MessageFingerprint]:
    """Those that are still there, in the order of `uids`."""
    with imap.connect(account, group.mailbox) as connection:
        found = bulk.identities(connection, group.mailbox, uids, group.uidvalidity)
    return [found[uid] for uid in uids if uid in found]


def _store_part(
    run: TaskRun, files: Storage, account: Account, group: Selection, batch: list[bulk.MessageFingerprint], position: Position,
    folders: bool,
) -> None:  # fmt: skip
    written = export.Written(position.written)
    kind = "mbox" if run.arguments["kind"] == export.FOLDERS else run.arguments["kind"]
    content = export.pieces(account, [(group, batch)], kind, written, folders=folders)
    files.put(_name(run, f"part-{position.parts}"), content)
    position.parts, position.written = position.parts + 1, written.count


def _whole(run: TaskRun, files: Storage, position: Position, chosen: Sequence[Selection]) -> Iterator[bytes]:
    """The parts as one file."""
    names, total = [_name(run, f"part-{number}") for number in range(position.parts)], count(chosen)

    def watched(names: Sequence[str]) -> Iterator[str]:
        for name in names:
            with run.step(asdict(position), done=total, total=total):  # stops here if the person or the worker stops
                pass
            yield name

    def mbox(names: Sequence[str]) -> Iterable[bytes]:
        return chain.from_iterable(files.get(name) for name in watched(names))

    match run.arguments["kind"]:
        case "zip":
            return export.joined_archives(open_file(files, name) for name in watched(names))
        case export.FOLDERS:
            spans = zip(chosen, [0, *position.ends], position.ends, strict=False)
            mailboxes = ((group.mailbox, mbox(names[begin:end])) for group, begin, end in spans if end > begin)
            return export.archive_of_folders(mailboxes, datetime.now(UTC))
        case _:
            return iter(mbox(names))


def _step(run: TaskRun, chosen: Sequence[Selection], position: Position) -> None:
    done = count(chosen[: position.group]) + position.place
    with run.step(asdict(position), done=done, total=count(chosen)):
        pass


def _forget_old(run: TaskRun) -> None:
    """So that nobody fills the storage with theirs."""
    before = sorted(store.results_before(run.task), key=lambda task: task.created, reverse=True)
    for task in before[MOST_KEPT - 1 :]:
        task.delete_instance()
        leftovers.remove(task.id, run.settings)


def _name(run: TaskRun, what: str) -> str:
    return f"{leftovers.folder(run.task.id)}/{what}"


KIND = TaskKind(NAME, _work)
