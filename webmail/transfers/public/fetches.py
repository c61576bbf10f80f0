"""Fetches: which downloads count, and each of them once.

A download counts once its last byte was taken by somebody with a ticket (`grants`): a person who pressed the button. Programs
that look through mail ask for the page and for every address on it, so an address alone never counts, nor uses up what can be
downloaded once.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

import peewee as pw

from webmail.database import locks
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.errors import MailError
from webmail.models import Transfer, TransferEvent, TransferFetch, TransferFile, TransferRecipient, now
from webmail.transfers import trail
from webmail.transfers.public.access import LinkVisit
from webmail.transfers.trail import EventKind

ALL = "all"
_GRACE = timedelta(minutes=10)  # the same ticket may ask again: the line may have broken at the last byte
_BATCH = 100  # rows of one INSERT


class FetchedBeforeError(MailError):
    """This file could be downloaded once, and was."""

    status = 410


def name_of(files: list[TransferFile], everything: bool) -> str:
    """What a download is called, for `TransferFetch.what`."""
    if everything:
        return ALL
    if len(files) == 1:
        return str(files[0].upload)
    return "some " + hashlib.sha256("\n".join(str(one.upload) for one in files).encode()).hexdigest()[:40]


def left(visited: LinkVisit, files: list[TransferFile]) -> list[TransferFile]:
    """Those of the files that this visitor may (still) have; all of them, unless each is given out once. One SELECT then."""
    if not visited.options.once or visited.grant.rights & visited.grant.rights.OWN:
        return files
    keys = {_once_key(visited, file): file for file in files}
    theirs = (TransferFetch.transfer == visited.transfer) & TransferFetch.once_key.is_null(False)
    again = (TransferFetch.ticket == visited.grant.ticket) & (TransferFetch.at > now() - _GRACE)
    rows = TransferFetch.select(TransferFetch.once_key).where(theirs & ~again)
    taken = {row.once_key for row in rows}
    return [file for key, file in keys.items() if key not in taken]


@begun_again
def use_up(visited: LinkVisit, files: list[TransferFile]) -> None:
    """Use up what can be downloaded once, before its last bytes are handed on: of two who come at once one gets them.

    Raises FetchedBeforeError.
    """
    if not visited.options.once or not visited.counts:
        return
    with db.atomic():
        try:
            with db.atomic():
                rows = [_use_up(visited, file) for file in files]
                for at in range(0, len(rows), _BATCH):
                    TransferFetch.insert_many(rows[at : at + _BATCH]).execute()
        except pw.IntegrityError:  # some were claimed before
            for file in files:
                _claim_one(visited, file)


@begun_again
def finished(visited: LinkVisit, files: list[TransferFile], what: str) -> bool:
    """The last byte was taken; whether it counts now, and did not before."""
    if not visited.counts:
        return False
    with db.atomic():
        if not _first_time(visited, what):
            return False
        _count(visited, files)
        recipient = visited.recipient
        if what == ALL and not _has_new_files(visited.transfer, files):
            trail.note(visited.transfer, EventKind.DOWNLOADED, recipient=recipient)
        else:
            events = [_event(visited.transfer, recipient, file) for file in files]
            for at in range(0, len(events), _BATCH):
                TransferEvent.insert_many(events[at : at + _BATCH]).execute()
    return True


def _has_new_files(transfer: Transfer, files: list[TransferFile]) -> bool:
    """Whether files were added while all of those that there were had been on their way."""
    later = TransferFile.added.is_null(False) & (TransferFile.transfer == transfer)
    return not {row.id for row in TransferFile.select(TransferFile.id).where(later)} <= {file.id for file in files}


def opened(visited: LinkVisit) -> bool:
    """Note that a recipient came by: the first time that they press a button, since programs open links too."""
    if visited.recipient is None or visited.by_owner:
        return False
    same = (TransferEvent.transfer == visited.transfer) & (TransferEvent.recipient == visited.recipient)
    if TransferEvent.select(TransferEvent.id).where(same & (TransferEvent.kind == EventKind.OPENED)).exists():
        return False
    trail.note(visited.transfer, EventKind.OPENED, recipient=visited.recipient)
    return True


def _first_time(visited: LinkVisit, what: str) -> bool:
    try:
        with db.atomic():
            TransferFetch.create(
                transfer=visited.transfer, recipient=visited.recipient, ticket=visited.grant.ticket, what=what[:64]
            )
    except pw.IntegrityError:
        return False
    return True


def _claim_one(visited: LinkVisit, file: TransferFile) -> None:
    key = _once_key(visited, file)
    try:
        with db.atomic():
            TransferFetch.insert(_use_up(visited, file)).execute()
    except pw.IntegrityError as error:
        again = (TransferFetch.ticket == visited.grant.ticket) & (TransferFetch.at > now() - _GRACE)
        if not TransferFetch.select().where((TransferFetch.once_key == key) & again).exists():
            raise FetchedBeforeError(f"{file.upload} was downloaded") from error


def _use_up(visited: LinkVisit, file: TransferFile) -> dict[str, object]:
    return {
        "transfer": visited.transfer,
        "recipient": visited.recipient,
        "ticket": visited.grant.ticket,
        "what": f"once {file.upload}",
        "once_key": _once_key(visited, file),
    }


def _once_key(visited: LinkVisit, file: TransferFile) -> str:
    return f"{file.id}/{visited.recipient.id if visited.recipient else 0}"


def _count(visited: LinkVisit, files: list[TransferFile]) -> None:
    ids = sorted(file.id for file in files)
    for at in range(0, len(ids), _BATCH):
        some = TransferFile.id << ids[at : at + _BATCH]
        same = TransferFile.id.in_(locks.rows(TransferFile, some))  # several come at once for the same files
        TransferFile.update(downloads=TransferFile.downloads + 1).where(same).execute()
    if (recipient := visited.recipient) is not None:
        TransferRecipient.update(
            downloads=TransferRecipient.downloads + 1,
            first_download=pw.fn.COALESCE(TransferRecipient.first_download, now()),
            last_download=now(),
        ).where(TransferRecipient.id == recipient.id).execute()


def _event(transfer: Transfer, recipient: TransferRecipient | None, file: TransferFile) -> dict[str, object]:
    return {"transfer": transfer, "kind": EventKind.DOWNLOADED, "recipient": recipient, "file": file}
