"""Mailboxes: lists them with counts, roles and namespaces (cached for seconds), finds the one for a role, creates them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from imapclient import imap_utf7
from imapclient.exceptions import ProtocolError
from imapclient.response_parser import parse_response

from webmail.account import Account
from webmail.errors import NoSuchMailbox, Refused, UnsafeValue
from webmail.imap import acl, tag_counts
from webmail.imap.commands import mailbox_name
from webmail.imap.connection import Command, Connection, Spare
from webmail.imap.namespaces import Namespaces, namespaces_in
from webmail.imap.responses import joined
from webmail.mail import Mailbox, Quota, Role

_SPECIAL_USE = {
    "\\snoozed": Role.SNOOZED,
    "\\drafts": Role.DRAFTS,
    "\\sent": Role.SENT,
    "\\archive": Role.ARCHIVE,
    "\\junk": Role.JUNK,
    "\\trash": Role.TRASH,
}
# usual names on servers without SPECIAL-USE
_USUAL_NAMES = {
    Role.SNOOZED: ("Snoozed", "En attente"),
    Role.DRAFTS: ("Drafts", "Brouillons", "Draft"),
    Role.SENT: ("Sent", "Sent Items", "Sent Messages", "Envoyés", "Messages envoyés"),
    Role.ARCHIVE: ("Archive", "Archives"),
    Role.JUNK: ("Junk", "Spam", "Junk E-mail", "Indésirables", "Courrier indésirable"),
    Role.TRASH: ("Trash", "Deleted Items", "Deleted Messages", "Corbeille", "Éléments supprimés"),
}


@dataclass(frozen=True, slots=True)
class Overview:
    """All mailboxes of an account with their counts, special ones first, and its quota if the server has one."""

    mailboxes: tuple[Mailbox, ...]
    quota: Quota | None = None
    namespaces: Namespaces = Namespaces()

    def get(self, name: str) -> Mailbox | None:
        return next((m for m in self.mailboxes if m.name == name), None)

    def below(self, parent: Mailbox) -> list[Mailbox]:
        """The mailboxes inside a special one; none for INBOX, since on some servers it contains everything."""
        if parent.role is Role.INBOX or not parent.delimiter:
            return []
        return [m for m in self.mailboxes if m.role is None and parent.holds(m.name)]

    @property
    def own(self) -> list[Mailbox]:
        """The user's ordinary mailboxes, outside the special ones."""
        special = {m.name for parent in self.mailboxes if parent.role for m in self.below(parent)}
        return [m for m in self.mailboxes if m.role is None and not m.owner and m.name not in special]

    @property
    def shared(self) -> list[Mailbox]:
        """Mailboxes of other people and of public namespaces."""
        return [m for m in self.mailboxes if m.owner]

    def with_role(self, role: Role) -> Mailbox | None:
        return next((m for m in self.mailboxes if m.role is role), None)

    def targets(self, source: str) -> list[Mailbox]:
        """Where messages of `source` may be moved: one's own mailboxes first, never Drafts or Snoozed."""
        trash = self.with_role(Role.TRASH)
        fit = [m for m in self.mailboxes if m.takes_messages]
        others = [m for m in fit if m.name != source and not (trash and trash.holds(m.name))]
        return sorted(others, key=lambda m: (bool(m.owner), m.role is not None))

    def side_bar(self, favourites: Iterable[str] = ()) -> SideBar:
        """The mailboxes of the side bar: one's own special and subscribed ones (all, if none is subscribed) with their
        ancestors, and those shared by others."""
        trash = self.with_role(Role.TRASH)
        by_name = {m.name: m for m in self.mailboxes if m.selectable and not (trash and trash.holds(m.name))}
        mine = [m for m in self.mailboxes if not m.owner]
        chosen = [m for m in mine if m.subscribed or m.role] if any(m.subscribed for m in mine) else mine
        names = {name for m in chosen if m.selectable for name in (m.name, *m.ancestors)}
        special = [m for parent in mine if parent.role for m in (parent, *self.below(parent)) if m.role or m.name in names]
        return SideBar(
            tuple(by_name[name] for name in favourites if name in by_name),
            tuple(special),
            tuple(m for m in self.own if m.name in names),
            tuple(m for m in self.shared if m.selectable),
        )

    def counted(self, counts: dict[str, tuple[int, int]]) -> Overview:
        """A copy with updated counts (messages, unseen) of some mailboxes."""
        boxes = (
            replace(m, messages=counts[m.name][0], unseen=counts[m.name][1]) if m.name in counts else m for m in self.mailboxes
        )
        return replace(self, mailboxes=tuple(boxes))

    def with_one_seen(self, name: str) -> Overview:
        """A copy with one unread message less in this mailbox."""
        return self.counted({m.name: (m.messages, max(m.unseen - 1, 0)) for m in self.mailboxes if m.name == name})


@dataclass(frozen=True, slots=True)
class SideBar:
    """The mailboxes beside every page, in display order."""

    favourites: tuple[Mailbox, ...]
    special: tuple[Mailbox, ...]  # each followed by those inside it
    own: tuple[Mailbox, ...]
    shared: tuple[Mailbox, ...]


