"""Sent forms: those that carry an id, so that one that is sent twice is carried out once (database/double_submits.py)."""

from __future__ import annotations

import peewee as pw

from webmail.models.base import Table, now


class SentForm(Table):
    """What a form was answered. `id`: who sent it, and a digest of all that is in it. `status` 0: it is being worked on."""

    id = pw.CharField(max_length=64, primary_key=True)
    created = pw.DateTimeField(default=now, index=True)
    status = pw.IntegerField(default=0)
    location = pw.TextField(default="")  # sealed: it may be a link that opens something
    answer = pw.BlobField(null=True)  # a page, sealed for the session that asked: there may be a password on it

    class Meta:
        table_name = "sent_forms"
