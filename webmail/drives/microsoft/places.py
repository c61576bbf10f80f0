"""Places at Microsoft: an item is in the person's own drive, or in a library of a SharePoint site, with which its id then begins.

"/folder/file" and "!ITEM" are in their own; "library:SITE:DRIVE:" before either in a library. "sites:" is the list of sites, and
"site:SITE" that of the libraries of one: folders that Microsoft does not know as such.
"""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from urllib.parse import quote

from webmail.drives.drive import DriveError, DriveFault

SITES, SITES_NAME = "sites:", "SharePoint"
_SITE = re.compile(r"site:([A-Za-z0-9.,-]{1,250})")
_LIBRARY = re.compile(r"library:([A-Za-z0-9.,-]{1,250}):([A-Za-z0-9!_-]{1,250}):(.*)", re.DOTALL)
_LISTS = ("sites:", "site:", "library:")


@dataclass(frozen=True, slots=True)
class ItemPlace:
    """A drive: a library of a site, or the person's own with both empty."""

    site: str = ""
    library: str = ""

    @property
    def prefix(self) -> str:
        """Of the ids in it."""
        return f"library:{self.site}:{self.library}:" if self.library else ""

    @property
    def address(self) -> str:
        """Below Graph's own."""
        return f"/drives/{quote(self.library, safe='!')}" if self.library else "/me/drive"


def split(item_id: str) -> tuple[ItemPlace, str]:
    """Where an item is, and its path or id there. Raises DriveError for what is no item."""
    if found := _LIBRARY.fullmatch(item_id):
        return ItemPlace(found[1], found[2]), found[3]
    if item_id.startswith(_LISTS):
        raise DriveError(DriveFault.GONE, item_id)
    return ItemPlace(), item_id


def site_of(item_id: str) -> str:
    """The site whose libraries this lists, "" for any other id."""
    found = _SITE.fullmatch(item_id)
    return found[1] if found else ""


def is_library(item_id: str) -> bool:
    """Whether it is the root of one."""
    found = _LIBRARY.fullmatch(item_id)
    return found is not None and not found[3]


def is_in_sites(item_id: str) -> bool:
    """Whether it takes the right to sites."""
    return item_id.startswith(_LISTS)


class PlaceNames:
    """What sites and libraries are called, for the way to a folder: kept for ten minutes by each process, for each connection."""

    def __init__(self, most: int = 2_000, seconds: float = 600.0) -> None:
        self._most, self._seconds = most, seconds
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[int, str], tuple[float, str]] = OrderedDict()

    def get(self, connection: int, number: str) -> str:
        """ "" where it is not known."""
        with self._lock:
            until, name = self._kept.get((connection, number), (0.0, ""))
            return name if until > time.monotonic() else ""

    def put(self, connection: int, number: str, name: str) -> None:
        with self._lock:
            self._kept.pop((connection, number), None)
            self._kept[connection, number] = (time.monotonic() + self._seconds, name)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)


NAMES = PlaceNames()
