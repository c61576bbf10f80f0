"""Notifications to the owner of a transfer, about what its trail has and they were not told yet, and those that go with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import peewee as pw

from webmail import rate_limits
from webmail.config.settings import Settings
from webmail.models import SystemMessage, Transfer, TransferEvent, TransferFile, TransferRecipient, TransferState, now
from webmail.transfers import options, store, trail
from webmail.transfers.notifications import texts
from webmail.transfers.notifications.delivery import (
    TO_OTHERS,
    Post,
    address_of,
    are_ready,
    own_page,
    queue_once,
    to_owner,
    to_recipient,
)
from webmail.transfers.requests import guests
from webmail.transfers.requests.guest_limits import RECEIPTS
from webmail.transfers.trail import EventKind
from webmail.web.public_links import public_link

QUIET = timedelta(minutes=2)  # downloads that follow each other are told together
LONGEST_WAIT = timedelta(minutes=10)
DAILY = 2  # `told` of what waits for the daily message
_MOST = 500


@dataclass(frozen=True, slots=True)
class Telling:
    """A transfer whose owner is about to be told something."""

    transfer: Transfer
    files: Sequence[TransferFile]
    settings: Settings
    link_key: bytes | None
    mailed: bool  # every recipient has their link

    @property
    def page(self) -> str:
        return own_page(self.transfer)


def tell(about: Telling) -> list[SystemMessage]:
    """Queue what is due; what is of no interest is noted as told."""
    rows = TransferEvent.select(TransferEvent, TransferRecipient, TransferFile)
    rows = rows.left_outer_join(TransferRecipient).switch(TransferEvent).left_outer_join(TransferFile)
    untold = (TransferEvent.transfer == about.transfer) & (TransferEvent.told == 0)
    events = sorted(rows.where(untold).order_by(TransferEvent.id).limit(_MOST), key=lambda one: str(one.kind))
    queued: list[SystemMessage | None] = []
    for kind, some in groupby(events, key=lambda one: str(one.kind)):
        queued += _TOLD.get(kind, _silent)(about, list(some))
    return [one for one in queued if one is not None]


Events = list[TransferEvent]
Queued = list[SystemMessage | None]


def _take(events: Events, told: int = 1) -> bool:
    """Whether nobody else tells of one of them: all are claimed, or this transaction must end without a letter."""
    numbers = [one.id for one in events]
    same = TransferEvent.id.in_(numbers) & (TransferEvent.told == 0)
    return int(TransferEvent.update(told=told).where(same).execute()) == len(numbers)


def _silent(_about: Telling, events: Events) -> Queued:
    _take(events)
    return []


def _to_owner(about: Telling, events: Events, make: Callable[[], texts.FilesLetter]) -> Queued:
    return [queue_once(to_owner(about.transfer, about.settings), make, lambda: _take(events), about.settings)]


def _published(about: Telling, events: Events) -> Queued:
    """A copy of what recipients got, or a word that all is there; once it is, and everybody has their link."""
    transfer, files = about.transfer, about.files
    if not store.is_offered(transfer):
        return _silent(about, events)
    if not are_ready(files) or not about.mailed:
        return []
    chosen = options.load(transfer)
    mailed = TransferRecipient.removed.is_null() & TransferRecipient.notified.is_null(False)
    count = TransferRecipient.select().where((TransferRecipient.transfer == transfer) & mailed).count()
    has_link = not transfer.end_to_end and (not transfer.key_check or about.link_key is not None)
    if transfer.request_id is None and chosen.copy_to_me and count and has_link:
        link = address_of(store.link_token(transfer, about.settings), about.link_key)
        return _to_owner(
            about, events, lambda: texts.copy_letter(texts.link_letter(transfer, files, link, about.settings), count)
        )
    if transfer.request_id is None and (chosen.tell_uploaded or chosen.copy_to_me):
        return _to_owner(about, events, lambda: texts.uploaded_letter(transfer, files, count, about.page))
    return _silent(about, events)


def _added(about: Telling, events: Events) -> Queued:
    """It keeps the transfer among those to be looked at, until whoever was added has their link, or was told of added files."""
    return _silent(about, events) if about.mailed or not store.is_offered(about.transfer) else []


def _arrived(about: Telling, events: Events) -> Queued:
    """Files from somebody without an account: a letter to whoever asked for them, and a receipt if an address was given."""
    transfer, files, settings = about.transfer, about.files, about.settings
    if transfer.state == TransferState.CLOSED:
        return _silent(about, events)
    if not are_ready(files):
        return []
    rows: Queued = []

    def receipt() -> None:
        request, address = transfer.request, transfer.guest_address
        if request is not None and address and rate_limits.may(settings, RECEIPTS.by(address.lower())):
            rows.append(guest_receipt(transfer, files, settings))

    if transfer.request is not None and not transfer.request.notify:
        if _take(events):
            receipt()
        return rows
    rows.append(
        queue_once(
            to_owner(transfer, settings),
            lambda: texts.arrival_letter(transfer, files, about.page),
            lambda: _take(events),
            settings,
            after=receipt,
        )  # fmt: skip
    )
    return rows


def guest_receipt(transfer: Transfer, files: Sequence[TransferFile], settings: Settings) -> SystemMessage | None:
    """The address of their receipt, for a guest; once."""
    link = public_link("transfers.guest", link=guests.receipt_token(transfer, settings))
    post = Post(
        transfer.guest_address,
        TO_OTHERS,
        transfer.language or settings.language,
        transfer.owner.address,
        f"receipt {transfer.id}",
    )
    return queue_once(post, lambda: texts.guest_letter(transfer, files, link, settings), lambda: True, settings)


def _downloaded(about: Telling, events: Events) -> Queued:
    """Downloads, once there is a pause: to those who downloaded, and to the owner, as they chose."""
    if max(one.at for one in events) > now() - QUIET and min(one.at for one in events) > now() - LONGEST_WAIT:
        return []
    transfer, chosen = about.transfer, options.load(about.transfer)
    rows: Queued = _receipts(about, events) if chosen.receipt else []
    if chosen.tell_each:
        rows += _to_owner(
            about, events, lambda: texts.downloads_letter(transfer, about.files, list(reversed(events)), about.page)
        )
    else:
        _take(events, DAILY if chosen.tell_daily else 1)
    return rows + _everybody(about)


def _receipts(about: Telling, events: Events) -> Queued:
    """To each recipient, what they downloaded since the last such letter."""
    transfer, rows = about.transfer, []
    by_person: dict[int, tuple[TransferRecipient, Events]] = {}
    for event in events:
        if event.recipient is not None:
            by_person.setdefault(event.recipient.id, (event.recipient, []))[1].append(event)
    for recipient, mine in by_person.values():
        last = mine[-1].id

        def claim(number: int = recipient.id, last: int = last) -> bool:
            before = (TransferRecipient.id == number) & (TransferRecipient.receipted < last)
            return bool(TransferRecipient.update(receipted=last).where(before).execute())

        def make(mine: Events = mine) -> texts.FilesLetter:
            return texts.receipt_letter(transfer, about.files, mine, about.settings)

        rows.append(queue_once(to_recipient(transfer, recipient.address, about.settings), make, claim, about.settings))
    return rows


def _everybody(about: Telling) -> Queued:
    """Note that everybody has everything, and tell it where that is wanted."""
    transfer = about.transfer
    if transfer.all_told or transfer.state != TransferState.READY or transfer.request_id is not None:
        return []
    people = list(
        TransferRecipient.select().where((TransferRecipient.transfer == transfer) & TransferRecipient.removed.is_null())
    )
    if not _has_everything(transfer, about.files, people):
        return []

    def claim() -> bool:
        first = (Transfer.id == transfer.id) & (Transfer.all_told == 0)
        if not Transfer.update(all_told=1).where(first).execute():
            return False
        trail.note(transfer, EventKind.ALL_DOWNLOADED, told=True)
        return True

    if not options.load(transfer).tell_all:
        claim()
        return []
    post = to_owner(transfer, about.settings)
    return [
        queue_once(
            post, lambda: texts.everybody_letter(transfer, about.files, len(people), about.page), claim, about.settings
        )
    ]  # fmt: skip


def _has_everything(transfer: Transfer, files: Sequence[TransferFile], people: Sequence[TransferRecipient]) -> bool:
    """Whether each of them downloaded every file, or where it is a link for anybody, whether every file was."""
    if not people:
        return bool(files) and all(one.downloads for one in files)
    if not all(one.downloads for one in people):
        return False
    done = (TransferEvent.transfer == transfer) & (TransferEvent.kind == EventKind.DOWNLOADED) & (TransferEvent.detail == "")
    last = TransferEvent.select(TransferEvent.recipient, TransferEvent.file, pw.fn.MAX(TransferEvent.at)).where(done)
    rows: Any = last.group_by(TransferEvent.recipient, TransferEvent.file).tuples()
    at = {(one, file): when for one, file, when in rows}
    return all((one.id, file.id) in at or _was_among(file, at.get((one.id, None))) for one in people for file in files)


def _was_among(file: TransferFile, at: datetime | None) -> bool:
    """Whether a download of all files at that time brought this one too."""
    return at is not None and (file.added is None or file.added <= at)


def _closed(about: Telling, events: Events) -> Queued:
    """The report at the end; after the time in which its owner may take it back."""
    transfer = about.transfer
    if transfer.state != TransferState.CLOSED:
        return _silent(about, events)
    if transfer.closed_by == "owner" and transfer.closed is not None and transfer.closed > now() - store.UNDO:
        return []
    wanted = options.load(transfer).tell_closed and transfer.request_id is None
    if transfer.published is None or not (wanted or transfer.closed_by == "admin"):
        return _silent(about, events)
    rows = TransferRecipient.select().where(TransferRecipient.transfer == transfer).order_by(TransferRecipient.id)
    people = [one for one in rows if one.removed is None or one.downloads]
    return _to_owner(about, events, lambda: texts.closing_letter(transfer, about.files, people, about.page))


def _refused(about: Telling, events: Events) -> Queued:
    return _to_owner(about, events, lambda: texts.refused_letter(about.transfer, about.files, events, about.page))


_TOLD: dict[str, Callable[[Telling, Events], Queued]] = {
    EventKind.PUBLISHED: _published,
    EventKind.RECIPIENT_ADDED: _added,
    EventKind.FILES_ADDED: _added,
    EventKind.ARRIVED: _arrived,
    EventKind.DOWNLOADED: _downloaded,
    EventKind.CLOSED: _closed,
    EventKind.FILE_REFUSED: _refused,
}
