"""Account management: what administrators, and other areas, change of an account. Whoever calls ends sessions and records it."""

from __future__ import annotations

import peewee as pw

from webmail.models import AllowedAddress, AllowedName, User

ROLES = ("person", "admin")


def create(address: str, name: str, *, role: str, password: str, must_change: bool, quota_bytes: int) -> User:
    """Add an account. `password`: its hash; "" where something else checks passwords."""
    local, _, domain = address.rpartition("@")
    return User.create(
        address=address, local=local, domain=domain, name=name, quota_bytes=quota_bytes, role=role, password=password,
        must_change=int(must_change),
    )  # fmt: skip


def set_password(user: User, password: str, *, must_change: bool) -> None:
    """A hash that an administrator gives."""
    user.password, user.must_change, user.temporary_until = password, int(must_change), None
    user.save(only=[User.password, User.must_change, User.temporary_until])


def set_quota(user: User, quota_bytes: int) -> None:
    user.quota_bytes = quota_bytes
    user.save(only=[User.quota_bytes])


def set_recipients(user: User, hour: int | None, day: int | None) -> None:
    """To how many they may write; None: as the settings say."""
    user.recipients_per_hour, user.recipients_per_day = hour, day
    user.save(only=[User.recipients_per_hour, User.recipients_per_day])


def set_active(user: User, active: bool) -> None:
    user.active = int(active)
    user.save(only=[User.active])


def set_role(user: User, role: str) -> bool:
    """Give somebody one of ROLES; whether it changed."""
    if role not in ROLES:
        raise ValueError(f"{role!r} is no role")
    changed = User.update(role=role).where(User.id == user.id, User.role != role).execute()
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


def is_owned(address: str) -> bool:
    """Whether an address is that of an account, or one that the administrator allows one. 1 query."""
    address = address.lower()
    more = AllowedAddress.select(AllowedAddress.id).where(AllowedAddress.address == address)
    return bool(User.select(User.id).where((User.address == address) | pw.fn.EXISTS(more)).exists())


def by_address(address: str) -> User | None:
    """The account of this address, in lower case, if it is active. 1 query."""
    found: User | None = User.get_or_none(User.address == address, User.active == 1)
    return found
