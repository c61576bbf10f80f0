"""Servers of devices: the names, ports and encryption by which telephones and mail programs reach the mail, and calendars."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from webmail.config.checks import is_loopback
from webmail.config.settings import Settings
from webmail.mime.headers.address_input import ascii_domain


@dataclass(frozen=True, slots=True)
class DeviceServer:
    """A server as a device reaches it. `use`: imap or smtp, as in app_passwords.USES; `security`: tls, starttls or none."""

    use: str
    host: str
    port: int
    security: str


def mail_servers(settings: Settings) -> tuple[DeviceServer, ...]:
    """Incoming and outgoing, each only if it is known by a name that is good outside of this machine."""
    found = (_server("imap", settings), _server("smtp", settings))
    return tuple(server for server in found if server is not None)


def _server(use: str, settings: Settings) -> DeviceServer | None:
    given = settings.devices
    if host := getattr(given, f"{use}_host") or settings.mail_server:
        return DeviceServer(use, ascii_domain(host), getattr(given, f"{use}_port"), getattr(given, f"{use}_security"))
    ours = getattr(settings, use)
    return None if is_loopback(ours.host) else DeviceServer(use, ours.host, ours.port, ours.security)


def dav_address(settings: Settings) -> str:
    """Where calendars and contacts are served; "" without `public_url`. Whether they are served at all, the caller knows.

    Never from the request: its Host header is written by whoever sends it, and the password would go there.
    """
    base = settings.public_url.rstrip("/")
    return f"{base}/dav/" if base else ""


def dav_principal(address: str, settings: Settings) -> str:
    """The address of a person there, as `current-user-principal` tells it; `public_url` must be set."""
    return f"{dav_address(settings)}{quote(address, safe='')}/"


def dav_server(settings: Settings) -> tuple[str, int, str]:
    """Host, port and path of `dav_address`, which must not be empty."""
    parts = urlsplit(dav_address(settings))
    return parts.hostname or "", parts.port or (80 if parts.scheme == "http" else 443), parts.path


def user_name(address: str, settings: Settings) -> str:
    """What a device signs in with: the whole address where app passwords are ours, else as the mail server wants it."""
    return address if settings.sign_in == "accounts" else settings.username(address)


def domains(settings: Settings) -> tuple[str, ...]:
    """The domains whose people have their mail here, in ASCII and lower case, the main one first."""
    listed = [settings.domain, *(one.name for one in settings.domains)]
    return tuple(dict.fromkeys(ascii_domain(one).lower() for one in listed if one))
