"""Known senders: whether a sender is a contact, or imitates a contact's name or address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import peewee as pw

from webmail.database.prepared import Prepared, Slot
from webmail.mail import Address
from webmail.mime.address_input import address_key
from webmail.mime.threats import lookalike, names
from webmail.mime.threats.skeletons import skeleton
from webmail.models import Contact, ContactAddress, User

_MOST_LOOKED_AT = 20
_MOST_DOMAINS = 500
_SLOTS = ("key", "key2", "key3")  # names that a display name can be read as


@dataclass(frozen=True, slots=True)
class KnownSender:
    """`contact` is the `uid` of the contact with the sender's address, "" if none, and `name` its name. `alike` and `named` are
    contacts (name, address) with an address that looks like the sender's, and with the sender's name.
    """

    contact: str = ""
    name: str = ""
    alike: tuple[str, str] | None = None
    named: tuple[str, str] | None = None


def _those(slot: Slot, *, named: bool) -> Any:
    row = ContactAddress
    mine = row.user == slot("user")
    fits = (mine & (row.address == slot("address"))) | (mine & (row.alike == slot("alike")))  # each side uses an index
    if named:
        for name in _SLOTS:
            fits |= mine & (row.key == slot(name))
    found = row.select(Contact.uid, Contact.name, row.address, row.alike).join(Contact).where(fits)
    return found.order_by((row.address == slot("address")).desc(), row.id).limit(_MOST_LOOKED_AT).tuples()


_fitting = Prepared(lambda slot: _those(slot, named=False))
_fitting_or_named = Prepared(lambda slot: _those(slot, named=True))


def look_up(user: User, sender: Address) -> KnownSender:
    """Look the sender up among the user's contacts. 1 indexed query; none for a sender without an address."""
    email = address_key(sender.email)
    if "@" not in email or len(email) > 254:
        return KnownSender()
    alike = address_skeleton(email)
    claimed = [name for name in names.claims(sender.name) if names.is_full(name)][: len(_SLOTS)]  # one word is too common a name
    if claimed:
        keys = [names.name_index(name) for name in claimed]
        slots = dict(zip(_SLOTS, [*keys, *keys[:1] * len(_SLOTS)], strict=False))
        rows = _fitting_or_named(user=user.id, address=email, alike=alike, **slots)
    else:
        rows = _fitting(user=user.id, address=email, alike=alike)
    for uid, name, address, _alike in rows:
        if address == email:
            return KnownSender(uid, name)
    return KnownSender(
        alike=next(((name, address) for _uid, name, address, seen in rows if seen == alike and address), None),
        named=next(((name, address) for _uid, name, address, _seen in rows if address and _is_one_of(name, claimed)), None),
    )


def _is_one_of(name: str, claimed: list[str]) -> bool:
    return any(names.same_name(name, one) for one in claimed)


def address_skeleton(email: str) -> str:
    """What an address looks like at first sight, as the index of contacts holds it."""
    local, _at, domain = email.rpartition("@")
    return skeleton(f"{local}@{lookalike.readable(domain)}")[:254]


def _domains(slot: Slot) -> Any:
    row = ContactAddress
    found = row.select(row.domain).where(row.user == slot("user"), row.domain != "").group_by(row.domain)
    return found.order_by(pw.fn.COUNT(row.id).desc()).limit(_MOST_DOMAINS).tuples()


_domains_of = Prepared(_domains)


def domains(user: User) -> list[str]:
    """The domains of the user's contacts, the most common first. 1 query."""
    return [domain for (domain,) in _domains_of(user=user.id)]
