"""Open drives: the drives among what a person has connected, and the one behind a connected service."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from webmail.admission import Admission, AdmissionRefusedError
from webmail.config.settings import Settings
from webmail.drives.drive import Drive, DriveError, DriveFault
from webmail.late_calls import late_call
from webmail.models import ConnectedService, User
from webmail.services import connections, policy, providers
from webmail.services.service_errors import NoSuchServiceError

ASKING_DRIVES = Admission(4, waiting=8, patience=2.0)


# by provider; each comes when it is asked for
OPENED: Mapping[str, Callable[[ConnectedService, Settings], Drive]] = MappingProxyType(
    {
        "nextcloud": late_call("webmail.drives.webdav.opening:open_webdav"),
        "google": late_call("webmail.drives.google.google_drive:GoogleDrive"),
        "microsoft": late_call("webmail.drives.microsoft.onedrive:OneDrive"),
    }
)


def are_offered(user: User, settings: Settings) -> bool:
    """Whether a person may connect a service with files. 0 queries."""
    return bool(usable(user, settings))


def usable(user: User, settings: Settings) -> set[str]:
    """The providers with files that a person may connect. 0 queries."""
    return {one.key for one in policy.available(settings, user)} & set(OPENED)


def for_user(user: User, settings: Settings) -> list[ConnectedService]:
    """What a person has connected that has files. 1 query; none where no such service is offered to them."""
    offered = usable(user, settings)
    return [one for one in connections.for_user(user) if one.provider in offered] if offered else []


def find(user: User, number: int, settings: Settings) -> ConnectedService:
    """1 query. Raises NoSuchServiceError, for somebody else's too, and for what has no files."""
    found = connections.find(user, number)
    if found.provider not in usable(user, settings):
        raise NoSuchServiceError(f"connected service {number} has no files")
    return found


def allows(connection: ConnectedService, purpose: str, settings: Settings) -> bool:
    """Whether the person has agreed to this there. 0 queries."""
    provider = providers.find(connection.provider, settings)
    return provider is not None and provider.allows(connection.scopes, purpose)


def purposes_at(connection: ConnectedService, folder: str) -> tuple[str, str]:
    """What somebody allows to read a folder, and to save there. 0 queries."""
    if connection.provider == providers.MICROSOFT:
        from webmail.drives.microsoft import places

        if places.is_in_sites(folder):
            return providers.SITES, providers.SITES_WRITE
    return providers.DRIVE, providers.DRIVE_WRITE


@contextmanager
def asking() -> Iterator[None]:
    """While a page waits for a service: few of a process at once, so that threads are left for mail. Raises DriveError (BUSY)."""
    try:
        place = ASKING_DRIVES.admit()
        with place:
            yield
    except AdmissionRefusedError as error:
        raise DriveError(DriveFault.BUSY, "too many pages ask drives") from error


def open_drive(connection: ConnectedService, settings: Settings) -> Drive:
    """Asks nobody. Raises DriveError for a service without files."""
    if connection.provider not in OPENED:
        raise DriveError(DriveFault.REFUSED, f"{connection.provider} is no drive")
    return OPENED[connection.provider](connection, settings)
