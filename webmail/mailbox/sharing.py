"""Sharing: validates the users and groups that a folder may be shared with, and maps them to ACL identifiers (RFC 4314)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from webmail.config.settings import Settings
from webmail.errors import MailError
from webmail.models import User
from webmail.people import groups as people_groups
from webmail.people.visibility import sight_of

_SERVERS_OWN = ("anyone", "authenticated", "owner", "administrators")  # reserved identifiers (RFC 4314 section 3)
_LONGEST_GROUP = 200  # characters


class ShareWarning(StrEnum):
    """Why a folder can't be shared with what was typed."""

    EMPTY = "empty"
    UNKNOWN = "unknown"
    ONESELF = "oneself"
    ODD = "odd"  # not a valid identifier
    NO_GROUP = "no group"  # none was chosen, or there is none of this name
    GROUP_GONE = "group gone"
    TWO = "two"  # one was typed, and another group chosen


class NotSharedError(MailError):
    """The folder can't be shared with what was typed; `doubt` says why."""

    status = 422

    def __init__(self, doubt: ShareWarning) -> None:
        super().__init__(f"not somebody to share a folder with: {doubt}")
        self.doubt = doubt


def person(text: str, user: User, settings: Settings) -> str:
    """The server's identifier for the user with this address (the domain is optional). Raises NotSharedError.

    With our own accounts it must be an existing one of the establishment; otherwise only the server knows, and some accept
    any name.
    """
    text = text.strip().lower()
    if not text:
        raise NotSharedError(ShareWarning.EMPTY)
    if not text.isprintable() or text[0] in "-$#!=" or " " in text or text in _SERVERS_OWN or len(text) > 254:
        raise NotSharedError(ShareWarning.ODD)
    address = text if "@" in text else f"{text}@{user.domain}"
    if address == user.address:
        raise NotSharedError(ShareWarning.ONESELF)
    if settings.sign_in == "accounts":
        ours = settings.own_domains(user.domain)
        known = User.get_or_none(User.address == address, User.domain.in_(ours), User.active == 1)
        if known is None:
            raise NotSharedError(ShareWarning.UNKNOWN)
    return settings.username(address)


def everyone(user: User, settings: Settings) -> str:
    """The server's identifier for the group of all users of the domain, configured in our Dovecot; "" on other servers."""
    return settings.group_prefix + user.domain if settings.group_prefix and settings.sign_in == "accounts" else ""


def group(text: str, user: User, settings: Settings) -> str:
    """The server's identifier for a group: with our own accounts that of one of `groups` by its name, else as typed.

    Raises NotSharedError. At most 1 query.
    """
    text = text.strip()
    if everyone(user, settings):
        try:
            identifier = settings.group_prefix + people_groups.find(user.domain, text[:_LONGEST_GROUP]).identifier
        except people_groups.NoSuchGroupError as error:
            raise NotSharedError(ShareWarning.NO_GROUP) from error
        if identifier not in groups(user, settings):
            raise NotSharedError(ShareWarning.NO_GROUP)
        return identifier
    if not text:
        raise NotSharedError(ShareWarning.EMPTY)
    if not settings.group_prefix or not text.isprintable() or len(text) > _LONGEST_GROUP:
        raise NotSharedError(ShareWarning.ODD)
    return settings.group_prefix + text


def groups(user: User, settings: Settings) -> dict[str, str]:
    """The names of the domain's groups by the server's identifier, sorted; {} on other servers than our Dovecot.

    Those that the person sees in the directory, and their own. 1 query, at most 5 where not all see everyone.
    """
    if not everyone(user, settings):
        return {}
    seen = sight_of(user, settings)
    known = people_groups.names(user.domain)
    if not seen.everyone:
        mine = {group.identifier for group in people_groups.of_person(user)} | people_groups.identifiers(seen.groups)
        known = {identifier: name for identifier, name in known.items() if identifier in mine}
    return {settings.group_prefix + identifier: name for identifier, name in known.items()}


def is_group(identifier: str, user: User, settings: Settings) -> bool:
    """Whether this is, or was, the server's identifier for a group of `groups`."""
    return bool(everyone(user, settings)) and identifier.startswith(settings.group_prefix) and "@" in identifier


def chosen_group(identifier: str, user: User, settings: Settings) -> str:
    """The identifier, if it is one of `groups`. Raises NotSharedError. 1 query."""
    if not identifier:
        raise NotSharedError(ShareWarning.NO_GROUP)
    if identifier not in groups(user, settings):
        raise NotSharedError(ShareWarning.GROUP_GONE)
    return identifier


def meant_group(typed: str, chosen: str, user: User, settings: Settings) -> str:
    """The identifier of the group that a form means: typed, chosen, or both if they are the same. Raises NotSharedError. 2
    queries."""
    if not typed.strip():
        return chosen_group(chosen, user, settings)
    if not chosen:
        return group(typed, user, settings)
    known = groups(user, settings)
    if chosen in known and typed.strip() not in (chosen, known[chosen]):
        raise NotSharedError(ShareWarning.TWO)
    return chosen_group(chosen, user, settings)


def people_of(identifier: str, user: User, settings: Settings) -> list[str]:
    """The addresses that an identifier stands for, as far as we know: itself, or the people in the group. At most 1 query."""
    if is_group(identifier, user, settings):
        return people_groups.addresses(identifier.removeprefix(settings.group_prefix))
    return [identifier]


def names(identifiers: Iterable[str]) -> dict[str, str]:
    """Display names of those identifiers that are accounts in our table. 1 query."""
    found = User.select(User.address, User.name).where(User.address.in_(list(identifiers)))
    return {person.address: person.name for person in found if person.name}
