"""Detach task: a worker puts messages without their files in the place of the originals, one after another.

For each: read it into a file, make it anew, note where the new one will lie, APPEND, look at what the server keeps, and only then
remove the original. So after a kill there are two messages for a while, never none: the next turn knows the copy again.
"""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import IO, Any

from webmail import imap
from webmail.account import Account
from webmail.database.user_lock import user_lock
from webmail.errors import (
    MailboxChangedError,
    NoSuchMailboxError,
    NoSuchMessageError,
    NotAllowedError,
    OverQuotaError,
    RefusedError,
    SignInRefusedError,
)
from webmail.imap.bulk import file_removal
from webmail.imap.bulk.file_removal import MessageTraits
from webmail.imap.connections.connection import Connection
from webmail.imap.mailbox_list import mailboxes
from webmail.imap.reading import messages
from webmail.mail import Role
from webmail.mime import parser
from webmail.mime.detach import CannotDetachError, KeepReason, without
from webmail.tasks.kinds import TaskFailedError, TaskKind, TaskRun
from webmail.tasks.mail_account import account_of

NAME = "mail-detach"
MOST = 200  # messages of one task
_GONE = (NoSuchMailboxError, MailboxChangedError, NoSuchMessageError)


@dataclass(slots=True)
class Pending:
    """What is about to be put into place: UIDs of the new message and of the original in the trash are not below these."""

    floor: int
    size: int
    message_id: str
    trash_floor: int
    old_size: int


@dataclass(slots=True)
class DetachState:
    """How far the task is, kept in its cursor. `done`: [mailbox, UIDVALIDITY, new UID, trash, its UIDVALIDITY, UID of the
    original there, 0 if it is not].
    """

    at: int = 0
    pending: Pending | None = None
    done: list[list[Any]] = field(default_factory=list)
    count: int = 0
    freed: int = 0
    left: dict[str, int] = field(default_factory=dict)  # reason -> how many stayed as they were

    @classmethod
    def load(cls, cursor: dict[str, Any] | None) -> DetachState:
        values = dict(cursor or {})
        values["pending"] = Pending(**values["pending"]) if values.get("pending") else None
        return cls(**values)

    def leave(self, reason: str) -> None:
        self.left[reason] = self.left.get(reason, 0) + 1


@dataclass(frozen=True, slots=True)
class Detaching:
    """One message of the task: where it is, and its files (section -> type, size, words in their place)."""

    mailbox: str
    uidvalidity: int
    uid: int
    files: dict[str, tuple[str, int, str]]


def _work(run: TaskRun) -> dict[str, Any]:
    state, given = DetachState.load(run.cursor), run.arguments
    jobs = [Detaching(m, v, u, {s: (k, n, w) for s, k, n, w in files}) for m, v, u, files in given["messages"]]
    try:
        account = account_of(run)
        for job in jobs[state.at :]:
            with run.step(asdict(state), done=state.at, total=len(jobs)):
                pass  # the place to stop: what comes next lies outside the database
            _MessageStep(run, account, state, job, for_good=given["for_good"]).take()
            state.at, state.pending = state.at + 1, None
            run.record(asdict(state), done=state.at)
    except SignInRefusedError as error:
        raise TaskFailedError("sign-in") from error
    except OSError as error:
        raise TaskFailedError("no-disk") from error
    kept = {"count": state.count, "freed": state.freed, "left": state.left, "for_good": given["for_good"]}
    return {**kept, "new": state.done[0][:3] if state.count == 1 and state.done else []}


