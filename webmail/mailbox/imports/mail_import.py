"""Mail import: puts messages from elsewhere into folders, each of them once, whatever is interrupted and however often it runs.

A message that lies in its folder already is left out (`import_folder.py` says how it is known). After a kill, what the last turn
appended without noting it is found in the folders by its content and counted as imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from webmail import imap
from webmail.account import Account
from webmail.errors import LimitReachedError, MailError, NoSuchMailboxError, NotAllowedError, OverQuotaError, RefusedError
from webmail.imap.bulk import append_many, bulk_fetch
from webmail.imap.bulk.append_many import AppendStoppedError, NewMessage
from webmail.imap.connections.connection import Connection
from webmail.imap.mailbox_list.mailboxes import Overview
from webmail.mail import Role
from webmail.mailbox import folders, tags
from webmail.mailbox.imports.import_filing import Filing
from webmail.mailbox.imports.import_folder import FolderContents, ImportedInto, contents_of, unnoted
from webmail.mailbox.imports.incoming import Found, Incoming, Position, Source, Unreadable
from webmail.mime.headers import headers
from webmail.mime.headers.header_lines import message_digest
from webmail.models import User
from webmail.tasks.kinds import TaskFailedError

_BATCH_BYTES, _BATCH_MESSAGES = 8_000_000, 100
_TOLD = 50  # messages that could not be imported are told by name, so many at most


@dataclass(slots=True)
class ImportState:
    """How far an import is, kept in the task's cursor. `refused`: (name in the file, reason) of the first ones."""

    at: int = 0  # messages of the source that are done
    position: Position | None = None  # of the last one
    added: int = 0
    present: int = 0
    skipped: int = 0  # deleted, says the program that wrote the file
    failed: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)
    into: dict[str, ImportedInto] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)  # folders

    @classmethod
    def load(cls, cursor: dict[str, object] | None) -> ImportState:
        values = dict(cursor or {})
        values["into"] = {name: ImportedInto(**told) for name, told in dict(values.get("into") or {}).items()}  # type: ignore[call-overload]
        return cls(**values)  # type: ignore[arg-type]

    def refuse(self, name: str, reason: str) -> None:
        self.failed += 1
        if len(self.refused) < _TOLD:
            self.refused.append((name[:200], reason))


class ImportRun(Protocol):
    """Who imports, and where its progress is kept: a task's turn (`TaskRun`), or a command's."""

    @property
    def user(self) -> User: ...

    @property
    def total(self) -> int | None: ...

    @property
    def cursor(self) -> Any: ...

    def step(self, cursor: Any, *, done: int, total: int | None = None) -> AbstractContextManager[None]: ...

    def record(self, cursor: Any, *, done: int) -> None: ...


# told of a mailbox, its UIDVALIDITY, and which messages lie there with which UIDs (0: the server tells none)
Placed = Callable[[str, int, Sequence[tuple[Incoming, int]]], None]