def overview(connection: Connection) -> Overview:
    """Mailboxes, counts and quota: at most 1 round trip, 1 more if the server lacks LIST-STATUS (RFC 5819), and 1 for the
    rights in mailboxes shared by others, if any."""
    commands = overview_commands(connection)
    return overview_in(connection, connection.run(*commands) if commands else {})


def overview_commands(connection: Connection) -> list[Command]:
    """The commands of `overview`, to be sent with others in the same round trip.

    All mailboxes are counted at most every 15 s for each account, and after each change made here, since counting large
    folders and the quota is the most expensive request of a page; in between only the selected mailbox. Never send them
    together with NOOP or SELECT: Dovecot would return stale counts.
    """
    commands = _namespace_command(connection)
    if _kept(connection):
        here = connection.mailbox
        return [*commands, (b"STATUS", mailbox_name(here), b"(MESSAGES UNSEEN)")] if here else commands
    commands += _list_commands(connection)
    if connection.has("QUOTA"):
        commands.append(Spare((b"GETQUOTAROOT", b'"INBOX"')))
    return commands


def overview_in(connection: Connection, answers: dict[str, list[Any]]) -> Overview:
    """The overview in the responses to `overview_commands`."""
    _learn_namespaces(connection, answers)
    if "LIST" not in answers:
        with _lock:
            _at, kept = _overviews.get(connection.account, (0.0, None))
        if kept is None:  # invalidated between the commands and their responses
            return overview(connection)
        return kept.counted({imap_utf7.decode(raw): numbers for raw, numbers in _counts(answers.get("STATUS", [])).items()})
    mailboxes = _mailboxes(connection, answers)
    if not connection.has("LIST-STATUS"):
        mailboxes = _with_counts(connection, mailboxes)
    if connection.has("ACL") and (shared := [m.name for m in mailboxes if m.owner and m.selectable]):
        rights = acl.rights(connection, shared)
        mailboxes = [replace(m, rights=rights[m.name]) if m.name in rights else m for m in mailboxes]
    found = Overview(tuple(sorted(mailboxes, key=_order)), _quota(answers), connection.namespaces or Namespaces())
    with _lock:
        _overviews[connection.account] = (time.monotonic(), found)
        for account in [a for a, (at, _) in _overviews.items() if at < time.monotonic() - _KEEP_SECONDS]:
            del _overviews[account]
    return found


def forget(account: Account) -> None:
    """Invalidate the cached overview, after a change to mailboxes or messages."""
    with _lock:
        _overviews.pop(account, None)
    tag_counts.changed(account)


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
    """The name of the mailbox with this role, created (and subscribed) if there is none: 3 round trips.

    1 if it exists, 0 if the cached overview has it.
    """
    if (kept := _kept(connection)) and (mailbox := kept.with_role(role)):
        return mailbox.name
    answers = connection.run(*_namespace_command(connection), (b"LIST", b'""', b'"*"'))
    _learn_namespaces(connection, answers)
    found = _mailboxes(connection, answers)
    if mailbox := next((m for m in found if m.role is role), None):
        return mailbox.name
    name = _USUAL_NAMES[role][0]
    if any(m.delimiter == "." and m.name.startswith("INBOX.") for m in found):
        name = f"INBOX.{name}"  # servers with all mailboxes below INBOX
    create(connection, name)
    return name


def create(connection: Connection, name: str) -> None:
    """Create and subscribe: 2 round trips. Raises Refused, NotAllowed."""
    connection.run((b"CREATE", mailbox_name(name)))
    connection.run((b"SUBSCRIBE", mailbox_name(name)))
    forget(connection.account)


def _namespace_command(connection: Connection) -> list[Command]:
    """NAMESPACE, once per connection, unless it is refused."""
    return [Spare((b"NAMESPACE",))] if connection.namespaces is None and connection.has("NAMESPACE") else []


def _list_commands(connection: Connection) -> list[Command]:
    """LIST with special use (RFC 6154), subscriptions (RFC 5258) and counts (RFC 5819), if supported."""
    if connection.has("LIST-STATUS"):
        return [(b"LIST", b'""', b'"*"', b"RETURN (SPECIAL-USE SUBSCRIBED STATUS (MESSAGES UNSEEN))")]
    return [(b"LIST", b'""', b'"*"'), (b"LSUB", b'""', b'"*"')]


def _learn_namespaces(connection: Connection, answers: dict[str, list[Any]]) -> None:
    if "NAMESPACE" in answers:
        connection.namespaces = namespaces_in(answers["NAMESPACE"])


