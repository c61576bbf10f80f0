"""Deletion of an account: its row with all that hangs on it, its files and what it has open. The mail stays on its server."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from webmail import system_mail
from webmail.accounts import support
from webmail.admin.departure import departure_texts, mail_folders, uses
from webmail.appointments import leaving as appointments_of
from webmail.auth import account_management, aliases
from webmail.auth.sessions.endings import end_everything
from webmail.collections import leaving
from webmail.collections import store as collections
from webmail.compose.attachments import uploads
from webmail.compose.outbox import spool
from webmail.config.settings import Settings
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.database.idempotency import in_turn
from webmail.database.locks import rows
from webmail.handover import rounds as handovers
from webmail.models import Collection, DraftRow, Outbox, OutboxState, Task, Transfer, User, now
from webmail.services import disconnection
from webmail.tasks import leftovers
from webmail.transfers import account_removal


@dataclass(frozen=True, slots=True)
class Deleted:
    """What ended with an account: sessions, connections of mail programs (None: can't be told), messages that had not left; and
    how many people were told that their appointments do not take place."""

    sessions: int
    programs: int | None
    unsent: int
    notices: int  # of the establishment's own mail to them, which had not left either
    told: int = 0  # people who had booked an appointment, or waited for one


@dataclass(frozen=True, slots=True)
class _Files:
    """What files an account had: names of contents, drafts, messages on their way, tasks."""

    stored: list[str]
    drafts: list[str]
    spooled: list[bytes]
    tasks: list[str]


def unsent_of(user: User) -> int:
    """How many messages of theirs wait to be sent, or were not sent. One SELECT."""
    mine = (Outbox.user == user) & Outbox.state.in_((OutboxState.WAITING, OutboxState.SENDING, OutboxState.FAILED))
    return int(Outbox.select().where(mine).count())


def delete(user: User, settings: Settings) -> Deleted:
    """Delete the account for good. The caller records it. A message that is being handed over at this moment may still leave.

    Files go after the rows: what a kill or a storage that is away leaves, the hourly sweeps find. Raises LastAdministratorError.
    """
    account_management.set_active(user, False)  # nothing new begins
    told = appointments_of.cancel_all(user, settings)
    handovers.end_all(user, settings)
    farewells = uses.farewells(user, mail_folders.readers_of(user, settings))
    sessions, programs = end_everything(user, settings)
    for row in Collection.select(Collection.id).where(Collection.user == user, Collection.kind == collections.CALENDAR):
        leaving.empty(row.id)  # in pieces: others wait for what is deleted in one go
    rests = now() + timedelta(days=max(settings.address_rest_days, 1))
    consents = disconnection.revocations(user, settings)
    unsent, notices, files = _delete_rows(user, rests)
    for consent in consents:
        consent.carry_out()
    account_removal.remove(files.stored, settings)
    for draft in files.drafts:
        uploads.remove_all(settings, draft)
    for content in files.spooled:
        spool.remove(content, settings)
    for task in files.tasks:
        leftovers.remove(task, settings)
    departure_texts.tell(farewells, user, settings)
    return Deleted(sessions, programs, unsent, notices, told)


@begun_again
def _delete_rows(user: User, rests: datetime) -> tuple[int, int, _Files]:
    """Delete all that is in the database; returns how much had not left, of theirs and of ours, and which files nobody needs now.

    What others may be changing is locked first, in the order in which they lock it.
    """
    with db.atomic():
        in_turn(user)
        collections.lock(rows(Collection, Collection.user == user))
        rows(Transfer, Transfer.owner == user)
        unsent = unsent_of(user)
        files = _Files(
            stored=account_removal.stored_by(user),
            drafts=[row.id for row in DraftRow.select(DraftRow.id).where(DraftRow.user == user)],
            spooled=[bytes(row.content) for row in Outbox.select(Outbox.content).where(Outbox.user == user)],
            tasks=[row.id for row in Task.select(Task.id).where(Task.user == user)],
        )
        notices = system_mail.drop([user.address, user.recovery_address])
        support.drop(user)  # it names them, and how to reach them
        account_management.rest(user.address, account_management.home_of(user), rests)
        for alias in aliases.of_account(user):
            if not alias.address.startswith("@"):
                account_management.rest(alias.address, "", rests)
        account_management.delete(user)
    return unsent, notices, files
