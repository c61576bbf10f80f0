"""Account management: what administrators, and other areas, change of an account. Whoever calls ends sessions and records it."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import peewee as pw

from webmail.database.connection import db
from webmail.database.locks import serialize
from webmail.errors import MailError
from webmail.establishments import establishments
from webmail.models import AllowedAddress, AllowedName, MailAlias, RestedAddress, User, now
from webmail.people import policies

ROLES = ("person", "admin")
_CHUNK = 400
_HOUR = timedelta(hours=1)
_VERSION = pw.fn.COALESCE(User.version, 0)


class LastAdministratorError(MailError):
    """Nobody would be left who may do what administrators do."""

    status = 409


def create(address: str, name: str, *, role: str, password: str, must_change: bool, quota_bytes: int) -> User:
    """Add an account. `password`: its hash; "" where something else checks passwords."""
    local, _, domain = address.rpartition("@")
    return User.create(
        address=address, local=local, domain=domain, name=name, quota_bytes=quota_bytes, role=role, password=password,
        must_change=int(must_change), home=free_home(address),
    )  # fmt: skip


def set_password(user: User, password: str, *, must_change: bool) -> None:
    """A hash that an administrator gives."""
    user.password, user.must_change, user.temporary_until = password, int(must_change), None
    user.save(only=[User.password, User.must_change, User.temporary_until])


def set_quota(user: User, quota_bytes: int) -> None:
    """Given to this person: what their groups say of it counts no more."""
    user.quota_bytes, user.quota_own, user.quota_fixed = quota_bytes, None, 1
    user.save(only=[User.quota_bytes, User.quota_own, User.quota_fixed])


def set_recipients(user: User, hour: int | None, day: int | None) -> None:
    """To how many they may write; None: as the settings say."""
    user.recipients_per_hour, user.recipients_per_day = hour, day
    user.save(only=[User.recipients_per_hour, User.recipients_per_day])


def set_active(user: User, active: bool) -> None:
    """Raises LastAdministratorError."""
    with db.atomic():
        if not active:
            keep_one(user)
        user.active = int(active)
        user.save(only=[User.active])


def set_role(user: User, role: str) -> bool:
    """Give somebody one of ROLES; whether it changed. Who becomes a person administers no establishment either.

    Raises LastAdministratorError.
    """
    if role not in ROLES:
        raise ValueError(f"{role!r} is no role")
    with db.atomic():
        if role == "person":
            keep_one(user)
            establishments.end_all_of(user)
        changed = User.update(role=role).where(User.id == user.id, User.role != role).execute()
        policies.refresh([user.id])  # establishments give nothing to administrators of all
    user.role = role
    return bool(changed)


def set_language(user: User, language: str) -> None:
    user.language = language
    User.update(language=language).where(User.id == user.id).execute()


def delete(user: User) -> None:
    """With all rows that name it; what is elsewhere goes first (webmail/admin/account_deletion.py)."""
    user.delete_instance()


def allow(user: User, *, address: str = "", name: str = "") -> bool:
    """Let somebody write as another address, or under another name; False if they could."""
    table, value = _allowed(address, name)
    return bool(table.get_or_create(user=user, **value)[1])


def disallow(user: User, *, address: str = "", name: str = "") -> bool:
    """Take it back; False if there was nothing to take."""
    table, value = _allowed(address, name)
    same = [getattr(table, column) == given for column, given in value.items()]
    return bool(table.delete().where(table.user == user, *same).execute())


def _allowed(address: str, name: str) -> tuple[type[AllowedAddress] | type[AllowedName], dict[str, str]]:
    return (AllowedAddress, {"address": address}) if address else (AllowedName, {"name": name})


def of_number(number: int, condition: Any) -> User | None:
    """The account, if the condition is true of it. 1 query."""
    found: User | None = User.get_or_none(User.id == number, condition)
    return found


def numbers_of(condition: Any) -> Any:
    """The query for the accounts, by `id`, of which this is true (a scope's, webmail/establishments/scope.py)."""
    return User.select(User.id).where(condition)


def outside(domains: Collection[str], condition: Any) -> Any:
    """The query for the accounts, by `id`, in these domains that are not in a scope (its `condition`): who administers more."""
    mine = User.domain.in_(sorted(domains)) & (User.role != "person")
    return User.select(User.id).where(mine, User.id.not_in(numbers_of(condition)))


def addresses_outside(domains: Collection[str], condition: Any) -> frozenset[str]:
    """Their addresses. One SELECT."""
    return frozenset(row.address for row in User.select(User.address).where(User.id.in_(outside(domains, condition))))


def allowed_addresses(user: User) -> list[str]:
    """The other addresses that somebody may write as. One SELECT."""
    return [row.address for row in AllowedAddress.select().where(AllowedAddress.user == user).order_by(AllowedAddress.address)]


def is_owned(address: str) -> bool:
    """Whether an address is that of an account, or one that the administrator allows one, or an alias. 1 query."""
    address = address.lower()
    more = AllowedAddress.select(AllowedAddress.id).where(AllowedAddress.address == address)
    aliases = MailAlias.select(MailAlias.id).where(MailAlias.address == address)
    asked = (User.address == address) | pw.fn.EXISTS(more) | pw.fn.EXISTS(aliases)
    return bool(User.select(User.id).where(asked).exists())


def find(text: str, domain: str) -> User | None:
    """The account with this address, of which the domain may be left out. 1 query."""
    typed = text.strip().lower()
    return User.get_or_none(User.address == (typed if "@" in typed else f"{typed}@{domain}"))


GROUP = "group"  # the role of an account that nobody signs in to, and that no list of people has


def group_account(identifier: str, name: str) -> User:
    """The account that owns what belongs to a group, which its identifier names; it is made if there is none. 1 query, or 2."""
    local, _, domain = identifier.rpartition("@")
    values = {"local": local, "domain": domain, "name": name, "active": 0, "role": GROUP, "quota_bytes": 0}
    found: User = User.get_or_create(address=identifier, defaults=values)[0]
    if found.name != name:
        User.update(name=name).where(User.id == found.id, User.role == GROUP).execute()
        found.name = name
    return found


def existing_group_account(identifier: str) -> User | None:
    """None where nothing belongs to the group. 1 query."""
    found: User | None = User.get_or_none(User.address == identifier, User.role == GROUP)
    return found


def group_accounts() -> list[User]:
    """1 query."""
    return list(User.select().where(User.role == GROUP).order_by(User.id))


def delete_without_group(account: User, after: timedelta) -> bool:
    """The account of a group that is gone: noted now, deleted with all that it has when it was gone for so long."""
    if account.deletion_asked is None:
        User.update(deletion_asked=now()).where(User.id == account.id).execute()
    elif account.deletion_asked < now() - after:
        delete(account)
        return True
    return False


def administrators(most: int) -> list[User]:
    """The first so many, if they are active. 1 query."""
    return list(User.select().where(User.role == "admin", User.active == 1).order_by(User.id).limit(most))


# --- of administrators: many accounts at once ------------------------------------------------------------------------


def note_sign_in(user: User) -> None:
    """At most once an hour."""
    at = now()
    if user.last_sign_in is None or user.last_sign_in < at - _HOUR:
        User.update(last_sign_in=at).where(User.id == user.id).execute()


def version_of(user: User) -> int:
    return int(user.version or 0)


def change(user: User, version: int | None, **values: Any) -> bool:
    """Store these values, if no administrator has changed the account since it had this version (None: in any case)."""
    mine = User.id == user.id
    if version is not None:
        mine &= version == _VERSION
    if not User.update(version=_VERSION + 1, **values).where(mine).execute():
        return False
    for name, value in values.items():
        setattr(user, name, value)
    return True


def change_many(numbers: Sequence[int], **values: Any) -> None:
    """The same for many, whatever their version."""
    for at in range(0, len(numbers), _CHUNK):
        User.update(version=_VERSION + 1, **values).where(User.id.in_(numbers[at : at + _CHUNK])).execute()


def note_used(user: User, used: int | None) -> None:
    """What room their mail takes, as the mail server said just now; None: it did not."""
    known = {} if used is None else {"used_bytes": used}
    User.update(used_at=now(), **known).where(User.id == user.id).execute()


def listed(conditions: Sequence[Any], order: Sequence[Any] = (), most: int = 0, start: int = 0) -> list[User]:
    """The accounts of which these are true; `most`: 0 for all. One SELECT."""
    rows = User.select().where(*conditions).order_by(*(order or (User.address,)))
    return list(rows.limit(most).offset(start) if most else rows)


def count(conditions: Sequence[Any]) -> int:
    return int(User.select(User.id).where(*conditions).count())


def of_numbers(numbers: Sequence[int], condition: Any) -> list[User]:
    """Those of these accounts for which the condition is true, by address."""
    found: list[User] = []
    for at in range(0, len(numbers), _CHUNK):
        found.extend(User.select().where(User.id.in_(numbers[at : at + _CHUNK]), condition))
    return sorted(found, key=lambda user: str(user.address))


def domains() -> list[str]:
    """In which there are accounts. One SELECT."""
    return [str(user.domain) for user in User.select(User.domain).distinct().order_by(User.domain)]


def active_administrators() -> set[int]:
    """Of the whole installation, by number. One SELECT."""
    return {user.id for user in User.select(User.id).where(User.role == "admin", User.active == 1)}


def is_last_administrator(user: User) -> bool:
    """Whether nobody else could administer all. One SELECT."""
    there = active_administrators()
    return (user.role == "admin" or user.id in there) and there <= {user.id}


def keep_one(user: User) -> None:
    """Begin a transaction that takes somebody's rights or account away: one who administers all stays.

    Of two such transactions one waits. Raises LastAdministratorError.
    """
    serialize("administrators")
    if is_last_administrator(user):
        raise LastAdministratorError(f"{user.address} is the last administrator")


# --- addresses that rest ---------------------------------------------------------------------------------------------


def rest(address: str, home: str, until: datetime) -> None:
    """Give the address to nobody before `until`."""
    kept = RestedAddress.insert(address=address, home=home, until=until)
    kept.on_conflict(conflict_target=[RestedAddress.address], update={"home": home, "until": until}).execute()


def rests_until(address: str) -> datetime | None:
    """Until when an address is given to nobody; None: it may be."""
    row = RestedAddress.get_or_none(RestedAddress.address == address.lower(), RestedAddress.until > now())
    return None if row is None else row.until


def wake_rested() -> None:
    RestedAddress.delete().where(RestedAddress.until <= now()).execute()


def deserted_homes() -> list[str]:
    """The folders of mailboxes whose account is gone, and that no account has now. Two SELECTs."""
    rows = [str(row.home) for row in RestedAddress.select().where(RestedAddress.home != "").order_by(RestedAddress.home)]
    used: Any = User.select(pw.fn.COALESCE(User.home, User.domain.concat("/").concat(User.local))).tuples()
    taken = {home for (home,) in used} if rows else set()
    return [home for home in rows if home not in taken]


def home_of(user: User) -> str:
    """The folder of somebody's mailbox, below that of all."""
    return str(user.home or f"{user.domain}/{user.local}")


def rename(user: User, address: str) -> None:
    """Another address, in the same mailbox. The caller makes the former one an alias, and ends what is open."""
    local, _, domain = address.rpartition("@")
    change(user, None, home=home_of(user), address=address, local=local, domain=domain)


def free_home(address: str) -> str | None:
    """The folder for a new account: None for domain/local, as usual; a random one where that is or was another mailbox's."""
    local, _, domain = address.rpartition("@")
    usual = f"{domain}/{local}"
    others = User.select(User.id).where((User.home == usual) & (User.address != address))
    if others.exists() or RestedAddress.select().where(RestedAddress.home == usual).exists():
        return f"{domain}/{local}.{secrets.token_hex(6)}"
    return None
