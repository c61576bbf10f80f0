"""Creation of accounts, one or hundreds: all passwords are hashed on all cores before the one transaction begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from webmail.admin.people.record import ChangedBy
from webmail.auth import account_management, new_accounts
from webmail.auth.new_accounts import NewFault
from webmail.auth.passwords import hashing
from webmail.auth.recovery import temporary_passwords
from webmail.auth.sign_in.names import normalise
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.models import AuditAct, User, now
from webmail.people import own_name

USUAL_QUOTA = 1024**3


@dataclass(slots=True)
class NewPerson:
    """Somebody to have an account. `letters`: their temporary password, "" where something else signs them in."""

    address: str
    name: str = ""
    quota_bytes: int = USUAL_QUOTA
    role: str = "person"
    letters: str = ""
    lasting: bool = False  # they keep this password


def fault_of(person: NewPerson) -> NewFault | None:
    """Why they can't have an account; whether the domain may be given, the caller knows. At most 4 SELECTs."""
    address = normalise(person.address, "")
    if not person.name.isprintable() or len(person.name) > own_name.LONGEST:
        return NewFault.NAME
    fault = new_accounts.address_fault(address)
    return NewFault.TAKEN if fault is not NewFault.ADDRESS and account_management.is_owned(address) else fault


def keeps_passwords(settings: Settings) -> bool:
    """Whether passwords are kept here; else the mail server has them, and those who sign in."""
    return settings.sign_in == "accounts"


def make_letters() -> str:
    return temporary_passwords.make()


def create(people: Sequence[NewPerson], by: ChangedBy, settings: Settings) -> list[User]:
    """Make their accounts, all or none, in one transaction. The caller has looked for faults.

    Raises hashing.UnusablePasswordError.
    """
    hashed = iter(hashing.hash_many([one.letters for one in people if one.letters]))
    made = []
    passwords = [next(hashed) if one.letters else "" for one in people]
    with db.atomic():
        for one, password in zip(people, passwords, strict=True):
            address = normalise(one.address, "")
            user = account_management.create(
                address, " ".join(one.name.split()), role=one.role, password=password,
                must_change=bool(password) and not one.lasting, quota_bytes=one.quota_bytes,
            )  # fmt: skip
            by.note(AuditAct.ACCOUNT_ADDED, address, role=one.role)
            new_accounts.created(user, settings)
            made.append(user)
    return made


def give_passwords(users: Sequence[User], by: ChangedBy) -> list[tuple[User, str]]:
    """New temporary passwords, good for some days; whose, and their letters, which are nowhere else. One transaction.

    The caller ends what they have open.
    """
    letters = [make_letters() for _user in users]
    hashed = hashing.hash_many(letters)
    until = now() + temporary_passwords.VALID
    with db.atomic():
        for user, password in zip(users, hashed, strict=True):
            account_management.change(user, None, password=password, must_change=1, temporary_until=until, reset_by_mail=0)
            by.note(AuditAct.ACCOUNT_PASSWORD_SET, user.address)
    return list(zip(users, letters, strict=True))


def may_have_password(user: User, settings: Settings) -> bool:
    """Not who signs in by a provider alone: the directory's password would no longer count."""
    return keeps_passwords(settings) and not (user.provider and not user.password)
