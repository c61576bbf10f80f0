"""Known certificates: those of others, as one person knows them, with how they came to know each.

A colleague's own, where they have published it, counts for everybody of the installation without being copied.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import peewee as pw

from webmail.database.connection import db
from webmail.database.locks import serialize
from webmail.keys.certificate_columns import described, stored_time
from webmail.models import KeyAddress, KeyOrigin, KnownCertificateRow, OwnKeyRow, User, now

if TYPE_CHECKING:
    from webmail.crypto.certificate_facts import CertificateFacts

MOST = 2000  # rows of one person
LARGEST_MET, LARGEST = 64 * 1024, 512 * 1024  # bytes, of one that came with a message; of any other
MOST_ADDRESSES = 500  # asked for at once
_PASSING = (KeyOrigin.MET, KeyOrigin.AUTOCRYPT)  # which go first where there are too many


@dataclass(frozen=True, slots=True)
class KnownCertificate:
    """A certificate of somebody else for one address. Times are naive UTC. `number`: of the row, 0 of a colleague's own."""

    number: int
    address: str  # lower case
    kind: str  # "openpgp" or "smime"
    fingerprint: str  # hex, upper case
    name: str
    algorithm: str
    certificate: bytes = field(repr=False)
    key_ids: tuple[str, ...]
    made: datetime | None
    expires: datetime | None
    revoked: datetime | None
    can_encrypt: bool
    can_sign: bool
    origin: KeyOrigin
    prefers_encryption: bool = False
    times_met: int = 0
    first_met: datetime | None = None
    last_met: datetime | None = None
    checked: datetime | None = None
    blocked: datetime | None = None

    def is_good(self, at: datetime | None = None) -> bool:
        """Whether to encrypt for it, and to believe what it signs now: not blocked, revoked or at its end."""
        return self.blocked is None and self.revoked is None and (self.expires is None or self.expires > (at or now()))


def certificates_for(user_id: int, addresses: Iterable[str]) -> dict[str, list[KnownCertificate]]:
    """By address in lower case, each in the order in which to use them: checked by hand, colleagues' own, met last.

    Those that are not good are among them, so that pages can say why none is used. One SELECT; none for no addresses.
    """
    wanted = list(dict.fromkeys(one.lower() for one in addresses))[:MOST_ADDRESSES]
    if not wanted:
        return {}
    mine = _selected().where(KnownCertificateRow.user == user_id, KnownCertificateRow.address.in_(wanted))
    found: dict[str, list[KnownCertificate]] = {}
    for one in _merged((mine + _colleagues(wanted)).tuples()):
        found.setdefault(one.address, []).append(one)
    return {address: sorted(theirs, key=_order) for address, theirs in found.items()}


def with_key_ids(user_id: int, key_ids: Sequence[str]) -> list[KnownCertificate]:
    """Those that have one of these keys in them, whatever their addresses: who signed, where the sender has no such key.

    Colleagues' own are not among them. One SELECT.
    """
    parts = [KnownCertificateRow.key_ids.contains(one) for one in key_ids[:8] if one.isalnum() and len(one) >= 16]
    if not parts:
        return []
    condition = parts[0]
    for part in parts[1:]:
        condition |= part
    return _merged(_selected().where(KnownCertificateRow.user == user_id, condition).limit(50).tuples())


def all_known(user_id: int) -> list[KnownCertificate]:
    """All of a person's own list, by address. One SELECT."""
    return _merged(_selected().where(KnownCertificateRow.user == user_id).order_by(KnownCertificateRow.address).tuples())


def find(user_id: int, number: int) -> KnownCertificate | None:
    """One SELECT; None for somebody else's too."""
    mine = (KnownCertificateRow.user == user_id) & (KnownCertificateRow.id == number)
    found = _merged(_selected().where(mine).tuples()) if number < 2**63 else []
    return found[0] if found else None


