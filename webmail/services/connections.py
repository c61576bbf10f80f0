"""Connections: the services that a person has connected, their sealed secrets, and what is known of whether they work.

A secret is JSON: {"access", "refresh"} of a provider with consent, else {"password"}. It is sealed for its person, provider and
address together: in another row it opens nothing, and a changed address gets no password.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from webmail import audit, vault
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.database.idempotency import in_turn
from webmail.models import AuditAct, ConnectedService, ServiceState, User, now
from webmail.services.providers import ServiceProvider
from webmail.services.service_errors import (
    ConsentEndedError,
    NoSuchServiceError,
    ServiceProblem,
    TooManyServicesError,
)

MOST = 20  # of one person
LONGEST_TITLE = 100  # characters
_USED_EVERY = timedelta(hours=1)

Secret = dict[str, str]


def for_user(user: User) -> list[ConnectedService]:
    """1 query."""
    return list(ConnectedService.select().where(ConnectedService.user == user).order_by(ConnectedService.id))


def of_provider(user: User, provider: str) -> list[ConnectedService]:
    """1 query."""
    return [one for one in for_user(user) if one.provider == provider]


def find(user: User, number: int) -> ConnectedService:
    """1 query. Raises NoSuchServiceError, for somebody else's too."""
    mine = (ConnectedService.id == number) & (ConnectedService.user == user)
    found: ConnectedService | None = ConnectedService.get_or_none(mine) if number < 2**63 else None
    if found is None:
        raise NoSuchServiceError(f"{user.address} has no connected service {number}")
    return found


def open_ids() -> Any:
    """The query for the ids of all that have not been refused: what others ask for rows of theirs."""
    return ConnectedService.select(ConnectedService.id).where(ConnectedService.state != ServiceState.REFUSED)


def make(
    user: User, provider: ServiceProvider, *, login: str, secret: Mapping[str, str], settings: Settings,
    address: str = "", scopes: str = "", expires: datetime | None = None, title: str = "", network: str = "",
) -> tuple[ConnectedService, bool]:  # fmt: skip
    """Keep a connection that was found to work, and whether it is new: the same login at the same place gets the new secret.

    Recorded. The caller tells the person by mail of a new one (`notifications/connected.py`). Raises TooManyServicesError.
    """
    login = login[:254]
    with db.atomic():
        in_turn(user)
        mine = for_user(user)
        for one in mine:
            if (one.provider, one.address, one.login) == (provider.key, address, login):
                while not put_secret(one, secret, settings, expires=expires, scopes=scopes):
                    reload(one)  # it was renewed at this moment: what the person has just agreed to counts
                return one, False
        if len(mine) >= MOST:
            raise TooManyServicesError(f"{user.address} has {len(mine)} connected services")
        title = _free_title(title or provider.title, [one.title for one in mine])
        made = ConnectedService.create(
            user=user, provider=provider.key, title=title, address=address, login=login, scopes=scopes,
            secret=_sealed(secret, provider.key, address, user.id, settings), expires=expires,
        )  # fmt: skip
        audit.record(AuditAct.SERVICE_CONNECTED, actor=user, target=f"{provider.key} {login}", network=network)
    return made, True


def rename(connection: ConnectedService, title: str) -> None:
    """Call it otherwise; a name that another one has gets a number. One transaction."""
    with db.atomic():
        in_turn(connection.user)
        others = [one.title for one in for_user(connection.user) if one.id != connection.id]
        connection.title = _free_title(" ".join(title.split()) or connection.title, others)
        _update(connection, title=connection.title)


def secret_of(connection: ConnectedService, settings: Settings) -> Secret:
    """What opens the service. Raises ConsentEndedError where it can't be read any more, which the row then says."""
    try:
        sealed = bytes(connection.secret)
        purpose = _purpose(connection.provider, connection.address)
        found = json.loads(vault.open_secret(sealed, settings.secret_key, purpose, connection.user_id))
    except (vault.CannotOpenError, ValueError) as error:
        refused(connection, ServiceProblem.UNREADABLE)
        raise ConsentEndedError(f"the secret of connected service {connection.id} can't be opened") from error
    return {str(name): str(value) for name, value in found.items()}


