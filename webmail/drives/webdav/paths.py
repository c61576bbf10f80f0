"""Paths on a WebDAV drive: what is in it is named by its path from the root ("Reports/May/plan.pdf"), which never leads out of
it."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, unquote_to_bytes, urljoin, urlsplit

from webmail.drives.drive import LONGEST_ID, DriveError, DriveFault, safe_name
from webmail.mime import multistatus

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\\]")
# ".../remote.php/dav/files/<who>/": so do Nextcloud and ownCloud say where somebody's files are
_CLOUD = re.compile(r"(?P<base>https?://[^/]+(?:/[^?#]*?)?)/remote\.php/dav/files/(?P<user>[^/?#]+)/?\Z")


def cloud_of(root: str) -> tuple[str, str] | None:
    """The address of a Nextcloud and who somebody is there, as it stands in addresses; None for any other server."""
    found = _CLOUD.match(root)
    return (found["base"], found["user"]) if found else None


def url_of(root: str, path: str) -> str:
    """Raises DriveError (GONE) for what is no path."""
    return root.rstrip("/") + "/" + "/".join(quote(part, safe="") for part in parts_of(path))


def parts_of(path: str) -> list[str]:
    """The names on the way. Raises DriveError (GONE)."""
    parts = path.split("/") if path else []
    if len(path) > LONGEST_ID or not all(is_name(part) for part in parts):
        raise DriveError(DriveFault.GONE, "no path of a drive")
    return parts


def is_name(part: str) -> bool:
    return bool(safe_name(part)) and not _CONTROLS.search(part)


def joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


class PathReader:
    """Reads which paths the answers to a request for `address` are about; most of them are in one folder, which is
    compared once."""

    def __init__(self, root: str, address: str) -> None:
        self._root, self._address = root, address
        self._above: dict[str, str | None] = {}

    def path(self, href: str) -> str | None:
        """ "" for the root; None for what is no path in the drive."""
        folder, slash, last = href.rstrip("/").rpartition("/")
        if slash and last:
            if folder not in self._above:
                self._above[folder] = self._whole(folder + "/")
            if (above := self._above[folder]) is not None:
                return _joined_part(above, last)
        return self._whole(href)

    def _whole(self, href: str) -> str | None:
        try:
            there = urljoin(self._address, href)
            if multistatus.origin(there) != multistatus.origin(self._root):
                return None
            parts = urlsplit(there).path.rstrip("/").split("/")
        except ValueError:
            return None
        above = multistatus.path_of(self._root).rstrip("/").split("/")
        if [quote(unquote(part), safe="") for part in parts[: len(above)]] != above:
            return None
        path: str | None = ""
        for part in parts[len(above) :]:
            path = _joined_part(path, part) if path is not None else None
        return path


def _joined_part(folder: str, part: str) -> str | None:
    try:
        name = unquote_to_bytes(part.partition("?")[0].partition("#")[0]).decode()
    except UnicodeError:
        return None
    path = joined(folder, name)
    return path if is_name(name) and len(path) <= LONGEST_ID else None
