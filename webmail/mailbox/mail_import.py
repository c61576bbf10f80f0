"""Mail import: puts messages from elsewhere into folders, each of them once, whatever is interrupted and however often it runs.

A message that lies in its folder already is left out (`incoming.message_key` says how it is known). After a kill, what the last
turn appended without noting it is found in the folders in the same way and counted as imported.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from webmail import imap
from webmail.account import Account
from webmail.errors import LimitReached, MailboxChanged, MailError, NoSuchMailbox, NotAllowed, OverQuota, Refused
from webmail.imap import append_many, bulk
from webmail.imap.append_many import AppendStopped, NewMessage
from webmail.imap.commands import expand_uid_set, uid_set
from webmail.imap.connection import Connection
from webmail.imap.mailboxes import Overview
from webmail.imap.responses import numbers_of
from webmail.mail import Role
from webmail.mailbox import folders, tags
from webmail.mailbox.import_filing import Filing
from webmail.mailbox.incoming import Found, Incoming, Position, Source, Unreadable
from webmail.mime import headers
from webmail.models import User
from webmail.tasks.kinds import TaskFailed, TaskRun

_BATCH_BYTES, _BATCH_MESSAGES = 8_000_000, 100
_TOLD = 50  # messages that could not be imported are told by name, so many at most


@dataclass(slots=True)
class ImportedInto:
    """What an import put into a mailbox: UIDs from `floor` on; `uids` as an IMAP set, "" if none."""

    uidvalidity: int
    floor: int
    uids: str = ""


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
    def of(cls, cursor: dict[str, object] | None) -> ImportState:
        values = dict(cursor or {})
        values["into"] = {name: ImportedInto(**told) for name, told in dict(values.get("into") or {}).items()}  # type: ignore[call-overload]
        return cls(**values)  # type: ignore[arg-type]

    def refuse(self, name: str, reason: str) -> None:
        self.failed += 1
        if len(self.refused) < _TOLD:
            self.refused.append((name[:200], reason))


class MailImport:
    """One turn at an import. `target`: the mailbox for all messages; "" for that of each message's filing. `otherwise` is where
    those go of which nothing is known.
    """

    def __init__(self, run: TaskRun, account: Account, source: Source, target: str, otherwise: Filing) -> None:
        self.run, self.account, self.source, self.target, self.otherwise = run, account, source, target, otherwise
        self.state = ImportState.of(run.cursor)
        self._there: dict[str, set[bytes]] = {}  # what each mailbox holds
        self._unnoted: dict[str, dict[bytes, int]] = {}  # what an earlier turn appended there, with its UID
        self._places: dict[tuple[Role | None, tuple[str, ...]], str] = {}
        self._keywords: dict[str, str] = {}

    def take(self) -> ImportState:
        """Import all that is left. Raises TaskStopped, TaskFailed, and what the source and MailError's kinds say."""
        total = self.run.task.total or self.source.count()
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
        for one in batch:
            if isinstance(one, Unreadable):
                state.refuse(one.name, one.reason)
            elif one.filing.skip:
                state.skipped += 1
            else:
                by_mailbox.setdefault(self._mailbox_of(connection, one.filing), []).append(one)
        learned = [self._learn(connection, mailbox) for mailbox in by_mailbox]
        if any(learned):
            self.run.record(self._cursor(), done=state.at)  # from here on what lies above their floors may be ours
        for mailbox, messages in by_mailbox.items():
            self._append(connection, mailbox, messages)
        state.at += len(batch)
        state.position = batch[-1].position

    def _append(self, connection: Connection, mailbox: str, messages: Sequence[Incoming]) -> None:
        fresh: dict[bytes, Incoming] = {}
        for one in messages:
            if self._is_there(mailbox, one.key):
                continue
            if fresh.setdefault(one.key, one) is not one:
                self.state.present += 1  # twice in the source
        loaded = zip(fresh, fresh.values(), self.source.load(list(fresh.values())), strict=True)
        new = {key: self._as_new(one.filing, content) for key, one, content in loaded if content is not None}
        self.state.skipped += len(fresh) - len(new)  # deleted there since they were listed
        if not new:
            return
        try:
            taken = append_many.append_many(connection, mailbox, list(new.values()))
        except AppendStopped as stopped:
            self._note(mailbox, new, stopped.appended.uids)
            self.run.record(self._cursor(), done=self.state.at)
            raise TaskFailed(_reason(stopped.reason)) from stopped
        self._note(mailbox, new, taken.uids)

    def _as_new(self, filing: Filing, content: bytes) -> NewMessage:
        return NewMessage(content, self._flags(filing), filing.received or datetime.now(UTC))

    def _is_there(self, mailbox: str, key: bytes) -> bool:
        if uid := self._unnoted[mailbox].pop(key, 0):
            self._note_added(mailbox, [(key, uid)])
            return True
        if key in self._there[mailbox]:
            self.state.present += 1
            return True
        return False

    def _note(self, mailbox: str, new: Mapping[bytes, NewMessage], uids: Sequence[int | None]) -> None:
        """`uids` may be fewer than `new`: the rest was not tried."""
        for message, uid in zip(new.values(), uids, strict=False):
            if uid is None:
                self.state.refuse(f"{mailbox}: {headers.envelope(message.content).subject}", "refused")
        self._note_added(mailbox, [(key, uid) for key, uid in zip(new, uids, strict=False) if uid is not None])

    def _note_added(self, mailbox: str, added: Sequence[tuple[bytes, int]]) -> None:
        self.state.added += len(added)
        self._there[mailbox].update(key for key, _uid in added)
        place = self.state.into[mailbox]
        if known := [uid for _key, uid in added if uid]:
            place.uids = uid_set([*_uids(place), *known]).decode()

    # --- folders and tags --------------------------------------------------------------------------------------------

    def _mailbox_of(self, connection: Connection, filing: Filing) -> str:
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
        name = folder_for(filing.path, overview)
        if existing := next((m for m in overview.mailboxes if m.name.casefold() == name.casefold() and m.selectable), None):
            return existing.name
        try:
            imap.mailboxes.create(connection, name)
        except (Refused, NotAllowed) as error:
            raise TaskFailed("no-folder") from error
        self.state.made.append(name)
        return name

    def _learn(self, connection: Connection, mailbox: str) -> bool:
        """Find out what a mailbox holds, once a turn; returns whether this import is new to it. One round trip per 350 to 5,000
        messages."""
        if mailbox in self._there:
            return False
        if connection.mailbox == mailbox:
            connection.select("INBOX" if mailbox != "INBOX" else self._other_than_inbox(connection))
        try:
            validity, uidnext = bulk.next_uid(connection, mailbox)
        except NoSuchMailbox as error:
            raise TaskFailed("no-folder") from error
        place = self.state.into.get(mailbox)
        is_new = place is None or place.uidvalidity != validity
        if is_new:
            place = self.state.into[mailbox] = ImportedInto(validity, uidnext)
        self._there[mailbox], self._unnoted[mailbox] = set(), {}
        noted = set(_uids(place)) if place else set()
        for uid, one in bulk.identities(connection, mailbox, _existing(connection, mailbox)).items():
            key = self.source.key_of(one)
            self._there[mailbox].add(key)
            if place and not is_new and uid >= place.floor > 0 and uid not in noted:  # 0: the server tells none
                self._unnoted[mailbox][key] = uid
        return is_new

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