class _MessageStep:
    """One message: rebuilt outside the person's lock, put into place within it."""

    def __init__(self, run: TaskRun, account: Account, state: DetachState, job: Detaching, *, for_good: bool) -> None:
        self.run, self.account, self.state, self.job, self.for_good = run, account, state, job, for_good
        self.read = 0  # bytes of the original

    def take(self) -> None:
        try:
            with tempfile.TemporaryFile() as new:
                if self.state.pending is None:
                    self._rebuild(new)
                self._replace(new)
        except CannotDetachError as error:
            self.state.leave(error.kept)
        except NotAllowedError:
            self.state.leave("not-allowed")
        except OverQuotaError as error:
            raise TaskFailedError("over-quota") from error
        except RefusedError:
            self.state.leave("refused")
        except _GONE:
            self.state.leave("gone")

    def _rebuild(self, new: IO[bytes]) -> None:
        job = self.job
        with tempfile.TemporaryFile() as old:
            for chunk in messages.stream_raw(self.account, job.mailbox, job.uid, job.uidvalidity):
                old.write(chunk)
            self.read = old.tell()
            old.flush()
            with _mapped(old) as raw:
                for piece in without(raw, parser.read(raw), job.files):
                    new.write(piece)
        new.flush()

    def _replace(self, new: IO[bytes]) -> None:
        job = self.job
        with user_lock(self.run.user.id), imap.connect(self.account, job.mailbox) as connection:
            before = file_removal.original(connection, job.mailbox, job.uid, job.uidvalidity)
            trash = mailboxes.for_role(connection, Role.TRASH)
            if before is None:
                self._mend_without_original(connection, trash)
                return
            uid = self._found(connection)
            if not uid:
                if self.state.pending is not None:
                    self._rebuild(new)  # an earlier turn ended before its APPEND
                uid = self._append(connection, new, before, trash)
            size = self.state.pending.size if self.state.pending else 0
            if not uid or not file_removal.is_like(connection, job.mailbox, uid, size, before):
                self._take_back(connection, uid)
                self.state.leave("refused")
                return
            self._remove_original(connection, uid, trash)
            self._note(connection, uid, trash, before.size - size)

    def _append(self, connection: Connection, new: IO[bytes], before: MessageTraits, trash: str) -> int:
        """Note first where it will be: whoever comes after a kill looks there."""
        job = self.job
        if self.read != before.size:
            raise CannotDetachError(KeepReason.ODD)  # not read to its end, perhaps
        trash_floor = 0 if self.for_good else file_removal.floor(connection, trash)
        floor = file_removal.floor(connection, job.mailbox)
        pending = Pending(floor, new.seek(0, 2), before.message_id, trash_floor, before.size)
        self.state.pending = pending
        self.run.record(asdict(self.state), done=self.state.at)
        uid = file_removal.append(connection, job.mailbox, new, before)
        return uid or file_removal.find(connection, job.mailbox, floor, pending.size, before.message_id)

    def _found(self, connection: Connection) -> int:
        """The message that an earlier turn appended and could not note."""
        if (p := self.state.pending) is None:
            return 0
        return file_removal.find(connection, self.job.mailbox, p.floor, p.size, p.message_id)

    def _remove_original(self, connection: Connection, uid: int, trash: str) -> None:
        job = self.job
        try:
            if self.for_good:
                imap.actions.delete(connection, job.mailbox, [job.uid], job.uidvalidity)
            else:
                imap.actions.move(connection, job.mailbox, [job.uid], trash, job.uidvalidity)
        except (RefusedError, NotAllowedError, NoSuchMailboxError):
            self._take_back(connection, uid)  # two of them would take more room than before
            raise

    def _take_back(self, connection: Connection, uid: int) -> None:
        if uid:
            imap.actions.delete(connection, self.job.mailbox, [uid], self.job.uidvalidity)

    def _mend_without_original(self, connection: Connection, trash: str) -> None:
        """The original is not there: an earlier turn removed it and was killed, or somebody else did."""
        if uid := self._found(connection):
            pending = self.state.pending
            self._note(connection, uid, trash, pending.old_size - pending.size if pending else 0)
        else:
            self.state.leave("gone")

    def _note(self, connection: Connection, uid: int, trash: str, freed: int) -> None:
        state, job, pending = self.state, self.job, self.state.pending
        state.count, state.freed = state.count + 1, state.freed + freed
        old, validity = 0, 0
        if pending and not self.for_good:
            old = file_removal.find(connection, trash, pending.trash_floor, pending.old_size, pending.message_id)
            validity = connection.uidvalidity
        state.done.append([job.mailbox, job.uidvalidity, uid, trash, validity, old])


@contextmanager
def _mapped(file: IO[bytes]) -> Iterator[mmap.mmap]:
    """A file as bytes that take no memory. Raises NoSuchMessageError for an empty one, which can't be mapped."""
    if not file.seek(0, 2):
        raise NoSuchMessageError("the message is empty")
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as raw:
        yield raw


def undo(connection: Connection, cursor: dict[str, Any] | None) -> int:
    """Bring the very originals back from the trash, and delete the messages made without files; how many were brought back.

    An original that is no longer in the trash stays lost, and what was made of it stays. Raises OverQuotaError where it does not
    fit.
    """
    count = 0
    for mailbox, validity, uid, trash, trash_validity, old in reversed(DetachState.load(cursor).done):
        try:
            if not old or not imap.actions.with_flag(connection, trash, [old], b"ALL", trash_validity):
                continue
            imap.actions.move(connection, trash, [old], mailbox, trash_validity)
            count += 1
            if imap.actions.with_flag(connection, mailbox, [uid], b"ALL", validity):
                imap.actions.delete(connection, mailbox, [uid], validity)
        except _GONE:
            continue
    return count


KIND = TaskKind(NAME, _work, in_turn=True)  # another one of the same message must find what this one has put into place