# --- writing ---------------------------------------------------------------------------------------------------------


def note_met(
    user_id: int, facts: CertificateFacts, certificate: bytes, addresses: Iterable[str], origin: KeyOrigin = KeyOrigin.MET, *,
    at: datetime | None = None, prefers_encryption: bool = False,
) -> int:  # fmt: skip
    """Keep a certificate under those of these addresses that it names; returns under how many.

    One that names none of them is not kept: a key says itself whose it is. What is known by hand (checked, blocked) stays so.
    `at`: when the message was sent; a message that is older than the last one counts no further meeting, so that opening it again
    does not. A certificate that came with a message is not kept where it is larger than LARGEST_MET.
    """
    named = {one.lower() for one in facts.addresses}
    kept = [one for one in dict.fromkeys(address.lower() for address in addresses) if one in named]
    if not kept or len(certificate) > (LARGEST_MET if origin in _PASSING else LARGEST):
        return 0
    met = min(stored_time(at) or now(), now())
    with db.atomic():
        serialize(f"known certificates {user_id}")
        for address in kept:
            _note(user_id, address, facts, certificate, origin, met, prefers_encryption)
        _make_room(user_id)
    return len(kept)


def check(user_id: int, fingerprint: str, *, checked: bool) -> bool:
    """Note that the person compared the fingerprint, or take it back; whether there is such a certificate. One UPDATE."""
    return _mark(user_id, fingerprint, {"checked": now() if checked else None})


def block(user_id: int, fingerprint: str, *, blocked: bool) -> bool:
    """Never use a certificate, or do again; whether there is one. One UPDATE."""
    return _mark(user_id, fingerprint, {"blocked": now() if blocked else None})


def note_revoked(fingerprint: str, at: datetime) -> None:
    """An authority withdrew it: nobody here encrypts for it any more. One UPDATE, of everybody's rows."""
    row = KnownCertificateRow
    row.update(revoked=stored_time(at)).where(row.fingerprint == fingerprint.upper(), row.revoked.is_null()).execute()


def forget(user_id: int, number: int) -> bool:
    """Whether it was there. One DELETE."""
    mine = (KnownCertificateRow.user == user_id) & (KnownCertificateRow.id == number)
    return number < 2**63 and bool(KnownCertificateRow.delete().where(mine).execute())


def _mark(user_id: int, fingerprint: str, columns: dict[str, Any]) -> bool:
    mine = (KnownCertificateRow.user == user_id) & (KnownCertificateRow.fingerprint == fingerprint.upper())
    return bool(KnownCertificateRow.update(columns).where(mine).execute())


def _note(
    user_id: int, address: str, facts: CertificateFacts, certificate: bytes, origin: KeyOrigin, met: datetime, prefers: bool
) -> None:
    columns = described(facts) | {"name": (facts.names[0] if facts.names else "")[:190], "certificate": certificate}
    key = {"user": user_id, "address": address, "fingerprint": facts.fingerprint.upper()}
    row = KnownCertificateRow.get_or_none(**key)
    if row is None:
        times = 1 if origin in _PASSING else 0
        more = {"origin": origin, "prefers_encryption": prefers, "times_met": times, "first_met": met, "last_met": met}
        KnownCertificateRow.create(**key, **columns, **more)
        return
    if row.revoked is not None:  # a copy without the revocation does not take it back
        columns = {}
    if origin not in _PASSING and row.origin in _PASSING:
        columns["origin"] = origin
    if origin in _PASSING and met > row.last_met:
        columns |= {"times_met": KnownCertificateRow.times_met + 1, "last_met": met, "prefers_encryption": prefers}
    elif origin in _PASSING:
        columns = {}  # an old message opened again brings back no old state of the key
    if columns:
        KnownCertificateRow.update(columns).where(KnownCertificateRow.id == row.id).execute()


