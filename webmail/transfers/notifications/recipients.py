"""Notifications about large files: what is queued when, from the rows that say what was told already.

A row is claimed (`notified`, `reminded`, `told`, `receipted`) by an UPDATE that one of many processes wins, in the transaction
that queues the letter: whoever is killed, each letter is queued once. Texts: `texts.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import peewee as pw

from webmail import preferences
from webmail.config.settings import Settings
from webmail.database.connection import DATABASE_AWAY
from webmail.models import (
    FileRequestInvite,
    SystemMessage,
    Transfer,
    TransferEvent,
    TransferFile,
    TransferRecipient,
    TransferState,
    User,
    now,
)
from webmail.transfers import mail_limits, options, store, trail
from webmail.transfers.notifications import owners as owner_letters
from webmail.transfers.notifications import texts
from webmail.transfers.notifications.delivery import (
    TO_OTHERS,
    Post,
    address_of,
    are_ready,
    is_mailed,
    queue_once,
    to_owner,
    to_recipient,
)
from webmail.transfers.notifications.owners import DAILY, Telling
from webmail.transfers.requests import requests
from webmail.transfers.trail import EventKind
from webmail.web.current import wake_system_mail
from webmail.web.public_links import public_link

log = logging.getLogger(__name__)

BEFORE_END = timedelta(days=2)  # when those who have nothing yet are reminded
SHORTEST = timedelta(days=3)  # of what is offered for less, nobody is reminded
SEND_AGAIN = timedelta(minutes=10)  # between two letters with the same link
REMIND_AGAIN = timedelta(days=1)
DAILY_HOUR = 17  # of the day's downloads, by the owner's clock
FORGOTTEN = timedelta(days=3)  # what was not told by then is no news, as where nobody wrote for a while
_AT_ONCE = 500
_PAGE = 100


def settle(transfer: Transfer, settings: Settings, link_key: bytes | None = None) -> list[SystemMessage]:
    """Queue every letter that is due about a transfer now, each once, whoever asks at the same time.

    Call it after anything that changes a transfer (published, a file ready, downloaded, arrived, closed): the rows say what is
    to be told. The worker calls it too, so that nothing is lost; only links that hold the key of their files are mailed in the
    request alone, which has it (`link_key`). Links wait until every file is ready, and until the owner may write to so many.
    Does nothing where nobody writes (`system_address`). Never raises but for a database that is away.
    """
    if not settings.system_address or not settings.public_url:
        return []
    try:
        found = Transfer.get_or_none(Transfer.id == transfer.id)
        if found is None:
            return []
        queued = _settled(found, settings, link_key)
    except DATABASE_AWAY:
        raise
    except Exception:  # a page must not fail for a letter
        log.exception("letters about transfer %d", transfer.id)
        return []
    for row in queued:
        wake_system_mail(row)
    return queued


def _settled(transfer: Transfer, settings: Settings, link_key: bytes | None) -> list[SystemMessage]:
    if not transfer.owner.active:
        TransferEvent.update(told=1).where((TransferEvent.transfer == transfer) & (TransferEvent.told == 0)).execute()
        return []
    files = store.files(transfer)
    queued = _links(transfer, files, settings, link_key) + _news(transfer, files, settings, link_key)
    mailed = not is_mailed(transfer, link_key) or not (_pending(transfer) or _with_untold_files(transfer))
    if transfer.key_check and link_key is None:
        mailed = transfer.published is None or transfer.published < now() - timedelta(minutes=5)  # a request is at it
    return queued + owner_letters.tell(Telling(transfer, files, settings, link_key, mailed))


def _pending(transfer: Transfer) -> list[TransferRecipient]:
    without = TransferRecipient.notified.is_null() & TransferRecipient.removed.is_null()
    rows = TransferRecipient.select().where((TransferRecipient.transfer == transfer) & without)
    return list(rows.order_by(TransferRecipient.id).limit(_AT_ONCE))


def _links(
    transfer: Transfer, files: list[TransferFile], settings: Settings, link_key: bytes | None
) -> list[SystemMessage]:  # fmt: skip
    if transfer.request_id is not None or not is_mailed(transfer, link_key) or not are_ready(files):
        return []
    pending = _pending(transfer)
    room = mail_limits.people_left(transfer.owner, settings) if pending else 0
    queued = [_link(one, transfer, files, settings, link_key) for one in pending[:room]]
    return [one for one in queued if one is not None]


def _with_untold_files(transfer: Transfer) -> list[TransferRecipient]:
    """Those who have the link, and were not told yet of files that were added."""
    untold = TransferRecipient.news.is_null(False) & TransferRecipient.removed.is_null()
    rows = TransferRecipient.select().where((TransferRecipient.transfer == transfer) & untold)
    return list(rows.order_by(TransferRecipient.id).limit(_AT_ONCE))


def _news(
    transfer: Transfer, files: list[TransferFile], settings: Settings, link_key: bytes | None
) -> list[SystemMessage]:  # fmt: skip
    """Tell of files that were added, all since the last letter in one."""
    people = _with_untold_files(transfer) if is_mailed(transfer, link_key) else []
    room = mail_limits.people_left(transfer.owner, settings) if people else 0
    queued = [_told_of_files(one, transfer, files, settings, link_key) for one in people[:room]]
    return [one for one in queued if one is not None]


def _told_of_files(
    recipient: TransferRecipient, transfer: Transfer, files: list[TransferFile], settings: Settings, link_key: bytes | None
) -> SystemMessage | None:  # fmt: skip
    since = recipient.news
    fresh = [file for file in files if file.added is not None and since is not None and file.added >= since]
    mine = (TransferRecipient.id == recipient.id) & (TransferRecipient.news == since) & TransferRecipient.removed.is_null()
    if not are_ready(fresh):  # they were removed again
        TransferRecipient.update(news=None).where(mine).execute()
        return None
    link = address_of(store.recipient_token(recipient, settings), link_key)
    return queue_once(
        to_recipient(transfer, recipient.address, settings),
        lambda: texts.added_letter(transfer, fresh, link, settings),
        lambda: bool(TransferRecipient.update(notified=now(), news=None).where(mine).execute()),
        settings,
        after=lambda: trail.note(transfer, EventKind.NEWS_MAILED, recipient=recipient, told=True),
    )


def _link(
    recipient: TransferRecipient, transfer: Transfer, files: list[TransferFile], settings: Settings, link_key: bytes | None
) -> SystemMessage | None:  # fmt: skip
    link = address_of(store.recipient_token(recipient, settings), link_key)

    def claim() -> bool:
        first = (
            (TransferRecipient.id == recipient.id) & TransferRecipient.notified.is_null() & TransferRecipient.removed.is_null()
        )
        return bool(TransferRecipient.update(notified=now()).where(first).execute())

    return queue_once(
        to_recipient(transfer, recipient.address, settings),
        lambda: texts.link_letter(transfer, files, link, settings),
        claim,
        settings,
        after=lambda: trail.note(transfer, EventKind.SENT, recipient=recipient, told=True),
    )


def send_again(recipient: TransferRecipient, settings: Settings, link_key: bytes | None = None) -> SystemMessage | None:
    """Mail somebody's link again; None if that was done within ten minutes, or can't be done."""
    transfer = recipient.transfer
    files = store.files(transfer)
    if (
        not _may_write(transfer, settings, link_key)
        or not are_ready(files)
        or not mail_limits.people_left(transfer.owner, settings)
    ):
        return None
    link = address_of(store.recipient_token(recipient, settings), link_key)

    def claim() -> bool:
        quiet = TransferRecipient.notified.is_null() | (TransferRecipient.notified < now() - SEND_AGAIN)
        mine = (TransferRecipient.id == recipient.id) & TransferRecipient.removed.is_null() & quiet
        return bool(TransferRecipient.update(notified=now(), news=None).where(mine).execute())  # it names all files

    return _woken(
        queue_once(
            to_recipient(transfer, recipient.address, settings),
            lambda: texts.link_letter(transfer, files, link, settings),
            claim,
            settings,
            after=lambda: trail.note(transfer, EventKind.SENT, recipient=recipient, told=True),
        )
    )


def remind(transfer: Transfer, settings: Settings, only: TransferRecipient | None = None) -> list[SystemMessage]:
    """Remind those who have not downloaded anything, each once a day at most; `only` one of them."""
    since = now() - REMIND_AGAIN
    found = [
        one
        for one in _without_download(transfer)
        if (only is None or one.id == only.id)
        and one.notified is not None
        and one.notified <= since
        and (one.reminded is None or one.reminded <= since)
    ]
    return _reminded(transfer, found, since, settings)


def _without_download(transfer: Transfer) -> list[TransferRecipient]:
    nothing = (TransferRecipient.downloads == 0) & TransferRecipient.removed.is_null() & TransferRecipient.notified.is_null(False)
    return list(
        TransferRecipient.select().where((TransferRecipient.transfer == transfer) & nothing).order_by(TransferRecipient.id)
    )


def _reminded(
    transfer: Transfer, people: list[TransferRecipient], since: datetime, settings: Settings
) -> list[SystemMessage]:  # fmt: skip
    """To those whose last reminder was before `since`."""
    people = (
        people[: mail_limits.people_left(transfer.owner, settings)] if people and _may_write(transfer, settings, None) else []
    )
    files = store.files(transfer) if people else []
    if not are_ready(files):
        return []
    queued = []
    for one in people:
        link = address_of(store.recipient_token(one, settings))

        def claim(number: int = one.id) -> bool:
            quiet = TransferRecipient.reminded.is_null() | (TransferRecipient.reminded <= since)
            mine = (TransferRecipient.id == number) & TransferRecipient.removed.is_null() & (TransferRecipient.downloads == 0)
            return bool(TransferRecipient.update(reminded=now()).where(mine & quiet).execute())

        def make(link: str = link) -> texts.FilesLetter:
            return texts.link_letter(transfer, files, link, settings, reminder=True)

        def note(person: TransferRecipient = one) -> None:
            trail.note(transfer, EventKind.REMINDED, recipient=person, told=True)

        queued.append(_woken(queue_once(to_recipient(transfer, one.address, settings), make, claim, settings, after=note)))
    return [one for one in queued if one is not None]


def _may_write(transfer: Transfer, settings: Settings, link_key: bytes | None) -> bool:
    return bool(settings.system_address and settings.public_url) and is_mailed(transfer, link_key)


def invite(file_request_invite: FileRequestInvite, settings: Settings, *, again: bool = False) -> SystemMessage | None:
    """Mail somebody the link by which they send files; `again`: as a reminder (`requests.remind` says whether it may go)."""
    if not settings.system_address or not settings.public_url:
        return None
    request = file_request_invite.request
    link = public_link("transfers.guest", link=requests.invite_token(file_request_invite, settings))
    post = Post(file_request_invite.address, TO_OTHERS, request.language or settings.language, request.owner.address)
    make_letter = texts.invitation_letter
    return _woken(queue_once(post, lambda: make_letter(request, link, settings, reminder=again), lambda: True, settings))


def _woken(row: SystemMessage | None) -> SystemMessage | None:
    if row is not None:
        wake_system_mail(row)
    return row


# --- the worker ------------------------------------------------------------------------------------------------------


def pending() -> pw.Query:
    """What `sweep` may have to tell somebody of, but for reminders of days before the end."""
    return TransferEvent.select(TransferEvent.id).where(TransferEvent.told.in_([0, DAILY]))


def sweep(settings: Settings, at: datetime | None = None) -> list[int]:
    """Queue all that is due `at` (now: UTC, naive); returns the messages to deliver (by `id`). For one worker at a time, though
    several do no harm.
    """
    at = at or now()
    rows: list[SystemMessage] = []
    if settings.system_address and settings.public_url:
        rows += [row for transfer in _with_news() for row in settle(transfer, settings)]
        rows += _before_end(settings, at) + _daily(settings, at)
    _forget(at)
    return [row.id for row in rows]


def _with_news() -> Iterator[Transfer]:
    """Transfers whose trail has what their owners were not told yet, however many: what waits for its files delays no other."""
    last = 0
    while True:
        news = TransferEvent.select(TransferEvent.transfer).where((TransferEvent.told == 0) & (TransferEvent.transfer > last))
        rows: Any = news.distinct().order_by(TransferEvent.transfer).limit(_PAGE).tuples()
        numbers = [number for (number,) in rows]
        if not numbers:
            return
        yield from Transfer.select(Transfer, User).join(User).where(Transfer.id << numbers).order_by(Transfer.id)
        last = numbers[-1]


def _before_end(settings: Settings, at: datetime) -> list[SystemMessage]:
    """Reminders to those who have nothing of what ends soon; again if its owner extended it since. One SELECT where nobody is
    to be reminded.
    """
    rows: list[SystemMessage] = []
    numbers = _ending_unseen(at)
    for first in range(0, len(numbers), _PAGE):
        some = Transfer.id << numbers[first : first + _PAGE]
        for transfer in Transfer.select(Transfer, User).join(User).where(some).order_by(Transfer.id):
            offered_for = transfer.expires - (transfer.published or transfer.created)
            if not options.load(transfer).remind or offered_for < SHORTEST or not transfer.owner.active:
                continue
            since = transfer.expires - BEFORE_END
            people = [one for one in _without_download(transfer) if _is_due(one.notified, one.reminded, since)]
            rows += _reminded(transfer, people, since, settings)
    return rows


def _ending_unseen(at: datetime) -> list[int]:
    """Transfers that end soon, with somebody who has nothing of them and was not reminded of that. One SELECT."""
    soon = (Transfer.state == TransferState.READY) & (Transfer.expires > at) & (Transfer.expires <= at + BEFORE_END)
    mailed = Transfer.request.is_null() & (Transfer.key_check == "") & (Transfer.end_to_end == "")
    nothing = (TransferRecipient.downloads == 0) & TransferRecipient.removed.is_null() & TransferRecipient.notified.is_null(False)
    columns = (Transfer.id, Transfer.expires, TransferRecipient.notified, TransferRecipient.reminded)
    rows: Any = TransferRecipient.select(*columns).join(Transfer).where(soon & mailed & nothing).tuples()
    return sorted({number for number, ends, notified, reminded in rows if _is_due(notified, reminded, ends - BEFORE_END)})


def _is_due(notified: datetime | None, reminded: datetime | None, since: datetime) -> bool:
    """Whether somebody had no mail since then: who got the link on the last day needs no reminder of it."""
    return notified is not None and notified <= since and (reminded is None or reminded <= since)


def _daily(settings: Settings, at: datetime) -> list[SystemMessage]:
    """The downloads of a day, to each owner who wants to hear of them so, after an hour of the afternoon."""
    rows: list[SystemMessage | None] = []
    owners = User.select().join(Transfer).join(TransferEvent).where((TransferEvent.told == DAILY) & (User.active == 1)).distinct()
    for owner in owners:
        events = list(
            TransferEvent.select(TransferEvent, Transfer)
            .join(Transfer)
            .where((TransferEvent.told == DAILY) & (Transfer.owner == owner) & (TransferEvent.at < at))
            .order_by(TransferEvent.id)
            .limit(5000)
        )
        if events and min(one.at for one in events) < _last_hour(owner, settings, at):
            rows.append(_digest(owner, events, settings))
    return [row for row in rows if row is not None]


def _last_hour(owner: User, settings: Settings, at: datetime) -> datetime:
    """The last time before `at` that the owner's clock showed the hour of the daily message (UTC, naive)."""
    zone = ZoneInfo(preferences.for_user(owner).time_zone or settings.timezone)
    local = at.replace(tzinfo=UTC).astimezone(zone)
    hour = local.replace(hour=DAILY_HOUR, minute=0, second=0, microsecond=0)
    hour = hour if hour <= local else hour - timedelta(days=1)
    return hour.astimezone(UTC).replace(tzinfo=None)


