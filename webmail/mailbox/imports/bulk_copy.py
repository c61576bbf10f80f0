"""Bulk copy: an administrator's copy of a person's mailbox from an old server, by the same copier as people's own (`move_in.py`).

It runs in a command and not as a task, since it may take days. Again and again, it brings what is new there and the flags that
changed there; nothing is deleted here, and a flag that its person changed here alone stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from webmail import imap
from webmail.account import Account
from webmail.errors import MailError, NoSuchMailboxError, NotAllowedError, RefusedError, ServerAwayError
from webmail.imap.bulk import actions, remote_mailbox
from webmail.imap.bulk.remote_mailbox import RemoteFolder
from webmail.imap.connections.connection import Connection
from webmail.mail import Role
from webmail.mailbox.imports.copied_mail import CopiedMessage, MailboxCopy
from webmail.mailbox.imports.import_filing import Filing, kept_flags
from webmail.mailbox.imports.incoming import Found, Incoming
from webmail.mailbox.imports.mail_import import ImportState, MailImport
from webmail.mailbox.imports.move_in import OldMail, found_in, there
from webmail.models import User

_UNREADABLE = (NoSuchMailboxError, NotAllowedError, RefusedError)
Progress = Callable[[int, int], None]  # messages that are done, of how many


@dataclass(slots=True)
class CopyReport:
    """What a copy did. `changed`: messages whose flags changed there; `refused`: the first (name, reason) of `failed`."""

    folders: int = 0
    added: int = 0
    present: int = 0
    skipped: int = 0
    changed: int = 0
    failed: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)

    def add(self, state: ImportState) -> None:
        self.added += state.added
        self.present += state.present
        self.skipped += state.skipped
        self.failed += state.failed
        self.refused += state.refused

    def refuse(self, name: str, reason: str) -> None:
        self.failed += 1
        self.refused.append((name[:200], reason))


class CommandRun:
    """A command's turn at an import: progress is shown, and kept by the file of what was copied alone."""

    def __init__(self, user: User, progress: Progress) -> None:
        self.user, self.total, self.cursor = user, None, None
        self._progress, self._of = progress, 0

    @contextmanager
    def step(self, cursor: Any, *, done: int, total: int | None = None) -> Iterator[None]:
        self._of = total or self._of
        self._progress(done, self._of)
        yield

    def record(self, cursor: Any, *, done: int) -> None:
        self._progress(done, self._of)


class UncopiedMail(OldMail):
    """The messages of an old mailbox that no earlier copy has brought."""

    def __init__(self, account: Account, copy: MailboxCopy) -> None:
        super().__init__(account)
        self.validities: dict[str, int] = {}  # of the folders that were read
        self._copy = copy
        self._listed: list[RemoteFolder] | None = None

    def folders(self) -> list[RemoteFolder]:
        if self._listed is None:
            self._listed = super().folders()
        return self._listed

    def count(self) -> int:
        return sum(max(folder.messages - len(self._uids_copied(folder)), 0) for folder in self.folders())

    def messages_in(self, folder: RemoteFolder, after: int) -> Iterator[Found]:
        with there(), closing(Connection(self.account)) as reading:
            try:
                reading.select(folder.name)
            except _UNREADABLE:
                return  # told by `unreadable`
            known = self._copy.uids(folder.name, reading.uidvalidity)
            self.validities[folder.name] = reading.uidvalidity
            for message in remote_mailbox.listing(reading, folder, after, known):
                yield found_in(folder, message)

    def unreadable(self) -> Iterator[str]:
        """Names of folders that the old server does not open, after all were read."""
        yield from (folder.name for folder in self.folders() if folder.name not in self.validities)

    def _uids_copied(self, folder: RemoteFolder) -> set[int]:
        with there(), imap.connect(self.account) as connection:
            try:
                connection.select(folder.name)
            except _UNREADABLE:
                return set()
            return self._copy.uids(folder.name, connection.uidvalidity)


