"""Verbs on mailboxes: list with counts and roles, find the one for a role, create."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import Any

from imapclient import imap_utf7
from imapclient.exceptions import ProtocolError
from imapclient.response_parser import parse_response

from webmail.account import Account
from webmail.imap.commands import mailbox_name
from webmail.imap.connection import Command, Connection
from webmail.mail import Mailbox, Quota, Refused, Role

_SPECIAL_USE = {
    "\\drafts": Role.DRAFTS,
    "\\sent": Role.SENT,
    "\\archive": Role.ARCHIVE,
    "\\junk": Role.JUNK,
    "\\trash": Role.TRASH,
}
# what servers without SPECIAL-USE call them
_USUAL_NAMES = {
    Role.DRAFTS: ("Drafts", "Brouillons", "Draft"),
    Role.SENT: ("Sent", "Sent Items", "Sent Messages", "Envoyés", "Messages envoyés"),
    Role.ARCHIVE: ("Archive", "Archives"),
    Role.JUNK: ("Junk", "Spam", "Junk E-mail", "Indésirables", "Courrier indésirable"),
    Role.TRASH: ("Trash", "Deleted Items", "Deleted Messages", "Corbeille", "Éléments supprimés"),
}


@dataclass(frozen=True, slots=True)
class Overview:
    """All mailboxes of an account with their counts, special ones first, and its quota where the server has one."""

    mailboxes: tuple[Mailbox, ...]
    quota: Quota | None = None

    def get(self, name: str) -> Mailbox | None:
        return next((m for m in self.mailboxes if m.name == name), None)

    def below(self, parent: Mailbox) -> list[Mailbox]:
        """The mailboxes inside a special one; INBOX has none, since on some servers everything lies inside it."""
        if parent.role is Role.INBOX or not parent.delimiter:
            return []
        return [m for m in self.mailboxes if m.role is None and m.name.startswith(parent.name + parent.delimiter)]

    @property
    def own(self) -> list[Mailbox]:
        """Those that a person made, outside of the special ones."""
        special = {m.name for parent in self.mailboxes if parent.role for m in self.below(parent)}
        return [m for m in self.mailboxes if m.role is None and m.name not in special]

    def targets(self, source: str) -> list[Mailbox]:
        """Where a message of `source` may be moved: one's own mailboxes first, never Drafts."""
        others = [m for m in self.mailboxes if m.selectable and m.name != source and m.role is not Role.DRAFTS]
        return sorted(others, key=lambda m: m.role is not None)

    def counted(self, counts: dict[str, tuple[int, int]]) -> Overview:
        """The same with newer counts (messages, unseen) for some mailboxes."""
        boxes = (
            replace(m, messages=counts[m.name][0], unseen=counts[m.name][1]) if m.name in counts else m for m in self.mailboxes
        )
        return replace(self, mailboxes=tuple(boxes))

    def with_one_seen(self, name: str) -> Overview:
        """The same after a message of this mailbox was marked as read."""
        return self.counted({m.name: (m.messages, max(m.unseen - 1, 0)) for m in self.mailboxes if m.name == name})


def overview(connection: Connection) -> Overview:
    """Mailboxes, counts and quota: at most 1 round trip, one more where the server lacks LIST-STATUS (RFC 5819)."""
    commands = overview_commands(connection)
    return overview_in(connection, connection.run(*commands) if commands else {})


def overview_commands(connection: Connection) -> list[Command]:
    """What `overview` sends, for those who send more in the same round trip.

    All of it at most every 15 s for each account, and after each change made here: to count all folders and the room they
    take is the dearest thing a page asks of a server that has large ones. In between, the selected mailbox only. Never
    together with the NOOP or SELECT of a mailbox: Dovecot would answer with its counts from before.
    """
    if _kept(connection):
        return [(b"STATUS", mailbox_name(connection.mailbox), b"(MESSAGES UNSEEN)")] if connection.mailbox else []
    commands: list[Command] = [_list_command(connection)]
    if connection.has("QUOTA"):
        commands.append((b"GETQUOTAROOT", b'"INBOX"'))
    return commands


def overview_in(connection: Connection, answers: dict[str, list[Any]]) -> Overview:
    """The overview among the answers to `overview_commands`."""
    if "LIST" not in answers and (kept := _kept(connection)):
        counts = {imap_utf7.decode(raw): numbers for raw, numbers in _counts(answers.get("STATUS", [])).items()}
        return kept.counted(counts)
    mailboxes = _mailboxes(answers)
    if not connection.has("LIST-STATUS"):
        mailboxes = _with_counts(connection, mailboxes)
    found = Overview(tuple(sorted(mailboxes, key=_order)), _quota(answers))
    with _lock:
        _overviews[connection.account] = (time.monotonic(), found)
        for account in [a for a, (at, _) in _overviews.items() if at < time.monotonic() - _KEEP_SECONDS]:
            del _overviews[account]
    return found


def forget(account: Account) -> None:
    """After a change to mailboxes or messages: the next page counts anew."""
    with _lock:
        _overviews.pop(account, None)


_KEEP_SECONDS = 15
_overviews: dict[Account, tuple[float, Overview]] = {}
_lock = threading.Lock()


def _kept(connection: Connection) -> Overview | None:
    with _lock:
        at, found = _overviews.get(connection.account, (0.0, None))
    fresh = found is not None and at > time.monotonic() - _KEEP_SECONDS
    known = not connection.mailbox or (found is not None and found.get(connection.mailbox) is not None)
    return found if fresh and known else None


