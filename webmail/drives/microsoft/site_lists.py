"""Site lists: the SharePoint sites that a person follows or finds, and the libraries of one, as folders of their drive."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from webmail.drives.api_requests import ApiRequests, objects, web_page
from webmail.drives.api_requests import text as text_of
from webmail.drives.drive import PAGE, Crumb, DriveEntry, EntryKind, FolderPage, safe_name
from webmail.drives.microsoft import onedrive_entries as entries
from webmail.drives.microsoft import places
from webmail.drives.microsoft.places import NAMES, SITES, SITES_NAME, ItemPlace

ROOT = Crumb("", "")
SITES_CRUMB = Crumb(SITES, SITES_NAME)
SITES_ENTRY = DriveEntry(SITES, SITES_NAME, EntryKind.FOLDER, may_share=False)


class SiteLists:
    """`graph`: where Graph is asked, with its version. Methods raise DriveError."""

    def __init__(self, requests: ApiRequests, graph: str) -> None:
        self._requests, self._graph = requests, graph

    def followed(self, cursor: str) -> FolderPage:
        return self._sites("/me/followedSites", {}, cursor)

    def search(self, text: str, cursor: str) -> FolderPage:
        return self._sites("/sites", {"search": text}, cursor)

    def _sites(self, where: str, more: dict[str, str], cursor: str) -> FolderPage:
        asked = {**more, "$top": str(PAGE), "$select": "id,displayName,name,webUrl"}
        told = self._told(where, asked, cursor)
        return self._page(told, "site:", (ROOT, SITES_CRUMB), SITES, SITES_NAME)

    def libraries(self, site: str, cursor: str) -> FolderPage:
        """Of a site; hidden ones are not told by Graph."""
        told = self._told(f"/sites/{quote(site, safe=',')}/drives", {"$top": str(PAGE), "$select": "id,name,webUrl"}, cursor)
        crumbs = (ROOT, SITES_CRUMB, Crumb(f"site:{site}", self._site_name(site)))
        return self._page(told, f"library:{site}:", crumbs, SITES, SITES_NAME)

    def _told(self, where: str, query: dict[str, str], cursor: str) -> dict[str, Any]:
        whole = query | ({"$skiptoken": cursor} if cursor else {})
        return self._requests.told("GET", f"{self._graph}{where}?{urlencode(whole)}")

    def _page(self, told: dict[str, Any], kind: str, crumbs: tuple[Crumb, ...], part: str, part_name: str) -> FolderPage:
        rows = objects(told, "value")[: 2 * PAGE]
        found = [one for row in rows if (one := self._entry_of(row, kind)) is not None]
        found.sort(key=lambda one: one.name.casefold())
        hidden = len(rows) - len(found)
        return FolderPage(
            found, entries.cursor_of(told), crumbs, may_write=False, hidden=hidden, part=part, part_name=part_name
        )  # fmt: skip

    def _entry_of(self, row: dict[str, Any], kind: str) -> DriveEntry | None:
        """None for what has no id that leads anywhere."""
        number, name = (
            text_of(row, "id", 250),
            safe_name(text_of(row, "displayName", 250)) or safe_name(text_of(row, "name", 250)),
        )
        entry_id = f"{kind}{number}" + ("" if kind == "site:" else ":")
        if not name or not (places.site_of(entry_id) if kind == "site:" else places.is_library(entry_id)):
            return None
        NAMES.put(self._requests.number, number, name)
        return DriveEntry(entry_id, name, EntryKind.FOLDER, web_url=web_page(row, "webUrl"), may_share=False)

    # --- the way to what is in a library ---

    def crumbs_to(self, location: ItemPlace) -> tuple[Crumb, ...]:
        """From the root to a library. Its name and that of its site are asked for where this process does not know them."""
        name = self._name(location.library, f"/drives/{quote(location.library, safe='!')}", "name")
        return (ROOT, SITES_CRUMB, Crumb(f"site:{location.site}", self._site_name(location.site)), Crumb(location.prefix, name))

    def _site_name(self, site: str) -> str:
        return self._name(site, f"/sites/{quote(site, safe=',')}", "displayName,name")

    def _name(self, number: str, where: str, fields: str) -> str:
        if known := NAMES.get(self._requests.number, number):
            return known
        told = self._requests.told("GET", f"{self._graph}{where}?{urlencode({'$select': fields})}")
        found = next((name for field in fields.split(",") if (name := safe_name(text_of(told, field, 250)))), "…")
        NAMES.put(self._requests.number, number, found)
        return found
