"""Guests' uploads by tus 1.0, at the address of what they send: the same protocol as for people with an account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from flask import Response, abort, request
from flask_babel import get_locale

from webmail.auth.guard import public
from webmail.errors import MailError
from webmail.models import Transfer, TransferFile, TransferState
from webmail.transfers import assembly, links
from webmail.transfers.blueprint import blueprint
from webmail.transfers.notifications import no_room
from webmail.transfers.requests import guests, requests
from webmail.transfers.requests.guests import AskedForFiles, Guest
from webmail.transfers.uploads import tus
from webmail.transfers.uploads.tus import TusAnswer
from webmail.transfers.views import uploads, visitors
from webmail.web.current import settings
from webmail.web.forms.body_limits import reads_its_body
from webmail.web.templates.addresses import url_for

_METHODS = ["HEAD", "PATCH", "DELETE", "POST", "OPTIONS"]


@blueprint.route("/g/<link>/uploads", methods=["POST", "OPTIONS"], provide_automatic_options=False)
@public
@reads_its_body
@visitors.for_visitors
def guest_uploads(link: str) -> Response:
    """POST: a new file of what this link goes on with; by the link of a request, of a new transfer, or of the one `of`.

    The answer tells the link to go on with (`X-Traboule-Transfer`).
    """
    if request.method == "OPTIONS":
        return uploads.response(tus.options(settings()))
    begun = _transfer_of(request.args.get("of", "") or link)
    found = None if begun is not None else guests.find_request(links.parts(link)[0])
    if begun is None and found is None:
        abort(404)
    answer = tus.answered(_headers(), uploads.creating(lambda: _create(begun, found)))
    return uploads.response(answer, tus.name_in(_headers()))


def _create(begun: Transfer | None, found: AskedForFiles | None) -> TusAnswer:
    tus.creation(_headers())  # before anything is made for nothing
    transfer = begun
    if transfer is None and found is not None:
        transfer = guests.begin(found, Guest(network=visitors.network(), language=str(get_locale())), settings())
    if transfer is None:
        abort(404)
    sender = visitors.sender(transfer)
    try:
        made = guests.add(
            transfer,
            settings(),
            lambda most: tus.create(
                _headers(),
                uploads.admitted_body(sender),
                transfer,
                settings(),
                _address_of(transfer),
                most_bytes=most.size,
                most_files=most.files,
            ),
        )
    except MailError as error:
        if isinstance(error, guests.NoRoomError):
            no_room.tell_owner(guests.request_for_transfer(transfer))
        if begun is None:
            assembly.drop(transfer, settings())
        raise
    going_on = {"X-Traboule-Transfer": guests.receipt_token(transfer, settings())}
    return uploads.with_pause(TusAnswer(made.status, made.headers | going_on, made.error, made.file), sender)


def _address_of(transfer: Transfer) -> Callable[[TransferFile], str]:
    link = guests.receipt_token(transfer, settings())
    return lambda file: url_for("transfers.guest_upload", link=link, upload=file.upload)


@blueprint.route("/g/<link>/uploads/<upload>", methods=_METHODS, provide_automatic_options=False)
@public
@reads_its_body
@visitors.for_visitors
def guest_upload(link: str, upload: str) -> Response:
    """HEAD: how far it is; PATCH: more of it; DELETE: not any more. Only by the link of what it belongs to."""
    method = tus.method(request.method, _headers())
    if method == "OPTIONS":
        return uploads.response(tus.options(settings()))
    transfer = _transfer_of(link)
    if transfer is None:
        abort(404)
    file: TransferFile = uploads.file_of(upload, TransferFile.transfer == transfer)
    if method != "HEAD" and transfer.state == TransferState.OPEN and guests.may_go_on(transfer, settings()) is not None:
        abort(410)
    return uploads.answer_for(file, method, visitors.sender(transfer), told=lambda error: _told(error, transfer))


def _told(error: MailError, transfer: Transfer) -> MailError:
    """What a guest may know of why no more bytes were taken; its owner is told where there is no room."""
    found = guests.as_told(error)
    if isinstance(found, guests.NoRoomError):
        requests.note_full(guests.request_for_transfer(transfer))
        no_room.tell_owner(guests.request_for_transfer(transfer))
    return found


def _headers() -> Mapping[str, str]:
    """Those of the request, whose names have no case."""
    return cast("Mapping[str, str]", request.headers)


def _transfer_of(link: str) -> Transfer | None:
    return guests.of_receipt(links.parts(link)[0])


CHECK_TOKENS_THEMSELVES = (guest_uploads, guest_upload)
