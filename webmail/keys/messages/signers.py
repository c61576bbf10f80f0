"""Signer book: what a message's signatures are checked with: one's own certificates, its sender's, and those that it names."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from webmail.crypto.errors import CryptoError
from webmail.crypto.signatures import MadeSignature
from webmail.keys import known_certificates, own_keys
from webmail.keys.certificate_columns import stored_time
from webmail.keys.known_certificates import KnownCertificate
from webmail.keys.own_keys import OwnKey
from webmail.mime.protected.arriving_keys import ArrivingKey, KeySource
from webmail.models import KeyOrigin, User

if TYPE_CHECKING:
    from webmail.crypto.certificate_facts import CertificateFacts


class SignerBook:
    """Of one message and one reader. Each list is one SELECT, once it is needed.

    `sender`: the one address in From, in lower case, "" where there are several or none: then no signature is the sender's.
    `notes`: keys that come with the message are noted as met.
    `with_revocations`: authorities of S/MIME are asked, later, whether they withdrew a certificate.
    """

    def __init__(self, user: User, sender: str, *, with_revocations: bool = False, notes: bool = True) -> None:
        self.user, self.sender, self.with_revocations, self.notes = user, sender.lower(), with_revocations, notes
        self._own: list[OwnKey] | None = None
        self._of_sender: list[KnownCertificate] | None = None
        self._named: list[KnownCertificate] = []

    @property
    def own(self) -> list[OwnKey]:
        if self._own is None:
            self._own = own_keys.own_keys(self.user.id) if self.user.has_keys else []
        return self._own

    @property
    def of_sender(self) -> list[KnownCertificate]:
        """The sender's."""
        if self._of_sender is None:
            self._of_sender = (
                known_certificates.certificates_for(self.user.id, [self.sender]).get(self.sender, []) if self.sender else []
            )
        return self._of_sender

    def certificates(self, kind: str) -> list[bytes]:
        """Without repetition, those most likely first."""
        found = [one.certificate for one in self.of_sender if one.kind == kind] + [
            key.certificate for key in self.own if key.kind == kind
        ]
        return list(dict.fromkeys([*found, *(one.certificate for one in self._named if one.kind == kind)]))

    def look_up(self, fingerprints: Iterable[str]) -> bool:
        """Add certificates of other addresses that have one of these keys, and whether there are any. One SELECT."""
        ids = [one[:16] if len(one) == 64 else one[-16:] for one in fingerprints if len(one) >= 16]
        self._named = known_certificates.with_key_ids(self.user.id, ids) if ids else []
        return bool(self._named)

    def own_with(self, fingerprint: str) -> OwnKey | None:
        return next((key for key in self.own if _is_of(fingerprint, key.fingerprint, key.key_ids)), None)

    def known_with(self, fingerprint: str) -> KnownCertificate | None:
        """The sender's before others'."""
        return next((one for one in [*self.of_sender, *self._named] if _is_of(fingerprint, one.fingerprint, one.key_ids)), None)

    def is_revoked(self, made: MadeSignature) -> bool:
        """Whether the signer's authority withdrew the certificate of S/MIME, as far as is known. One SELECT."""
        from webmail.keys import certificate_revocations

        if not self.with_revocations:
            return False
        return certificate_revocations.is_revoked(made.fingerprint, made.certificate, made.chain, made.made)

    def note_arrived(self, keys: Iterable[ArrivingKey], sent: datetime | None) -> None:
        """Note the sender's keys that came with the message as met. Nothing is written for a message that was opened before."""
        from webmail.crypto import openpgp_certificates

        for key in keys if self.notes else ():
            with suppress(CryptoError):  # what cannot be read is nobody's key
                for raw in openpgp_certificates.split_certificates(key.data)[:3]:
                    facts = openpgp_certificates.read_certificate(raw).facts()
                    if facts.is_secret or self.sender not in facts.addresses or self._has_met(facts.fingerprint, sent):
                        continue
                    origin = KeyOrigin.AUTOCRYPT if key.source is KeySource.AUTOCRYPT else KeyOrigin.MET
                    known_certificates.note_met(
                        self.user.id, facts, raw, [self.sender], origin, at=sent, prefers_encryption=key.prefers_encryption
                    )
                    self._of_sender = None

    def note_proven(self, facts: CertificateFacts, certificate: bytes, sent: datetime | None) -> None:
        """Note the sender's certificate of S/MIME, which an authority vouches for, so that one can encrypt for them."""
        if self.notes and not self._has_met(facts.fingerprint, sent):
            known_certificates.note_met(self.user.id, facts, certificate, [self.sender], at=sent)

    def _has_met(self, fingerprint: str, sent: datetime | None) -> bool:
        known = next((one for one in self.of_sender if one.fingerprint == fingerprint), None)
        at = stored_time(sent)
        return known is not None and (at is None or known.last_met is None or known.last_met >= at)


def _is_of(fingerprint: str, certificate: str, key_ids: tuple[str, ...]) -> bool:
    """Whether a fingerprint, or the key id that stands for it, is of this certificate."""
    if not fingerprint:
        return False
    return fingerprint == certificate or (len(fingerprint) == 16 and fingerprint in key_ids)
