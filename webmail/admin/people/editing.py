"""Editing of one account: name, quota, role, other addresses; of two administrators the second is told what the first changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from webmail.admin.people import changes, other_addresses, sizes
from webmail.admin.people.record import ChangedBy
from webmail.auth import account_management, aliases
from webmail.auth.sessions.endings import end_everything_else
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.database.locks import serialize
from webmail.errors import MailError
from webmail.mailbox.quota import quota_request
from webmail.models import AuditAct, User
from webmail.people import own_name, policies


class AccountChangedError(MailError):
    """Another administrator changed the account since the form was shown."""

    status = 409


class RefusedChangeError(MailError):
    """It may not be; `refusal` says why."""

    status = 409

    def __init__(self, refusal: changes.ChangeRefusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal


class AliasRefusedError(MailError):
    """Another address that can't be this person's: the message is the address."""

    status = 422


class CatchAllRefusedError(MailError):
    """A catch-all for somebody who takes mail from inside alone: the message is the address."""

    status = 422


_FIELDS = ("name", "quota_bytes", "quota_messages", "role", "aliases", "allowed")


@dataclass(slots=True)
class AccountFields:
    """What the form holds of an account."""

    name: str
    quota_bytes: int
    role: str
    aliases: tuple[str, ...] = ()  # whose mail comes to this mailbox, and which may be written from
    allowed: tuple[str, ...] = ()  # which may be written from alone: a department's
    version: int = 0
    quota_messages: int | None = None  # of their own; None: as their groups say, else without limit; 0: without limit


def fields_of(user: User) -> AccountFields:
    """As it is now. Two SELECTs."""
    others = [row.address for row in aliases.of_account(user)]
    allowed = [address for address in account_management.allowed_addresses(user) if address not in others]
    version = account_management.version_of(user)
    messages = policies.own_of(user).quota_messages
    return AccountFields(own_name.given(user), user.quota_bytes, user.role, tuple(others), tuple(allowed), version, messages)


def save(user: User, wanted: AccountFields, by: ChangedBy, settings: Settings) -> list[str]:
    """Store what the form holds; the names of what changed. One transaction.

    Raises AccountChangedError, RefusedChangeError, AliasRefusedError, CatchAllRefusedError; nothing is stored then.
    """
    with db.atomic():
        serialize("administrators")
        before = fields_of(user)
        if before.version != wanted.version:
            raise AccountChangedError(user.address)
        changed = [name for name in _FIELDS if _differs(before, wanted, name)]
        _check(user, wanted, changed, by, settings)
        if not account_management.change(user, wanted.version):
            raise AccountChangedError(user.address)
        if "name" in changed:
            own_name.put(user, wanted.name)
            by.note(AuditAct.ACCOUNT_NAMED, user.address)
        if "quota_bytes" in changed:
            account_management.set_quota(user, wanted.quota_bytes)
            quota_request.close(user, wanted.quota_bytes)
            room, was = sizes.as_typed(wanted.quota_bytes) or "no limit", sizes.as_typed(before.quota_bytes) or "no limit"
            by.note(AuditAct.ACCOUNT_QUOTA_SET, user.address, before=was, room=room)
        if "quota_messages" in changed:
            policies.set_own(user, replace(policies.own_of(user), quota_messages=wanted.quota_messages))
            by.note(AuditAct.ACCOUNT_QUOTA_SET, user.address, messages=_messages_words(wanted.quota_messages))
        if "role" in changed:
            account_management.set_role(user, wanted.role)
            by.note(AuditAct.ACCOUNT_ROLE_SET, user.address, role=wanted.role, before=before.role)
        _set_addresses(user, before, wanted, by)
    if "role" in changed:
        end_everything_else(user, settings)
    return changed


def _messages_words(most: int | None) -> str | int:
    return "as the groups say" if most is None else most or "no limit"


def _differs(before: AccountFields, wanted: AccountFields, name: str) -> bool:
    old, new = getattr(before, name), getattr(wanted, name)
    return set(old) != set(new) if isinstance(old, tuple) else bool(old != new)


def _check(user: User, wanted: AccountFields, changed: Sequence[str], by: ChangedBy, settings: Settings) -> None:
    if "role" in changed and user.role == "admin":
        if account_management.active_administrators() <= {user.id}:
            raise RefusedChangeError(changes.ChangeRefusal.LAST)
        if by.is_oneself(user):
            raise RefusedChangeError(changes.ChangeRefusal.ONESELF)
    if {"quota_bytes", "quota_messages"} & set(changed) and settings.sign_in != "accounts":
        raise RefusedChangeError(changes.ChangeRefusal.MAIL_SERVER)
    if ("quota_bytes" in changed and changes.gives_quota(user, settings)) or ("name" in changed and changes.gives_name(user)):
        raise RefusedChangeError(changes.ChangeRefusal.DIRECTORY)


def _set_addresses(user: User, before: AccountFields, wanted: AccountFields, by: ChangedBy) -> None:
    for address in sorted(set(before.aliases) - set(wanted.aliases)):
        other_addresses.remove(user, address, by)
    for address in sorted(set(before.allowed) - set(wanted.allowed)):
        account_management.disallow(user, address=address)
        by.note(AuditAct.ACCOUNT_DISALLOWED, user.address, address=address)
    for address in sorted(set(wanted.aliases) - set(before.aliases)):
        try:
            other_addresses.add(user, address, by)
        except (aliases.AliasTakenError, aliases.UnusableAliasError) as error:
            raise AliasRefusedError(address) from error
        except aliases.InsideOnlyError as error:
            raise CatchAllRefusedError(address) from error
    for address in sorted(set(wanted.allowed) - set(before.allowed) - set(wanted.aliases)):
        if address == user.address:
            continue
        account_management.allow(user, address=address)
        by.note(AuditAct.ACCOUNT_ALLOWED, user.address, address=address)
