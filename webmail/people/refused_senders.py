"""Refused senders: addresses and domains whose mail is refused, for everybody or for the people of an establishment. The door
reads the table with each message from outside (deploy/milter), so a change counts from the next one on.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.errors import BadAddressError, MailError
from webmail.establishments import establishments
from webmail.establishments.scope import Scope
from webmail.mime.headers.address_input import ascii_domain, parse_addresses
from webmail.models import RefusedSender

MOST = 5000  # entries
_LONGEST = 254


class OwnSenderError(MailError):
    """It is one of our own addresses or domains: who misuses an account is disabled instead."""

    status = 422


class UnusableSenderError(MailError):
    """What was typed is neither an address nor a domain, or there are too many entries."""

    status = 422


def entry_of(typed: str) -> str:
    """The entry that somebody means: an address, or "@" and a domain. Raises UnusableSenderError."""
    text = typed.strip().lower()
    whole = "@" not in text[1:]
    try:
        [found] = parse_addresses(f"x@{text.removeprefix('@')}" if whole else text)
        local, _at, domain = found.email.rpartition("@")
        entry = f"{'' if whole else local}@{ascii_domain(domain)}".lower()
    except (BadAddressError, UnicodeError, ValueError) as error:
        raise UnusableSenderError(typed[:200]) from error
    if "." not in entry.rpartition("@")[2] or len(entry) > _LONGEST or not entry.isascii() or " " in entry:
        raise UnusableSenderError(typed[:200])
    return entry


def refuse(typed: str, scope: Scope, by: str, settings: Settings) -> tuple[str, bool]:
    """Refuse mail of a sender for all whom `scope` names; the entry, and whether it is new. Raises OwnSenderError,
    UnusableSenderError."""
    entry = entry_of(typed)
    if _is_own(entry, settings):
        raise OwnSenderError(entry)
    made = False
    with db.atomic():
        if RefusedSender.select().count() >= MOST:
            raise UnusableSenderError(entry)
        for establishment in _of_scope(scope):
            if not RefusedSender.select().where(RefusedSender.entry == entry, _same(establishment)).exists():
                RefusedSender.create(entry=entry, establishment=establishment, by=by)
                made = True
    return entry, made


def allow(entry: str, scope: Scope) -> bool:
    """Take it back for all whom `scope` names; whether it was refused."""
    gone = 0
    for establishment in _of_scope(scope):
        gone += RefusedSender.delete().where(RefusedSender.entry == entry, _same(establishment)).execute()
    return bool(gone)


def listed(scope: Scope, page: int, size: int) -> tuple[list[RefusedSender], bool]:
    """A page (from 1), newest first, and whether there are more. One SELECT."""
    rows = RefusedSender.select()
    if scope.everything:
        rows = rows.where(RefusedSender.establishment.is_null())
    else:
        rows = rows.where(RefusedSender.establishment.in_(scope.establishments))
    found = list(rows.order_by(RefusedSender.id.desc()).limit(size + 1).offset((page - 1) * size))
    return found[:size], len(found) > size


def refused_among(entries: Collection[str], scope: Scope) -> set[str]:
    """Which of these entries are refused already, for all whom `scope` names or for everybody. One SELECT."""
    here = RefusedSender.establishment.is_null()
    if not scope.everything:
        here |= RefusedSender.establishment.in_(scope.establishments)
    found: Any = RefusedSender.select(RefusedSender.entry).where(RefusedSender.entry.in_(list(entries)), here).tuples()
    return {entry for (entry,) in found}


def _of_scope(scope: Scope) -> Sequence[int | None]:
    return [None] if scope.everything else scope.establishments


def _same(establishment: int | None) -> Any:
    column = RefusedSender.establishment
    return column.is_null() if establishment is None else column == establishment


def _is_own(entry: str, settings: Settings) -> bool:
    """Whether the domain is ours, or one of ours is below it. One SELECT."""
    domain = entry.rpartition("@")[2]
    listed = [one for one in (settings.domain, *(each.name for each in settings.domains)) if one]
    ours = {one.lower() for one in listed} | set(establishments.all_domains())
    if entry.startswith("@"):
        return any(one == domain or one.endswith(f".{domain}") for one in ours)
    return domain in ours