def _mailboxes(connection: Connection, answers: dict[str, list[Any]]) -> list[Mailbox]:
    places: Namespaces = connection.namespaces or Namespaces()
    counts = _counts(answers.get("STATUS", []))
    told = "LSUB" in answers
    subscribed = {imap_utf7.decode(raw) for _flags, _delimiter, raw in list_lines(answers.get("LSUB", []))}
    found: dict[str, Mailbox] = {}
    for flags, delimiter, raw in list_lines(answers.get("LIST", [])):
        name = imap_utf7.decode(raw)
        low = {flag.lower() for flag in flags}
        owner, prefix = places.owner_of(name)
        role = next((_SPECIAL_USE[f] for f in low if f in _SPECIAL_USE), None) if not owner else None
        if name.upper() == "INBOX":
            name, role = "INBOX", Role.INBOX
        # a closed account's mailboxes are still listed, without counts
        selectable = not low & {"\\noselect", "\\nonexistent"} and (not owner or raw in counts or not counts)
        if (owner or places.is_prefix(name)) and not selectable:
            continue
        messages, unseen = counts.get(raw, (0, 0))
        follows = name in subscribed if told else "\\subscribed" in low
        found[name] = Mailbox(name, delimiter, role, selectable, messages, unseen, follows, owner, prefix)
    return _named_roles(list(found.values()), dict(connection.account.roles))


_UNREADABLE = (ProtocolError, ValueError, TypeError, AttributeError, LookupError)


def list_lines(lines: list[Any]) -> list[tuple[list[str], str, bytes]]:
    """Parse `(\\HasNoChildren \\Sent) "/" Sent` -> flags, delimiter, encoded name. Skips malformed lines, and names that no
    command may contain (somebody may share a mailbox whose name has a line end): one must not hide all the others.
    """
    found = []
    for line in joined(lines):
        try:
            flags, delimiter, name, *_ = parse_response(line)
            raw = name if isinstance(name, bytes) else str(name).encode()  # a mailbox named 2024 parses as a number
            mailbox_name(imap_utf7.decode(raw))
            found.append(([f.decode("ascii", "replace") for f in flags], (delimiter or b"").decode(), raw))
        except (*_UNREADABLE, UnsafeValue, NoSuchMailbox):
            continue
    return found


def _counts(lines: list[Any]) -> dict[bytes, tuple[int, int]]:
    counts = {}
    for line in joined(lines):
        try:
            name, items, *_ = parse_response(line)
            values = dict(zip(items[::2], items[1::2], strict=False))
        except _UNREADABLE:
            continue
        raw = name if isinstance(name, bytes) else str(name).encode()
        counts[raw] = (values.get(b"MESSAGES", 0), values.get(b"UNSEEN", 0))
    return counts


def _with_counts(connection: Connection, mailboxes: list[Mailbox]) -> list[Mailbox]:
    names = {imap_utf7.encode(m.name): m for m in mailboxes if m.selectable}
    try:
        answers = connection.run(*((b"STATUS", mailbox_name(m.name), b"(MESSAGES UNSEEN)") for m in names.values()))
    except Refused:
        return mailboxes  # one of them was deleted: better no counts than no list
    counts = {imap_utf7.decode(raw): numbers for raw, numbers in _counts(answers.get("STATUS", [])).items()}
    return [replace(m, messages=counts[m.name][0], unseen=counts[m.name][1]) if m.name in counts else m for m in mailboxes]


def _named_roles(mailboxes: list[Mailbox], chosen: dict[str, str]) -> list[Mailbox]:
    """Assign each role to one mailbox: the one the person chose, else the one with that special use, else one with a usual
    name. A chosen mailbox that no longer exists is ignored."""
    may_serve = {m.name for m in mailboxes if m.selectable and not m.owner and m.role is not Role.INBOX}
    roles = {name: Role(role) for role, name in chosen.items() if name in may_serve}
    taken = {*roles.values(), Role.INBOX}
    for m in mailboxes:
        if m.role and m.role not in taken and m.name not in roles:
            roles[m.name] = m.role
            taken.add(m.role)
    by_label = {m.label: m for m in reversed(mailboxes) if m.name in may_serve - roles.keys() and m.depth <= 1}
    for role, names in _USUAL_NAMES.items():
        if role not in taken and (mailbox := next((by_label[n] for n in names if n in by_label), None)):
            roles[mailbox.name] = role
    return [m if m.role is Role.INBOX else replace(m, role=roles.get(m.name)) for m in mailboxes]


_ROLE_ORDER = {role: place for place, role in enumerate(Role)}


def _order(mailbox: Mailbox) -> tuple[int, list[str]]:
    """Sort key: special mailboxes first, then by name, each followed by those inside it."""
    path = mailbox.name.casefold()
    place = 999 if mailbox.owner else _ROLE_ORDER[mailbox.role] if mailbox.role else 99
    return (place, path.split(mailbox.delimiter) if mailbox.delimiter else [path])


def _quota(answers: dict[str, list[Any]]) -> Quota | None:
    """The STORAGE resource of the first quota root that has one, in bytes (RFC 9208 counts KiB)."""
    for line in joined(answers.get("QUOTA", [])):
        try:
            _, resources, *_ = parse_response(line)
        except (ProtocolError, ValueError):
            continue
        for name, used, limit in zip(resources[::3], resources[1::3], resources[2::3], strict=False):
            if name == b"STORAGE" and limit:
                return Quota(used * 1024, limit * 1024)
    return None
