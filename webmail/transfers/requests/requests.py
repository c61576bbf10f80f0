"""Requests: pages on which people without an account send files to somebody who has one; the owner's side of it.

A request stands open to everybody who has its link, or to those alone who were asked by mail, each with a link of their own. What
comes is a transfer (`Transfer.request`) whose owner is the one who asked. What guests do there: `guests.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import peewee as pw

from webmail.config.settings import Settings
from webmail.database import idempotency
from webmail.database.connection import db
from webmail.errors import LimitReachedError
from webmail.models import FileRequest, FileRequestInvite, Transfer, User, now
from webmail.rate_limits import TooManyRequestsError
from webmail.transfers import links, mail_limits
from webmail.transfers.links import LinkKind
from webmail.transfers.requests import unfinished

MOST_REQUESTS = 200  # of one person, open ones
LONGEST_TITLE, LONGEST_MESSAGE = 120, 4000
REMEMBERED = timedelta(days=90)  # how long a closed one is listed
AGAIN = timedelta(hours=12)  # between two mails to one invitee
FULL_FOR = timedelta(days=7)  # how long its page says that somebody found no room


class RequestState(StrEnum):
    """Whether files may come."""

    OPEN = "open"
    OVER = "over"  # its date is past
    CLOSED = "closed"  # by its owner


@dataclass(frozen=True, slots=True)
class Wishes:
    """What its owner may choose, and change later."""

    title: str
    message: str = ""
    invited_only: bool = False
    once: bool = False
    asks_name: bool = True
    until: datetime | None = None
    days: int = 0
    most_bytes: int = 0
    most_files: int = 0
    notify: bool = True


@dataclass(frozen=True, slots=True)
class Listed:
    """A request with what came: transfers that were sent off, and when the last was."""

    request: FileRequest
    arrived: int
    last: datetime | None
    invited: int


def is_offered(settings: Settings) -> bool:
    """Whether people may ask for files here. Not where every key has to lie with the link: guests have none for the owner."""
    given = settings.transfers
    return given.on and given.guests and given.key == "server"


def make(
    owner: User, wishes: Wishes, language: str, settings: Settings, people: Iterable[tuple[str, str]] = ()
) -> tuple[FileRequest, list[FileRequestInvite]]:
    """A new request, and those of `people` who are asked by mail. Raises LimitReachedError, and what `invite` does."""
    with db.atomic():
        idempotency.in_turn(owner)
        open_ones = (FileRequest.owner == owner) & FileRequest.closed.is_null()
        if FileRequest.select().where(open_ones).count() >= MOST_REQUESTS:
            raise LimitReachedError(f"{MOST_REQUESTS} open requests")
        nonce = links.new_nonce()
        hashed = links.link_hash(links.token(LinkKind.REQUEST, nonce, settings.secret_key))
        made = FileRequest.create(owner=owner, nonce=nonce, link_hash=hashed, language=language, **_columns(wishes))
        return made, invite(made, people, settings)


def change(request: FileRequest, wishes: Wishes) -> None:
    """Its link stays what it is."""
    FileRequest.update(**_columns(wishes)).where(FileRequest.id == request.id).execute()


def wishes_of(request: FileRequest) -> Wishes:
    return Wishes(
        request.title, request.message, bool(request.invited_only), bool(request.once), bool(request.asks_name),
        request.until, request.days, request.most_bytes, request.most_files, bool(request.notify),
    )  # fmt: skip


def _columns(wishes: Wishes) -> dict[str, object]:
    return {
        "title": wishes.title[:LONGEST_TITLE],
        "message": wishes.message[:LONGEST_MESSAGE],
        "invited_only": int(wishes.invited_only),
        "once": int(wishes.once),
        "asks_name": int(wishes.asks_name),
        "until": wishes.until,
        "days": wishes.days,
        "most_bytes": wishes.most_bytes,
        "most_files": wishes.most_files,
        "notify": int(wishes.notify),
    }


def find(owner: User, number: int) -> FileRequest | None:
    """One's own request; None for another's. One SELECT."""
    return FileRequest.get_or_none((FileRequest.id == number) & (FileRequest.owner == owner))


def state(request: FileRequest) -> RequestState:
    if request.closed is not None:
        return RequestState.CLOSED
    return RequestState.OVER if request.until is not None and request.until <= now() else RequestState.OPEN


def token(request: FileRequest, settings: Settings) -> str:
    """The token of its public address, for everybody."""
    return links.token(LinkKind.REQUEST, request.nonce, settings.secret_key)


def invite_token(invite: FileRequestInvite, settings: Settings) -> str:
    return links.token(LinkKind.INVITE, invite.nonce, settings.secret_key)


def listed(owner: User, most: int = 300) -> list[Listed]:
    """One's requests: those that are open first, then the newest first. Three SELECTs."""
    rows = list(FileRequest.select().where(FileRequest.owner == owner).order_by(FileRequest.id.desc()).limit(most))
    numbers = [row.id for row in rows]
    came: Any = (
        Transfer.select(Transfer.request, pw.fn.COUNT(Transfer.id), pw.fn.MAX(Transfer.published))
        .where(Transfer.request.in_(numbers) & Transfer.published.is_null(False))
        .group_by(Transfer.request)
        .tuples()
    )
    asked: Any = (
        FileRequestInvite.select(FileRequestInvite.request, pw.fn.COUNT(FileRequestInvite.id))
        .where(FileRequestInvite.request.in_(numbers) & FileRequestInvite.removed.is_null())
        .group_by(FileRequestInvite.request)
        .tuples()
    )
    arrived: dict[int, tuple[int, datetime | str]] = {row[0]: row[1:] for row in came}
    invited: dict[int, int] = dict(asked)
    found = [Listed(row, *_counted(arrived.get(row.id)), invited.get(row.id, 0)) for row in rows]
    return sorted(found, key=lambda one: state(one.request) is not RequestState.OPEN)


