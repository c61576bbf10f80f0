"""Folder choice: which drive and which of its folders a form that saves is at, and where its buttons lead.

A form has `drive` and `folder`, and buttons with `action`: save, open:FOLDER, page:CURSOR, drive:NUMBER. Its page is asked for by
a query with `drive`, `folder` and `cursor`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webmail.config.settings import Settings
from webmail.drives import open_drives
from webmail.drives.drive import LONGEST_ID
from webmail.models import ConnectedService, User


@dataclass(frozen=True, slots=True)
class FolderChoice:
    """`saves`: whether the button that saves was pressed; `may_save`: whether the person has allowed that at the service.
    `query`: of the page to go to otherwise."""

    connection: ConnectedService
    folder: str
    saves: bool
    may_save: bool
    query: Mapping[str, Any]

    def consent(self, back: str) -> dict[str, Any]:
        """What `services.ask_to_connect` is asked for the right to write, to come `back` from there."""
        purposes = list(open_drives.purposes_at(self.connection, self.folder))
        return {"provider": self.connection.provider, "connection": self.connection.id, "purpose": purposes, "next": back}


def read(form: Mapping[str, str], user: User, settings: Settings) -> FolderChoice:
    """What a form says. 1 query. Raises NoSuchServiceError."""
    action, _colon, what = form.get("action", "").partition(":")
    connection = open_drives.find(user, _number(form.get("drive", "")), settings)
    folder = form.get("folder", "")[:LONGEST_ID]
    drive = _number(what) if action == "drive" else connection.id
    there = {"open": what, "drive": ""}.get(action, folder)[:LONGEST_ID]
    query = {"drive": drive, "folder": there or None, "cursor": what[:LONGEST_ID] or None if action == "page" else None}
    return FolderChoice(connection, folder, action == "save", may_save(connection, settings, folder), query)


def may_save(connection: ConnectedService, settings: Settings, folder: str = "") -> bool:
    """Whether the person has allowed to save there. 0 queries."""
    return open_drives.allows(connection, open_drives.purposes_at(connection, folder)[1], settings)


def drive_of(mine: list[ConnectedService], given: str) -> ConnectedService | None:
    """The drive that a query names, the first where it names none; None without drives."""
    number = _number(given)
    return next((one for one in mine if one.id == number), mine[0] if mine else None)


def _number(text: str) -> int:
    """0 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0
