"""Card index: what is derived from a card for lists and look-ups: columns of the contact, rows of its addresses and members."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from webmail.mime.formats.cards import vcard_edit
from webmail.mime.formats.cards.vcard_edit import ContactDetails
from webmail.mime.headers.address_input import address_key
from webmail.mime.headers.encoded_words import sort_key, words_in
from webmail.mime.threats import display_names, lookalike
from webmail.mime.threats.skeletons import skeleton
from webmail.models import ContactAddress, ContactMember

Rows = list[dict[str, Any]]
IndexRows = tuple[Rows, Rows]  # of addresses and of members, without the contact's id
GROUP, INDIVIDUAL = "group", "individual"
_CHUNK = 125  # rows per statement: databases limit bound parameters


def columns(card: str, existing: ContactDetails) -> dict[str, Any]:
    """The columns derived from a card."""
    parts = [existing.name, existing.given, existing.family, existing.organisation, *(point.value for point in existing.emails)]
    found = words_in(" ".join(parts))
    found += filter(None, (vcard_edit.phone_key(point.value) for point in existing.phones))
    return {
        "card_uid": existing.uid,
        "vcard": card,
        "name": existing.name,
        "sort": sort_key(existing.name),
        "words": "".join(f" {word}" for word in dict.fromkeys(found)),
        "email": next((key for point in existing.emails if "@" in (key := address_key(point.value)) and len(key) <= 254), ""),
        "kind": GROUP if existing.group else INDIVIDUAL,
        "revision": revision(card),
    }


def revision(card: str) -> str:
    return hashlib.sha256(card.encode("utf-8", "replace")).hexdigest()[:32]


def index_of(details: ContactDetails) -> IndexRows:
    key, addresses = display_names.name_index(details.name), []
    keys = dict.fromkeys(address_key(point.value) for point in details.emails)
    for address in [key for key in keys if "@" in key and len(key) <= 254] or [""]:  # so that it is found by name
        domain = lookalike.readable(address.rpartition("@")[2])
        alike = skeleton(f"{address.rpartition('@')[0]}@{domain}")[:254] if address else ""
        addresses.append({"address": address, "domain": domain[:254], "alike": alike, "key": key})
    return addresses, [{"member": member[:262]} for member in details.members]


def add_to_index(user: int, found: Iterable[tuple[int, IndexRows]]) -> None:
    addresses: Rows = []
    members: Rows = []
    for number, (of_addresses, of_members) in found:
        addresses += [{"user": user, "contact": number, **row} for row in of_addresses]
        members += [{"group": number, **row} for row in of_members]
    for table, rows in ((ContactAddress, addresses), (ContactMember, members)):
        for at in range(0, len(rows), _CHUNK):
            table.insert_many(rows[at : at + _CHUNK]).execute()


def drop_index(contact: int) -> None:
    """Forget what was derived from a contact's card, before it gets another one."""
    ContactAddress.delete().where(ContactAddress.contact == contact).execute()
    ContactMember.delete().where(ContactMember.group == contact).execute()