def _digest(owner: User, events: list[TransferEvent], settings: Settings) -> SystemMessage | None:
    parts: dict[int, tuple[Transfer, list[TransferFile], list[TransferEvent]]] = {}
    for event in events:
        if event.transfer_id not in parts:
            parts[event.transfer_id] = (event.transfer, store.files(event.transfer), [])
        parts[event.transfer_id][2].append(event)
    numbers = [one.id for one in events]

    def claim() -> bool:
        same = TransferEvent.id.in_(numbers) & (TransferEvent.told == DAILY)
        return int(TransferEvent.update(told=1).where(same).execute()) == len(numbers)

    post = to_owner(events[0].transfer, settings)
    return queue_once(post, lambda: texts.digest_letter(parts.values(), public_link("transfers.index")), claim, settings)


def _forget(at: datetime) -> None:
    """What nobody told in time is told no more; but for what waits for its files, which may take longer."""
    waits = [EventKind.PUBLISHED, EventKind.ARRIVED, EventKind.RECIPIENT_ADDED, EventKind.FILES_ADDED]
    old = (TransferEvent.told == 0) & (TransferEvent.at < at - FORGOTTEN)
    TransferEvent.update(told=1).where(old & TransferEvent.kind.not_in(waits)).execute()
    gone = Transfer.select(Transfer.id).where(Transfer.files_gone == 1)
    TransferEvent.update(told=1).where(old & TransferEvent.transfer.in_(gone)).execute()
