"""Guests: people without an account who send files to whoever asked for them (`requests.py`).

A guest is known by an address alone: that of the request, or of an invitation, begins a transfer, whose own address (a receipt's)
goes on with it, another day too, and shows afterwards what was sent. Neither opens what somebody else sent, nor any file.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple, TypeVar

from webmail import rate_limits
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.errors import MailError
from webmail.models import (
    ContentState,
    FileRequest,
    FileRequestInvite,
    Transfer,
    TransferFile,
    TransferState,
    User,
    now,
)
from webmail.rate_limits import TooManyRequestsError
from webmail.transfers import limits, links, options, store, trail
from webmail.transfers.limits import Limit, OverLimitError
from webmail.transfers.links import LinkKind
from webmail.transfers.requests import guest_limits, requests
from webmail.transfers.requests.requests import RequestState
from webmail.transfers.trail import EventKind

SHOWN = timedelta(days=30)  # how long a receipt is shown after the files were sent
GRACE = timedelta(hours=2)  # what was begun before the date of a request may be finished for so long after it
_PURGE_SECONDS = 10.0  # for what makes way: somebody waits for an answer, and the worker deletes the rest
LONGEST_NAME, LONGEST_MESSAGE = 100, 4000
T = TypeVar("T")
NO_ROOM = (Limit.PERSON, Limit.TOTAL, Limit.TRANSFERS)  # what a guest is told no more of


class Shut(StrEnum):
    """Why nothing can be sent."""

    OVER = "over"  # the date is past
    CLOSED = "closed"
    USED = "used"  # the link takes one transfer, and took it
    OFF = "off"  # nobody asks for files here


class NotOpenError(MailError):
    """Nothing can be sent any more."""

    status = 410

    def __init__(self, why: Shut) -> None:
        super().__init__(f"a request that is shut: {why}")
        self.why = why


class NoRoomError(MailError):
    """Its owner has no room left; a guest is told no more than that."""

    status = 507


class NotWholeError(MailError):
    """A file is not there in full: it is uploaded on, or taken out."""

    status = 409

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"{len(names)} files are not whole")
        self.names = names


class NothingSentError(MailError):
    """There is no file in it."""

    status = 422


@dataclass(frozen=True, slots=True)
class AskedForFiles:
    """What a link that asks for files leads to; `invite` where it is somebody's own."""

    request: FileRequest
    invite: FileRequestInvite | None


@dataclass(frozen=True, slots=True)
class Guest:
    """Who sends, as they typed it."""

    name: str = ""
    address: str = ""
    message: str = ""
    network: str = ""
    language: str = ""


class Most(NamedTuple):
    """Limits of a transfer of a request; 0: as usual."""

    size: int  # bytes
    files: int


def find_request(given: str) -> AskedForFiles | None:
    """The request of a token, whether it is open or not. At most two SELECTs."""
    if not given:
        return None
    hashed = links.link_hash(given)
    request = (
        FileRequest.select(FileRequest, User)
        .join(User)
        .where((FileRequest.link_hash == hashed) & (FileRequest.invited_only == 0) & (User.active == 1))
        .first()
    )
    if request is not None:
        return AskedForFiles(request, None)
    invited = (
        FileRequestInvite.select(FileRequestInvite, FileRequest, User)
        .join(FileRequest)
        .join(User)
        .where((FileRequestInvite.link_hash == hashed) & FileRequestInvite.removed.is_null() & (User.active == 1))
        .first()
    )
    return AskedForFiles(invited.request, invited) if invited is not None else None


def shut(found: AskedForFiles, settings: Settings) -> Shut | None:
    """Why nothing can be begun by this link; None where it can. At most one SELECT."""
    if not requests.is_offered(settings):
        return Shut.OFF
    if (state := requests.state(found.request)) is not RequestState.OPEN:
        return Shut.OVER if state is RequestState.OVER else Shut.CLOSED
    return Shut.USED if _is_used(found.request, found.invite) else None


