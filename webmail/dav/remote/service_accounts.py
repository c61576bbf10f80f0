"""Calendars and contacts of services that people connected: Google by CalDAV and CardDAV, Microsoft 365 by Graph.

Each is a `RemoteAccount` with its service, kept in step as other servers are; what opens it is the service's to keep.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from urllib.parse import quote

from webmail.calendar.free_busy import host_events
from webmail.calendar.free_busy.host_events import KeptHereError
from webmail.collections import look, store
from webmail.collections.following.faults import FollowFault, FollowTroubleError
from webmail.collections.store import BOOK, CALENDAR
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.dav import item_writes
from webmail.dav.remote import accounts
from webmail.dav.remote.answers import FoundCollection
from webmail.dav.remote.client import Ask, RemoteServer
from webmail.dav.remote.discovery import found_at
from webmail.dav.remote.graph.graph_client import GraphClient
from webmail.dav.remote.graph.graph_server import GraphServer
from webmail.dav.remote.source import RemoteSource
from webmail.http_fetch import FetchedResponse
from webmail.models import Collection, ConnectedService, Contact, RemoteAccount, RemoteItem, RemoteLink
from webmail.services import providers, service_requests
from webmail.services.providers import CALENDAR as CALENDAR_PURPOSE
from webmail.services.providers import CONTACTS, GOOGLE, MICROSOFT
from webmail.services.service_errors import ConsentEndedError, NoSuchServiceError, NotOfferedError, ServiceError, TryLaterError

PROVIDERS = (GOOGLE, MICROSOFT)
KINDS = {CALENDAR: CALENDAR_PURPOSE, BOOK: CONTACTS}  # what each is allowed by
_WEEK = timedelta(days=7)  # Google wants to be asked for changes alone


def allowed_kinds(service: ConnectedService, settings: Settings) -> tuple[str, ...]:
    """What consent was given for: calendars, books."""
    provider = providers.find(service.provider, settings)
    if provider is None or service.provider not in PROVIDERS:
        return ()
    return tuple(kind for kind, purpose in KINDS.items() if provider.allows(service.scopes, purpose))


def found_in(service: ConnectedService, settings: Settings, seconds: float) -> list[tuple[str, FoundCollection]]:
    """Its calendars and books, each with the address that its account has here. Raises FollowTroubleError, RoundOverError."""
    found: list[tuple[str, FoundCollection]] = []
    end = time.monotonic() + seconds
    for kind in allowed_kinds(service, settings):
        if service.provider == MICROSOFT:
            url = _graph(settings)
            found += [(url, one) for one in graph_server(service, settings, end).collections([kind])]
        else:
            url = _google_address(service, kind, settings)
            server = _google_server(service, url, settings, end)
            found += [(url, _of_google(one)) for one in found_at(server, url) if one.kind == kind]
    return found


def link(service: ConnectedService, chosen: Sequence[tuple[str, FoundCollection]], settings: Settings) -> int:
    """Keep these in step; how many are new. Raises NoRoomForCollectionsError: then none is."""
    with db.atomic():
        count = 0
        for url in dict.fromkeys(url for url, _one in chosen):
            account = accounts.connect_service(service, url)
            count += accounts.link(account, [one for at, one in chosen if at == url], settings)
            accounts.soon(account)
        return count


def source_of(account: RemoteAccount, settings: Settings, seconds: float) -> RemoteSource:
    """What synchronising asks. Raises FollowTroubleError where the service is gone."""
    end = time.monotonic() + seconds
    service = account.service
    if service is None:
        raise FollowTroubleError(FollowFault.PASSWORD, "no service")
    if service.provider == MICROSOFT:
        return graph_server(service, settings, end)
    return _google_server(service, account.url, settings, end)


def service_removed(service: ConnectedService, keep: bool, settings: Settings) -> None:
    """Before a service is disconnected: what was taken over stays, or goes into the trash. A calendar with what others count on
    stays anyway. Raises LimitReachedError where the tasks that delete would be too many: the rest is still connected then."""
    for account in accounts.of_service(service):
        for one in () if keep else accounts.links_of([account]):
            with suppress(KeptHereError):
                accounts.unlink(one, keep=False)
        accounts.disconnect(account, keep=True)


def held_by_others(service: ConnectedService) -> list[str]:
    """The names of its calendars here that stay anyway: others count on events in them. 3 queries, and 1 for each."""
    links = accounts.links_of(accounts.of_service(service))
    return [look.title_of(store.props_for(one.collection, service.user)) for one in links if _is_held(one.collection)]


def _is_held(collection: Collection) -> bool:
    try:
        host_events.check_none_kept(collection)
    except KeptHereError:
        return True
    return False


# --- how they are asked ----------------------------------------------------------------------------------------------


def asking_service(service: ConnectedService, settings: Settings) -> Ask:
    """Requests that carry the service's token, which is renewed where it has to be."""

    def ask(method: str, url: str, body: bytes, headers: dict[str, str], *, limit: int, seconds: float) -> FetchedResponse:
        sent = {name: value for name, value in headers.items() if name != "Authorization"}
        try:
            return service_requests.request(
                service, settings, method, url, headers=sent, body=body, limit=limit, seconds=seconds, own_faults=False
            )
        except (ConsentEndedError, NoSuchServiceError) as error:
            raise FollowTroubleError(FollowFault.PASSWORD, str(error)) from error
        except NotOfferedError as error:
            raise FollowTroubleError(FollowFault.REFUSED, str(error)) from error
        except TryLaterError as error:
            raise FollowTroubleError(FollowFault.BUSY, url, error.seconds) from error
        except ServiceError as error:
            raise FollowTroubleError(FollowFault.AWAY, str(error)) from error

    return ask


def _graph(settings: Settings) -> str:
    return f"{settings.microsoft_addresses.graph.rstrip('/')}/v1.0"


def graph_server(service: ConnectedService, settings: Settings, end: float) -> GraphServer:
    client = GraphClient(_graph(settings), asking_service(service, settings), end)
    reads_settings = "mailboxsettings.read" in service.scopes.lower()
    return GraphServer(client, settings.timezone, reads_settings, card_here=partial(card_here, service))


def card_here(service: ConnectedService, url: str, name: str) -> str:
    """The card here of what has this name in a book of the service; "" where there is none. 3 queries."""
    mine = (RemoteAccount.service == service) & (RemoteLink.url == url) & (RemoteItem.name == name)
    item = RemoteItem.select(RemoteItem, RemoteLink).join(RemoteLink).join(RemoteAccount).where(mine).first()
    row = item_writes.row_at(item.link.collection, item.href) if item is not None and item.href else None
    return str(row.vcard) if isinstance(row, Contact) else ""


def _google_server(service: ConnectedService, url: str, settings: Settings, end: float) -> RemoteServer:
    ask = asking_service(service, settings)
    return RemoteServer(url, service.login, "", ask, bearer=True, end=end, whole_every=_WEEK, google=True)


def _google_address(service: ConnectedService, kind: str, settings: Settings) -> str:
    if kind == CALENDAR:
        return f"{settings.google_addresses.calendars.rstrip('/')}/caldav/v2/{quote(service.login, safe='@')}/user"
    return f"{settings.google_addresses.api.rstrip('/')}/.well-known/carddav"


def _of_google(found: FoundCollection) -> FoundCollection:
    found.syncs = True
    if found.kind == CALENDAR:
        found.components = "VEVENT"
    return found