def for_role(connection: Connection, role: Role) -> str:
    """Name of the mailbox that serves as `role`, created (and subscribed) where there is none: 1 round trip, else 3."""
    answers = connection.run((b"LIST", b'""', b'"*"'))
    found = _mailboxes(answers)
    if mailbox := next((m for m in found if m.role is role), None):
        return mailbox.name
    name = _USUAL_NAMES[role][0]
    if any(m.delimiter == "." and m.name.startswith("INBOX.") for m in found):
        name = f"INBOX.{name}"  # servers whose mailboxes all live below INBOX
    create(connection, name)
    return name


def create(connection: Connection, name: str) -> None:
    """Create and subscribe: 2 round trips. Raises Refused, NotAllowed."""
    connection.run((b"CREATE", mailbox_name(name)))
    connection.run((b"SUBSCRIBE", mailbox_name(name)))
    forget(connection.account)


def _list_command(connection: Connection) -> Command:
    if connection.has("LIST-STATUS"):
        return (b"LIST", b'""', b'"*"', b"RETURN (SPECIAL-USE STATUS (MESSAGES UNSEEN))")
    return (b"LIST", b'""', b'"*"')


def _mailboxes(answers: dict[str, list[Any]]) -> list[Mailbox]:
    counts = _counts(answers.get("STATUS", []))
    found = []
    for flags, delimiter, raw in _list_lines(answers.get("LIST", [])):
        name = imap_utf7.decode(raw)
        low = {flag.lower() for flag in flags}
        role = Role.INBOX if name.upper() == "INBOX" else next((_SPECIAL_USE[f] for f in low if f in _SPECIAL_USE), None)
        messages, unseen = counts.get(raw, (0, 0))
        selectable = not low & {"\\noselect", "\\nonexistent"}
        found.append(Mailbox("INBOX" if role is Role.INBOX else name, delimiter, role, selectable, messages, unseen))
    return _named_roles(found)


def _list_lines(lines: list[Any]) -> list[tuple[list[str], str, bytes]]:
    """`(\\HasNoChildren \\Sent) "/" Sent` -> flags, delimiter, encoded name. An unreadable line is left out."""
    found = []
    for line in _joined(lines):
        try:
            flags, delimiter, name, *_ = parse_response(line)
        except (ProtocolError, ValueError):
            continue
        raw = name if isinstance(name, bytes) else str(name).encode()  # a mailbox named 2024 parses as a number
        found.append(([f.decode("ascii", "replace") for f in flags], (delimiter or b"").decode(), raw))
    return found


def _counts(lines: list[Any]) -> dict[bytes, tuple[int, int]]:
    counts = {}
    for line in _joined(lines):
        try:
            name, items, *_ = parse_response(line)
        except (ProtocolError, ValueError):
            continue
        values = dict(zip(items[::2], items[1::2], strict=False))
        raw = name if isinstance(name, bytes) else str(name).encode()
        counts[raw] = (values.get(b"MESSAGES", 0), values.get(b"UNSEEN", 0))
    return counts


def _joined(lines: list[Any]) -> list[list[Any]]:
    """imaplib's pieces of untagged answers, grouped by answer: one that holds a literal comes in several pieces."""
    groups: list[list[Any]] = []
    current: list[Any] = []
    for piece in lines:
        current.append(piece)
        if not isinstance(piece, tuple):
            groups.append(current)
            current = []
    return groups


def _with_counts(connection: Connection, mailboxes: list[Mailbox]) -> list[Mailbox]:
    names = {imap_utf7.encode(m.name): m for m in mailboxes if m.selectable}
    try:
        answers = connection.run(*((b"STATUS", mailbox_name(m.name), b"(MESSAGES UNSEEN)") for m in names.values()))
    except Refused:
        return mailboxes  # one of them vanished: no counts are better than no list
    counts = _counts(answers.get("STATUS", []))
    return [Mailbox(m.name, m.delimiter, m.role, m.selectable, *counts.get(imap_utf7.encode(m.name), (0, 0))) for m in mailboxes]


def _named_roles(mailboxes: list[Mailbox]) -> list[Mailbox]:
    """Give a role by its usual name to those that no mailbox claims by special use."""
    taken = {m.role for m in mailboxes}
    by_label = {m.label: m for m in reversed(mailboxes) if m.role is None and m.depth <= 1}
    renamed = {}
    for role, names in _USUAL_NAMES.items():
        if role not in taken and (mailbox := next((by_label[n] for n in names if n in by_label), None)):
            renamed[mailbox.name] = role
    return [Mailbox(m.name, m.delimiter, renamed.get(m.name, m.role), m.selectable, m.messages, m.unseen) for m in mailboxes]


_ROLE_ORDER = {role: place for place, role in enumerate(Role)}


def _order(mailbox: Mailbox) -> tuple[int, str]:
    return (_ROLE_ORDER.get(mailbox.role, 99) if mailbox.role else 99, mailbox.name.casefold())


def _quota(answers: dict[str, list[Any]]) -> Quota | None:
    """The STORAGE resource of the first quota root that has one, in bytes (RFC 9208 counts KiB)."""
    for line in _joined(answers.get("QUOTA", [])):
        try:
            _, resources, *_ = parse_response(line)
        except (ProtocolError, ValueError):
            continue
        for name, used, limit in zip(resources[::3], resources[1::3], resources[2::3], strict=False):
            if name == b"STORAGE" and limit:
                return Quota(used * 1024, limit * 1024)
    return None
