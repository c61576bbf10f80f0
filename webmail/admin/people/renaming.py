"""Renaming: an account gets another address. Mail, calendars and contacts stay where they are, and the old address goes on.

It becomes an alias that programs may still sign in by (webmail/auth/aliases.py); the mailbox stays in its folder (`home`).
What Dovecot keeps of shared folders names people by address: it is written anew, by our tokens. Filters of others that name these
folders follow in a worker.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Container
from dataclasses import asdict, dataclass, field
from typing import Any

from webmail import imap
from webmail.admin.people.creation import NewPerson, fault_of
from webmail.admin.people.record import ChangedBy
from webmail.auth import account_management, aliases
from webmail.auth.new_accounts import NewFault
from webmail.auth.sessions import mail_sessions
from webmail.auth.sessions.endings import end_everything_else
from webmail.auth.sign_in.names import normalise
from webmail.config.settings import Settings
from webmail.database import undo_store
from webmail.database.connection import db
from webmail.errors import MailError
from webmail.filters.rules import renamed_owners
from webmail.mailbox import sharing
from webmail.models import AuditAct, User
from webmail.people import groups, handovers, policies

log = logging.getLogger(__name__)
_MOST_READERS = 2000  # of one person's folders
_OPENING = '{"renamed": '  # of its steps, in the undo store


class RenamingRefusedError(MailError):
    """The address can't be this person's; `fault` says why."""

    status = 422

    def __init__(self, fault: NewFault) -> None:
        super().__init__(fault)
        self.fault = fault


@dataclass(slots=True)
class FolderShares:
    """Who shares which folders with whom, as Dovecot keeps it: by the owner's address, (folder, identifier, rights)."""

    given: list[tuple[str, str, str]] = field(default_factory=list)  # of the person's own folders, to others
    got: dict[str, list[tuple[str, str]]] = field(default_factory=dict)  # by owner: their folder, and the person's rights in it


@dataclass(frozen=True, slots=True)
class Renamed:
    """What is put back by `undo`. `was_alias`: the address of now was one of theirs already; `groups`: those that they left, of
    the domain of before, with who had put them there.
    """

    before: str
    after: str
    was_alias: bool
    was_former: bool
    groups: tuple[tuple[int, str], ...] = ()


def rename(user: User, typed: str, by: ChangedBy, settings: Settings) -> Renamed:
    """Give somebody another address. They sign in anew. Raises RenamingRefusedError."""
    address, before = normalise(typed, user.domain), str(user.address)
    own = {row.address: bool(row.former) for row in aliases.of_account(user)}
    if not address or address == before:
        raise RenamingRefusedError(NewFault.ADDRESS)
    if address not in own and (fault := fault_of(NewPerson(address))):
        raise RenamingRefusedError(fault)
    shares = _shares_of(user, settings)
    _take_back(user, shares, settings)
    try:
        left = _store(user, address, before, own, by)
    except Exception:
        user.address = before
        _write_anew(user, before, FolderShares(shares.given), settings)
        raise
    end_everything_else(user, settings)
    mail_sessions.end_soon(before, settings, pages=True)
    imap.close_all_of(before)
    _write_anew(user, before, shares, settings)
    renamed_owners.note(_readers(user, shares, settings), before, address)
    return Renamed(before, address, address in own, own.get(address, False), left)


def keep_undo(user: User, done: Renamed, by: ChangedBy) -> str:
    """The name by which it can be undone for an hour; "" for a command, which has none to offer."""
    return undo_store.keep(by.actor, json.dumps({"renamed": user.id, **asdict(done)})) if by.actor is not None else ""


def undo(name: str, by: ChangedBy, condition: Any, settings: Settings) -> User | None:
    """Give back the address of before, if the account has that of then. The address that was a mistake is no alias of theirs, but
    where it was one before. `condition`: the scope of who undoes it. None: too late. Raises RenamingRefusedError.
    """
    assert by.actor is not None
    row = undo_store.take(by.actor, name, _OPENING)
    if row is None:
        return None
    steps = json.loads(row.steps)
    done = Renamed(steps["before"], steps["after"], steps["was_alias"], steps["was_former"], tuple(map(tuple, steps["groups"])))
    user = account_management.of_number(steps["renamed"], condition)
    mine = {row.address for row in aliases.of_account(user)} if user is not None else set()
    if user is None or user.address != done.after or done.before not in mine:
        return None
    rename(user, done.before, by, settings)
    with db.atomic():
        if not (done.was_alias and done.was_former):
            aliases.remove(user, done.after)
            account_management.disallow(user, address=done.after)
        if done.was_alias and not done.was_former:
            aliases.add(user, done.after)
        for provider in {one for _number, one in done.groups}:
            groups.join_again(user, [number for number, one in done.groups if one == provider], provider)
        policies.follow(user)
    return user


