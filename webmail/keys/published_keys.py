"""Published keys: certificates that people of this installation let others find by their address.

Colleagues find them at once (`known_certificates.py`), everybody else by the Web Key Directory of the domain (draft-koch-openpgp-
webkey-service, `views/web_key_directory.py`), which knows an address by a hash of its local part.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from webmail.database.connection import db
from webmail.database.idempotency import in_turn
from webmail.keys.own_keys import OPENPGP, OwnKey
from webmail.models import KeyAddress, OwnKeyRow, User

_Z_BASE_32 = "ybndrfg8ejkmcpqxot1uwisza345h769"


def publish(user: User, key: OwnKey, addresses: Iterable[str]) -> list[str]:
    """Let a certificate be found under those of these addresses that it names, and no others any more; returns which.

    The caller knows that all are the person's own. Another published key of the same kind is found no longer, but for revoked
    ones: others are to see that.
    """
    named = [one for one in dict.fromkeys(address.lower() for address in addresses) if one in key.addresses]
    with db.atomic():
        in_turn(user)
        same = (OwnKeyRow.user == user.id) & (OwnKeyRow.kind == key.kind)
        replaced = same & (OwnKeyRow.revoked.is_null() | (OwnKeyRow.id == key.id))
        KeyAddress.delete().where(KeyAddress.key.in_(OwnKeyRow.select(OwnKeyRow.id).where(replaced))).execute()
        OwnKeyRow.update(published=False).where(replaced).execute()
        for address in named:
            local, _at, domain = address.rpartition("@")
            KeyAddress.create(key=key.id, address=address, domain=domain, wkd_hash=local_hash(local))
        OwnKeyRow.update(published=bool(named)).where(OwnKeyRow.id == key.id).execute()
    return named


def withdraw(user: User, key: OwnKey) -> None:
    """Let nobody find it any more. What others have of it stays with them."""
    with db.atomic():
        in_turn(user)
        KeyAddress.delete().where(KeyAddress.key == key.id).execute()
        OwnKeyRow.update(published=False).where(OwnKeyRow.id == key.id, OwnKeyRow.user == user.id).execute()


def by_hash(domain: str, wkd_hash: str) -> bytes:
    """The OpenPGP certificates that an active person has published for an address, one after another. One SELECT."""
    rows: Any = (
        OwnKeyRow.select(OwnKeyRow.certificate)
        .join(KeyAddress, on=KeyAddress.key == OwnKeyRow.id)
        .join(User, on=OwnKeyRow.user == User.id)
        .where(KeyAddress.wkd_hash == wkd_hash, KeyAddress.domain == domain, OwnKeyRow.kind == OPENPGP)
        .where(OwnKeyRow.published == True, User.active == 1)  # noqa: E712
        .tuples()
    )
    return b"".join(bytes(certificate) for (certificate,) in rows)


def local_hash(local: str) -> str:
    """SHA-1 of the local part in lower case (of ASCII letters alone), in z-base-32: what the draft calls the hashed user id."""
    folded = "".join(one.lower() if one.isascii() else one for one in local)
    bits = int.from_bytes(hashlib.sha1(folded.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest(), "big")
    return "".join(_Z_BASE_32[(bits >> shift) & 31] for shift in range(155, -1, -5))