def _counted(came: tuple[int, datetime | str] | None) -> tuple[int, datetime | None]:
    if came is None:
        return 0, None
    count, last = came
    return count, datetime.fromisoformat(last) if isinstance(last, str) else last  # SQLite knows no type of MAX()


def arrivals(request: FileRequest, most: int = 500) -> list[Transfer]:
    """What was sent off, the newest first. One SELECT."""
    rows = Transfer.select(Transfer, FileRequestInvite).left_outer_join(FileRequestInvite)
    sent = (Transfer.request == request) & Transfer.published.is_null(False)
    return list(rows.where(sent).order_by(Transfer.id.desc()).limit(most))


def close(request: FileRequest) -> bool:
    """Nothing comes from now on; what was sent off stays, what was not ends. Whether it was open."""
    is_open = (FileRequest.id == request.id) & FileRequest.closed.is_null()
    closed = bool(FileRequest.update(closed=now()).where(is_open).execute())
    unfinished.remove_all(request)
    return closed


def reopen(request: FileRequest) -> bool:
    """Let files come again; a date that is past no longer counts, and what ended with it goes on for as long as that can be
    taken back. Whether that changed anything. Raises LimitReachedError.
    """
    with db.atomic():
        idempotency.in_turn(request.owner)
        open_ones = (FileRequest.owner == request.owner_id) & FileRequest.closed.is_null() & (FileRequest.id != request.id)
        if FileRequest.select().where(open_ones).count() >= MOST_REQUESTS:
            raise LimitReachedError(f"{MOST_REQUESTS} open requests")
        was_shut = state(request) is not RequestState.OPEN
        until = request.until if request.until is not None and request.until > now() else None
        FileRequest.update(closed=None, until=until).where(FileRequest.id == request.id).execute()
    unfinished.put_back_all(request)
    return was_shut


# --- those who are asked by mail -------------------------------------------------------------------------------------


def invites(request: FileRequest) -> list[FileRequestInvite]:
    """Those who were asked, in their order. One SELECT."""
    mine = (FileRequestInvite.request == request) & FileRequestInvite.removed.is_null()
    return list(FileRequestInvite.select().where(mine).order_by(FileRequestInvite.id))


