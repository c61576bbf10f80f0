"""Areas: the parts of Traboule in the bar of every page, and which place of the frame the page that is shown stands for.

A new area is a row in `_AREAS` with a label in `areas` and, if its endpoints are not a blueprint of its own, in `_BY_ENDPOINT`.
"""

from __future__ import annotations

from typing import NamedTuple

from flask import g, request
from flask_babel import gettext as _
from flask_babel import pgettext

from webmail.web.forms.request_values import local_path
from webmail.web.templates.addresses import url_for

# icon, endpoint and its values of the first page of each area, in their order
_AREAS: dict[str, tuple[str, str, dict[str, str]]] = {
    "mail": ("inbox", "mailbox.show", {"mailbox": "INBOX"}),
    "calendar": ("calendar", "calendar.show", {}),
    "contacts": ("people", "contacts.show", {}),
    "files": ("clip", "mailbox.files", {}),
}
_BY_BLUEPRINT = {
    "mailbox": "mail",
    "message": "mail",
    "compose": "mail",
    "calendar": "calendar",
    "contacts": "contacts",
    "collections": "contacts",
    "dav": "contacts",
    "transfers": "files",
}
_BY_ENDPOINT = {"mailbox.files": "files", "calendar.show_meetings": "contacts"}
_SIDE_BARS = {"calendar": "calendar/_side.html", "contacts": "contacts/_side.html", "files": "transfers/_side.html"}
_SIDE_BARS_BY_BLUEPRINT = {
    "settings": "settings/_side.html",
    "filters": "settings/_side.html",
    "auth": "accounts/_side.html",
    "accounts": "accounts/_side.html",
    "admin": "accounts/_side.html",
    "help": "help/_side.html",
}
_IN_SIDE_BAR = {
    "compose.outbox": "outbox", "mailbox.list_snoozed": "snoozed", "mailbox.list_tags": "tags", "mailbox.folders": "folders",
    "mailbox.room": "room", "mailbox.search": "search",
}  # fmt: skip


class Area(NamedTuple):
    """A link in the bar. `current` is what `aria-current` says: "page", "true" (a page of the area), or ""."""

    name: str
    label: str
    icon: str
    url: str
    current: str


def areas() -> list[Area]:
    """The areas of the bar, in their order."""
    labels = {"mail": pgettext("area", "Mail"), "calendar": _("Calendar"), "contacts": _("Contacts"), "files": _("Files")}
    here, current = current_area()
    return [
        Area(name, labels[name], icon, _url(name), current if name == here else "") for name, (icon, _page, _to) in _AREAS.items()
    ]


def current_area() -> tuple[str, str]:
    """The area of this page and what `aria-current` says of it: all by which the bar of one page differs from another's."""
    here = area_here()
    if not here:
        return "", ""
    return here, "page" if _url(here) == request.script_root + request.path else "true"


def _url(area: str) -> str:
    _icon, endpoint, values = _AREAS[area]
    return url_for(endpoint, **values)


def area_here() -> str:
    """The name of the area that the page belongs to; "" for those of none, such as preferences."""
    if found := g.get("area"):
        return str(found)
    return _BY_ENDPOINT.get(request.endpoint or "") or _BY_BLUEPRINT.get(request.blueprint or "", "")


def belong_to(area: str) -> None:
    """Let the answer to this request be of another area than its endpoint says: what is of calendars, of the calendar."""
    g.area = area


def side_bar_template() -> str:
    """The template of what stands beside the page; "" for that of mail, the only one that needs the mail server."""
    return _SIDE_BARS.get(area_here()) or _SIDE_BARS_BY_BLUEPRINT.get(request.blueprint or "", "")


def to_side_bar() -> str:
    """The words of the link past the page to what stands beside it."""
    words = {
        "calendar/_side.html": _("Skip to calendars"),
        "contacts/_side.html": _("Skip to address books"),
        "transfers/_side.html": _("Skip to file lists"),
        "settings/_side.html": _("Skip to settings pages"),
        "accounts/_side.html": _("Skip to account pages"),
        "help/_side.html": _("Skip to help chapters"),
    }
    return words.get(side_bar_template()) or _("Skip to folders")


def side_place() -> str:
    """Which link of the side bar that is no folder leads to this page: "outbox", "tags" ...; "" if none does."""
    return _IN_SIDE_BAR.get(request.endpoint or "", "")


def mailbox_here() -> str:
    """The folder of the list or message that is shown; "" on other pages, and for a search in more than one folder."""
    mailbox = str((request.view_args or {}).get("mailbox", ""))
    wide = request.endpoint == "mailbox.show" and request.args.get("query") and request.args.get("scope")
    return "" if wide or side_place() else mailbox


def address_here() -> str:
    """The path to come back to: of this page, or, where it answers a form that was sent, of the page of that form."""
    if request.method == "GET":
        return request.full_path.rstrip("?")
    before = (request.referrer or "").removeprefix(request.host_url.rstrip("/"))
    return local_path(before) or url_for("mailbox.show", mailbox="INBOX")
