"""Mailboxes: lists them with counts, roles and namespaces (cached for seconds), finds the one for a role, creates them."""

from __future__ import annotations

import time
from collections.abc import Set
from dataclasses import replace
from typing import Any

from imapclient.exceptions import ProtocolError
from imapclient.response_parser import parse_response

from webmail.errors import RefusedError
from webmail.imap.connections.commands import mailbox_name
from webmail.imap.connections.connection import Command, Connection, Spare
from webmail.imap.connections.responses import joined
from webmail.imap.mailbox_list import acl, list_answers
from webmail.imap.mailbox_list.list_answers import Counts, ListedMailbox, list_lines
from webmail.imap.mailbox_list.namespaces import Namespaces, namespaces_in
from webmail.imap.mailbox_list.overviews import (
    FRESH_SECONDS,
    LARGE,
    MOST_COUNTED,
    Overview,
    SideBar,
    cached,
    forget,
    forget_all,
    keep,
    listed,
    note_seen,
)
from webmail.mail import Mailbox, Quota, Role

__all__ = [
    "Overview", "SideBar", "all_commands", "count_all", "create", "for_role", "forget", "forget_all", "cached",
    "listed", "note_seen", "overview", "overview_commands", "overview_in", "role_of", "without_counts",
]  # fmt: skip

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


def overview(connection: Connection) -> Overview:
    """Mailboxes, counts and quota: at most 1 round trip, 1 more if the server lacks LIST-STATUS (RFC 5819), 1 for new folders,
    and 1 for the rights in mailboxes shared by others, if any."""
    commands = overview_commands(connection)
    return overview_in(connection, connection.run(*commands) if commands else {})


def count_all(connection: Connection) -> Overview:
    """The overview with all counts as they are now, and the quota where it is due: round trips as for `overview`."""
    kept = cached(connection.account)
    connection.asks_quota = kept is None or kept.is_quota_due
    began, connection.counts_all = time.monotonic(), True
    return overview_in(connection, connection.run(*_namespace_command(connection), *all_commands(connection)), began)


def quota(connection: Connection) -> Quota | None:
    """The quota alone, with what is used of it; None where there is none. 1 round trip."""
    if not connection.has("QUOTA"):
        return None
    return _quota(connection.run((b"GETQUOTAROOT", b'"INBOX"')))


def overview_commands(connection: Connection) -> list[Command]:
    """The commands of `overview`, to be sent with others in the same round trip.

    Counting large mailboxes and reading the quota is the most expensive request of a page. It is left to `recount`, which asks
    after the answer, unless nothing is known yet. A page counts the selected mailbox; all but the large ones after a change made
    here, or when the list is a minute old. Never send them together with NOOP or SELECT: Dovecot would return stale counts.
    """
    commands = _namespace_command(connection)
    kept, here = cached(connection.account), connection.mailbox
    connection.counts_all = connection.asks_quota = kept is None
    if kept is None:
        return [*commands, *all_commands(connection)]
    if kept.holds(here):
        return [*commands, _status(here)] if here else commands
    small = [m.name for m in kept.found.mailboxes if m.selectable and m.messages < LARGE and m.name != here][:MOST_COUNTED]
    commands += _list_commands(connection, counts=False)
    return [*commands, *(Spare(_status(name)) for name in ([here, *small] if here else small))]


def all_commands(connection: Connection) -> list[Command]:
    """The commands that count everything, and read the quota if the connection `asks_quota`."""
    commands = _list_commands(connection)
    if connection.has("QUOTA") and connection.asks_quota:
        commands.append(Spare((b"GETQUOTAROOT", b'"INBOX"')))
    return commands


def overview_in(connection: Connection, answers: dict[str, list[Any]], began: float | None = None) -> Overview:
    """The overview in the responses to `overview_commands`, or to `all_commands` sent at `began`."""
    _learn_namespaces(connection, answers)
    kept = cached(connection.account)
    if kept is None and ("LIST" not in answers or not (connection.counts_all and connection.asks_quota)):
        return overview(connection)  # forgotten between the commands and their responses
    if "LIST" not in answers and kept is not None:
        return kept.found.counted(list_answers.counts(answers.get("STATUS", [])))
    at = time.monotonic() if began is None else began
    everything = connection.counts_all or kept is None
    before = () if everything or kept is None else kept.found.mailboxes
    counts = {m.name: (m.messages, m.unseen) for m in before if m.selectable} | list_answers.counts(answers.get("STATUS", []))
    lines = list_lines(answers.get("LIST", []))
    if not everything:
        counts |= _counts_of_new(connection, lines, counts)
    mailboxes = _mailboxes(connection, lines, answers, counts)
    if everything and not connection.has("LIST-STATUS"):
        mailboxes = _with_counts(connection, mailboxes)
    if connection.has("ACL") and (shared := [m.name for m in mailboxes if m.owner and m.selectable]):
        rights = acl.rights(connection, shared)
        mailboxes = [replace(m, rights=rights[m.name]) if m.name in rights else m for m in mailboxes]
    with_quota = everything and connection.asks_quota
    quota = _quota(answers) if kept is None or with_quota else kept.found.quota
    found = Overview(tuple(sorted(mailboxes, key=_order)), quota, connection.namespaces or Namespaces())
    keep(connection.account, found, at, everything, with_quota)
    return found


