"""Areas: the parts of Traboule in the bar of every page, and which place of the frame the page that is shown stands for.

A new area is a row in `_AREAS` with a label in `areas` and, if its endpoints are not a blueprint of its own, in `_BY_ENDPOINT`.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from flask import current_app, g, request
from flask_babel import gettext as _
from flask_babel import pgettext
from werkzeug.exceptions import HTTPException

from webmail.errors import NotAllowedError
from webmail.people import policies
from webmail.web.current import current_user
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
    "takeout": "mail",
    "appointments": "calendar",
    "calendar": "calendar",
    "todo": "calendar",
    "contacts": "contacts",
    "collections": "contacts",
    "polls": "calendar",
    "dav": "contacts",
    "drives": "files",
    "transfers": "files",
    "filesender": "files",
}
_OF_BOTH = ("collections", "dav")  # of the calendar, where contacts are hidden
_BY_ENDPOINT = {"mailbox.files": "files", "calendar.show_meetings": "contacts"}
_SIDE_BARS = {"calendar": "calendar/_side.html", "contacts": "contacts/_side.html", "files": "transfers/_side.html"}
_OWN_SIDE_BARS = {"todo": "todo/_side.html"}  # in place of that of the area
_SIDE_BARS_BY_BLUEPRINT = {
    "settings": "settings/_side.html",
    "filters": "settings/_side.html",
    "api": "accounts/_side.html",
    "auth": "accounts/_side.html",
    "accounts": "accounts/_side.html",
    "handover": "accounts/_side.html",
    "restores": "accounts/_side.html",
    "services": "accounts/_side.html",
    "keys": "accounts/_side.html",
    "admin": "admin/_side.html",
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


class PageLocation(NamedTuple):
    """Where a page stands: all of its address by which its frame differs from another page's."""

    endpoint: str
    blueprint: str
    area: str  # its name; "" for pages of none, such as preferences
    current: str  # what `aria-current` says of the area
    side_bar: str  # the template of what stands beside the page; "" for that of mail, the only one that needs the mail server
    side_place: str  # which link of the side bar that is no folder leads to this page: "outbox", "tags" ...; "" if none does
    mailbox: str  # the folder of the list or message; "" on other pages, and for a search in more than one folder


def page_location() -> PageLocation:
    """Of this request's page; looked at once, since a page asks dozens of times."""
    held = g._get_current_object()
    found: PageLocation | None = getattr(held, "location_in_frame", None)
    if found is None:
        found = held.location_in_frame = _looked_up()
    return found


def _looked_up() -> PageLocation:
    endpoint, blueprint = request.endpoint or "", request.blueprint or ""
    area = g.get("area") or _BY_ENDPOINT.get(endpoint) or _BY_BLUEPRINT.get(blueprint, "")
    if area and not shows(_AREAS[area][1].partition(".")[0]):
        area = "calendar" if area == "contacts" and blueprint in _OF_BOTH else ""
    current = "" if not area else "page" if _url(area) == request.script_root + request.path else "true"
    side_bar = _OWN_SIDE_BARS.get(blueprint) or _SIDE_BARS.get(area) or _SIDE_BARS_BY_BLUEPRINT.get(blueprint, "")
    side_place = _IN_SIDE_BAR.get(endpoint, "")
    wide = endpoint == "mailbox.show" and request.args.get("query") and request.args.get("scope")
    mailbox = "" if wide or side_place else str((request.view_args or {}).get("mailbox", ""))
    return PageLocation(endpoint, blueprint, area, current, side_bar, side_place, mailbox)


def areas() -> list[Area]:
    """The areas of the bar, in their order."""
    labels = {"mail": pgettext("area", "Mail"), "calendar": _("Calendar"), "contacts": _("Contacts"), "files": _("Files")}
    here, current = page_location().area, page_location().current
    return [
        Area(name, labels[name], icon, _url(name), current if name == here else "")
        for name, (icon, page, _to) in _AREAS.items()
        if shows(page.partition(".")[0])
    ]


def shows(blueprint: str) -> bool:
    """Whether who asks has these pages: a group can hide them from its people (webmail/people/policies.py). 0 queries."""
    return blueprint not in policies.hidden(current_user())


def leads_somewhere(address: str) -> bool:
    """Whether what is at an address of ours, such as "/contacts", is not hidden from who asks."""
    try:
        endpoint, _values = current_app.create_url_adapter(request).match(urlsplit(address).path, "GET")  # type: ignore[union-attr]
    except HTTPException:
        return True
    return shows(endpoint.partition(".")[0])


def check_shown(blueprint: str) -> None:
    """For what is of an area that its endpoint is not of. Raises NotAllowedError."""
    if not shows(blueprint):
        raise NotAllowedError(f"{blueprint} is hidden from {current_user().address}")


def _url(area: str) -> str:
    _icon, endpoint, values = _AREAS[area]
    return url_for(endpoint, **values)


def area_here() -> str:
    return page_location().area


def belong_to(area: str) -> None:
    """Let the answer to this request be of another area than its endpoint says: what is of calendars, of the calendar.

    Raises NotAllowedError where it is hidden.
    """
    check_shown(area)
    g.area = area
    g.pop("location_in_frame", None)


def to_side_bar() -> str:
    """The words of the link past the page to what stands beside it."""
    words = {
        "calendar/_side.html": _("Skip to calendars"),
        "todo/_side.html": _("Skip to task lists"),
        "contacts/_side.html": _("Skip to address books"),
        "transfers/_side.html": _("Skip to file lists"),
        "settings/_side.html": _("Skip to settings pages"),
        "accounts/_side.html": _("Skip to account pages"),
        "admin/_side.html": _("Skip to administration pages"),
        "help/_side.html": _("Skip to help chapters"),
    }
    return words.get(page_location().side_bar) or _("Skip to folders")


def address_here() -> str:
    """The path to come back to: of this page, or, where it answers a form that was sent, of the page of that form."""
    if request.method == "GET":
        return request.full_path.rstrip("?")
    before = (request.referrer or "").removeprefix(request.host_url.rstrip("/"))
    return local_path(before) or url_for("mailbox.show", mailbox="INBOX")