def _make_room(user_id: int) -> None:
    """Forget what was met longest ago beyond MOST, never what the person chose themselves."""
    mine = KnownCertificateRow.user == user_id
    over = KnownCertificateRow.select().where(mine).count() - MOST
    if over <= 0:
        return
    passing = KnownCertificateRow.origin.in_(list(_PASSING))
    untouched = KnownCertificateRow.checked.is_null() & KnownCertificateRow.blocked.is_null()
    oldest = (
        KnownCertificateRow.select(KnownCertificateRow.id)
        .where(mine, passing, untouched)
        .order_by(KnownCertificateRow.last_met)
        .limit(over)
    )
    KnownCertificateRow.delete().where(KnownCertificateRow.id.in_([row.id for row in oldest])).execute()


# --- reading ---------------------------------------------------------------------------------------------------------

_COLUMNS = (
    "kind", "fingerprint", "algorithm", "certificate", "key_ids", "made", "expires", "revoked", "can_encrypt", "can_sign",
)  # fmt: skip


def _selected() -> Any:
    row = KnownCertificateRow
    return row.select(
        row.id, row.address, row.name, *(getattr(row, name) for name in _COLUMNS), row.origin, row.prefers_encryption,
        row.times_met, row.first_met, row.last_met, row.checked, row.blocked,
    )  # fmt: skip


def _colleagues(addresses: list[str]) -> Any:
    """The published keys of people of this installation, in the columns of `_selected`."""
    row, none = OwnKeyRow, pw.Value(None)
    return (
        KeyAddress.select(
            pw.Value(0), KeyAddress.address, User.name, *(getattr(row, name) for name in _COLUMNS),
            pw.Value(str(KeyOrigin.DIRECTORY)), pw.Value(False), pw.Value(0), row.added, row.added, none, none,
        )
        .join(row, on=KeyAddress.key == row.id)
        .join(User, on=row.user == User.id)
        .where(KeyAddress.address.in_(addresses), row.published == True, User.active == 1)  # noqa: E712
    )  # fmt: skip


def _merged(rows: Iterable[tuple[Any, ...]]) -> list[KnownCertificate]:
    """A colleague's own takes the place of what the person had met of it; what they decided about it stays."""
    found: dict[tuple[str, str], KnownCertificate] = {}
    for row in rows:
        one = _told(row)
        key = (one.address, one.fingerprint)
        before = found.get(key)
        if before is None:
            found[key] = one
            continue
        own, met = (one, before) if one.number == 0 else (before, one)
        found[key] = KnownCertificate(
            met.number, own.address, own.kind, own.fingerprint, own.name, own.algorithm, own.certificate, own.key_ids, own.made,
            own.expires, own.revoked, own.can_encrypt, own.can_sign, own.origin, met.prefers_encryption, met.times_met,
            met.first_met, met.last_met, met.checked, met.blocked,
        )  # fmt: skip
    return list(found.values())


def _told(row: tuple[Any, ...]) -> KnownCertificate:
    (number, address, name, kind, fingerprint, algorithm, certificate, key_ids, made, expires, revoked, can_encrypt, can_sign,
     origin, prefers, times, first, last, checked, blocked) = row  # fmt: skip
    return KnownCertificate(
        number, address, kind, fingerprint, name, algorithm, bytes(certificate), tuple(key_ids.split()), _time(made),
        _time(expires), _time(revoked), bool(can_encrypt), bool(can_sign), KeyOrigin(origin), bool(prefers), times or 0,
        _time(first), _time(last), _time(checked), _time(blocked),
    )  # fmt: skip


def _time(value: Any) -> datetime | None:
    """A time of a compound query, which SQLite gives as text."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _order(certificate: KnownCertificate) -> tuple[bool, bool, bool, float]:
    last = certificate.last_met or certificate.made
    return (
        not certificate.is_good(),
        certificate.checked is None,
        certificate.origin is not KeyOrigin.DIRECTORY,
        -(last.timestamp() if last else 0),
    )
