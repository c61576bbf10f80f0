"""Recipient keys: for whom of a message's recipients it can be encrypted, by which kind of key, and why not for the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from webmail.compose.encryption import own_messages
from webmail.keys import known_certificates, own_keys
from webmail.keys.known_certificates import KnownCertificate
from webmail.keys.own_keys import OwnKey
from webmail.models import KeyOrigin, now


class MissingKey(StrEnum):
    """Why there is no key of somebody that could be used."""

    UNKNOWN = "unknown"
    EXPIRED = "expired"
    REVOKED = "revoked"
    BLOCKED = "blocked"
    SIGNS_ONLY = "signs-only"
    OTHER_KIND = "other-kind"  # there is one, of the kind that others of the recipients don't have


@dataclass(frozen=True, slots=True)
class RecipientKey:
    """A recipient by address (lower case), the certificate that is used, and why there is none."""

    address: str
    certificate: bytes = b""
    origin: KeyOrigin | None = None  # None: one's own
    is_checked: bool = False
    why: MissingKey | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """For whom a message can be encrypted by one kind of key."""

    kind: str
    recipients: tuple[RecipientKey, ...]

    @property
    def missing(self) -> tuple[RecipientKey, ...]:
        return tuple(one for one in self.recipients if one.why is not None)

    @property
    def is_complete(self) -> bool:
        return bool(self.recipients) and not self.missing

    def certificates(self, addresses: Iterable[str]) -> list[bytes]:
        """Of these recipients; each once."""
        wanted = {address.lower() for address in addresses}
        return list(dict.fromkeys(one.certificate for one in self.recipients if one.address in wanted and one.certificate))


def coverage(user_id: int, own: Sequence[OwnKey], addresses: Iterable[str], preferred: str = "") -> Coverage | None:
    """By the kind of key that most of the recipients have, the `preferred` one where both do equally; None for somebody who has
    no good key of their own, since they could not read what they sent. One SELECT."""
    kinds = [kind for kind in own_messages.KINDS if own_keys.encryption_keys(own, kind)]
    if not kinds:
        return None
    wanted = list(dict.fromkeys(address.lower() for address in addresses))
    found = known_certificates.certificates_for(user_id, wanted)
    kinds.sort(key=lambda kind: kind != preferred)
    made = [Coverage(kind, tuple(_of_address(one, kind, own, found) for one in wanted)) for kind in kinds]
    return min(made, key=lambda one: len(one.missing))


def _of_address(address: str, kind: str, own: Sequence[OwnKey], found: Mapping[str, list[KnownCertificate]]) -> RecipientKey:
    mine = next((one for one in own_keys.encryption_keys(own, kind) if address in one.addresses), None)
    if mine is not None:
        return RecipientKey(address, mine.certificate)
    theirs = found.get(address, [])
    at = now()
    good = next((one for one in theirs if one.kind == kind and one.can_encrypt and one.is_good(at)), None)
    if good is not None:
        return RecipientKey(address, good.certificate, good.origin, good.checked is not None)
    return RecipientKey(address, why=_why(theirs, kind, at))


def _why(theirs: list[KnownCertificate], kind: str, at: datetime) -> MissingKey:
    """Of several that can't be used the reason of the first, which would be used before the others."""
    of_kind = [one for one in theirs if one.kind == kind]
    if not of_kind:
        usable = any(one.can_encrypt and one.is_good(at) for one in theirs)
        return MissingKey.OTHER_KIND if usable else MissingKey.UNKNOWN
    first = of_kind[0]
    if first.blocked is not None:
        return MissingKey.BLOCKED
    if first.revoked is not None:
        return MissingKey.REVOKED
    if first.expires is not None and first.expires <= at:
        return MissingKey.EXPIRED
    return MissingKey.SIGNS_ONLY
