"""Other addresses of accounts: aliases and the catch-all of a domain, given and taken by pages and commands, with undo."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from webmail.admin.people.record import ChangedBy
from webmail.auth import account_management, aliases
from webmail.database import undo_store
from webmail.database.connection import db
from webmail.establishments.scope import Scope
from webmail.models import AuditAct, MailAlias, User

_OPENING = '{"other_addresses"'
_REFUSED = (aliases.AliasTakenError, aliases.UnusableAliasError, aliases.InsideOnlyError)


def add(user: User, address: str, by: ChangedBy, *, former: bool = False, writes: bool = True) -> None:
    """Mail for an address goes to an account, which may write from it (`writes`) unless it is a catch-all.

    In the caller's transaction. Raises what `aliases.add` does.
    """
    added = aliases.add(user, address, former=former)
    if writes and not added.address.startswith("@"):
        account_management.allow(user, address=added.address)
    by.note(AuditAct.ACCOUNT_ALLOWED, user.address, address=added.address)


def remove(user: User, address: str, by: ChangedBy) -> None:
    """No more of both. In the caller's transaction."""
    aliases.remove(user, address)
    account_management.disallow(user, address=address)
    by.note(AuditAct.ACCOUNT_DISALLOWED, user.address, address=address)


def change(taken: Iterable[MailAlias], given: Sequence[tuple[User, str]], by: ChangedBy) -> str:
    """Take these away and give those; returns the name to undo it by, "" for a command. One transaction.

    Raises what `aliases.add` does; nothing has changed then.
    """
    steps: list[list[object]] = []
    with db.atomic():
        for row in taken:
            writes = row.address in account_management.allowed_addresses(row.user)
            steps.append(["taken", row.user.id, row.address, int(row.former), int(writes)])
            remove(row.user, row.address, by)
            account_management.change(row.user, None)
        for user, address in given:
            add(user, address, by)
            steps.append(["given", user.id, address.strip().lower()])
            account_management.change(user, None)
        return undo_store.keep(by.actor, json.dumps({"other_addresses": steps})) if by.actor is not None and steps else ""


def undo(name: str, by: ChangedBy, scope: Scope) -> str | None:
    """Put back what `change` did, where an address was not given to somebody else since; the domain it was in, None if nothing
    could be. One transaction."""
    assert by.actor is not None
    with db.atomic():
        row = undo_store.take(by.actor, name, _OPENING)
        done = ""
        for word, number, address, *more in reversed(json.loads(row.steps)["other_addresses"] if row is not None else []):
            user = account_management.of_number(number, scope.condition())
            if user is None or not scope.includes(address):
                continue
            if word == "given" and any(one.address == address for one in aliases.of_account(user)):
                remove(user, address, by)
            elif word == "taken" and not _given_back(user, address, by, *more):
                continue
            account_management.change(user, None)
            done = address.rpartition("@")[2]
        return done or None


def _given_back(user: User, address: str, by: ChangedBy, former: int, writes: int) -> bool:
    try:
        add(user, address, by, former=bool(former), writes=bool(writes))
    except _REFUSED:
        return False
    return True
