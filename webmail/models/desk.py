"""Desk tables: what people ask of those who administer, whatever page it came from, and what they were answered."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now


class DeskKind(StrEnum):
    """What is asked for, as it is stored."""

    SUPPORT = "support"  # help, see SupportRequest
    SPACE = "space"  # more room for mail, see RoomRequest
    DELETION = "deletion"  # of one's account; `number` is the account's
    PHISHING = "phishing"  # see PhishingReport
    ABUSE = "abuse"  # of large files, see TransferReport


class DeskState(StrEnum):
    """How far it is, as it is stored."""

    NEW = "new"
    TAKEN = "taken"  # somebody looks after it
    ANSWERED = "answered"  # the person was told, and may write once more
    CLOSED = "closed"


class DeskCase(Table):
    """One thing that somebody asked for."""

    kind = pw.CharField(max_length=12)
    number = pw.BigIntegerField()  # of the row that it is about, in the table of its kind
    user = pw.ForeignKeyField(
        User, null=True, on_delete="CASCADE", backref="desk_cases", index=False
    )  # signed in, and so certain
    address = pw.CharField(max_length=254, default="")  # whose account it is about, as it was typed where nobody was signed in
    domain = pw.CharField(max_length=190, default="")  # whose administrators see it
    topic = pw.CharField(max_length=20, default="")  # a word of the kind's own
    text = pw.TextField(default="")
    seen = pw.TextField(default="{}")  # JSON: what the person saw and sent along, see webmail/desk/cases.py
    state = pw.CharField(max_length=10, default=DeskState.NEW)
    holder = pw.ForeignKeyField(User, null=True, on_delete="SET NULL", backref="+")  # who looks after it
    holder_address = pw.CharField(max_length=254, default="")
    version = pw.IntegerField(default=0)  # grows with each change: of two at once the second is told
    asked = pw.DateTimeField(default=now)
    changed = pw.DateTimeField(default=now)
    if TYPE_CHECKING:
        user_id: int | None
        holder_id: int | None

    class Meta:
        table_name = "desk_cases"
        indexes = (
            (("kind", "number"), True),
            (("state", "asked"), False),
            (("domain", "state", "asked"), False),
            (("state", "kind", "domain"), False),
            (("user", "asked"), False),
            (("address",), False),
        )


class DeskAnswer(Table):
    """What was said about a case: to the person, or by the person once more."""

    case = pw.ForeignKeyField(DeskCase, on_delete="CASCADE", backref="answers")
    author = pw.ForeignKeyField(User, null=True, on_delete="SET NULL", backref="+")  # null also: a command
    author_address = pw.CharField(max_length=254, default="")
    theirs = pw.IntegerField(default=0)  # 1: the person wrote it
    text = pw.TextField(default="")
    created = pw.DateTimeField(default=now)
    if TYPE_CHECKING:
        case_id: int
        author_id: int | None

    class Meta:
        table_name = "desk_answers"
