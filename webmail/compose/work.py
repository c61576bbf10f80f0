"""What the worker does for drafts, and for messages that wait for large files."""

from __future__ import annotations

from functools import partial

from webmail.compose.attachments import drive_files
from webmail.compose.awaited import awaited_replies
from webmail.compose.drafts import draft_cleanup, unsynced_drafts
from webmail.compose.large_files import drive_delivery
from webmail.compose.outbox import link_gate
from webmail.compose.outbox.credentials import account_of
from webmail.database.connection import db
from webmail.tasks.periodic import AreaWork, Periodic, PeriodicRun


def _put_drafts(run: PeriodicRun) -> None:
    """Put drafts that are kept here only into the Drafts folders."""
    with run.mailing():
        unsynced_drafts.put_due(run.settings, partial(account_of, settings=run.settings))


def _bring_to_drives(run: PeriodicRun) -> None:
    """Start bringing large files to drives of their writers, as they are checked."""
    with db.connection_context():
        drive_delivery.begin_all(run.settings)


def _send_with_files(run: PeriodicRun) -> None:
    """Send messages that waited for large files, once these are there."""
    with db.connection_context():
        ready = link_gate.arrived()
    run.deliver(ready)


WORK = AreaWork(
    kinds=(drive_files.KIND, *drive_delivery.KINDS),
    periodic=(
        Periodic("drafts", _put_drafts, unsynced_drafts.EVERY, pending=unsynced_drafts.pending),
        Periodic(
            "files to drives",
            _bring_to_drives,
            link_gate.EVERY,
            pending=drive_delivery.pending,
            only_if=lambda settings: bool(settings.services),
        ),
        Periodic("messages with files", _send_with_files, link_gate.EVERY, pending=link_gate.pending),
    ),
    clean_up=(draft_cleanup.sweep,),
    expire=(awaited_replies.forget_old,),
)
