"""Files of guests' scripts: people without an account send files by the link that somebody gave them. The link is all they need.

What they may do and are told is what their page does and tells (`webmail/transfers/requests/guests.py`).
"""

from __future__ import annotations

from typing import Any

from flask import request, session
from flask_babel import get_locale

from webmail.api import answer_bodies, transfer_files
from webmail.api.operations import ApiAnswer, ApiCall, Operation
from webmail.api.problems import ProblemError
from webmail.api.schemas import record, text
from webmail.api.views.uploads import RANGE
from webmail.errors import BadAddressError, MailError
from webmail.mime.headers.address_input import parse_addresses
from webmail.mime.threats.skeletons import visible
from webmail.models import Transfer, TransferState
from webmail.transfers import links, store
from webmail.transfers.notifications import no_room, recipients
from webmail.transfers.public import access
from webmail.transfers.requests import guests
from webmail.transfers.requests.guests import LONGEST_MESSAGE, LONGEST_NAME, AskedForFiles, Guest
from webmail.transfers.views.uploads import body_of_request
from webmail.transfers.views.visitors import sender
from webmail.web.formatting import lazy_text as _l

_WHO = record({"name": text(LONGEST_NAME), "address": text(254, "Gets a receipt"), "message": text(LONGEST_MESSAGE, lines=True)})


def _request_of(call: ApiCall) -> AskedForFiles:
    """What the link asks for. Raises ProblemError."""
    found = guests.find_request(links.parts(call.values["link"])[0])
    if found is None:
        access.count_unknown(session.network, call.settings)  # type: ignore[attr-defined]
        raise ProblemError("not-found")
    if guests.shut(found, call.settings) is not None:
        raise ProblemError("over")
    return found


def _begun(call: ApiCall) -> Transfer:
    found = guests.of_receipt(links.parts(call.values["link"])[0])
    if found is None:
        access.count_unknown(session.network, call.settings)  # type: ignore[attr-defined]
        raise ProblemError("not-found")
    return found


def _told(found: Transfer, call: ApiCall, status: int = 200) -> ApiAnswer:
    link = guests.receipt_token(found, call.settings)
    return answer_bodies.answer(
        {
            "link": link, "state": found.state,
            "files": [answer_bodies.file(one) for one in store.files(found)[: answer_bodies.MOST_FILES]],
            "uploads": answer_bodies.link("transfers.guest_uploads", link=link),
            "page": answer_bodies.link("transfers.guest", link=link),
        },
        status,
    )  # fmt: skip


def ask(call: ApiCall) -> ApiAnswer:
    row = _request_of(call).request
    most_bytes, most_files = guests.allowed(row, call.settings)
    return answer_bodies.answer(
        {
            "title": row.title, "message": row.message, "asked_by": row.owner.name or row.owner.address,
            "until": answer_bodies.moment(row.until), "asks_name": bool(row.asks_name), "most_bytes": most_bytes,
            "most_files": most_files,
        }
    )  # fmt: skip


def begin(call: ApiCall) -> ApiAnswer:
    found = _request_of(call)
    name = " ".join(visible(call.body.get("name", "")).split())
    if found.request.asks_name and not name and found.invite is None:
        raise ProblemError("invalid", errors=[{"at": "/name", "fault": "is required"}])
    address = call.body.get("address", "").strip()
    if address and not _is_address(address):
        raise ProblemError("invalid", errors=[{"at": "/address", "fault": "must be one email address"}])
    network, language = session.network, str(get_locale())  # type: ignore[attr-defined]
    made = guests.begin(found, Guest(name, address, call.body.get("message", ""), network, language), call.settings)
    return _told(made, call, 201)


def _is_address(typed: str) -> bool:
    try:
        found = parse_addresses(typed)
    except BadAddressError:
        return False
    return len(found) == 1 and found[0].email == typed


def show(call: ApiCall) -> ApiAnswer:
    return _told(_begun(call), call)


def put_file(call: ApiCall) -> ApiAnswer:
    transfer = _begun(call)
    if transfer.state != TransferState.OPEN or guests.may_go_on(transfer, call.settings) is not None:
        raise ProblemError("over")
    piece = transfer_files.piece_of(request.content_length, request.headers.get("Content-Range", ""))
    path, media_type = call.values["path"], request.mimetype

    def add() -> Any:
        return guests.add(
            transfer, call.settings,
            lambda most: store.add_file(
                transfer, path, piece.size, media_type, call.settings, most_bytes=most.size, most_files=most.files
            ),
        )  # fmt: skip

    try:
        file = transfer_files.take(transfer, path, piece, body_of_request(), sender(transfer), call.settings, add)
    except MailError as error:
        raise _told_error(error, transfer) from error
    return answer_bodies.answer(answer_bodies.file(file), 201)


def _told_error(error: MailError, transfer: Transfer) -> MailError:
    """What a guest may know of it; its owner is told where there is no room."""
    found = guests.as_told(error)
    if isinstance(found, guests.NoRoomError):
        no_room.tell_owner(guests.request_for_transfer(transfer))
    return found


def send(call: ApiCall) -> ApiAnswer:
    transfer = _begun(call)
    if transfer.state == TransferState.CLOSED:
        raise ProblemError("over")
    try:
        guests.send(transfer, call.settings)
    except guests.NothingSentError as error:
        raise ProblemError("invalid", errors=[{"at": "/files", "fault": "has none yet"}]) from error
    except guests.NotWholeError as error:
        raise ProblemError("conflict", f"Incomplete: {', '.join(error.names[:5])}.") from error
    fresh = _begun(call)
    recipients.settle(fresh, call.settings)
    return _told(fresh, call)


_SHAPE: dict[str, Any] = {"tag": "guests", "link_opens": True}
OPERATIONS = (
    Operation(
        name="show_guest_request", method="GET", path="/guests/{link}", words=_l("What a link asks for"), act=ask,
        answer="GuestRequest", problems=("over",), **_SHAPE,
    ),
    Operation(
        name="begin_guest_transfer", method="POST", path="/guests/{link}/transfers", act=begin, body=_WHO, status=201,
        words=_l("Begin to send files by it"), answer="GuestTransfer", problems=("over", "no-room"), **_SHAPE,
    ),
    Operation(
        name="show_guest_transfer", method="GET", path="/guests/{link}/transfer", words=_l("Show what was begun or sent"),
        act=show,
        answer="GuestTransfer", **_SHAPE,
    ),
    Operation(
        name="put_guest_file", method="PUT", path="/guests/{link}/files/{path}", words=_l("Send a file, whole or in pieces"),
        act=put_file, answer="File", status=201, reads_itself=True, headers=RANGE, **_SHAPE,
        problems=("no-length", "wrong-offset", "invalid", "over", "too-large", "no-room"),
    ),
    Operation(
        name="send_guest_transfer", method="POST", path="/guests/{link}/send", words=_l("Send it to the person who asked"),
        act=send,
        body=record({}), answer="GuestTransfer", problems=("over", "conflict"), **_SHAPE,
    ),
)  # fmt: skip
