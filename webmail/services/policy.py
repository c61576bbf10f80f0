"""Policy of connected services: which somebody may connect, by the installation and by their groups."""

from __future__ import annotations

from webmail.config import connected_services
from webmail.config.settings import Settings
from webmail.models import User
from webmail.people import policies
from webmail.services import providers
from webmail.services.providers import ServiceProvider


def set_up(settings: Settings) -> tuple[ServiceProvider, ...]:
    """The services that the installation has, in the order of the page."""
    found = (providers.find(key, settings) for key in connected_services.chosen(settings.services))
    return tuple(one for one in found if one is not None)


def available(settings: Settings, user: User | None) -> tuple[ServiceProvider, ...]:
    """Those of them that somebody may connect; none where nobody is signed in, or the database is away. 0 queries."""
    if user is None:
        return ()
    allowed = policies.services(user)
    return tuple(one for one in set_up(settings) if allowed is None or one.key in allowed)


def is_offered(key: str, settings: Settings, user: User) -> bool:
    """0 queries."""
    return any(one.key == key for one in available(settings, user))
