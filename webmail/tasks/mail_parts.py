"""Mail parts: a task reads any number of messages and stores them part by part, so that it can go on after a kill.

A part is stored before the step that counts it, and put under the same name again after a kill. So neither memory nor a time
limit bounds what can be read, only the storage: while it is full, the task waits.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field

from webmail import imap
from webmail.account import Account
from webmail.errors import MailboxChangedError, NoSuchMailboxError, NoSuchMessageError, NotAllowedError
from webmail.imap.bulk import bulk_fetch
from webmail.imap.bulk.bulk_mbox import Written
from webmail.imap.bulk.chosen import Selection, count
from webmail.storage import Storage
from webmail.tasks import leftovers
from webmail.tasks.kinds import TaskRun

PART_BYTES = 32_000_000
PART_MESSAGES = 500
AWAY = (NoSuchMailboxError, MailboxChangedError, NotAllowedError)  # the folder was removed, made anew, or is no longer shared

Write = Callable[[Selection, Sequence[bulk_fetch.MessageFingerprint], Written], Iterator[bytes]]


@dataclass(slots=True)
class Position:
    """How far a task is: the mailbox (its number), the place in its UIDs, the parts stored, the messages in them.

    `ends`: for each mailbox that is done, how many parts there were then. `away`: the numbers of those that went meanwhile.
    """

    group: int = 0
    place: int = 0
    parts: int = 0
    written: int = 0
    ends: list[int] = field(default_factory=list)
    away: list[int] = field(default_factory=list)

    def spans(self) -> list[range]:
        """The numbers of the parts of each mailbox."""
        return [range(begin, end) for begin, end in zip([0, *self.ends], self.ends, strict=False)]


def packed(chosen: Sequence[Selection]) -> bytes:
    """A selection as the file that a task is given; `unpacked` is its inverse."""
    return json.dumps([asdict(each) for each in chosen]).encode()


def unpacked(content: bytes) -> list[Selection]:
    return [Selection(each["mailbox"], each["uidvalidity"], tuple(each["uids"])) for each in json.loads(content)]


def store_parts(run: TaskRun, files: Storage, account: Account, chosen: Sequence[Selection], write: Write) -> Position:
    """Store what `write` makes of the chosen messages, going on from the cursor of the task. Messages and mailboxes that went
    meanwhile are left out. Raises SignInRefusedError, ServerAwayError, TaskStoppedError, StorageAwayError, StorageFullError.
    """
    position = Position(**(run.cursor or {}))
    while position.group < len(chosen):
        group = chosen[position.group]
        end = min(position.place + PART_MESSAGES, len(group.uids))
        try:
            known = _looked_up(account, group, group.uids[position.place : end]) if end else []
            for batch in bulk_fetch.batches(known, PART_BYTES, PART_MESSAGES):
                _store_part(run, files, group, batch, position, write)
                position.place = group.uids.index(batch[-1].uid, position.place) + 1
                _step(run, chosen, position)
        except NoSuchMessageError:  # a large one went while it was read: look again for what is left of this part
            continue
        except AWAY:
            position.away.append(position.group)
            end = len(group.uids)
        position.place = end
        if end == len(group.uids):
            position.group, position.place = position.group + 1, 0
            position.ends.append(position.parts)
        _step(run, chosen, position)
    return position


def watched(run: TaskRun, position: Position, chosen: Sequence[Selection], parts: range) -> Iterator[str]:
    """The names of stored parts, one after the other, while they are put together: ends where the task is to stop."""
    total = count(chosen)
    for number in parts:
        with run.step(asdict(position), done=total, total=total):  # stops here if the person or the worker stops
            pass
        yield part_name(run, number)


def joined(run: TaskRun, files: Storage, position: Position, chosen: Sequence[Selection], parts: range) -> Iterator[bytes]:
    """What these parts hold, in pieces."""
    for name in watched(run, position, chosen, parts):
        yield from files.get(name)


def part_name(run: TaskRun, number: int) -> str:
    return f"{leftovers.folder(run.task.id)}/part-{number}"


def _looked_up(account: Account, group: Selection, uids: Sequence[int]) -> list[bulk_fetch.MessageFingerprint]:
    """Those that are still there, in the order of `uids`."""
    with imap.connect(account, group.mailbox) as connection:
        found = bulk_fetch.identities(connection, group.mailbox, uids, group.uidvalidity)
    return [found[uid] for uid in uids if uid in found]


def _store_part(
    run: TaskRun, files: Storage, group: Selection, batch: list[bulk_fetch.MessageFingerprint], position: Position, write: Write
) -> None:
    written = Written(position.written)
    files.put(part_name(run, position.parts), write(group, batch, written))
    position.parts, position.written = position.parts + 1, written.count


def _step(run: TaskRun, chosen: Sequence[Selection], position: Position) -> None:
    done = count(chosen[: position.group]) + position.place
    with run.step(asdict(position), done=done, total=count(chosen)):
        pass
