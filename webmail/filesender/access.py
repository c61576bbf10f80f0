"""Access: whose large files go by FileSender, and what their requests are signed with.

A secret of somebody's own comes first: with the application's this webmail could act for anybody there.
"""

from __future__ import annotations

from contextlib import suppress

from webmail.config.settings import Settings
from webmail.filesender.client import FileSenderAccess, rest_address
from webmail.models import User
from webmail.people import policies
from webmail.services import connections, policy
from webmail.services.providers import FILESENDER
from webmail.services.service_errors import ConsentEndedError


def serves(user: User, settings: Settings) -> bool:
    """Whether FileSender sends somebody's large files. 0 queries."""
    given = settings.filesender
    if given is None or not settings.transfers.on or "transfers" in policies.hidden(user):
        return False
    said = policies.for_user(user).files_by
    return said == FILESENDER or (said is None and given.whom == "everybody")


def find(user: User, settings: Settings) -> FileSenderAccess | None:
    """What their requests are signed with; None where they have to connect their own account first. 1 query."""
    given = settings.filesender
    if given is None or not serves(user, settings):
        return None
    for connection in connections.of_provider(user, FILESENDER):
        if connection.address == given.url and policy.is_offered(FILESENDER, settings, user):
            with suppress(ConsentEndedError):  # its secret can't be read any more: its page says so
                return own(connection.login, connections.secret_of(connection, settings)["password"], settings)
    return by_application(user.address, settings)


def may_connect(user: User, settings: Settings) -> bool:
    """Whether somebody may enter the secret of their own account there. 0 queries."""
    return settings.filesender is not None and policy.is_offered(FILESENDER, settings, user)


def by_application(address: str, settings: Settings) -> FileSenderAccess | None:
    given = settings.filesender
    if given is None or not given.application:
        return None
    person = address if given.person == "address" else address.partition("@")[0]
    return FileSenderAccess(rest_address(given.url), given.secret, person, given.application, given.algorithm)


def own(login: str, secret: str, settings: Settings) -> FileSenderAccess:
    """With a secret of somebody's own."""
    given = settings.filesender
    assert given is not None
    return FileSenderAccess(rest_address(given.url), secret, login, algorithm=given.algorithm)
