"""Tokens of connected services: the one that is good now, renewed by one process at a time.

A renewal holds a lock that all processes and machines share; whoever comes meanwhile waits and uses what it brought. That it
began is written before the provider is asked: a process that is killed between the answer and its writing may have lost the only
refresh token that is still good, and then the person is told so, and not that they took their consent back.
"""

from __future__ import annotations

from datetime import timedelta

from webmail.config.settings import Settings
from webmail.database.locks import LockBusyError, lock
from webmail.models import ConnectedService, ServiceState, now
from webmail.services import connections, oauth, policy, providers
from webmail.services.connections import Secret
from webmail.services.providers import ServiceProvider
from webmail.services.service_errors import (
    ConsentEndedError,
    NotOfferedError,
    ServiceAwayError,
    ServiceProblem,
    ServiceSetupError,
)

_MARGIN = timedelta(seconds=60)  # before its end a token is renewed
_PATIENCE = 20.0  # seconds to wait for another process that renews it: longer than the provider has for its answer


def access_token(connection: ConnectedService, settings: Settings, refused: str = "") -> str:
    """A token that is good now; not `refused`, which the service has just answered 401 to. Not to be called in a transaction.

    One query at most while the token that `connection` has is good. Raises ConsentEndedError, NotOfferedError,
    NoSuchServiceError, ServiceAwayError, ServiceSetupError, TryLaterError.
    """
    provider = provider_of(connection, settings)
    if connection.state != ServiceState.REFUSED and _is_good(connection):
        found = connections.secret_of(connection, settings).get("access", "")
        if found and found != refused:
            return found
    try:
        with lock(f"service-{connection.id}", _PATIENCE):
            return _renewed(connection, provider, settings, refused)
    except LockBusyError as error:
        raise ServiceAwayError(f"connected service {connection.id} is being renewed") from error


def provider_of(connection: ConnectedService, settings: Settings) -> ServiceProvider:
    """Its provider. Raises NotOfferedError where the person may not use it any longer, or not sign in."""
    provider = providers.find(connection.provider, settings)
    if provider is None or not connection.user.active or not policy.is_offered(connection.provider, settings, connection.user):
        raise NotOfferedError(f"{connection.provider} is not offered to {connection.user.address}")
    return provider


def _renewed(connection: ConnectedService, provider: ServiceProvider, settings: Settings, refused: str) -> str:
    connections.reload(connection)
    if connection.state == ServiceState.REFUSED:
        raise ConsentEndedError(f"connected service {connection.id} has to be connected again")
    secret = connections.secret_of(connection, settings)
    if _is_good(connection) and secret.get("access", "") not in ("", refused):
        return secret["access"]  # another process was faster
    interrupted = connection.renewing is not None
    if not secret.get("refresh"):
        connections.refused(connection, ServiceProblem.CONSENT)
        raise ConsentEndedError(f"connected service {connection.id} has no refresh token")
    connections.begins_renewing(connection)
    try:
        grant = oauth.renew(provider, secret["refresh"], connection.scopes)
    except ConsentEndedError:
        connections.refused(connection, ServiceProblem.LOST if interrupted else ServiceProblem.CONSENT)
        raise
    except ServiceSetupError:
        connections.set_up_wrongly(connection)
        raise
    except ServiceAwayError:
        connections.away(connection)
        raise
    new: Secret = {"access": grant.access, "refresh": grant.refresh or secret["refresh"]}
    if not connections.put_secret(connection, new, settings, expires=grant.expires, scopes=grant.scopes):
        connections.reload(connection)  # it was connected anew meanwhile: what that brought counts
        return connections.secret_of(connection, settings)["access"]
    return grant.access


def _is_good(connection: ConnectedService) -> bool:
    return connection.expires is not None and connection.expires - now() > _MARGIN
