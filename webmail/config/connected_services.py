"""Tables of config.toml for connected services: where Google and Microsoft are. Only tests and proxies need others than these.

Which services there are, and what is wrong with how they are set up (`check`). How a table is read: `config/tables.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from webmail.config.checks import ConfigError, base_address, checked, networks

SERVICES = ("google", "microsoft", "nextcloud", "filesender")  # in the order of the page
_WITH_CLIENT = ("google", "microsoft")  # an administrator registers this installation there


@dataclass(frozen=True, slots=True)
class GoogleAddresses:
    """Where Google is asked."""

    authorize: str = checked(base_address, default="https://accounts.google.com/o/oauth2/v2/auth")
    token: str = checked(base_address, default="https://oauth2.googleapis.com/token")
    revoke: str = checked(base_address, default="https://oauth2.googleapis.com/revoke")
    api: str = checked(base_address, default="https://www.googleapis.com")  # drive, and contacts by CardDAV
    calendars: str = checked(base_address, default="https://apidata.googleusercontent.com")  # CalDAV


@dataclass(frozen=True, slots=True)
class MicrosoftAddresses:
    """Where Microsoft is asked."""

    login: str = checked(base_address, default="https://login.microsoftonline.com")
    graph: str = checked(base_address, default="https://graph.microsoft.com")


def chosen(services: str) -> tuple[str, ...]:
    """The services that the setting names, in the order of the page."""
    named = {word.strip().lower() for word in services.split(",")}
    return tuple(name for name in SERVICES if name in named)


def check(settings: Any) -> None:
    """Raises ConfigError."""
    for word in settings.services.split(","):
        if word.strip() and word.strip().lower() not in SERVICES:
            raise ConfigError(f"services: {word.strip()[:40]!r} is none of {', '.join(SERVICES)}")
    for name in _WITH_CLIENT:
        if name not in chosen(settings.services):
            continue
        if not getattr(settings, f"{name}_client_id") or not getattr(settings, f"{name}_client_secret"):
            raise ConfigError(f"services: {name} needs {name}_client_id and {name}_client_secret")
        if not settings.public_url:
            raise ConfigError(f"services: {name} needs public_url: people are led back there")
    if settings.service_networks:
        networks("service_networks", settings.service_networks)
