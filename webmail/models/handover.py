"""Tables of handing over mailboxes: who looks after somebody's mail, for an absence or for good, who asked and who agreed."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now


class HandoverKind(StrEnum):
    ABSENCE = "absence"  # a substitute, until a day
    SUCCESSION = "succession"  # for good


class HandoverState(StrEnum):
    """How far it has come. Rights exist in ACTIVE alone, and in ENDING until the mail server has taken them back."""

    ASKED = "asked"  # nobody who may has agreed yet
    AGREED = "agreed"  # begins at its time
    ACTIVE = "active"
    ENDING = "ending"
    ENDED = "ended"
    REFUSED = "refused"


class MailboxHandover(Table):
    """A mailbox (`owner`) that somebody else (`person`) looks after. The addresses of who asked and agreed stay when they go."""

    owner = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
    person = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
    kind = pw.CharField(max_length=12)
    answers = pw.IntegerField(default=0)  # 1: may write from the owner's address too, with their own as Sender
    since = pw.DateTimeField(null=True)  # copies of what came since then alone; null: the mailbox itself, whole
    start = pw.DateTimeField(default=now)
    until = pw.DateTimeField(null=True)  # null: for good
    reason = pw.CharField(max_length=500, default="")
    state = pw.CharField(max_length=8, default=HandoverState.ASKED)
    asked_by = pw.CharField(max_length=254)
    asked_at = pw.DateTimeField(default=now)
    agreed_by = pw.CharField(max_length=254, default="")
    agreed_at = pw.DateTimeField(null=True)
    begun = pw.DateTimeField(null=True)
    ended = pw.DateTimeField(null=True)
    ended_by = pw.CharField(max_length=254, default="")  # "": its day had come
    allowed = pw.IntegerField(default=0)  # 1: the owner's address was allowed to the person by this
    copied = pw.IntegerField(default=0)  # messages
    problem = pw.CharField(max_length=20, default="")  # a word for why it does not go on now
    if TYPE_CHECKING:
        owner_id: int
        person_id: int

    class Meta:
        table_name = "mailbox_handovers"
        indexes = ((("owner", "state"), False), (("state", "start"), False))


class HandedOverFolder(Table):
    """How far a folder was copied: up to `uid`, of this UIDVALIDITY. `upto`: what is being appended at this moment."""

    handover = pw.ForeignKeyField(MailboxHandover, on_delete="CASCADE", backref="+", index=False)
    mailbox = pw.CharField(max_length=500)
    uidvalidity = pw.BigIntegerField(default=0)
    uid = pw.BigIntegerField(default=0)
    upto = pw.BigIntegerField(default=0)
    rights = pw.CharField(max_length=40, default="")  # what the owner had given the person there by hand
    before = pw.BigIntegerField(default=0)  # the copy's folder had only UIDs below this when that began
    if TYPE_CHECKING:
        handover_id: int

    class Meta:
        table_name = "handed_over_folders"
        indexes = ((("handover", "mailbox"), True),)