class MailImport:
    """One turn at an import. `target`: the mailbox for all messages; "" for that of each message's filing. `otherwise` is where
    those go of which nothing is known. `placed` is told of each message as soon as it is there, or was found there.
    """

    def __init__(
        self, run: ImportRun, account: Account, source: Source, target: str, otherwise: Filing, placed: Placed | None = None
    ) -> None:
        self._placed = placed
        self.run, self.account, self.source, self.target, self.otherwise = run, account, source, target, otherwise
        self.state = ImportState.load(run.cursor)
        self._before: dict[str, Any] = {}  # the cursor when the batch began, with what is pending since
        self._there: dict[str, FolderContents] = {}  # what each mailbox holds
        self._unnoted: dict[str, set[int]] = {}  # UIDs of what an earlier turn appended there
        self._places: dict[tuple[Role | None, tuple[str, ...]], str] = {}
        self._keywords: dict[str, str] = {}

    def take(self) -> ImportState:
        """Import all that is left. Raises TaskStoppedError, TaskFailedError, and what the source and MailError's kinds say."""
        if not self.state.at and not self.state.into:
            self._check_room()
        total = self.run.total or self.source.count()
        for batch in _batches(self.source.messages(self.state.at, self.state.position)):
            with self.run.step(self._cursor(), done=self.state.at, total=total):
                pass  # the place to stop: what is appended next can't be taken back by a roll-back
            with imap.connect(self.account) as connection:
                self._take_batch(connection, batch)
            self.run.record(self._cursor(), done=self.state.at)
        return self.state

    def _cursor(self) -> dict[str, object]:
        return asdict(self.state)

    def _take_batch(self, connection: Connection, batch: Sequence[Found]) -> None:
        state, by_mailbox = self.state, dict[str, list[Incoming]]()
        self._before = asdict(state)
        for one in batch:
            if isinstance(one, Unreadable):
                state.refuse(one.name, one.reason)
            elif one.filing.skip:
                state.skipped += 1
            elif one.again:
                state.present += 1
            else:
                by_mailbox.setdefault(self.mailbox_of(connection, one.filing), []).append(one)
        for mailbox in by_mailbox:
            self._learn(connection, mailbox)
        for mailbox, messages in by_mailbox.items():
            self._append(connection, mailbox, messages)
        for place in state.into.values():
            place.pending = ()
        state.at += len(batch)
        state.position = batch[-1].position

    def _append(self, connection: Connection, mailbox: str, messages: Sequence[Incoming]) -> None:
        there = self._there[mailbox]
        doubtful = [one for one in messages if there.may_hold(one.key)]
        contents = dict(zip(map(id, doubtful), self.source.load(doubtful), strict=True))
        there.read(connection, mailbox, (one.key for one in doubtful))
        fresh = [one for one in messages if not self._is_there(mailbox, one, contents.get(id(one)))]
        missing = [one for one in fresh if id(one) not in contents]
        contents |= zip(map(id, missing), self.source.load(missing), strict=True)
        loaded = [(one, contents[id(one)]) for one in fresh]
        brought = [one for one, content in loaded if content is not None]
        new = [self._as_new(one.filing, content) for one, content in loaded if content is not None]
        self.state.skipped += len(fresh) - len(new)  # deleted there since they were listed
        if not new:
            return
        self._note_pending(mailbox, new)
        try:
            taken = append_many.append_many(connection, mailbox, new)
        except AppendStoppedError as stopped:
            self._note(mailbox, new, stopped.appended.uids)
            self._tell(mailbox, brought, stopped.appended.uids)
            self.run.record(self._cursor(), done=self.state.at)
            raise TaskFailedError(_reason(stopped.reason)) from stopped
        self._note(mailbox, new, taken.uids)
        self._tell(mailbox, brought, taken.uids)

    def _tell(self, mailbox: str, messages: Sequence[Incoming], uids: Sequence[int | None]) -> None:
        if self._placed is not None:
            there = [(one, uid) for one, uid in zip(messages, uids, strict=False) if uid is not None]
            self._placed(mailbox, self.state.into[mailbox].uidvalidity, there)

    def _as_new(self, filing: Filing, content: bytes) -> NewMessage:
        return NewMessage(content, self._flags(filing), filing.received or datetime.now(UTC))

    def _is_there(self, mailbox: str, incoming: Incoming, content: bytes | None) -> bool:
        """Whether a message of the mailbox stands for this one. None: there is none of its key, or it is gone in the source."""
        if content is None or not (uid := self._there[mailbox].take(message_digest(content))):
            return False
        if uid in self._unnoted[mailbox]:
            self.state.added += 1
            self.state.into[mailbox].note_added([uid])
        else:
            self.state.present += 1
            self.state.into[mailbox].note_there([uid])
        self._tell(mailbox, [incoming], [uid])
        return True

    def _note(self, mailbox: str, new: Sequence[NewMessage], uids: Sequence[int | None]) -> None:
        """`uids` may be fewer than `new`: the rest was not tried."""
        for message, uid in zip(new, uids, strict=False):
            if uid is None:
                self.state.refuse(f"{mailbox}: {headers.envelope(message.content).subject}", "refused")
        taken = [uid for uid in uids if uid is not None]
        self.state.added += len(taken)
        self.state.into[mailbox].note_added(uid for uid in taken if uid)  # 0: the server tells none

    def _note_pending(self, mailbox: str, new: Sequence[NewMessage]) -> None:
        """Keep what is being appended, beside the cursor of before this batch: after a kill the whole batch is done again."""
        place, into = self.state.into[mailbox], self._before["into"]
        if into.get(mailbox, {}).get("uidvalidity") != place.uidvalidity:
            into[mailbox] = asdict(ImportedInto(place.uidvalidity, place.floor))
        digests = (message_digest(message.content).hex() for message in new)
        into[mailbox]["pending"] = [*into[mailbox]["pending"], *digests]
        self._before["made"] = list(self.state.made)
        self.run.record(self._before, done=self.state.at)

    # --- folders and tags --------------------------------------------------------------------------------------------

    def mailbox_of(self, connection: Connection, filing: Filing) -> str:
        """The mailbox for a filing, which is made where it is missing. Raises TaskFailedError."""
        if self.target:
            return self.target
        if filing.role is None and not filing.path:
            filing = self.otherwise
        asked = (filing.role, filing.path)
        if asked not in self._places:
            self._places[asked] = self._found_or_made(connection, filing)
        return self._places[asked]

    def _found_or_made(self, connection: Connection, filing: Filing) -> str:
        if filing.role is Role.INBOX:
            return "INBOX"
        if filing.role:
            return imap.mailboxes.for_role(connection, filing.role)
        overview = imap.mailboxes.overview(connection)
        for apart in (False, True):  # some servers have no folders in the inbox
            name = folder_for(filing.path, overview, apart=apart)
            if existing := _named(overview, name):
                return existing
            try:
                imap.mailboxes.create(connection, name)
            except (RefusedError, NotAllowedError) as error:
                if apart or not name.startswith("INBOX"):
                    raise TaskFailedError("no-folder") from error
                continue
            break
        self.state.made.append(name)
        return name

    def _learn(self, connection: Connection, mailbox: str) -> None:
        """Find out what a mailbox holds, once a turn. One round trip per 350 to 5,000 messages."""
        if mailbox in self._there:
            return
        if connection.mailbox == mailbox:
            connection.select("INBOX" if mailbox != "INBOX" else self._other_than_inbox(connection))
        try:
            validity, uidnext = bulk_fetch.next_uid(connection, mailbox)
        except NoSuchMailboxError as error:
            raise TaskFailedError("no-folder") from error
        place = self.state.into.get(mailbox)
        if place is None or place.uidvalidity != validity:
            place = self.state.into[mailbox] = ImportedInto(validity, uidnext)
        self._there[mailbox] = contents_of(connection, mailbox, place)
        self._unnoted[mailbox] = set(unnoted(connection, mailbox, place, place.added()))

    # --- room --------------------------------------------------------------------------------------------------------

    def _check_room(self) -> None:
        """Before anything is put anywhere. Raises TaskFailedError where what is not there yet is larger than the room that is
        left."""
        with imap.connect(self.account) as connection:
            quota = imap.mailboxes.count_all(connection).quota
            if quota is None or self.source.size() <= quota.limit - quota.used:
                return
            if self._missing_bytes(connection) > quota.limit - quota.used:
                raise TaskFailedError("mailbox-too-small")

    def _missing_bytes(self, connection: Connection) -> int:
        """Of the messages that no message of their folder can be the same as."""
        overview = imap.mailboxes.overview(connection)
        there, size = dict[str, dict[bytes, int]](), 0
        for one in self.source.messages(0, None):
            if isinstance(one, Unreadable) or one.filing.skip or one.again:
                continue
            mailbox = self.target or self._existing_for(one.filing, overview)
            if mailbox and mailbox not in there:
                there[mailbox] = contents_of(connection, mailbox, ImportedInto(0, 0)).counts()
            if mailbox and there[mailbox].get(one.key, 0) > 0:
                there[mailbox][one.key] -= 1
            else:
                size += one.size
        return size

    def _existing_for(self, filing: Filing, overview: Overview) -> str:
        """The mailbox for a filing; "" if it does not exist."""
        filing = filing if filing.role or filing.path else self.otherwise
        if filing.role:
            found = overview.with_role(filing.role)
            return found.name if found else ""
        return _named(overview, folder_for(filing.path, overview))

    @staticmethod
    def _other_than_inbox(connection: Connection) -> str:
        return imap.mailboxes.for_role(connection, Role.TRASH)

    def _flags(self, filing: Filing) -> tuple[str, ...]:
        return (*filing.flags, *filter(None, map(self._keyword, filing.tags)))

    def _keyword(self, label: str) -> str:
        """The keyword of a tag with this name, which is made; "" where there are too many tags or it is no name for one."""
        name = " ".join(label.split())[:60]
        if name not in self._keywords:
            self._keywords[name] = _keyword_of_tag(self.run.user, name)
        return self._keywords[name]