def invite(request: FileRequest, people: Iterable[tuple[str, str]], settings: Settings) -> list[FileRequestInvite]:
    """Ask people (name, address), each with a link of their own; who was asked already is left out. Returns whom to write to.

    Raises LimitReachedError where a request has too many, TooManyRequestsError where its owner wrote to too many within an hour.
    """
    wanted = {address.lower(): name for name, address in people}
    with db.atomic():
        idempotency.in_turn(request.owner)
        known = {row.address: row for row in FileRequestInvite.select().where(FileRequestInvite.request == request)}
        fresh = [address for address in wanted if address not in known or known[address].removed is not None]
        asked = sum(row.removed is None for row in known.values())
        if fresh and asked + len(fresh) > settings.transfers.recipients:
            raise LimitReachedError(f"{settings.transfers.recipients} people")
        _check_mails(request.owner, len(fresh), settings)
        return [_invited(request, known.get(address), wanted[address], address, settings) for address in fresh]


def _invited(
    request: FileRequest, existing: FileRequestInvite | None, name: str, address: str, settings: Settings
) -> FileRequestInvite:
    """A fresh link: that of somebody who was removed works no more."""
    nonce = links.new_nonce()
    hashed = links.link_hash(links.token(LinkKind.INVITE, nonce, settings.secret_key))
    if existing is None:
        return FileRequestInvite.create(request=request, address=address, name=name[:190], nonce=nonce, link_hash=hashed)
    existing.name, existing.nonce, existing.link_hash, existing.used = name[:190] or existing.name, nonce, hashed, 0
    existing.removed, existing.invited, existing.reminded = None, now(), None
    existing.save()
    return existing


def remind(invited: FileRequestInvite, settings: Settings) -> bool:
    """Whether a reminder may go to them now; it then counts as sent. Raises TooManyRequestsError."""
    with db.atomic():
        idempotency.in_turn(invited.request.owner)
        _check_mails(invited.request.owner, 1, settings)
        quiet = FileRequestInvite.reminded.is_null() | (FileRequestInvite.reminded < now() - AGAIN)
        mine = (FileRequestInvite.id == invited.id) & FileRequestInvite.removed.is_null() & quiet
        return bool(FileRequestInvite.update(reminded=now()).where(mine).execute())


def remove_invite(invited: FileRequestInvite) -> bool:
    """Their link no longer works. Whether it did."""
    there = (FileRequestInvite.id == invited.id) & FileRequestInvite.removed.is_null()
    return bool(FileRequestInvite.update(removed=now()).where(there).execute())


def put_back_invite(invited: FileRequestInvite) -> None:
    """Undo `remove_invite`: the link that they have works again."""
    FileRequestInvite.update(removed=None).where(FileRequestInvite.id == invited.id).execute()


def find_invite(request: FileRequest, number: int) -> FileRequestInvite | None:
    mine = (FileRequestInvite.id == number) & (FileRequestInvite.request == request)
    return FileRequestInvite.select(FileRequestInvite, FileRequest).join(FileRequest).where(mine).first()


def _check_mails(owner: User, more: int, settings: Settings) -> None:
    """As many people as they may still write to."""
    if more and more > (room := mail_limits.people_left(owner, settings)):
        raise TooManyRequestsError(left=room)


# --- what its owner is told ------------------------------------------------------------------------------------------


def note_full(request: FileRequest) -> None:
    """Remember that somebody found no room, for the owner's page."""
    FileRequest.update(options=json.dumps({"full": now().isoformat(timespec="seconds")})).where(
        FileRequest.id == request.id
    ).execute()


def is_full(request: FileRequest) -> bool:
    """Whether somebody found no room lately."""
    at = json.loads(request.options or "{}").get("full", "")
    return bool(at) and datetime.fromisoformat(at) > now() - FULL_FOR


def sweep(settings: Settings) -> int:
    """Forget requests that are long over, and of which nothing is kept any more. Returns how many. Two queries."""
    past = now() - REMEMBERED
    old = (FileRequest.closed < past) | (FileRequest.closed.is_null() & (FileRequest.until < past))
    in_use = Transfer.select(Transfer.request).where(Transfer.request.is_null(False))
    return int(FileRequest.delete().where(old & FileRequest.id.not_in(in_use)).execute())
