"""Exports: a calendar, an event, or all calendars, as files."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator
from typing import IO

from flask import Response, abort

from webmail.calendar import editing
from webmail.calendar.blueprint import blueprint
from webmail.calendar.editing import NoSuchEventError
from webmail.calendar.files import exporting
from webmail.collections import look
from webmail.collections.store import Access
from webmail.mime.headers.filenames import safe_name
from webmail.web.current import current_user
from webmail.web.responses import downloads


def _readable() -> list[Access]:
    return [one for one in editing.calendars(current_user()) if one.reads]


def _name(access: Access) -> str:
    return re.sub(r"[\\/]", "-", look.title_of(access.props)) or "calendar"


def _bytes(pieces: Iterable[str]) -> Iterator[bytes]:
    return (piece.encode("utf-8", "replace") for piece in pieces)


def _as_file(response: Response, name: str) -> Response:
    response.headers["Content-Disposition"] = downloads.disposition(name)
    response.headers["Content-Security-Policy"] = downloads.POLICY
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/calendar/export/<int:number>")
def export_calendar(number: int) -> Response:
    """A calendar (by `id`) that one may read."""
    access = next((one for one in _readable() if one.collection.id == number), None)
    if access is None:
        abort(404)
    return _as_file(downloads.whole(_bytes(exporting.file_of(access, current_user())), "text/calendar"), f"{_name(access)}.ics")


@blueprint.get("/calendar/export")
def export_all() -> Response:
    """All that one may read, as a ZIP archive."""
    return _as_file(downloads.written(_pack, "application/zip"), "calendars.zip")


def _pack(spool: IO[bytes]) -> None:
    names: set[str] = set()
    with zipfile.ZipFile(spool, "w", zipfile.ZIP_DEFLATED) as archive:
        for access in _readable():
            name = safe_name(_name(access))
            if name.lower() in names:
                name = f"{name}-{access.collection.id}"
            names.add(name.lower())
            with archive.open(f"{name}.ics", "w") as file:
                for piece in _bytes(exporting.file_of(access, current_user())):
                    file.write(piece)


@blueprint.get("/calendar/export/<int:calendar>/<href>")
def export_event(calendar: int, href: str) -> Response:
    """An event with its exceptions, as it is stored, or as the person sees it."""
    try:
        access, row = editing.load(current_user(), calendar, href)
    except NoSuchEventError:
        abort(404)
    if not access.reads:
        abort(404)
    return _as_file(downloads.whole(_bytes([row.text]), "text/calendar"), "event.ics")
