"""Known senders: whether a sender is a contact, or imitates a contact's name or address."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import peewee as pw

from webmail.database.connection import db
from webmail.database.prepared import Prepared, Slot
from webmail.mail import Address
from webmail.mime.headers.address_input import address_key
from webmail.mime.threats import display_names, lookalike
from webmail.mime.threats.skeletons import skeleton
from webmail.models import Contact, ContactAddress, Correspondent, User
from webmail.people import colleagues

_MOST_LOOKED_AT = 20
_MOST_DOMAINS = 500
MOST_CORRESPONDENTS = 300  # the latest ones, whose names and domains are compared
_SLOTS = ("key", "key2", "key3")  # names that a display name can be read as
_NOTHING = pw.SQL("''")
_WRITTEN, _OWN, _OTHER, _LATEST, _DOMAIN, _DIRECTORY = (pw.SQL(str(rank)) for rank in range(6))  # rows come in this order
_LONGEST = 254  # of the addresses that are stored


@dataclass(frozen=True, slots=True)
class Acquaintances:
    """What the name and the domain of a stranger are compared with: (name, address) of the latest correspondents, and the domains
    of contacts, the most common first."""

    correspondents: tuple[tuple[str, str], ...] = ()
    domains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownSender:
    """`contact` is the `uid` of the contact with the sender's address, "" if none, and `name` its name. `alike` and `named` are
    contacts (name, address) with an address that looks like the sender's, and with the sender's name. `written`: whether the user
    wrote to this address. `others`: of a stranger from outside, whom the user knows. `directory`: for `colleagues.today`, which
    is asked next of most; None where nobody was looked up.
    """

    contact: str = ""
    name: str = ""
    alike: tuple[str, str] | None = None
    named: tuple[str, str] | None = None
    written: bool = False
    others: Acquaintances = Acquaintances()
    directory: str | None = None


def _those(named: bool, outside: bool, placeholder: Slot) -> Any:
    """Rows of rank, number, and of contacts `uid`, name, address and how it looks; then, for a stranger from outside, those whom
    the user knows; and how the directory stands. Each part has a LIMIT, which only a SELECT of a SELECT may have in a UNION."""
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
    known = written.union_all(contacts).order_by(pw.SQL("1"), pw.SQL("2")).limit(_MOST_LOOKED_AT)
    stranger = ~pw.fn.EXISTS(written) & ~pw.fn.EXISTS(contacts.where(row.address == placeholder("address")))
    others = [_latest(placeholder, stranger), _domains(placeholder, stranger)] if outside else []
    number = pw.SQL("0")
    directory = pw.Select(columns=[_DIRECTORY, number, _NOTHING, _NOTHING, colleagues.shape(), _NOTHING])
    joined: Any = None
    for name, part in zip("abcd", [known, *others, directory], strict=False):
        rows: Any = pw.Select(columns=[pw.SQL("*")], from_list=[part.alias(name)])
        joined = rows if joined is None else joined.union_all(rows)
    return joined.bind(db).tuples()


def _latest(placeholder: Slot, stranger: Any) -> Any:
    """The latest correspondents."""
    them = Correspondent
    latest = them.select(_LATEST, them.id, _NOTHING, them.name, them.address, _NOTHING)
    return latest.where(them.user == placeholder("user"), stranger).order_by(them.last.desc()).limit(MOST_CORRESPONDENTS)


def _domains(placeholder: Slot, stranger: Any) -> Any:
    """The domains of contacts, the most common first."""
    row = ContactAddress
    domains = row.select(_DOMAIN, pw.fn.COUNT(row.id), _NOTHING, _NOTHING, row.domain, _NOTHING)
    domains = domains.where(row.user == placeholder("user"), row.domain != "", stranger).group_by(row.domain)
    return domains.order_by(pw.fn.COUNT(row.id).desc()).limit(_MOST_DOMAINS)


_fitting = {(named, outside): Prepared(partial(_those, named, outside)) for named in (False, True) for outside in (False, True)}


def look_up(user: User, sender: Address, *, outside: bool = True) -> KnownSender:
    """Look the sender up among the user's contacts and correspondents; `outside`: who is not of the establishment. 1 indexed
    query; none for a sender without an address."""
    email = address_key(sender.email)
    if "@" not in email:
        return KnownSender()
    email = email[-_LONGEST - 1 :]  # a longer one is nobody's, and its domain is compared all the same
    alike = address_skeleton(email)
    claimed = [name for name in display_names.claims(sender.name) if display_names.is_full(name)][
        : len(_SLOTS)
    ]  # one word is too common a name
    keys = [display_names.name_index(name) for name in claimed]
    slots = dict(zip(_SLOTS, [*keys, *keys[:1] * len(_SLOTS)], strict=False))
    written = sender.email.lower()[-_LONGEST - 1 :]
    rows = _fitting[bool(claimed), outside].plain(user=user.id, address=email, written=written, alike=alike, **slots)
    return _read(rows, email, alike, claimed)


def _read(rows: list[Any], email: str, alike: str, claimed: list[str]) -> KnownSender:
    found = [row[2:] for row in rows if row[0] in (1, 2)]
    written, directory = any(row[0] == 0 for row in rows), rows[-1][4]
    for uid, name, address, _alike in found:
        if address == email:
            return KnownSender(uid, name, written=written, directory=directory)
    people = tuple((name, address) for rank, _id, _uid, name, address, _alike in rows if rank == 3)
    return KnownSender(
        alike=next(((name, address) for _uid, name, address, seen in found if seen == alike and address), None),
        named=next(((name, address) for _uid, name, address, _seen in found if address and _is_one_of(name, claimed)), None),
        written=written,
        others=Acquaintances(people, tuple(row[4] for row in rows if row[0] == 4)),
        directory=directory,
    )


def _is_one_of(name: str, claimed: list[str]) -> bool:
    return any(display_names.same_name(name, one) for one in claimed)


def address_skeleton(email: str) -> str:
    """What an address looks like at first sight, as the index of contacts holds it."""
    local, _at, domain = email.rpartition("@")
    return skeleton(f"{local}@{lookalike.readable(domain)}")[:254]
