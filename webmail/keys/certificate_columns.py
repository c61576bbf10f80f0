"""Certificate columns: what a certificate says of itself, as the tables of own and of others' keys store it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from webmail.models import now

if TYPE_CHECKING:
    from webmail.crypto.certificate_facts import CertificateFacts

_MOST_KEY_IDS = 200


def described(facts: CertificateFacts) -> dict[str, Any]:
    """The columns that both tables have."""
    return {
        "kind": str(facts.kind),
        "key_ids": " ".join(one.upper() for one in facts.key_ids[:_MOST_KEY_IDS]),
        "algorithm": facts.algorithm[:60],
        "made": stored_time(facts.made),
        "expires": stored_time(facts.expires),
        "revoked": now() if facts.revoked else None,
        "can_sign": facts.can_sign,
        "can_encrypt": facts.can_encrypt,
    }


def stored_time(at: datetime | None) -> datetime | None:
    """Naive UTC, as tables have it."""
    return at if at is None or at.tzinfo is None else at.astimezone(UTC).replace(tzinfo=None)
