"""Sending plan: what will be done to a message as it is sent, told before and carried out then.

What the person chose for it comes first, then their preferences, then the rule of the establishment that what stays inside is
signed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from webmail.compose.encryption import own_messages, recipient_keys
from webmail.compose.encryption.protection import MessageProtection
from webmail.compose.encryption.recipient_keys import Coverage
from webmail.keys import own_keys, plain_recipients
from webmail.keys.own_keys import OwnKey


@dataclass(frozen=True, slots=True)
class ProtectionWishes:
    """What a person and their establishment want of messages. `kind`: of key, where both could be used; "": no matter."""

    sign: bool = False
    encrypt: str = "ask"  # "never", "ask", "possible"
    kind: str = ""
    sign_inside: bool = False


@dataclass(frozen=True, slots=True)
class SendingPlan:
    """What will be done. `signs_by_rule`: though nobody chose it. `lacks_signer`: it should be signed, and no key can.

    `never_for`: those of the recipients that the person chose never to encrypt for.
    """

    protection: MessageProtection = MessageProtection.USUAL
    signer: OwnKey | None = None
    is_encrypted: bool = False
    coverage: Coverage | None = None
    signs_by_rule: bool = False
    lacks_signer: bool = False
    never_for: tuple[str, ...] = ()
    own: tuple[OwnKey, ...] = field(default=(), repr=False)

    @property
    def kind(self) -> str:
        if self.is_encrypted and self.coverage is not None:
            return self.coverage.kind
        return self.signer.kind if self.signer is not None else ""

    @property
    def is_plain(self) -> bool:
        return self.signer is None and not self.is_encrypted

    @property
    def could_encrypt(self) -> bool:
        """Whether it will not be encrypted, and could be for all; not where the person wants that never for one of them."""
        return not self.is_encrypted and not self.never_for and self.coverage is not None and self.coverage.is_complete


def plan(
    user_id: int,
    own: Sequence[OwnKey],
    chosen: str,
    sender: str,
    addresses: Iterable[str],
    wishes: ProtectionWishes,
    *,
    inside: bool,
) -> SendingPlan:
    """`own`: all keys of the person. `inside`: whether all recipients are colleagues. Two SELECTs."""
    protection, addresses = MessageProtection(chosen), list(addresses)
    never = plain_recipients.among(user_id, addresses)
    found = recipient_keys.coverage(user_id, own, addresses, wishes.kind)
    encrypts = protection in (MessageProtection.ENCRYPTED, MessageProtection.BOTH)
    if protection is MessageProtection.WHERE_POSSIBLE:
        encrypts = found is not None and found.is_complete and not never
        signs = encrypts or wishes.sign
    else:
        signs = protection in (MessageProtection.SIGNED, MessageProtection.BOTH)
    by_rule = not signs and wishes.sign_inside and inside
    kind = found.kind if encrypts and found is not None else ""
    signer = _signer(own, sender, kind, wishes.kind) if signs or by_rule else None
    lacks = signs and signer is None and not (protection is MessageProtection.WHERE_POSSIBLE and encrypts)
    return SendingPlan(protection, signer, encrypts, found, by_rule and signer is not None, lacks, never, tuple(own))


def _signer(own: Sequence[OwnKey], sender: str, kind: str, preferred: str) -> OwnKey | None:
    """Of the kind that the message is encrypted by, else the preferred one first."""
    kinds = [kind] if kind else sorted(own_messages.KINDS, key=lambda one: one != preferred)
    return next((key for one in kinds if (key := own_keys.signing_key(own, sender, one)) is not None), None)
