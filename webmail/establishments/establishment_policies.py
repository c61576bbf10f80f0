"""Establishment policies: what establishments give their people, as it is stored; `webmail/people/policies.py` applies it."""

from __future__ import annotations

from typing import Any

from webmail.models import Establishment, EstablishmentDomain


def by_domain(domain: str = "") -> dict[str, str]:
    """JSON, by the domains of establishments that give anything; of this domain alone where one is named. 1 query."""
    rows: Any = EstablishmentDomain.select(EstablishmentDomain.domain, Establishment.policy).join(Establishment)
    rows = rows.where(Establishment.policy.is_null(False))
    return dict((rows.where(EstablishmentDomain.domain == domain) if domain else rows).tuples())
