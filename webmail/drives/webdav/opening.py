"""Opening of a WebDAV drive: which kind of server its address is of."""

from __future__ import annotations

from webmail.config.settings import Settings
from webmail.drives.drive import Drive
from webmail.drives.webdav import paths
from webmail.drives.webdav.nextcloud import NextcloudDrive
from webmail.drives.webdav.webdav_drive import WebDavDrive
from webmail.drives.webdav.webdav_requests import WebDavRequests
from webmail.models import ConnectedService
from webmail.services.nextcloud_sign_in import SEARCH


def open_webdav(connection: ConnectedService, settings: Settings) -> Drive:
    """Asks nobody."""
    requests = WebDavRequests(connection, settings)
    if (cloud := paths.cloud_of(connection.address)) is not None:
        return NextcloudDrive(connection.address, *cloud, requests)
    return WebDavDrive(connection.address, requests, searches=SEARCH in connection.scopes.split())
