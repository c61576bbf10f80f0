"""Drafts that nobody comes back to, and files without a draft."""

from datetime import timedelta
from pathlib import Path

import pytest

from webmail.compose.attachments import attachments
from webmail.compose.drafts import draft_cleanup, drafts
from webmail.compose.drafts.fields import Fields
from webmail.models import DraftRow, Outbox, OutboxState, now


def files_of(row, settings):
    folder = Path(settings.uploads_folder, row.id)
    return sorted(folder.iterdir()) if folder.exists() else []


def age(row, **ago):
    DraftRow.update(updated=now() - timedelta(**ago)).where(DraftRow.id == row.id).execute()


def test_what_nobody_comes_back_to_goes(alice, settings):
    names = ("old", "fresh", "typed", "empty", "begun")
    old, fresh, typed, empty, begun = (drafts.new(alice, Fields(body="" if n == "empty" else n)) for n in names)
    age(old, days=31)
    age(fresh, days=29)
    for row in (typed, empty):
        age(row, days=2)
        DraftRow.update(created=now() - timedelta(days=2, hours=1)).where(DraftRow.id == row.id).execute()
    then = now() - timedelta(days=2)
    DraftRow.update(created=then, updated=then).where(DraftRow.id == begun.id).execute()
    copied = {"saved_mailbox": "Drafts", "saved_uid": 7, "saved_at": now(), "copy_due": None}
    DraftRow.update(copied).where(DraftRow.id << [old.id, fresh.id]).execute()
    draft_cleanup.sweep(settings)
    left = {row.body for row in DraftRow.select()}
    assert left >= {"fresh", "typed"}
    assert not left & {"old", "", "begun"}


def test_text_that_is_here_alone_stays_for_a_year(alice, settings):
    """Also where no worker tries any more to put it into Drafts, as after a refused password."""
    ages = {"waiting": 31, "given up": 31, "older copy": 31, "of last year": 366}
    rows = {name: drafts.new(alice, Fields(body=name)) for name in ages}
    for name, row in rows.items():
        DraftRow.update(created=now() - timedelta(days=400)).where(DraftRow.id == row.id).execute()
        age(row, days=ages[name])
    DraftRow.update(copy_due=None).where(DraftRow.id != rows["waiting"].id).execute()
    copied = {"saved_mailbox": "Drafts", "saved_uid": 7, "saved_at": now() - timedelta(days=32)}
    DraftRow.update(copied).where(DraftRow.id == rows["older copy"].id).execute()
    draft_cleanup.sweep(settings)
    left = {name for name, row in rows.items() if DraftRow.select().where(DraftRow.id == row.id).exists()}
    assert left == {"waiting", "given up", "older copy"}


@pytest.mark.parametrize("state", [OutboxState.WAITING, OutboxState.FAILED, OutboxState.UNCERTAIN])
def test_a_draft_in_the_outbox_stays(here, state):
    row = here.draft()
    sent = here.enqueue(row)
    Outbox.update(state=state).where(Outbox.id == sent.id).execute()
    DraftRow.update(saved_mailbox="Drafts", saved_uid=7).where(DraftRow.id == row.id).execute()
    age(row, days=40)
    draft_cleanup.sweep(here.settings)
    assert DraftRow.select().where(DraftRow.id == row.id).exists()


def test_files_without_a_draft_go(alice, settings):
    import os

    row = drafts.new(alice, Fields(body="x"))
    attachments.add(row, [b"x"], "a", "", settings)
    orphan, young, foreign = (Path(settings.uploads_folder, name) for name in ("a" * 32, "b" * 32, "lost+found"))
    for folder in (orphan, young, foreign):
        folder.mkdir()
        (folder / "file").write_bytes(b"x")
    for folder in (orphan, foreign, Path(settings.uploads_folder, row.id)):
        for file in folder.iterdir():
            os.utime(file, (1, 1))
    draft_cleanup.sweep(settings)
    assert not orphan.exists()
    assert young.exists()
    assert foreign.exists()
    assert len(files_of(row, settings)) == 1