class MailboxCopying:
    """One copy of one old mailbox into that of `user`. `report` grows, and is right whatever ends the copy."""

    def __init__(self, user: User, mine: Account, old: Account, copy: MailboxCopy, progress: Progress) -> None:
        self.report = CopyReport()
        self._mine, self._old, self._copy = mine, old, copy
        self._source = UncopiedMail(old, copy)
        self._import = MailImport(
            CommandRun(user, progress), mine, self._source, "", Filing(role=Role.ARCHIVE), placed=self._placed
        )

    def copy(self) -> None:
        """Raises MailError where a server is away or lets us in no longer, TaskFailedError where no more can be taken."""
        folders = self._source.folders()
        self.report.folders = len(folders)
        try:
            state = self._import.take()
        except BaseException:
            self.report.add(self._import.state)
            raise
        self.report.add(state)
        for name in self._source.unreadable():
            self.report.refuse(name, "unreadable")
        with there(), closing(Connection(self._old)) as reading:
            if remote_mailbox.is_gmail(reading):
                return  # its folders are labels, and its stars one of them
            self._bring_folders(folders)
            for folder in folders:
                if folder.name in self._source.validities:
                    self._bring_flags(reading, folder)

    def _placed(self, mailbox: str, validity: int, messages: Sequence[tuple[Incoming, int]]) -> None:
        by_folder: dict[str, list[CopiedMessage]] = {}
        for one, uid in messages:
            assert one.position  # as `found_in` makes them
            at = CopiedMessage(int(one.position[1]), one.filing.flags, mailbox, validity, uid)
            by_folder.setdefault(str(one.position[0]), []).append(at)
        for folder, copied in by_folder.items():
            self._copy.note(folder, self._source.validities[folder], copied)

    def _bring_folders(self, folders: Sequence[RemoteFolder]) -> None:
        """Those without messages too; and, once for each, whether it is subscribed there."""
        with imap.connect(self._mine) as connection:
            for folder in folders:
                if folder.role is Role.INBOX or not self._copy.is_new(folder.name):
                    continue
                filing = Filing(role=folder.role, path=() if folder.role else folder.path)
                name = self._import.mailbox_of(connection, filing)
                if not folder.role:
                    imap.folders.subscribe(connection, name, folder.subscribed)
                self._copy.note_folder(folder.name)

    def _bring_flags(self, reading: Connection, folder: RemoteFolder) -> None:
        try:
            reading.select(folder.name, self._source.validities[folder.name])
        except MailError as error:
            if isinstance(error, ServerAwayError):
                raise
            self.report.refuse(folder.name, "unreadable")
            return
        for known in self._copy.messages(folder.name, reading.uidvalidity):
            told = {uid: kept_flags(flags) for uid, flags in remote_mailbox.flags_of(reading, [one.uid for one in known])}
            changed = [one for one in known if one.uid in told and set(told[one.uid]) != set(one.flags)]
            if not changed:
                continue
            self._change(changed, told)
            self._copy.note(folder.name, reading.uidvalidity, [replace(one, flags=told[one.uid]) for one in changed])

    def _change(self, changed: Sequence[CopiedMessage], told: dict[int, tuple[str, ...]]) -> None:
        """What is the same for several in one command. A folder that is another by now has none of these messages."""
        alike: dict[tuple[str, int, str, bool], list[int]] = {}
        for one in changed:
            before, after = set(one.flags), set(told[one.uid])
            for flags, add in ((after - before, True), (before - after, False)):
                for flag in flags if one.into_uid else ():
                    alike.setdefault((one.into_folder, one.into_validity, flag, add), []).append(one.into_uid)
        with imap.connect(self._mine) as connection:
            for (mailbox, validity, flag, add), uids in alike.items():
                try:
                    actions.set_flags(connection, mailbox, uids, [flag], add, validity)
                except MailError as error:
                    if isinstance(error, ServerAwayError):
                        raise
                    if not isinstance(error, NoSuchMailboxError):
                        self.report.refuse(f"{mailbox}: {flag}", "flag")
        self.report.changed += len(changed)
