"""Certificate revocations: what authorities said of the certificates that signed people's messages, for all who read them.

A page asks nobody: it notes that it wants to know, and says what is known. The worker asks (`revocation_rounds.py`), and the next
look at the message tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import peewee as pw

from webmail.crypto.revocation import HOLD, RevocationAnswer, revocation_sources
from webmail.database.connection import db
from webmail.keys.certificate_columns import stored_time
from webmail.models import CertificateRevocation, now

FRESH, LONGEST = timedelta(hours=4), timedelta(days=1)  # that an answer holds at least, and at most
AWAY = timedelta(hours=2)  # until an authority that did not answer is asked again
KEPT = timedelta(days=400)  # after the last look at a message
_LEASE = timedelta(minutes=10)
_LARGEST_CHAIN = 64 * 1024  # bytes of the certificates that came with a signature
_HARMLESS = frozenset({"superseded", "cessation_of_operation", "affiliation_changed"})


@dataclass(frozen=True, slots=True)
class DueCheck:
    """A certificate (DER) whose authority is to be asked, with the certificates that came with it (PEM)."""

    number: int
    fingerprint: str
    certificate: bytes
    chain: bytes


def is_revoked(fingerprint: str, certificate: bytes, chain: bytes, made: datetime | None) -> bool:
    """Whether the authority withdrew it, as far as is known; notes that it is to be asked. One SELECT, and a write once a day.

    What was signed (`made`, as the signer says) before the certificate was replaced or its owner left stays good; where the key
    may have been in other hands, or nothing is said, that time may be a lie.
    """
    row = CertificateRevocation.get_or_none(CertificateRevocation.fingerprint == fingerprint)
    if row is None:
        if revocation_sources(certificate):
            _note_wanted(fingerprint, certificate, chain)
        return False
    is_final = row.revoked is not None and row.reason != HOLD
    if not is_final and row.due is None and (row.fresh_until is None or row.fresh_until <= now()):
        again = {CertificateRevocation.due: now(), CertificateRevocation.wanted: now()}
        CertificateRevocation.update(again).where(CertificateRevocation.id == row.id).execute()
    if row.revoked is None:
        return False
    signed = stored_time(made)
    return not (row.reason in _HARMLESS and signed is not None and signed < row.revoked)


def _note_wanted(fingerprint: str, certificate: bytes, chain: bytes) -> None:
    """Two who look at the same instant write one row."""
    values = {
        "fingerprint": fingerprint, "certificate": certificate, "chain": chain if len(chain) <= _LARGEST_CHAIN else b"",
        "reason": "", "due": now(), "wanted": now(),
    }  # fmt: skip
    CertificateRevocation.insert(values).on_conflict_ignore().execute()


# --- of the worker ---------------------------------------------------------------------------------------------------


def due_checks() -> pw.Query:
    """Whether anybody waits."""
    return CertificateRevocation.select(CertificateRevocation.id).where(CertificateRevocation.due <= now()).limit(1)


def take_due(most: int) -> list[DueCheck]:
    """Those that wait longest; another worker gets none of them before ten minutes are over."""
    row, found = CertificateRevocation, []
    with db.atomic():
        for one in row.select().where(row.due <= now()).order_by(row.due).limit(most):
            leased = row.update(due=now() + _LEASE).where(row.id == one.id, row.due == one.due).execute()
            if leased:
                found.append(DueCheck(one.id, one.fingerprint, bytes(one.certificate), bytes(one.chain)))
    return found


def note_answer(check: DueCheck, answer: RevocationAnswer | None) -> None:
    """What the authority said; None: nothing, and what was known stays. One UPDATE."""
    row = CertificateRevocation
    values: dict[str, object] = {"due": None, "asked": now(), "fresh_until": now() + AWAY}
    if answer is not None:
        until = stored_time(answer.until) or now() + LONGEST
        values["fresh_until"] = min(max(until, now() + FRESH), now() + LONGEST)
        values |= {"revoked": stored_time(answer.revoked), "reason": answer.reason[:40]}
    row.update(values).where(row.id == check.number).execute()


def clean_up() -> None:
    """Forget certificates of messages that nobody looked at for long. One DELETE."""
    row = CertificateRevocation
    row.delete().where(row.wanted < now() - KEPT).execute()
