"""Audit of requests: writes to the audit log what the current user does, with the network that the request came from."""

from __future__ import annotations

from flask import session

from webmail import audit
from webmail.models import AuditAct, User


def audited(act: AuditAct, target: str = "", *, actor: User | None = None, **details: str | int | None) -> None:
    """Write an entry of the current user, or of `actor` (who has just signed out), after the thing is done. Never raises."""
    person: User | None = actor or session.user  # type: ignore[attr-defined]
    audit.record(act, actor=person, target=target, network=session.network, **details)  # type: ignore[attr-defined]
