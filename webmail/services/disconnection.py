"""Disconnection: what was taken over goes or stays, the row goes, and the consent is taken back at the provider."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from webmail import audit
from webmail.config.settings import Settings
from webmail.errors import LimitReachedError
from webmail.late_calls import late_call
from webmail.models import AuditAct, ConnectedService, User
from webmail.services import connections, oauth, providers
from webmail.services.providers import ServiceProvider
from webmail.services.service_errors import ConsentEndedError, StillNeededError

# What areas do with what they took over from a service, each as "module:function": called with (connection, keep, settings)
# while its row is still there. With `keep` what is here stays, as the person's own; else it goes.
_ADDRESSES: tuple[str, ...] = (
    "webmail.dav.remote.service_accounts:service_removed",
    "webmail.calendar.free_busy.service_times:service_removed",
)
REMOVED: list[Callable[..., None]] = [late_call(address) for address in _ADDRESSES]


@dataclass(frozen=True, slots=True)
class Revocation:
    """A consent to take back at its provider, once the row is gone."""

    provider: ServiceProvider
    token: str

    def carry_out(self) -> bool:
        """Whether the provider said that it is over. One request at most. Never raises."""
        return oauth.revoke(self.provider, self.token)


def disconnect(connection: ConnectedService, settings: Settings, *, keep: bool, network: str = "") -> bool | None:
    """Forget a service and its secret. Whether its consent is over at the provider too; None where there is none to take back.

    A provider that is away changes nothing here: the person is told that they end it there. Raises LimitReachedError (too many
    tasks) and StillNeededError, where a hook can't remove what it has; the row is still there then.
    """
    try:
        for hook in REMOVED:
            hook(connection, keep, settings)
    except LimitReachedError:
        raise
    except ValueError as error:  # of an area above, such as KeptHereError of the calendar
        raise StillNeededError(str(error)) from error
    revocation = _revocation(connection, settings)
    if ConnectedService.delete().where(ConnectedService.id == connection.id).execute():
        target = f"{connection.provider} {connection.login}"
        audit.record(AuditAct.SERVICE_DISCONNECTED, actor=connection.user, target=target, network=network)
    return None if revocation is None else revocation.carry_out()


def revocations(user: User, settings: Settings) -> list[Revocation]:
    """Those of somebody whose account is being deleted, to be carried out after it. 1 query."""
    found = (_revocation(one, settings) for one in connections.for_user(user))
    return [one for one in found if one is not None]


def _revocation(connection: ConnectedService, settings: Settings) -> Revocation | None:
    provider = providers.find(connection.provider, settings)
    if provider is None or not provider.consent:
        return None
    try:
        secret = connections.secret_of(connection, settings)
    except ConsentEndedError:
        return Revocation(provider, "")
    return Revocation(provider, secret.get("refresh") or secret.get("access", ""))