def put_secret(
    connection: ConnectedService, secret: Mapping[str, str], settings: Settings, *,
    expires: datetime | None = None, scopes: str = "",
) -> bool:  # fmt: skip
    """Write a new secret, with which it works again; False where somebody else wrote one since the row was read. One UPDATE."""
    sealed = _sealed(secret, connection.provider, connection.address, connection.user_id, settings)
    new: dict[str, Any] = {
        "secret": sealed, "expires": expires, "scopes": scopes or connection.scopes, "state": ServiceState.WORKS, "problem": "",
        "renewing": None, "version": connection.version + 1,
    }  # fmt: skip
    same = (ConnectedService.id == connection.id) & (ConnectedService.version == connection.version)
    if not ConnectedService.update(new).where(same).execute():
        return False
    _put(connection, new)
    return True


def reload(connection: ConnectedService) -> None:
    """Read the row anew, into this object. 1 query. Raises NoSuchServiceError where it was disconnected."""
    found = ConnectedService.get_or_none(ConnectedService.id == connection.id)
    if found is None:
        raise NoSuchServiceError(f"connected service {connection.id} is gone")
    _put(connection, found.__data__)


def begins_renewing(connection: ConnectedService) -> None:
    """Note that new tokens are asked for: what becomes of the answer is not sure until they are written. One UPDATE."""
    connection.renewing = now()
    _update(connection, renewing=connection.renewing)


def works(connection: ConnectedService) -> None:
    """It answered. An UPDATE an hour at most, and one where it had not answered before."""
    at = now()
    fresh = connection.used is not None and at - connection.used < _USED_EVERY
    if fresh and connection.state == ServiceState.WORKS:
        return
    _note(connection, {"used": at, "state": ServiceState.WORKS, "problem": ""})


def away(connection: ConnectedService) -> None:
    """It did not answer. One UPDATE, where that is new."""
    if connection.state == ServiceState.WORKS:
        _note(connection, {"state": ServiceState.AWAY, "problem": ServiceProblem.AWAY})


def refused(connection: ConnectedService, problem: ServiceProblem) -> None:
    """It takes what we have no longer; the person is told on the page, and connects it again. One UPDATE."""
    _note(connection, {"state": ServiceState.REFUSED, "problem": problem, "renewing": None})


def set_up_wrongly(connection: ConnectedService) -> None:
    """The provider does not take our own client: what the person gave is good, and works again once that is mended."""
    _note(connection, {"state": ServiceState.AWAY, "problem": ServiceProblem.CLIENT})


def _note(connection: ConnectedService, new: dict[str, Any]) -> None:
    """Of the version that was tried: what was refused or away meanwhile is nothing against a secret that is newer."""
    same = (ConnectedService.id == connection.id) & (ConnectedService.version == connection.version)
    ConnectedService.update(new).where(same).execute()
    _put(connection, new)


def _update(connection: ConnectedService, **new: Any) -> None:
    ConnectedService.update(new).where(ConnectedService.id == connection.id).execute()


def _put(connection: ConnectedService, new: Mapping[str, Any]) -> None:
    for column, value in new.items():
        setattr(connection, column, value)


def _free_title(wanted: str, taken: list[str]) -> str:
    wanted = wanted[:LONGEST_TITLE]
    found, number = wanted, 1
    while found in taken:
        number += 1
        found = f"{wanted[: LONGEST_TITLE - 4]} {number}"
    return found


def _sealed(secret: Mapping[str, str], provider: str, address: str, user: int, settings: Settings) -> bytes:
    return vault.seal_secret(json.dumps(dict(secret)).encode(), settings.secret_key, _purpose(provider, address), user)


def _purpose(provider: str, address: str) -> str:
    return f"connected service {provider} {address}"
