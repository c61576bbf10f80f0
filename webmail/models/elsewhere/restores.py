"""Tables of bringing back: which nights there are backups of, and what people asked to have back of them."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now


class RestoreKind(StrEnum):
    MAIL = "mail"
    CALENDAR = "calendar"
    BOOK = "book"


class RestoreState(StrEnum):
    WAITING = "waiting"
    WORKING = "working"
    DONE = "done"
    FAILED = "failed"


class BackupNight(Table):
    """A backup that is kept, as whoever makes them tells it: pages can't read backups."""

    snapshot = pw.CharField(max_length=64, primary_key=True)
    at = pw.DateTimeField(index=True)

    class Meta:
        table_name = "backup_nights"


class RestoreRequest(Table):
    """What is to be brought back for `user`, beside what they have. Carried out outside of the web server (deploy/backups)."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
    asked_by = pw.CharField(max_length=254)  # an address: the person's own, or an administrator's
    open_for = pw.IntegerField(null=True, unique=True)  # the person's `id` until it has ended: one at a time
    snapshot = pw.CharField(max_length=64)
    night = pw.DateTimeField()  # when that backup was made
    kind = pw.CharField(max_length=8)  # a RestoreKind
    what = pw.CharField(max_length=500, default="")  # a folder; the `id` of a collection; "": all
    title = pw.CharField(max_length=255, default="")  # what that is called; "": all
    place = pw.CharField(max_length=255)  # what is made for it
    state = pw.CharField(max_length=8, default=RestoreState.WAITING)
    asked = pw.DateTimeField(default=now)
    begun = pw.DateTimeField(null=True)
    ended = pw.DateTimeField(null=True)
    number = pw.IntegerField(default=0)  # of messages, events or contacts that came back
    left_out = pw.IntegerField(default=0)  # of those that could not be read
    problem = pw.CharField(max_length=20, default="")  # a word of webmail/restores/restore_texts.py
    if TYPE_CHECKING:
        user_id: int

    class Meta:
        table_name = "restore_requests"
        indexes = ((("user", "asked"), False), (("state", "asked"), False))