def _status(mailbox: str) -> Command:
    return (b"STATUS", mailbox_name(mailbox), b"(MESSAGES UNSEEN)")


def for_role(connection: Connection, role: Role) -> str:
    """The name of the mailbox with this role, created (and subscribed) if there is none: 3 round trips.

    1 if it exists, 0 if the cached overview has it.
    """
    kept = cached(connection.account)
    fresh = kept is not None and kept.changed < kept.listed and kept.listed > time.monotonic() - FRESH_SECONDS
    if kept and fresh and (mailbox := kept.found.with_role(role)):
        return mailbox.name
    found = without_counts(connection)
    if mailbox := next((m for m in found if m.role is role), None):
        return mailbox.name
    name = _USUAL_NAMES[role][0]
    if any(m.delimiter == "." and m.name.startswith("INBOX.") for m in found):
        name = f"INBOX.{name}"  # servers with all mailboxes below INBOX
    create(connection, name)
    return name


def without_counts(connection: Connection) -> list[Mailbox]:
    """All mailboxes with their roles, but without counts and rights: 1 round trip."""
    answers = connection.run(*_namespace_command(connection), (b"LIST", b'""', b'"*"'))
    _learn_namespaces(connection, answers)
    return _mailboxes(connection, list_lines(answers.get("LIST", [])), answers, {})


def create(connection: Connection, name: str) -> None:
    """Create and subscribe: 2 round trips. Raises RefusedError, NotAllowedError."""
    connection.run((b"CREATE", mailbox_name(name)))
    connection.run((b"SUBSCRIBE", mailbox_name(name)))
    forget(connection.account, sizes=False)


def _namespace_command(connection: Connection) -> list[Command]:
    """NAMESPACE, once per connection, unless it is refused."""
    return [Spare((b"NAMESPACE",))] if connection.namespaces is None and connection.has("NAMESPACE") else []


def _list_commands(connection: Connection, *, counts: bool = True) -> list[Command]:
    """LIST with special use (RFC 6154), subscriptions (RFC 5258) and counts (RFC 5819), if supported."""
    if connection.has("LIST-STATUS"):
        also = b" STATUS (MESSAGES UNSEEN)" if counts else b""
        return [(b"LIST", b'""', b'"*"', b"RETURN (SPECIAL-USE SUBSCRIBED" + also + b")")]
    return [(b"LIST", b'""', b'"*"'), (b"LSUB", b'""', b'"*"')]


def _learn_namespaces(connection: Connection, answers: dict[str, list[Any]]) -> None:
    if "NAMESPACE" in answers:
        connection.namespaces = namespaces_in(answers["NAMESPACE"])


def _mailboxes(
    connection: Connection, lines: list[ListedMailbox], answers: dict[str, list[Any]], counts: Counts
) -> list[Mailbox]:
    """Those that LIST named in `lines`."""
    places: Namespaces = connection.namespaces or Namespaces()
    told = "LSUB" in answers
    subscribed = {line.name for line in list_lines(answers.get("LSUB", []))}
    found: dict[str, Mailbox] = {}
    for line in lines:
        name, delimiter, flags = line
        owner, prefix = places.owner_of(name)
        role = role_of(flags) if not owner else None
        if name.upper() == "INBOX":
            name, role = "INBOX", Role.INBOX
        # a closed account's mailboxes are still listed, without counts
        selectable = line.selectable and (not owner or line.name in counts or not counts)
        if not selectable and (owner or places.is_prefix(name)):
            continue
        messages, unseen = counts.get(line.name, (0, 0))
        follows = name in subscribed if told else "\\subscribed" in flags
        found[name] = Mailbox(name, delimiter, role, selectable, messages, unseen, follows, owner, prefix)
    return _named_roles(list(found.values()), dict(connection.account.roles))


def role_of(flags: Set[str]) -> Role | None:
    """By the flags of LIST (RFC 6154), in lower case."""
    return next((_SPECIAL_USE[flag] for flag in flags if flag in _SPECIAL_USE), None)


def _counts_of_new(connection: Connection, lines: list[ListedMailbox], counts: Counts) -> Counts:
    """The counts of listed mailboxes that have none, such as one just shared, if they can be opened: 1 round trip, usually 0."""
    new = [line.name for line in lines if line.name not in counts and line.selectable]
    if not new:
        return {}
    told = connection.run(*(Spare(_status(name)) for name in new[:MOST_COUNTED]))
    return list_answers.counts(told.get("STATUS", []))


def _with_counts(connection: Connection, mailboxes: list[Mailbox]) -> list[Mailbox]:
    try:
        answers = connection.run(*(_status(m.name) for m in mailboxes if m.selectable))
    except RefusedError:
        return mailboxes  # one of them was deleted: better no counts than no list
    counts = list_answers.counts(answers.get("STATUS", []))
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
    free = may_serve - roles.keys()
    by_label = {m.label: m for m in reversed(mailboxes) if m.name in free and m.depth <= 1}
    for role, names in _USUAL_NAMES.items():
        if role not in taken and (mailbox := next((by_label[n] for n in names if n in by_label), None)):
            roles[mailbox.name] = role
    return [m if m.role in (Role.INBOX, roles.get(m.name)) else replace(m, role=roles.get(m.name)) for m in mailboxes]


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
