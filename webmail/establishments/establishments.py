"""Establishments: made, renamed and deleted, their domains, what they give, and who administers one of them alone."""

from __future__ import annotations

import re
import time
from typing import Any

import peewee as pw

from webmail.database.connection import db
from webmail.errors import MailError
from webmail.models import Establishment, EstablishmentAdministrator, EstablishmentDomain, User
from webmail.people import policies
from webmail.people.policies import Policy

LONGEST_NAME = 190
DIRECTORIES = ("all", "own")
_DOMAIN = re.compile(r"(?!-)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+")
MOST_ASKED = 5  # people who are mailed what one asks


class EstablishmentNameTakenError(MailError):
    """Another establishment has this name."""

    status = 409


class DomainTakenError(MailError):
    """Another establishment has this domain."""

    status = 409


class EstablishmentChangedElsewhereError(MailError):
    """Somebody else changed what it gives since the form was shown."""

    status = 409


class UnusableDomainError(MailError):
    """What was typed is no domain."""

    status = 422


def are_there() -> bool:
    """Whether the installation is shared by several. One SELECT."""
    return bool(Establishment.select(Establishment.id).exists())


def listed() -> list[Establishment]:
    """All of them, by name. One SELECT."""
    return list(Establishment.select().order_by(Establishment.name))


def make(name: str) -> Establishment:
    """Raises EstablishmentNameTakenError."""
    name = _name(name)
    with db.atomic():
        if Establishment.get_or_none(Establishment.name == name):
            raise EstablishmentNameTakenError(name)
        return Establishment.create(name=name, directory="own")


def rename(establishment: Establishment, name: str) -> None:
    """Raises EstablishmentNameTakenError."""
    name = _name(name)
    with db.atomic():
        if Establishment.get_or_none(Establishment.name == name, Establishment.id != establishment.id):
            raise EstablishmentNameTakenError(name)
        establishment.name = name
        establishment.save(only=[Establishment.name])


def show_directory(establishment: Establishment, whom: str) -> None:
    """Whom its people find: one of DIRECTORIES."""
    if whom not in DIRECTORIES:
        raise ValueError(f"{whom!r} is no directory")
    establishment.directory = whom
    establishment.save(only=[Establishment.directory])
    forget_rules()


def of_number(number: int) -> Establishment | None:
    """One SELECT."""
    found: Establishment | None = Establishment.get_or_none(Establishment.id == number)
    return found


def remove(establishment: Establishment) -> None:
    """The accounts stay, and belong to the installation itself."""
    with db.atomic():
        had = domains(establishment)
        for user in administrators(establishment):
            remove_administrator(establishment, user)
        establishment.delete_instance()
        policies.refresh_domains(had)
    forget_rules()


def set_policy(establishment: Establishment, said: Policy, version: int) -> int:
    """What it gives from now on, typed into a form that was shown at this `version`; returns for how many something changed.
    The caller records it. One transaction. Raises EstablishmentChangedElsewhereError.
    """
    same = (Establishment.id == establishment.id) & (pw.fn.COALESCE(Establishment.version, 0) == version)
    with db.atomic():
        if not Establishment.update(policy=said.dumps(), version=version + 1).where(same).execute():
            raise EstablishmentChangedElsewhereError(establishment.name)
        return policies.refresh_domains(domains(establishment))


# --- domains ---------------------------------------------------------------------------------------------------------


def domains(establishment: Establishment) -> list[str]:
    """In their order. One SELECT."""
    rows = EstablishmentDomain.select().where(EstablishmentDomain.establishment == establishment)
    return [row.domain for row in rows.order_by(EstablishmentDomain.domain)]


def all_domains() -> list[str]:
    """Of all establishments. One SELECT."""
    return [row.domain for row in EstablishmentDomain.select().order_by(EstablishmentDomain.domain)]


def set_domains(establishment: Establishment, typed: list[str]) -> tuple[list[str], list[str]]:
    """Give it these and no others; which are new, and which it has no more. Raises UnusableDomainError, DomainTakenError."""
    wanted = {domain.strip().lower().rstrip(".") for domain in typed if domain.strip()}
    for domain in wanted:
        if not _DOMAIN.fullmatch(domain) or len(domain) > LONGEST_NAME:
            raise UnusableDomainError(domain)
    with db.atomic():
        had = set(domains(establishment))
        for domain in sorted(wanted - had):
            if EstablishmentDomain.get_or_none(EstablishmentDomain.domain == domain):
                raise DomainTakenError(domain)
            EstablishmentDomain.create(domain=domain, establishment=establishment)
        gone = EstablishmentDomain.establishment == establishment
        EstablishmentDomain.delete().where(gone, EstablishmentDomain.domain.in_(sorted(had - wanted))).execute()
        policies.refresh_domains(had ^ wanted)
    forget_rules()
    return sorted(wanted - had), sorted(had - wanted)


