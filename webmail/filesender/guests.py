"""Guests of FileSender's: people without an account there who were invited to send files."""

from __future__ import annotations

import peewee as pw

from webmail.database.connection import db
from webmail.filesender.client import FileSenderServer, RemoteGuest
from webmail.models import FilesenderRemovedGuest, User


def standing(user: User, server: FileSenderServer) -> list[RemoteGuest]:
    """Those who can send, or have: but for who was removed from here. FileSender goes on naming them until their date. 1 query.

    Raises what `server.guests` does.
    """
    found = server.guests()
    gone = {row.guest for row in FilesenderRemovedGuest.select().where(FilesenderRemovedGuest.user == user)}
    return [one for one in found if one.id not in gone]


def remove(user: User, guest: int, server: FileSenderServer) -> None:
    """Their link ends. Raises what `server.remove_guest` does."""
    server.remove_guest(guest)
    try:
        with db.atomic():
            FilesenderRemovedGuest.create(user=user, guest=guest)
    except pw.IntegrityError:
        return  # by a second click
