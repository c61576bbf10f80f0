"""Sharing: validates the users and groups that a folder may be shared with, and maps them to ACL identifiers (RFC 4314)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from webmail.config import Settings
from webmail.errors import MailError
from webmail.models import User

_SERVERS_OWN = ("anyone", "authenticated", "owner", "administrators")  # reserved identifiers (RFC 4314 section 3)


class ShareWarning(StrEnum):
    """Why a folder can't be shared with what was typed."""

    EMPTY = "empty"
    UNKNOWN = "unknown"
    ONESELF = "oneself"
    ODD = "odd"  # not a valid identifier


class NotShared(MailError):
    """The folder can't be shared with what was typed; `doubt` says why."""

    status = 422

    def __init__(self, doubt: ShareWarning) -> None:
        super().__init__(f"not somebody to share a folder with: {doubt}")
        self.doubt = doubt


def person(words: str, user: User, settings: Settings) -> str:
    """The server's identifier for the user with this address (the domain is optional). Raises NotShared.

    With our own accounts it must be an existing one of the same domain; otherwise only the server knows, and some accept any
    name.
    """
    words = words.strip().lower()
    if not words:
        raise NotShared(ShareWarning.EMPTY)
    if not words.isprintable() or words[0] in "-$#!=" or " " in words or words in _SERVERS_OWN or len(words) > 254:
        raise NotShared(ShareWarning.ODD)
    address = words if "@" in words else f"{words}@{user.domain}"
    if address == user.address:
        raise NotShared(ShareWarning.ONESELF)
    if settings.sign_in == "accounts":
        known = User.get_or_none(User.address == address, User.domain == user.domain, User.active == 1)
        if known is None:
            raise NotShared(ShareWarning.UNKNOWN)
    return settings.username(address)


def everyone(user: User, settings: Settings) -> str:
    """The server's identifier for the group of all users of the domain, configured in our Dovecot; "" on other servers."""
    return settings.group_prefix + user.domain if settings.group_prefix and settings.sign_in == "accounts" else ""


def group(words: str, user: User, settings: Settings) -> str:
    """The server's identifier for a group: that of everyone with our own accounts, else as typed. Raises NotShared."""
    if all_of_us := everyone(user, settings):
        return all_of_us
    words = words.strip()
    if not words:
        raise NotShared(ShareWarning.EMPTY)
    if not settings.group_prefix or not words.isprintable() or len(words) > 200:
        raise NotShared(ShareWarning.ODD)
    return settings.group_prefix + words


def names(identifiers: Iterable[str]) -> dict[str, str]:
    """Display names of those identifiers that are accounts in our table. 1 query."""
    found = User.select(User.address, User.name).where(User.address.in_(list(identifiers)))
    return {person.address: person.name for person in found if person.name}
