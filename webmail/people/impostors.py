"""Impostors: what the name or address of a sender pretends to be. Pages, rows and forms ask here, so that all say the same."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.database.prepared import Prepared
from webmail.mail import Address
from webmail.mime.headers import authentication
from webmail.mime.headers.address_input import address_key
from webmail.mime.threats import authority_names, display_names, lookalike
from webmail.mime.threats.providers import is_official
from webmail.models import Contact, ContactAddress, Correspondent, User
from webmail.people.colleagues import Colleagues, today
from webmail.people.known_senders import MOST_CORRESPONDENTS

_OWN_NAME = "Traboule"  # the default of the setting `name`, which is nobody's
_MOST_CONTACTS = 500  # of one list
_KEPT, _KEPT_SECONDS = 20_000, 60  # what rows remember


class Pretence(StrEnum):
    ADDRESS = "address"  # another address in the name, or before the @
    ESTABLISHMENT = "establishment"  # its name or domain
    COLLEAGUE = "colleague"
    ROLE = "role"
    KNOWN = "known"  # a contact or correspondent
    BEHALF = "behalf"  # somebody else, for whom it is sent
    LETTERS = "letters"  # of several alphabets in one word


@dataclass(frozen=True, slots=True)
class Impostor:
    """`seen` is what is shown, `real` whose it is. `grave`: hardly ever by chance."""

    kind: Pretence
    seen: str
    real: str = ""
    grave: bool = True


def domain_of(email: str) -> str:
    return lookalike.readable(email.rpartition("@")[2].strip("<> ")) if "@" in email else ""


def pretends(
    sender: Address, own: Sequence[str], settings: Settings, colleagues: Colleagues, writer: str = ""
) -> Impostor | None:
    """What the sender's name pretends, as far as the establishment knows; None for most. `own`: its domains. No query.

    `writer`: the address of the account that is proven to have sent it, "" if unknown.
    """
    email, name = sender.email.lower(), sender.name
    inside = domain_of(email) in own
    if found := _other_address(name, email, own):
        return found
    if inside and colleagues.is_own(name, email, writer):
        return None
    if person := colleagues.imitated(name, email, writer):
        return Impostor(Pretence.COLLEAGUE, *person, grave=display_names.is_full(person[0]))
    office = authority_names.of_name(name) is not None if inside else authority_names.outside(name, email)
    if not inside and settings.name != _OWN_NAME:
        if display_names.holds_name(name, settings.name):
            return Impostor(Pretence.ESTABLISHMENT, settings.name)
        if (
            display_names.mentions_name(name, settings.name)
            and not _is_below(domain_of(email), own)
            and not is_official(domain_of(email))
        ):
            return Impostor(Pretence.ESTABLISHMENT, settings.name, grave=False)
    office = office or (not inside and authority_names.claimed(name) and colleagues.surname(name))
    if office and not display_names.is_in_local_part(name, email.partition("@")[0] if inside else ""):
        return Impostor(Pretence.ROLE, name, grave=False)
    if inside:
        return None
    if person := colleagues.abbreviated(name, email):
        return Impostor(Pretence.COLLEAGUE, *person, grave=False)
    if authority_names.for_another(name):
        return Impostor(Pretence.BEHALF, name, grave=False)
    listed = (one for one in own if one in settings.own_domains(settings.domain))  # somebody else's own domain is often a word
    if imitated := next((one for one in listed if lookalike.goes_on(domain_of(email), one)), ""):
        return Impostor(Pretence.ESTABLISHMENT, imitated, grave=False)
    return Impostor(Pretence.LETTERS, name, grave=False) if lookalike.mixes_alphabets(name) else None


def _is_below(domain: str, own: Sequence[str]) -> bool:
    return any(domain.endswith(f".{one}") for one in own)


def _other_address(name: str, email: str, own: Sequence[str]) -> Impostor | None:
    claimed = display_names.address_in(name) or display_names.address_in(f"{email.rpartition('@')[0]} ")
    if claimed and claimed != email:
        ours = domain_of(claimed) in own or any(display_names.names_domain(claimed, one) for one in own)
        return Impostor(Pretence.ADDRESS, claimed, grave=ours)
    if claimed or any(authentication.aligned(domain_of(email), one) for one in own):
        return None
    shown = f"{name} {email.rpartition('@')[0]}"
    named = next((one for one in own if display_names.names_domain(shown, one)), "")
    return Impostor(Pretence.ESTABLISHMENT, named) if named else None


# --- people the user knows -------------------------------------------------------------------------------------------

_last_written = Prepared(
    lambda slot: (
        Correspondent.select(Correspondent.name, Correspondent.address)
        .where(Correspondent.user == slot("user"))
        .order_by(Correspondent.last.desc())
        .limit(MOST_CORRESPONDENTS)
        .tuples()
    )
)


def latest(user: User) -> list[Any]:
    """(name, address) of the user's latest correspondents. 1 query."""
    return _last_written(user=user.id)


