"""Providers of connected services: where each is asked for consent and tokens, and which scopes each purpose takes.

The scopes are the narrowest with which the purpose works. What a provider has for one address only (Nextcloud, FileSender) is a
provider too, without consent pages: `consent` is False then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import urlsplit

from webmail.config import connected_services
from webmail.config.connected_services import GoogleAddresses, MicrosoftAddresses
from webmail.config.settings import Settings

GOOGLE, MICROSOFT, NEXTCLOUD, FILESENDER = connected_services.SERVICES
DRIVE, DRIVE_WRITE, CALENDAR, CONTACTS = "drive", "drive-write", "calendar", "contacts"
SITES, SITES_WRITE = "sites", "sites-write"  # of SharePoint, where the administrator allows it
PICKED = "picked"  # an attempt at Google's own page for choosing files, which gives no new rights
PURPOSES = (DRIVE, DRIVE_WRITE, SITES, SITES_WRITE, CALENDAR, CONTACTS)

_GOOGLE_SCOPES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        DRIVE: ("https://www.googleapis.com/auth/drive.file",),  # what is chosen in Google's own page, or made here
        DRIVE_WRITE: ("https://www.googleapis.com/auth/drive.file",),
        CALENDAR: ("https://www.googleapis.com/auth/calendar",),
        CONTACTS: ("https://www.googleapis.com/auth/carddav",),
    }
)
_MICROSOFT_SCOPES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        DRIVE: ("Files.Read",),
        DRIVE_WRITE: ("Files.ReadWrite",),
        CALENDAR: ("Calendars.ReadWrite",),
        CONTACTS: ("Contacts.ReadWrite",),
    }
)
_SITE_SCOPES: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(  # by the setting `microsoft_sites`
    {
        "off": {},
        "read": {SITES: ("Sites.Read.All",)},
        "write": {SITES: ("Sites.Read.All",), SITES_WRITE: ("Sites.ReadWrite.All",)},
    }
)
_INCLUDED = {"Files.ReadWrite": ("Files.Read",), "Sites.ReadWrite.All": ("Sites.Read.All",)}  # who may write may read


@dataclass(frozen=True, slots=True)
class ServiceProvider:
    """`origins`: the only places that get its tokens. `named`: an administrator wrote them, so they may be inside."""

    key: str
    title: str
    consent: bool = False  # by OAuth 2: people agree on a page of the provider
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    authorize: str = ""
    token: str = ""
    revoke: str = ""  # "" where the provider has no way to take one consent back
    manage: str = ""  # the page where people see and end what they agreed to, at the provider
    base: tuple[str, ...] = ()  # scopes that are always asked for: who it is, and tokens that last
    scopes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    extra: Mapping[str, str] = field(default_factory=dict)  # further parameters of the consent page
    origins: frozenset[str] = frozenset()
    named: bool = False

    def scopes_for(self, purposes: tuple[str, ...]) -> tuple[str, ...]:
        """What is asked for these purposes, without what always is."""
        return tuple(dict.fromkeys(scope for purpose in purposes for scope in self.scopes.get(purpose, ())))

    def own_scopes(self, granted: str) -> tuple[str, ...]:
        """Those of scopes that were granted which we ask for ourselves, as we write them."""
        have = {_bare(one) for one in granted.split()}
        return tuple(dict.fromkeys(scope for scopes in self.scopes.values() for scope in scopes if _bare(scope) in have))

    def allows(self, granted: str, purpose: str) -> bool:
        """Whether scopes that were granted (separated by spaces) are enough for a purpose."""
        have = {_bare(one) for one in granted.split()}
        have |= {more for one in have for more in _INCLUDED.get(one, ())}
        wanted = self.scopes.get(purpose)
        return wanted is None or all(_bare(scope) in have for scope in wanted)


def origin_of(url: str) -> str:
    """Scheme, host and port, as they are compared. Raises ValueError."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    return f"{parts.scheme}://{(parts.hostname or '').lower()}:{port}"


def find(key: str, settings: Settings) -> ServiceProvider | None:
    """The provider of this key, offered or not; None if there is none."""
    match key:
        case "google":
            return _google(settings, settings.google_addresses)
        case "microsoft":
            return _microsoft(settings, settings.microsoft_addresses)
        case "nextcloud":
            return ServiceProvider(NEXTCLOUD, "Nextcloud")
        case "filesender":
            return ServiceProvider(FILESENDER, "FileSender")
        case _:
            return None


def _google(settings: Settings, at: GoogleAddresses) -> ServiceProvider:
    return ServiceProvider(
        GOOGLE, "Google", consent=True,
        client_id=settings.google_client_id, client_secret=settings.google_client_secret,
        authorize=at.authorize, token=at.token, revoke=at.revoke, manage="https://myaccount.google.com/connections",
        base=("openid", "email"), scopes=_GOOGLE_SCOPES,
        # offline: with a refresh token, which comes only with a consent that is asked for anew
        extra=MappingProxyType({"access_type": "offline", "include_granted_scopes": "true", "prompt": "consent"}),
        origins=frozenset(map(origin_of, (at.api, at.calendars))), named=at != GoogleAddresses(),
    )  # fmt: skip


def _microsoft(settings: Settings, at: MicrosoftAddresses) -> ServiceProvider:
    there = f"{at.login.rstrip('/')}/{settings.microsoft_tenant}/oauth2/v2.0"
    return ServiceProvider(
        MICROSOFT, "Microsoft", consent=True,
        client_id=settings.microsoft_client_id, client_secret=settings.microsoft_client_secret,
        authorize=f"{there}/authorize", token=f"{there}/token", manage="https://myapps.microsoft.com",
        base=("openid", "email", "profile", "offline_access"),
        scopes={**_MICROSOFT_SCOPES, **_SITE_SCOPES[settings.microsoft_sites]},
        extra=MappingProxyType({"response_mode": "query", "prompt": "select_account"}),
        origins=frozenset([origin_of(at.graph)]), named=at != MicrosoftAddresses(),
    )  # fmt: skip


def _bare(scope: str) -> str:
    """Microsoft tells scopes with or without the address of Graph before them, in any case of letters."""
    return scope.rpartition("graph.microsoft.com/")[2] or scope
