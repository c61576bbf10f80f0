"""Tables of files of people: columns that are saved by name, and sheets of paper with passwords that wait to be printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now


class SavedImport(Table):
    """What an administrator chose for a file of people, by name, to be chosen again for the next one."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
    name = pw.CharField(max_length=60)
    choices = pw.TextField()  # JSON: admin/imports/saved_choices.py
    created = pw.DateTimeField(default=now)

    class Meta:
        table_name = "saved_imports"
        indexes = ((("user", "name"), True),)


class PasswordSheet(Table):
    """Sheets of one import that its administrator prints once; the passwords are gone then, and `until` at the latest."""

    id = pw.CharField(max_length=32, primary_key=True)  # that of the task
    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
    name = pw.CharField(max_length=100)
    created = pw.DateTimeField(default=now)
    until = pw.DateTimeField(index=True)
    opened = pw.DateTimeField(null=True)  # when it was asked for; shown once after that
    printed = pw.DateTimeField(null=True)
    if TYPE_CHECKING:
        user_id: int

    class Meta:
        table_name = "password_sheets"


class PaperPassword(Table):
    """The password of one of these people, sealed; "" once it was printed or forgotten."""

    sheet = pw.ForeignKeyField(PasswordSheet, on_delete="CASCADE", backref="passwords")
    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
    sealed = pw.BlobField(null=True)
    if TYPE_CHECKING:
        sheet_id: str
        user_id: int

    class Meta:
        table_name = "paper_passwords"
