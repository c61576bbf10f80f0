"""What a person's contacts say about a sender: that it is one of them, or that it takes one's name or looks like one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import peewee as pw

from webmail.database.prepared import Prepared, Slot
from webmail.mail import Address
from webmail.mime.address_input import address_key
from webmail.mime.threats import lookalike
from webmail.models import Contact, ContactAddress, User

_MOST_LOOKED_AT = 20
_MOST_DOMAINS = 500


@dataclass(frozen=True, slots=True)
class KnownSender:
    """`contact` is the `uid` of the contact who has the sender's address, "" for none. The others (name, address) are contacts
    with an address that a quick eye takes for the sender's, and with the sender's name."""

    contact: str = ""
    name: str = ""
    alike: tuple[str, str] | None = None
    named: tuple[str, str] | None = None


def _those(slot: Slot, *, named: bool) -> Any:
    row = ContactAddress
    mine = row.user == slot("user")
    fits = (mine & (row.address == slot("address"))) | (mine & (row.alike == slot("alike")))  # so that each has its index
    if named:
        fits |= mine & (row.key == slot("key"))
    found = row.select(Contact.uid, Contact.name, row.address, row.alike, row.key).join(Contact).where(fits)
    return found.order_by((row.address == slot("address")).desc(), row.id).limit(_MOST_LOOKED_AT).tuples()


_fitting = Prepared(lambda slot: _those(slot, named=False))
_fitting_or_named = Prepared(lambda slot: _those(slot, named=True))


def look_up(user: User, sender: Address) -> KnownSender:
    """1 query by indexes, whatever the number of contacts; none for a sender without an address."""
    email = address_key(sender.email)
    if "@" not in email or len(email) > 254:
        return KnownSender()
    local, _at, domain = email.rpartition("@")
    alike = lookalike.skeleton(f"{local}@{lookalike.readable(domain)}")[:254]
    key = lookalike.name_key(sender.name)[:190]
    if " " in key:
        rows = _fitting_or_named(user=user.id, address=email, alike=alike, key=key)
    else:  # a single word is many people's name
        rows = _fitting(user=user.id, address=email, alike=alike)
    for uid, name, address, _alike, _key in rows:
        if address == email:
            return KnownSender(uid, name)
    return KnownSender(
        alike=next(((name, address) for _uid, name, address, seen, _key in rows if seen == alike and address), None),
        named=next(((name, address) for _uid, name, address, _alike, known in rows if known == key and address), None),
    )


def _domains(slot: Slot) -> Any:
    row = ContactAddress
    found = row.select(row.domain).where(row.user == slot("user"), row.domain != "").group_by(row.domain)
    return found.order_by(pw.fn.COUNT(row.id).desc()).limit(_MOST_DOMAINS).tuples()


_domains_of = Prepared(_domains)


def domains(user: User) -> list[str]:
    """Where a person's contacts have their mail, the commonest first. 1 query."""
    return [domain for (domain,) in _domains_of(user=user.id)]
