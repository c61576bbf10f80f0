"""Record: by whom something is changed, so that pages, commands and the worker write the same entries to the audit log."""

from __future__ import annotations

from dataclasses import dataclass

from webmail import audit
from webmail.models import AuditAct, User


@dataclass(frozen=True, slots=True)
class ChangedBy:
    """An administrator at a page (`actor`, `network`), or what acts without one: "command", "worker" (`how`)."""

    actor: User | None = None
    network: str = ""
    how: str = ""

    def note(self, act: AuditAct, target: str, **details: str | int | None) -> None:
        """Write it to the audit log, in the transaction of the caller. Never raises."""
        audit.record(act, actor=self.actor, target=target, network=self.network, by=self.how or None, **details)

    def is_oneself(self, user: User) -> bool:
        return self.actor is not None and self.actor.id == user.id


COMMAND = ChangedBy(how="command")
WORKER = ChangedBy(how="worker")