def begin(found: AskedForFiles, guest: Guest, settings: Settings) -> Transfer:
    """A transfer that only this guest sees. Raises NotOpenError, TooManyRequestsError, NoRoomError."""
    make_way(found.request, settings, only_if_crowded=True)
    with db.atomic():
        _lock(found.request)
        if (why := shut(found, settings)) is not None:
            raise NotOpenError(why)
        of_network = guest_limits.BEGUN_OF_NETWORK.by(guest.network) if guest.network else None
        rate_limits.take(settings, guest_limits.BEGUN_OF_REQUEST.by(found.request.id), of_network)
        if guest_limits.is_crowded(found.request):
            raise TooManyRequestsError(guest_limits.IDLE_EMPTY)
        try:
            transfer = store.create(found.request.owner, settings, request=found.request, invite=found.invite)
        except OverLimitError as error:
            raise NoRoomError(str(error)) from error
        transfer.receipt_hash = links.link_hash(receipt_token(transfer, settings))
        transfer.language = guest.language[:5]
        _name(transfer, guest)
        transfer.save()
    return transfer


def rename(transfer: Transfer, guest: Guest) -> None:
    """What they typed anew about themselves, before it is sent off."""
    _name(transfer, guest)
    mine = (Transfer.id == transfer.id) & (Transfer.state == TransferState.OPEN)
    typed = {"guest_name": transfer.guest_name, "guest_address": transfer.guest_address, "message": transfer.message}
    Transfer.update(**typed).where(mine).execute()


def _name(transfer: Transfer, guest: Guest) -> None:
    invited = transfer.invite
    transfer.guest_name = guest.name[:LONGEST_NAME] or (invited.name if invited is not None else "")
    transfer.guest_address = (guest.address or (invited.address if invited is not None else ""))[:254].lower()
    transfer.message = guest.message[:LONGEST_MESSAGE]


def request_for_transfer(transfer: Transfer) -> FileRequest:
    """What it was asked by; there is one for every transfer of a guest, since requests stay as long as what came by them."""
    if transfer.request is None:
        raise ValueError(f"transfer {transfer.id} is no guest's")
    return transfer.request


def receipt_token(transfer: Transfer, settings: Settings) -> str:
    return links.token(LinkKind.RECEIPT, transfer.nonce, settings.secret_key)


def of_receipt(given: str) -> Transfer | None:
    """What somebody sends or sent, by the token of its receipt; None once that is shown no more. One SELECT."""
    if not given:
        return None
    rows = Transfer.select(Transfer, FileRequest, User).join(FileRequest).join(User)
    found = rows.where(Transfer.receipt_hash == links.link_hash(given)).first()
    if found is None or (found.published is not None and found.published < now() - SHOWN):
        return None
    return found


def may_go_on(transfer: Transfer, settings: Settings) -> Shut | None:
    """Why a transfer that was begun can't be gone on with; None where it can. At most one SELECT."""
    request = request_for_transfer(transfer)
    if not requests.is_offered(settings) or not request.owner.active:
        return Shut.OFF
    if request.closed is not None or transfer.state == TransferState.CLOSED:
        return Shut.CLOSED
    if request.until is not None and request.until + GRACE <= now():
        return Shut.OVER
    return Shut.USED if transfer.state == TransferState.READY or _is_used(request, transfer.invite) else None


def check(transfer: Transfer, settings: Settings) -> None:
    """Whether another file may come to it; it then counts. Raises NotOpenError, TooManyRequestsError."""
    if (why := may_go_on(transfer, settings)) is not None:
        raise NotOpenError(why)
    rate_limits.take(settings, guest_limits.FILES.by(request_for_transfer(transfer).id))


def as_told(error: MailError) -> MailError:
    """What a guest may know of it."""
    return NoRoomError(str(error)) if isinstance(error, OverLimitError) and error.limit in NO_ROOM else error