def known_under(name: str, email: str, people: Iterable[tuple[str, str]]) -> tuple[str, str] | None:
    """Who of these people has this name, in full, under another address."""
    claimed = [one for one in display_names.claims(name) if display_names.is_full(one)]
    wanted = {display_names.name_index(one) for one in claimed}
    for known, address in people:
        alike = address != email and display_names.name_index(known) in wanted
        if alike and any(display_names.same_name(known, one) for one in claimed):
            return known, address
    return None


# --- rows of a list --------------------------------------------------------------------------------------------------


class Appearance(NamedTuple):
    """How a sender stands in a list: `name` beside or instead of the address; `doubtful`: the name pretends something."""

    name: str
    doubtful: bool = False


_remembered: OrderedDict[tuple[Any, ...], tuple[float, Appearance]] = OrderedDict()


def marked(user: User, senders: Iterable[Address], settings: Settings) -> frozenset[Address]:
    """Those of the senders of a list whose address should stand beside their name, since the name pretends something."""
    return frozenset(one for one, found in appearances(user, senders, settings).items() if found.doubtful)


def appearances(user: User, senders: Iterable[Address], settings: Settings) -> dict[Address, Appearance]:
    """How each of the senders of a list is shown. An account of ours goes by its own name, whatever is written.

    At most 5 queries for a whole list, none while the answers of a minute ago still hold.
    """
    wanted = {sender for sender in senders if sender.email}
    moment, place = time.monotonic(), (str(db.obj.database), user.id)
    kept = {one: _remembered.get((*place, one.name, one.email)) for one in wanted}
    known = {one: answer[1] for one, answer in kept.items() if answer is not None and answer[0] > moment}
    if fresh := wanted - known.keys():
        found = _appearances(user, fresh, settings)
        known |= found
        for one in fresh:
            _remembered[(*place, one.name, one.email)] = (moment + _KEPT_SECONDS, found[one])
        while len(_remembered) > _KEPT:
            _remembered.popitem(last=False)
    return known


def _appearances(user: User, senders: set[Address], settings: Settings) -> dict[Address, Appearance]:
    own = tuple(map(lookalike.readable, settings.own_domains(user.address.rpartition("@")[2])))
    colleagues = today()
    outside = [one for one in senders if domain_of(one.email) not in own]
    people = [*_contacts(user, outside), *latest(user)] if outside else []
    known = {address for _name, address in people}
    strangers = {one for one in outside if address_key(one.email) not in known}
    doubtful = {one for one in senders - set(outside) | strangers if pretends(one, own, settings, colleagues)}
    doubtful |= {one for one in strangers if known_under(one.name, one.email.lower(), people) or _looks_like_ours(one, own)}
    inside = senders - set(outside)
    return {
        one: Appearance(colleagues.shown_name(one.name, one.email.lower()) if one in inside else one.name, one in doubtful)
        for one in senders
    }


def _looks_like_ours(sender: Address, own: Sequence[str]) -> bool:
    domain = domain_of(sender.email)
    return lookalike.deceives(domain) or bool(lookalike.resembles(domain, (), *own))


def _contacts(user: User, senders: Sequence[Address]) -> list[tuple[str, str]]:
    """(name, address) of the user's contacts with one of these names or addresses. 1 query."""
    keys = {
        display_names.name_index(name)
        for one in senders
        for name in display_names.claims(one.name)
        if display_names.is_full(name)
    }
    emails = {key for one in senders if len(key := address_key(one.email)) <= 254}
    if not emails:
        return []
    row = ContactAddress
    fits = row.address.in_(sorted(emails)) | row.key.in_(sorted(keys)) if keys else row.address.in_(sorted(emails))
    found = row.select(Contact.name, row.address).join(Contact).where((row.user == user.id) & fits, row.address != "")
    rows: Any = found.limit(_MOST_CONTACTS).tuples()
    return list(rows)
