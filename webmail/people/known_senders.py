"""Known senders: whether a sender is a contact, or imitates a contact's name or address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import peewee as pw

from webmail.database.connection import db
from webmail.database.prepared import Prepared, Slot
from webmail.mail import Address
from webmail.mime.headers.address_input import address_key
from webmail.mime.threats import display_names, lookalike
from webmail.mime.threats.skeletons import skeleton
from webmail.models import Contact, ContactAddress, Correspondent, User

_MOST_LOOKED_AT = 20
_MOST_DOMAINS = 500
MOST_CORRESPONDENTS = 300  # the latest ones, whose names and domains are compared
_SLOTS = ("key", "key2", "key3")  # names that a display name can be read as
_NOTHING = pw.SQL("''")
_WRITTEN, _OWN, _OTHER = pw.SQL("0"), pw.SQL("1"), pw.SQL("2")  # rows come in this order


@dataclass(frozen=True, slots=True)
class KnownSender:
    """`contact` is the `uid` of the contact with the sender's address, "" if none, and `name` its name. `alike` and `named` are
    contacts (name, address) with an address that looks like the sender's, and with the sender's name. `written`: whether the user
    wrote to this address.
    """

    contact: str = ""
    name: str = ""
    alike: tuple[str, str] | None = None
    named: tuple[str, str] | None = None
    written: bool = False


def _those(placeholder: Slot, *, named: bool) -> Any:
    row = ContactAddress
    mine = row.user == placeholder("user")
    fits = (mine & (row.address == placeholder("address"))) | (
        mine & (row.alike == placeholder("alike"))
    )  # each side uses an index
    if named:
        for name in _SLOTS:
            fits |= mine & (row.key == placeholder(name))
    rank = pw.Case(None, [(row.address == placeholder("address"), _OWN)], _OTHER)
    contacts = row.select(rank, row.id, Contact.uid, Contact.name, row.address, row.alike).join(Contact).where(fits)
    writes = (Correspondent.user == placeholder("user")) & (Correspondent.address == placeholder("written"))
    written = Correspondent.select(_WRITTEN, Correspondent.id, _NOTHING, _NOTHING, Correspondent.address, _NOTHING).where(writes)
    return written.union_all(contacts).order_by(pw.SQL("1"), pw.SQL("2")).limit(_MOST_LOOKED_AT).tuples()


_fitting = Prepared(lambda slot: _those(slot, named=False))
_fitting_or_named = Prepared(lambda slot: _those(slot, named=True))


def look_up(user: User, sender: Address) -> KnownSender:
    """Look the sender up among the user's contacts and correspondents. 1 indexed query; none for a sender without an address."""
    email = address_key(sender.email)
    if "@" not in email or len(email) > 254:
        return KnownSender()
    alike = address_skeleton(email)
    claimed = [name for name in display_names.claims(sender.name) if display_names.is_full(name)][
        : len(_SLOTS)
    ]  # one word is too common a name
    if claimed:
        keys = [display_names.name_index(name) for name in claimed]
        slots = dict(zip(_SLOTS, [*keys, *keys[:1] * len(_SLOTS)], strict=False))
        rows = _fitting_or_named(user=user.id, address=email, written=sender.email.lower(), alike=alike, **slots)
    else:
        rows = _fitting(user=user.id, address=email, written=sender.email.lower(), alike=alike)
    written = any(rank == 0 for rank, *_row in rows)
    found = [tuple(row) for rank, _id, *row in rows if rank]
    for uid, name, address, _alike in found:
        if address == email:
            return KnownSender(uid, name, written=written)
    return KnownSender(
        alike=next(((name, address) for _uid, name, address, seen in found if seen == alike and address), None),
        named=next(((name, address) for _uid, name, address, _seen in found if address and _is_one_of(name, claimed)), None),
        written=written,
    )


def _is_one_of(name: str, claimed: list[str]) -> bool:
    return any(display_names.same_name(name, one) for one in claimed)


def address_skeleton(email: str) -> str:
    """What an address looks like at first sight, as the index of contacts holds it."""
    local, _at, domain = email.rpartition("@")
    return skeleton(f"{local}@{lookalike.readable(domain)}")[:254]


def _compared(placeholder: Slot) -> Any:
    """The latest correspondents, then the domains of contacts, the most common first. Each with a LIMIT, which only a SELECT of
    a SELECT may have in a UNION."""
    them = Correspondent
    latest = them.select(_WRITTEN.alias("rank"), them.name.alias("name"), them.address.alias("address"))
    latest = latest.where(them.user == placeholder("user")).order_by(them.last.desc()).limit(MOST_CORRESPONDENTS)
    row = ContactAddress
    domains = row.select(_OWN.alias("rank"), _NOTHING.alias("name"), row.domain.alias("address"))
    domains = domains.where(row.user == placeholder("user"), row.domain != "").group_by(row.domain)
    domains = domains.order_by(pw.fn.COUNT(row.id).desc()).limit(_MOST_DOMAINS)
    parts = [pw.Select(columns=[pw.SQL("*")], from_list=[part.alias(name)]) for part, name in ((latest, "a"), (domains, "b"))]
    return parts[0].union_all(parts[1]).bind(db).tuples()


_compared_with = Prepared(_compared)


@dataclass(frozen=True, slots=True)
class Acquaintances:
    """What the name and the domain of a stranger are compared with: (name, address) of the latest correspondents, and the domains
    of contacts, the most common first."""

    correspondents: tuple[tuple[str, str], ...] = ()
    domains: tuple[str, ...] = ()


def acquaintances(user: User) -> Acquaintances:
    """Of the user. 1 query."""
    rows = _compared_with(user=user.id)
    people = tuple((name, address) for rank, name, address in rows if rank == 0)
    return Acquaintances(people, tuple(domain for rank, _name, domain in rows if rank))
