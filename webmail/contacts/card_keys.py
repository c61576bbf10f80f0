"""Card keys: the keys on contacts' cards, to be looked at, and to be used when one writes to them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from webmail.contacts import store
from webmail.crypto.errors import CryptoError
from webmail.keys import known_certificates
from webmail.keys.known_certificates import KnownCertificate
from webmail.mime.formats.cards import vcard_keys
from webmail.models import Contact, KeyOrigin, User

if TYPE_CHECKING:
    from webmail.crypto.certificate_facts import CertificateFacts

_MOST_CERTIFICATES = 3  # of one line


@dataclass(frozen=True, slots=True)
class CardKey:
    """A key on a card. `address`: the one of the card that it names, "" where it names none; `noted`: as the person knows it."""

    kind: str
    fingerprint: str
    address: str
    certificate: bytes = field(repr=False)
    noted: KnownCertificate | None = None


def keys_of(user: User, row: Contact, addresses: Iterable[str]) -> list[CardKey]:
    """The keys on a card with these addresses. No query where it has none, else one SELECT."""
    found = _read(row.vcard)
    if not found:
        return []
    mine = [one.lower() for one in addresses]
    known = known_certificates.certificates_for(user.id, mine)
    made = []
    for raw, facts in found:
        fingerprint = facts.fingerprint.upper()
        address = next((one for one in mine if one in facts.addresses), "")
        noted = next((one for one in known.get(address, []) if one.fingerprint == fingerprint), None)
        made.append(CardKey(str(facts.kind), fingerprint, address, raw, noted))
    return made


def take(user: User, row: Contact, addresses: Iterable[str]) -> int:
    """Note the keys of a card under those of its addresses that they name; returns how many could be."""
    mine = [one.lower() for one in addresses]
    return sum(bool(known_certificates.note_met(user.id, facts, raw, mine, KeyOrigin.CARD)) for raw, facts in _read(row.vcard))


def take_for(user: User, addresses: Iterable[str]) -> set[str]:
    """Note what the person's own book has for these addresses, each under that address alone; returns for whom there was a key.

    One SELECT for each address.
    """
    noted = set()
    for address in addresses:
        row = store.with_address(user, address)
        if row is None:
            continue
        for raw, facts in _read(row.vcard):
            if facts.can_encrypt and known_certificates.note_met(user.id, facts, raw, [address], KeyOrigin.CARD):
                noted.add(address)
    return noted


def _read(card: str) -> list[tuple[bytes, CertificateFacts]]:
    """Certificates without a private part; what can't be read is no key."""
    raws = vcard_keys.keys_in(card)
    if not raws:
        return []
    from webmail.crypto.certificates import facts_of, split_certificates

    found: dict[str, tuple[bytes, CertificateFacts]] = {}
    for data in raws:
        with suppress(CryptoError):
            for raw in split_certificates(data)[:_MOST_CERTIFICATES]:
                facts = facts_of(raw)
                if not facts.is_secret:
                    found.setdefault(facts.fingerprint, (raw, facts))
    return list(found.values())
