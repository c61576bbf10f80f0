"""Areas: the parts of Traboule in the bar of every page, and which place of the frame the page that is shown stands for.

A new area is a row in `_areas` and, if its endpoints are not a blueprint of its own, in `_BY_ENDPOINT`.
"""

from __future__ import annotations

from typing import NamedTuple

from flask import request, url_for
from flask_babel import gettext as _
from flask_babel import pgettext

from webmail.web.request_values import local_path

_BY_BLUEPRINT = {"mailbox": "mail", "message": "mail", "compose": "mail", "contacts": "contacts"}
_BY_ENDPOINT = {"mailbox.files": "files"}
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
    here = area_here()
    return [Area(name, label, icon, url, _current(url, name == here)) for name, label, icon, url in _areas()]


def _areas() -> list[tuple[str, str, str, str]]:
    return [
        ("mail", pgettext("area", "Mail"), "inbox", url_for("mailbox.show", mailbox="INBOX")),
        ("contacts", _("Contacts"), "people", url_for("contacts.show")),
        ("files", _("Files"), "clip", url_for("mailbox.files")),
    ]


def _current(url: str, inside: bool) -> str:
    if not inside:
        return ""
    return "page" if url == request.script_root + request.path else "true"


def area_here() -> str:
    """The name of the area that the page belongs to; "" for those of none, such as preferences."""
    return _BY_ENDPOINT.get(request.endpoint or "") or _BY_BLUEPRINT.get(request.blueprint or "", "")


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
