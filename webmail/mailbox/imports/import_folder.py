"""Import folder: what lies in a folder that an import brings messages into, each of which stands for one message brought.

Two are the same if their contents are (`header_lines.content_digest`): contents are compared where the keys are equal, and each
message of the folder is taken once. So three equal ones in the source are three in the folder, and a second import adds none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from webmail.imap.bulk import bulk_fetch, remote_mailbox
from webmail.imap.connections.commands import expand_uid_set, uid_set
from webmail.imap.connections.connection import Connection
from webmail.imap.connections.responses import numbers_of
from webmail.mailbox.imports.incoming import key_of_fingerprint
from webmail.mime.headers.header_lines import message_digest

_READ_AT_ONCE = 200  # messages whose contents are compared


@dataclass(slots=True)
class ImportedInto:
    """What an import put into a mailbox: UIDs from `floor` on. `uids` (put there) and `there` (found there) as IMAP sets, "" for
    none. `pending`: digests of what is being put there, by which what a kill left unnoted is known.
    """

    uidvalidity: int
    floor: int
    uids: str = ""
    there: str = ""
    pending: tuple[str, ...] = ()

    def added(self) -> list[int]:
        return expand_uid_set(self.uids) if self.uids else []

    def note_added(self, uids: Iterable[int]) -> None:
        self.uids = _with(self.uids, uids)

    def note_there(self, uids: Iterable[int]) -> None:
        self.there = _with(self.there, uids)


def _with(told: str, more: Iterable[int]) -> str:
    uids = [*(expand_uid_set(told) if told else []), *more]
    return uid_set(uids).decode() if uids else ""


class FolderContents:
    """The messages of a folder that no message of the source stands for yet, by what tells which may be the same."""

    def __init__(self) -> None:
        self._unread: dict[bytes, tuple[int, ...]] = {}  # by key: UIDs with sizes, packed, of those whose content is not known
        self._known: dict[bytes, list[int]] = {}  # by digest: UIDs, the lowest last

    def counts(self) -> dict[bytes, int]:
        """How many of each key there are, before any was read."""
        return {key: len(found) for key, found in self._unread.items()}

    def note(self, key: bytes, uid: int, size: int) -> None:
        self._unread[key] = (*self._unread.get(key, ()), uid << 32 | min(size, 0xFFFFFFFF))

    def may_hold(self, key: bytes) -> bool:
        return key in self._unread

    def read(self, connection: Connection, mailbox: str, keys: Iterable[bytes]) -> None:
        """Learn the contents of those with these keys: 1 round trip for 8 MB, once for each message."""
        asked: list[int] = []
        for key in keys:
            if found := self._unread.get(key):
                self._unread[key] = ()
                asked += found
        touched = set[bytes]()
        for at in range(0, len(asked), _READ_AT_ONCE):
            sizes = [(one >> 32, one & 0xFFFFFFFF) for one in asked[at : at + _READ_AT_ONCE]]
            for uid, content in remote_mailbox.contents(connection, mailbox, sizes).items():
                digest = message_digest(content)
                self._known.setdefault(digest, []).append(uid)
                touched.add(digest)
        for digest in touched:
            self._known[digest].sort(reverse=True)

    def take(self, digest: bytes) -> int:
        """The UID of one with this content, which is then no longer there for others; 0 if there is none."""
        uids = self._known.get(digest)
        return uids.pop() if uids else 0


def contents_of(connection: Connection, mailbox: str, into: ImportedInto) -> FolderContents:
    """What lies in a mailbox, without what this import put there or found there. One round trip per 350 to 5,000 messages."""
    found, over = FolderContents(), {*into.added(), *(expand_uid_set(into.there) if into.there else [])}
    uids = [uid for uid in _existing(connection, mailbox) if uid not in over]
    for uid, one in bulk_fetch.identities(connection, mailbox, uids).items():
        found.note(key_of_fingerprint(one), uid, one.size)
    return found


def unnoted(connection: Connection, mailbox: str, into: ImportedInto, existing: Sequence[int]) -> list[int]:
    """UIDs of what this import put into the selected mailbox and a kill kept from being noted: by its content. 2 round trips or
    more, where something is pending."""
    if not into.pending or not into.floor:
        return []
    waiting, over = list(into.pending), set(existing)
    uids = [uid for uid in bulk_fetch.uids_from(connection, into.floor) if uid not in over]
    found = []
    for uid, one in bulk_fetch.identities(connection, mailbox, uids).items():
        if not waiting:
            break
        contents = remote_mailbox.contents(connection, mailbox, [(uid, one.size)])
        digest = message_digest(contents[uid]).hex() if uid in contents else ""
        if digest in waiting:
            waiting.remove(digest)
            found.append(uid)
    return found


def _existing(connection: Connection, mailbox: str) -> list[int]:
    connection.select(mailbox)
    if not connection.exists:
        return []
    answer = connection.run((b"UID SEARCH", b"ALL"))
    return numbers_of(answer.get("SEARCH", []))