def by_domain() -> dict[str, int]:
    """The establishment (by `id`) of each domain that has one. 1 query."""
    rows: Any = EstablishmentDomain.select(EstablishmentDomain.domain, EstablishmentDomain.establishment).tuples()
    return dict(rows)


def of_domain(domain: str) -> Establishment | None:
    """Whose people have their address in it; None: the installation's own. One SELECT."""
    rows = Establishment.select().join(EstablishmentDomain).where(EstablishmentDomain.domain == domain.lower())
    return rows.first()


def of_address(address: str) -> Establishment | None:
    return of_domain(address.rpartition("@")[2])


# --- who administers -------------------------------------------------------------------------------------------------


def administrators(establishment: Establishment) -> list[User]:
    """Of this one alone, by address. One SELECT."""
    rows = EstablishmentAdministrator.select(EstablishmentAdministrator, User).join(User)
    return [row.user for row in rows.where(EstablishmentAdministrator.establishment == establishment).order_by(User.address)]


def help_desk(address: str, usual: str) -> list[str]:
    """Who reads what is asked about this account: those who administer its establishment alone; else `usual`, where
    that is anybody. 1 SELECT, or 2."""
    found = of_address(address)
    asked = [user.address for user in administrators(found) if user.active] if found else []
    return asked[:MOST_ASKED] or ([usual] if usual else [])


def add_administrator(establishment: Establishment, user: User) -> bool:
    """Whether they were none yet."""
    with db.atomic():
        _row, made = EstablishmentAdministrator.get_or_create(user=user, establishment=establishment)
        _mark(user)
    return bool(made)


def remove_administrator(establishment: Establishment, user: User) -> bool:
    """Whether they were one."""
    mine = (EstablishmentAdministrator.user == user) & (EstablishmentAdministrator.establishment == establishment)
    with db.atomic():
        gone = EstablishmentAdministrator.delete().where(mine).execute()
        _mark(user)
    return bool(gone)


def end_all_of(user: User) -> None:
    """Take all establishments from somebody; the role stays as it is."""
    EstablishmentAdministrator.delete().where(EstablishmentAdministrator.user == user).execute()


def _mark(user: User) -> None:
    """Tell by the account's row whether to look here; an administrator of all stays one."""
    some = EstablishmentAdministrator.select().where(EstablishmentAdministrator.user == user).exists()
    role = "establishment" if some else "person"
    if User.update(role=role).where(User.id == user.id, User.role.in_(("person", "establishment"))).execute():
        user.role = role


def _name(typed: str) -> str:
    name = " ".join(typed.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise ValueError(f"{typed!r} is no name of an establishment")
    return name


# --- whom people find ------------------------------------------------------------------------------------------------

_RULES_FOR = 20.0  # seconds: each process looks again after this time, so that pages of people ask nothing more
_rules: dict[int, tuple[float, dict[str, tuple[int, str]]]] = {}  # by database


def found_by(domain: str, inside: tuple[str, ...]) -> tuple[str, ...]:
    """The domains whose people somebody of this domain finds in the directory, theirs first. `inside`: without establishments.

    Whose establishment shows its "own" people finds those alone, and only they find them. No query but one in 20 seconds.
    """
    rules = _directory_rules()
    if not rules:
        return inside
    number, whom = rules.get(domain, (0, "all"))
    if whom == "own":
        return tuple(sorted((one for one, (other, _whom) in rules.items() if other == number), key=lambda one: one != domain))
    shown = [one for one, (_number, theirs) in rules.items() if theirs == "all"] if number else []
    return tuple(one for one in dict.fromkeys([*inside, *shown]) if rules.get(one, (0, "all"))[1] == "all")


def _directory_rules() -> dict[str, tuple[int, str]]:
    """Of each domain the establishment, and what its directory shows."""
    read, rules = _rules.get(id(db.obj), (0.0, {}))
    if not read or time.monotonic() > read + _RULES_FOR:
        rows: Any = EstablishmentDomain.select(EstablishmentDomain.domain, Establishment.id, Establishment.directory)
        rules = {domain: (number, whom) for domain, number, whom in rows.join(Establishment).tuples()}
        _rules.clear()
        _rules[id(db.obj)] = time.monotonic(), rules
    return rules


def forget_rules() -> None:
    """They were changed here."""
    _rules.clear()