def _store(user: User, address: str, before: str, own: Container[str], by: ChangedBy) -> tuple[tuple[int, str], ...]:
    """Returns the groups that they left, with who had put them there."""
    with db.atomic():
        if address in own:
            aliases.remove(user, address)
            account_management.disallow(user, address=address)
        account_management.rename(user, address)
        aliases.add(user, before, former=True)
        account_management.allow(user, address=before)
        left = groups.leave_other_domains(user)
        policies.follow(user)  # of the establishment of the new domain
        handovers.follow(before, address)
        by.note(AuditAct.ACCOUNT_RENAMED, address, before=before)
    return left


def _shares_of(user: User, settings: Settings) -> FolderShares:
    """Read before the change, as the person. Nothing without tokens, or where the mail server is away."""
    found = FolderShares()
    if not settings.token_key_file or not user.active:
        return found
    try:
        with imap.connect(settings.account(user.address)) as connection:
            listed = imap.mailboxes.overview(connection).mailboxes
            for mailbox in listed:
                if mailbox.owner and mailbox.selectable:
                    owner, name = mailbox.owner, mailbox.name.split(f"{mailbox.owner}/", 1)[-1]
                    rights = imap.acl.rights(connection, [mailbox.name]).get(mailbox.name)
                    if rights:
                        found.got.setdefault(owner, []).append((name, rights.letters))
                elif mailbox.selectable:
                    for entry in imap.acl.entries(connection, mailbox.name):
                        if entry.identifier != user.address:
                            found.given.append((mailbox.name, entry.identifier, entry.rights.letters))
    except MailError as error:
        log.warning("what %s shares can't be read before the address changes: %s", user.address, error)
    return found


def _readers(user: User, shares: FolderShares, settings: Settings) -> list[User]:
    """Whom the person's folders are shared with, groups taken apart: their filters may name these. Not everybody of a domain."""
    given = dict.fromkeys(identifier for _name, identifier, _rights in shares.given)
    addresses = dict.fromkeys(address for one in given for address in sharing.people_of(one, user, settings))
    found = [account_management.find(address, user.domain) for address in list(addresses)[:_MOST_READERS]]
    return [one for one in found if one is not None and one.active and one.id != user.id]


def _take_back(user: User, shares: FolderShares, settings: Settings) -> None:
    """What the person gave, for a moment: Dovecot's list of it names them by the address of before, and only they change it."""
    if not shares.given:
        return
    try:
        with imap.connect(settings.account(user.address)) as connection:
            for name, identifier, _rights in shares.given:
                imap.acl.revoke(connection, [name], identifier)
    except MailError as error:
        log.warning("what %s shares stays listed under the address of before: %s", user.address, error)


def _write_anew(user: User, before: str, shares: FolderShares, settings: Settings) -> None:
    """What others gave the person is given to the new address, and what the person gave is entered under it."""
    for owner, folders in shares.got.items():
        try:
            with imap.connect(settings.account(owner)) as connection:
                for name, rights in folders:
                    if any(entry.identifier == before for entry in imap.acl.entries(connection, name)):
                        imap.acl.grant(connection, [name], user.address, rights)
                        imap.acl.revoke(connection, [name], before)
        except MailError as error:
            log.warning("%s shares folders with %s, who is %s now: %s", owner, before, user.address, error)
    if not shares.given:
        return
    try:
        with imap.connect(settings.account(user.address)) as connection:
            for name, identifier, rights in shares.given:
                imap.acl.grant(connection, [name], identifier, rights)
    except MailError as error:
        log.warning("what %s shares is not entered under the new address: %s", user.address, error)