def folder_for(path: Sequence[str], overview: Overview) -> str:
    """The full name of the folder of a path from elsewhere, each level made fit for this server."""
    delimiter = folders.delimiter_of(overview)
    levels = [_level(part, delimiter) for part in path]
    if levels[0].upper() == "INBOX" or levels[0] in overview.namespaces.reserved:
        levels[0] += "_"
    return overview.namespaces.root[0] + delimiter.join(levels)[:800].strip(delimiter)


def _level(part: str, delimiter: str) -> str:
    text = "".join(c for c in part if c.isprintable()).replace(delimiter, "-").replace("/", "-").strip().lstrip("~")
    while len(text.encode()) > 200:
        text = text[:-1]
    return text.strip() if text.strip(". ") else "_"


def undo(connection: Connection, cursor: dict[str, object]) -> int:
    """Delete what an import put into folders, and the folders it made that are empty now; returns how many messages.

    Messages that were moved since stay where they are. About 3 round trips a mailbox. Raises MailError.
    """
    state, count = ImportState.of(cursor), 0
    for mailbox, place in state.into.items():
        try:
            for piece in imap.actions.pieces(_uids(place)):
                there = imap.actions.with_flag(connection, mailbox, piece, b"ALL", place.uidvalidity)
                if there:
                    imap.actions.delete(connection, mailbox, there, place.uidvalidity)
                count += len(there)
        except (NoSuchMailbox, MailboxChanged):
            continue  # the folder is gone, and its messages with it
    for name in reversed(state.made):
        _remove_empty(connection, name)
    return count


def _remove_empty(connection: Connection, name: str) -> None:
    overview = imap.mailboxes.overview(connection)
    mailbox = overview.get(name)
    if mailbox is None or any(mailbox.holds(other.name) for other in overview.mailboxes):
        return
    try:
        imap.folders.refresh(connection)
        if not imap.folders.state(connection, name).messages:
            imap.folders.delete(connection, overview, mailbox)
    except (NoSuchMailbox, NotAllowed, Refused):
        return  # it stays, empty: nothing is lost


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


def _existing(connection: Connection, mailbox: str) -> list[int]:
    connection.select(mailbox)
    if not connection.exists:
        return []
    answer = connection.run((b"UID SEARCH", b"ALL"))
    return numbers_of(answer.get("SEARCH", []))


def _uids(place: ImportedInto) -> list[int]:
    return expand_uid_set(place.uids) if place.uids else []


def _keyword_of_tag(user: User, name: str) -> str:
    try:
        mine = next((tag for tag in tags.for_user(user) if tag.name.casefold() == name.casefold()), None)
        return (mine or tags.add(user, name)).keyword
    except (LimitReached, tags.BadTagName, tags.NameTaken):
        return ""


def _reason(error: MailError) -> str:
    return "over-quota" if isinstance(error, OverQuota) else "not-allowed" if isinstance(error, NotAllowed) else "no-folder"