def add(transfer: Transfer, settings: Settings, act: Callable[[Most], T]) -> T:
    """Do what adds a file (it is given the limits of the request), within what a guest may.

    Raises NotOpenError, TooManyRequestsError, NoRoomError, OverLimitError for the limits that a guest may know, and what `act`
    does.
    """
    check(transfer, settings)
    request = request_for_transfer(transfer)
    asked_for = Most(request.most_bytes, request.most_files)
    try:
        return act(asked_for)
    except OverLimitError as error:
        if error.limit not in NO_ROOM:
            raise
    make_way(request, settings)
    try:
        return act(asked_for)
    except OverLimitError as error:
        if error.limit not in NO_ROOM:
            raise
        requests.note_full(request)
        raise NoRoomError(str(error)) from error


def make_way(request: FileRequest, settings: Settings, *, only_if_crowded: bool = False) -> int:
    """End what guests of the same owner began and left lying about; returns how many. For when there is no room left."""
    if only_if_crowded and not guest_limits.is_crowded(request):
        return 0
    ended = [one for one in guest_limits.idle_ones(request.owner) if store.close(one, "date")]
    end = time.monotonic() + _PURGE_SECONDS
    for transfer in ended:
        store.purge(transfer, settings, end - time.monotonic())
    return len(ended)


def send(transfer: Transfer, settings: Settings) -> None:
    """Hand it to whoever asked; their mail follows once every file is checked. Twice is once.

    Raises NotOpenError, NothingSentError, NotWholeError, FilesChangedError.
    """
    request = request_for_transfer(transfer)
    with db.atomic():
        _lock(request)
        fresh = Transfer.get_by_id(transfer.id)
        if fresh.state == TransferState.READY:
            return
        if (why := may_go_on(fresh, settings)) is not None:
            raise NotOpenError(why)
        found = store.files(fresh)
        if not found:
            raise NothingSentError(f"transfer {transfer.id} is empty")
        if missing := [one.path for one in found if one.content is None or one.content.state == ContentState.UPLOADING]:
            raise NotWholeError(missing)
        until = now() + timedelta(days=request.days or settings.transfers.days)
        try:
            store.publish(fresh, options.load(fresh), until, [], settings, looked_at=found)
        except store.TransferClosedError as error:  # by an administrator, at this moment
            raise NotOpenError(Shut.CLOSED) from error
        if fresh.invite_id is not None:
            used = {"used": FileRequestInvite.used + 1, "last_used": now()}
            FileRequestInvite.update(**used).where(FileRequestInvite.id == fresh.invite_id).execute()


def withdraw(file: TransferFile, transfer: Transfer, settings: Settings) -> bool:
    """Take back a file that nobody fetched yet; the last one ends the transfer. Whether it was taken back."""
    unseen = (TransferFile.id == file.id) & (TransferFile.transfer == transfer) & (TransferFile.downloads == 0)
    with db.atomic():
        if transfer.state == TransferState.CLOSED or not TransferFile.delete().where(unseen).execute():
            return False
        if transfer.state == TransferState.READY:
            trail.note(transfer, EventKind.FILE_REMOVED, detail=file.path, told=True)
    store.remove_file(file, settings)  # its bytes
    if transfer.state == TransferState.READY and not store.files(transfer):
        store.close(transfer, "guest")
    return True


def allowed(request: FileRequest, settings: Settings) -> tuple[int, int]:
    """Bytes and files that one transfer may have, as a guest is told."""
    given = settings.transfers
    most = min(given.transfer_mb * limits.MB, request.most_bytes or given.transfer_mb * limits.MB)
    return most, min(given.files, request.most_files or given.files)


def _is_used(request: FileRequest, invite: FileRequestInvite | None) -> bool:
    if not request.once:
        return False
    if invite is not None:
        return bool(invite.used)
    came = (Transfer.request == request) & Transfer.invite.is_null() & Transfer.published.is_null(False)
    return Transfer.select(Transfer.id).where(came).exists()


def _lock(request: FileRequest) -> None:
    """Have others who begin or send here wait until this transaction ends."""
    FileRequest.update(days=FileRequest.days).where(FileRequest.id == request.id).execute()
