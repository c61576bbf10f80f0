"""Folder look: what a page shows of a folder, or of a search, or why it can't."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from webmail.config.settings import Settings
from webmail.drives import open_drives
from webmail.drives.drive import LONGEST_ID, DriveAbilities, DriveError, DriveFault, FolderPage
from webmail.models import ConnectedService

log = logging.getLogger(__name__)

_LONGEST_SEARCH = 200
_NOTHING = FolderPage(())


@dataclass(frozen=True, slots=True)
class FolderLook:
    """`fault`: why there is no page. `cursor`: of the page, "" for the first."""

    connection: ConnectedService
    folder: str
    search: str
    page: FolderPage
    abilities: DriveAbilities
    fault: DriveFault | None = None
    cursor: str = ""

    @property
    def purposes(self) -> tuple[str, str]:
        """What the person has to allow to read here, and to save."""
        return open_drives.purposes_at(self.connection, self.folder)


def look(connection: ConnectedService, settings: Settings, folder: str, query: Mapping[str, str]) -> FolderLook:
    """A folder, or what is found in all of them, as the query of an address says. One request to the service. Raises nothing
    for what that does.
    """
    search, abilities = query.get("words", "").strip()[:_LONGEST_SEARCH], DriveAbilities()
    cursor = query.get("cursor", "")[:LONGEST_ID]
    try:
        drive = open_drives.open_drive(connection, settings)
        abilities = drive.abilities
        with open_drives.asking():
            found = drive.search(search, cursor, folder) if search and abilities.search else drive.list_folder(folder, cursor)
    except DriveError as error:
        log.info("connected service %d: %s", connection.id, error)
        return FolderLook(connection, folder, search, _NOTHING, abilities, error.fault, cursor)
    return FolderLook(connection, folder, search, found, abilities, cursor=cursor)
