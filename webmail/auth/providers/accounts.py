"""Accounts of providers: which account somebody is whom a provider vouches for, and what they bring along. No Flask here.

An account is found by its link to the provider's subject; else by its address, where the administrator trusts the provider's
addresses; else it is made, where they allow that. Name, quota and groups then follow the provider at each sign-in.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import peewee as pw

from webmail import audit
from webmail.auth import account_management, new_accounts
from webmail.auth.new_accounts import NewFault
from webmail.auth.providers import app_password_pause
from webmail.auth.sign_in.names import normalise
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.errors import MailError
from webmail.mime.headers.encoded_words import sort_key
from webmail.mime.threats.display_names import address_in
from webmail.models import AuditAct, GroupMember, LinkedAccount, PeopleGroup, User, now
from webmail.people import groups, own_name

log = logging.getLogger(__name__)

LONGEST_SUBJECT = 255  # characters
MOST_GROUPS = 500  # of one person, as the provider tells them
_LONGEST_NAME = 190
_LONGEST_GROUP = 100


class Refusal(StrEnum):
    """Why somebody whom a provider vouches for is not let in."""

    NO_ACCOUNT = "no-account"  # there is none, and none is made
    NOT_LINKED = "not-linked"  # there is one of this address, which the person has to connect to the provider first
    NO_ADDRESS = "no-address"  # the provider told none, or one of a domain that is not ours
    NOT_PROVEN = "not-proven"  # the provider does not say that the address is really theirs, whether it has an account or not
    DISABLED = "disabled"
    RESERVED = "reserved"  # the address is that of a room, or of another thing, or can be nobody's
    RESTS = "rests"  # the address was somebody else's, not long ago
    OTHER_SUBJECT = "other-subject"  # the account is linked to somebody else at this provider


class NotLetInError(MailError):
    """The provider knows the person, and they may not sign in here: `refusal`, and the address that the provider told."""

    status = 403

    def __init__(self, refusal: Refusal, address: str = "") -> None:
        super().__init__(f"not let in: {refusal}")
        self.refusal = refusal
        self.address = address


class Rules(Protocol):
    """What the administrator decides for a provider: the entries of config/providers.py."""

    @property
    def create(self) -> bool: ...

    @property
    def domains(self) -> str: ...

    @property
    def make_groups(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Claims:
    """What a provider says of somebody, who has proved to it who they are.

    `provider`: as in `LinkedAccount`. `subject`: never changes, and is never given to somebody else. `proven`: whether the
    address may be trusted to be theirs: without it no account is made or matched, only a link counts. `groups` and
    `quota_bytes`: None where the provider says nothing of them.
    """

    provider: str
    subject: str
    address: str = ""
    proven: bool = False
    name: str = ""
    groups: Sequence[str] | None = None
    quota_bytes: int | None = None
    shown: str = ""


def account_for(claims: Claims, rules: Rules, settings: Settings, network: str = "") -> User:
    """The account, made at the first sign-in where `rules` allow it, with what the provider says of it brought up to date.

    Raises NotLetInError and one of DATABASE_AWAY. Two queries where nothing changes.
    """
    link = LinkedAccount.get_or_none((LinkedAccount.provider == claims.provider) & (LinkedAccount.subject == _subject(claims)))
    user = link.user if link is not None else None
    if user is None:
        user = _by_address(claims, rules, settings, network)
    if not user.active:
        raise NotLetInError(Refusal.DISABLED, user.address)
    bring_up_to_date(user, claims, rules)
    vouched(user, claims)
    return user


def vouched(user: User, claims: Claims) -> None:
    """Note that the provider vouched for them just now. Three UPDATEs."""
    mine = (LinkedAccount.user == user) & (LinkedAccount.provider == claims.provider)
    LinkedAccount.update(used=now(), shown=_display_name(claims)).where(mine).execute()
    app_password_pause.is_back(user)


def link(user: User, claims: Claims, network: str = "") -> None:
    """Connect the account of somebody who is signed in to their subject. Raises NotLetInError, where either belongs to
    another."""
    there = LinkedAccount.get_or_none((LinkedAccount.provider == claims.provider) & (LinkedAccount.subject == _subject(claims)))
    if there is not None and there.user == user:
        return
    if there is not None:
        raise NotLetInError(Refusal.OTHER_SUBJECT)
    try:
        with db.atomic():
            LinkedAccount.create(user=user, provider=claims.provider, subject=_subject(claims), shown=_display_name(claims))
    except pw.IntegrityError as error:  # the account is somebody else's there, or both at once
        raise NotLetInError(Refusal.OTHER_SUBJECT, user.address) from error
    app_password_pause.is_back(user)
    audit.record(AuditAct.PROVIDER_LINKED, actor=user, target=claims.provider, network=network)


def unlink(user: User, provider: str) -> bool:
    """Whether there was a link. The caller makes sure that the person can still sign in some other way.

    They leave the groups that the provider put them into.
    """
    mine = (LinkedAccount.user == user) & (LinkedAccount.provider == provider)
    if not LinkedAccount.delete().where(mine).execute():
        return False
    with db.atomic():
        groups.leave(user, groups.of_provider(user, provider), provider)
    return True


def of_subject(provider: str, subject: str) -> User | None:
    """The account that is linked to this subject of a provider. One SELECT."""
    theirs = (LinkedAccount.provider == provider) & (LinkedAccount.subject == _stored(subject))
    found = LinkedAccount.select(LinkedAccount, User).join(User).where(theirs).first()
    return found.user if found is not None else None


def links_of(user: User) -> list[LinkedAccount]:
    """One SELECT."""
    return list(LinkedAccount.select().where(LinkedAccount.user == user).order_by(LinkedAccount.id))


def is_linked(user: User, claims: Claims) -> bool:
    """Whether they are the one whom the provider vouches for. One SELECT."""
    mine = (LinkedAccount.user == user) & (LinkedAccount.provider == claims.provider)
    return LinkedAccount.select().where(mine, LinkedAccount.subject == _subject(claims)).exists()


def has_own_password(user: User) -> bool:
    """Whether the account has a password that is kept here, so that losing a provider locks nobody out."""
    return bool(user.password)


def bring_up_to_date(user: User, claims: Claims, rules: Rules) -> None:
    """Name and quota of accounts that the provider made, and groups of all. No write where nothing changed."""
    if user.provider == claims.provider:
        _follow(user, claims)
    if claims.groups is not None:
        _join(user, [name for name in claims.groups[:MOST_GROUPS] if name], claims.provider, rules.make_groups)


def allowed_domains(rules: Rules, settings: Settings) -> set[str]:
    """The domains that accounts of this provider may be of."""
    listed = [one.strip().lower() for one in rules.domains.split(",") if one.strip()]
    return set(listed or [settings.domain.lower()]) - {""}


def _by_address(claims: Claims, rules: Rules, settings: Settings, network: str) -> User:
    address = normalise(claims.address, settings.domain)
    if not address or address.rpartition("@")[2] not in allowed_domains(rules, settings):
        raise NotLetInError(Refusal.NO_ADDRESS, address)
    if not claims.proven:  # first: or who may write any address there would learn which ones have an account
        raise NotLetInError(Refusal.NOT_PROVEN, address)
    user: User | None = User.get_or_none(User.address == address)
    if user is None:
        if not rules.create:
            raise NotLetInError(Refusal.NO_ACCOUNT, address)
        user = _made(address, claims, settings, network)
    elif not getattr(rules, "match_address", True) or user.role != "person":  # administrators connect it
        raise NotLetInError(Refusal.NOT_LINKED, address)
    elif user.active:
        link(user, claims, network)
    return user


def _made(address: str, claims: Claims, settings: Settings, network: str) -> User:
    """An account without a password of ours."""
    if fault := new_accounts.address_fault(address):
        raise NotLetInError(Refusal.RESTS if fault is NewFault.RESTS else Refusal.RESERVED, address)
    local, _, domain = address.rpartition("@")
    try:
        with db.atomic():
            values = {"address": address, "local": local, "domain": domain, "provider": claims.provider}
            user = User.create(**values, name=_name(claims.name), home=account_management.free_home(address))
            LinkedAccount.create(user=user, provider=claims.provider, subject=_subject(claims), shown=_display_name(claims))
            audit.record(AuditAct.ACCOUNT_ADDED, actor=user, target=address, network=network, by=claims.provider)
            new_accounts.created(user, settings)
    except pw.IntegrityError:  # two tabs at once
        there = LinkedAccount.get_or_none(
            (LinkedAccount.provider == claims.provider) & (LinkedAccount.subject == _subject(claims))
        )
        if there is None:
            raise NotLetInError(Refusal.NOT_LINKED, address) from None
        return there.user
    return user


def _follow(user: User, claims: Claims) -> None:
    changed: dict[str, str | int] = {}
    name = _name(claims.name)
    if name and name != own_name.given(user):
        if user.name_given is None:
            own_name.put(user, name)
        else:  # who shows another name keeps it
            changed["name_given"] = name
    if claims.quota_bytes is not None and claims.quota_bytes != user.quota_bytes:
        changed["quota_bytes"] = claims.quota_bytes
    if changed:
        for column, value in changed.items():
            setattr(user, column, value)
        User.update(changed).where(User.id == user.id).execute()


def _join(user: User, names: Sequence[str], provider: str, make: bool) -> None:
    """Into the groups of these names of the person's domain, and out of those that the provider names no more.

    Who was put into a group by hand stays in it. Group names are compared without case and accents, as everywhere.
    """
    wanted = {sort_key(name[:_LONGEST_GROUP]): name for name in names} if names else {}
    wanted.pop("", None)
    named = (PeopleGroup.domain == user.domain) & PeopleGroup.sort.in_(list(wanted))
    there = {group.sort: group for group in PeopleGroup.select().where(named)} if wanted else {}
    if make:
        there |= _new_groups({sort: name for sort, name in wanted.items() if sort not in there}, user.domain)
    rows = list(GroupMember.select(GroupMember, PeopleGroup).join(PeopleGroup).where(GroupMember.user == user))
    member_of = {row.group.id for row in rows}
    theirs = {row.group.id for row in rows if row.provider == provider}
    ids = {group.id for group in there.values()}
    if gone := theirs - ids:
        groups.leave(user, gone, provider)
    if new := ids - member_of:
        groups.join(user, new, provider)


def _new_groups(names: dict[str, str], domain: str) -> dict[str, PeopleGroup]:
    """Those of these names, by their sort keys, that can be names of groups."""
    made = {}
    for sort, name in names.items():
        try:
            made[sort] = groups.create(domain, name)
        except groups.GroupNameTakenError:
            made[sort] = groups.find(domain, name)
        except groups.UnusableGroupNameError:
            log.info("a provider names a group that can't be called so: %r", name[:100])
    return made


def _subject(claims: Claims) -> str:
    return _stored(claims.subject)


def _stored(subject: str) -> str:
    """One that is too long by its hash, never cut: two that begin alike are two people."""
    return subject if len(subject) <= LONGEST_SUBJECT else "sha256:" + hashlib.sha256(subject.encode()).hexdigest()


def _display_name(claims: Claims) -> str:
    return (claims.shown or claims.address or claims.subject)[:254]


def _name(text: str) -> str:
    """A name that may be shown; "" for none. Never one with an address in it: people write their own names at many providers."""
    name = " ".join(text.split())[:_LONGEST_NAME].strip()
    return name if name.isprintable() and not address_in(name) else ""
