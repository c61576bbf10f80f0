"""Finished messages: a draft built, signed and encrypted as its plan says: the bytes that leave, and that Sent keeps.

Whoever is in To or Cc gets one message, which its writer can read too. Each hidden recipient gets one of their own, since an
encrypted message tells the keys of all that it is for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from webmail.compose.encryption import own_messages
from webmail.compose.encryption.protection_errors import NoOwnKeyError, ProtectionError
from webmail.compose.encryption.sending_plan import SendingPlan
from webmail.keys import own_keys
from webmail.keys.own_keys import OPENPGP, OwnKey
from webmail.mail import Draft
from webmail.mime import builder
from webmail.mime.protected import autocrypt_header, envelopes, payload

MOST_HIDDEN = 20  # hidden recipients of an encrypted message, each with a message of their own
MOST_HIDDEN_BYTES = 100_000_000  # of all those together


class TooManyHiddenError(ProtectionError):
    """So many hidden recipients can't get encrypted messages of this size."""


@dataclass(frozen=True, slots=True)
class FinishedMessage:
    """A message as it leaves, and the recipients (addresses) that get it."""

    content: bytes
    recipients: tuple[str, ...]


def finished(draft: Draft, plan: SendingPlan, secret: bytes | None, date: datetime, owner: int) -> Iterator[FinishedMessage]:
    """The message for all that may see each other first, then one for each hidden recipient. `secret`: the private key of
    `plan.signer`.

    Raises NoOwnKeyError, TooManyHiddenError, CryptoError, and what building a message does.
    """
    only_signed = not plan.is_encrypted
    built = builder.build(replace(draft, exact=only_signed), date=date)
    seen = _addresses(draft, hidden=False)
    hidden = [one for one in _addresses(draft, hidden=True) if one.lower() not in {other.lower() for other in seen}]
    if only_signed:
        yield FinishedMessage(_signed(built, plan, secret, owner), (*seen, *hidden))
        return
    if len(hidden) > MOST_HIDDEN or len(hidden) * len(built) > MOST_HIDDEN_BYTES:
        raise TooManyHiddenError(f"{len(hidden)} hidden recipients of {len(built)} bytes each")
    first = seen or hidden[:1]
    yield FinishedMessage(_encrypted(built, plan, secret, first, owner, own=True), tuple(first))
    for address in hidden if seen else hidden[1:]:
        yield FinishedMessage(_encrypted(built, plan, secret, [address], owner, own=False), (address,))


def own_copy(message: bytes, own: tuple[OwnKey, ...] | list[OwnKey], owner: int) -> bytes:
    """A built message, encrypted for its writer alone. One process. Raises NoOwnKeyError, CryptoError."""
    kind = own_messages.kind_for_oneself(own)
    made = payload.for_encrypting(message)
    data = own_messages.encrypted_for(made.content, own_messages.certificates(own, kind), kind, owner, mine=True)
    return envelopes.message(made.header, _envelope(data, kind, authenticated=True))


def autocrypt_value(own: list[OwnKey], sender: str, *, mutual: bool) -> str:
    """The value of the Autocrypt header, folded, for what is sent from an address; "" without a key for it."""
    key = own_keys.signing_key(own, sender, OPENPGP)
    if key is None or not key.can_encrypt:
        return ""
    line = autocrypt_header.written(sender, key.certificate, mutual=mutual).decode("ascii")
    return line.partition(": ")[2].removesuffix("\r\n")


def _addresses(draft: Draft, *, hidden: bool) -> list[str]:
    people = draft.bcc if hidden else (*draft.to, *draft.cc)
    return list({one.email.lower(): one.email for one in people}.values())


def _signed(built: bytes, plan: SendingPlan, secret: bytes | None, owner: int) -> bytes:
    made = payload.for_signing(built)
    return envelopes.message(made.header, _signed_part(made.content, plan, secret, owner))


def _signed_part(content: bytes, plan: SendingPlan, secret: bytes | None, owner: int) -> bytes:
    if plan.signer is None or secret is None:
        raise NoOwnKeyError("no key that could sign")
    if plan.signer.kind == OPENPGP:
        from webmail.crypto import openpgp

        return envelopes.signed_part(content, *openpgp.sign_detached(content, secret, owner=owner))
    from webmail.crypto import smime
    from webmail.keys.messages import smime_layers

    key = smime_layers.smime_key(secret, plan.signer.certificate)
    return envelopes.smime_signed_part(content, *smime.sign_detached(content, key, owner=owner))


def _encrypted(built: bytes, plan: SendingPlan, secret: bytes | None, to: list[str], owner: int, *, own: bool) -> bytes:
    if plan.coverage is None or plan.coverage.missing:
        raise NoOwnKeyError("not all recipients have a key")
    made = payload.for_encrypting(built)
    kind = plan.kind
    those = plan.coverage.certificates(to) + (own_messages.certificates(plan.own, kind) if own else [])
    content, signer = made.content, secret
    if kind != OPENPGP and plan.signer is not None:  # signed first, and the whole of it encrypted (RFC 8551 section 3.6)
        content, signer = _signed_part(content, plan, secret, owner), None
    data = own_messages.encrypted_for(content, list(dict.fromkeys(those)), kind, owner, sign_with=signer)
    return envelopes.message(made.header, _envelope(data, kind))


def _envelope(data: bytes, kind: str, *, authenticated: bool = False) -> bytes:
    if kind == OPENPGP:
        return envelopes.encrypted_part(data)
    return envelopes.smime_encrypted_part(data, authenticated=authenticated)