def folder_for(path: Sequence[str], overview: Overview, *, apart: bool = False) -> str:
    """The full name of the folder of a path from elsewhere, each level made fit for this server. `apart`: not in the inbox."""
    delimiter = folders.delimiter_of(overview)
    levels = [_level(part, delimiter) for part in path]
    if levels[0].upper() == "INBOX" and len(levels) > 1 and not overview.namespaces.root[0] and not apart:
        levels[0] = "INBOX"  # a folder in the inbox
    elif levels[0].upper() == "INBOX" or levels[0] in overview.namespaces.reserved:
        levels[0] += "_"
    return overview.namespaces.root[0] + delimiter.join(levels)[:800].strip(delimiter)


def _level(part: str, delimiter: str) -> str:
    text = "".join(c for c in part if c.isprintable()).replace(delimiter, "-").replace("/", "-").strip().lstrip("~")
    while len(text.encode()) > 200:
        text = text[:-1]
    return text.strip() if text.strip(". ") else "_"


def _named(overview: Overview, name: str) -> str:
    """The folder of this name, else one that differs in capital letters alone; "" if there is none."""
    same = [m.name for m in overview.mailboxes if m.selectable and m.name.casefold() == name.casefold()]
    return name if name in same else same[0] if same else ""


# --- what is there ---------------------------------------------------------------------------------------------------


def _batches(found: Iterable[Found]) -> Iterator[list[Found]]:
    batch: list[Found] = []
    size = 0
    for one in found:
        more = one.size if isinstance(one, Incoming) else 0
        if batch and (size + more > _BATCH_BYTES or len(batch) >= _BATCH_MESSAGES):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += more
    if batch:
        yield batch


def _keyword_of_tag(user: User, name: str) -> str:
    try:
        mine = next((tag for tag in tags.for_user(user) if tag.name.casefold() == name.casefold()), None)
        return (mine or tags.add(user, name)).keyword
    except (LimitReachedError, tags.BadTagNameError, tags.NameTakenError):
        return ""


def _reason(error: MailError) -> str:
    return (
        "over-quota"
        if isinstance(error, OverQuotaError)
        else "not-allowed"
        if isinstance(error, NotAllowedError)
        else "no-folder"
    )
