"""Files of scripts: by their name, whole or in pieces (PUT), or by tus 1.0. Bodies are read as they come, and admitted with those
of pages."""

from __future__ import annotations

from typing import Any

from flask import request
from werkzeug.wrappers import Response

from webmail.api import answer_bodies, transfer_files, transfers
from webmail.api.operations import ApiAnswer, ApiCall, Operation
from webmail.api.problems import ProblemError
from webmail.models import Transfer, TransferFile
from webmail.transfers import store
from webmail.transfers.uploads import tus
from webmail.transfers.uploads.tus import TusAnswer
from webmail.transfers.uploads.upload_bodies import Sender
from webmail.transfers.views.uploads import admitted_body, answer_for, body_of_request, creating, file_of, response, with_pause
from webmail.web.formatting import lazy_text as _l

_TUS = {"Tus-Resumable": "1.0.0"}
_CREATION = {**_TUS, "Upload-Length": "Bytes of the file", "Upload-Metadata": "“filename” and its name in Base64; “filetype”"}
RANGE = {"Content-Range": "Of a piece: “bytes 0-8388607/20000000”; the next begins where the one before ended"}


def sender(call: ApiCall) -> Sender:
    """Who is admitted: the same person as on pages."""
    return Sender(f"user {call.person.id}")


def put_file(call: ApiCall) -> ApiAnswer:
    transfer = transfers.open_one(call)
    piece = transfer_files.piece_of(request.content_length, request.headers.get("Content-Range", ""))
    path, media_type = call.values["path"], request.mimetype
    file = transfer_files.take(
        transfer, path, piece, body_of_request(), sender(call), call.settings,
        lambda: store.add_file(transfer, path, piece.size, media_type, call.settings),
    )  # fmt: skip
    return answer_bodies.answer(answer_bodies.file(file), 201)


def create(call: ApiCall) -> Response:
    transfer = transfers.open_one(call)

    def act() -> TusAnswer:
        made = tus.create(request.headers, admitted_body(sender(call)), transfer, call.settings, _address)
        return with_pause(made, sender(call))

    return response(tus.answered(request.headers, creating(act)), tus.name_in(request.headers))


def _address(file: TransferFile) -> str:
    return answer_bodies.call_address(f"uploads/{file.upload}")


def upload(call: ApiCall) -> Response:
    """HEAD, PATCH or DELETE of one of theirs."""
    transfers.check_on(call)
    found = file_of(call.values["upload"], (Transfer.owner == call.person) & Transfer.request.is_null())
    if found.transfer.key_check:
        raise ProblemError("conflict", "Only its link holds the key of its files, which its page alone knows.")
    return answer_for(found, tus.method(request.method, request.headers), sender(call))


_SHAPE: dict[str, Any] = {"tag": "transfers", "area": "transfers", "reads_itself": True}
OPERATIONS = (
    Operation(
        name="put_file", method="PUT", path="/transfers/{number}/files/{path}", act=put_file, answer="File", status=201, **_SHAPE,
        words=_l("Send a file, whole or in pieces"), headers=RANGE,
        problems=("no-length", "wrong-offset", "invalid", "over", "conflict", "too-large", "no-room"),
    ),
    Operation(
        name="create_upload", method="POST", path="/transfers/{number}/uploads", act=create, status=201, headers=_CREATION,
        **_SHAPE,
        words=_l("Begin a file by tus 1.0"), problems=("over", "conflict", "too-large", "no-room"),
    ),
    Operation(
        name="upload_state", method="HEAD", path="/uploads/{upload}", act=upload, headers=_TUS, **_SHAPE,
        words=_l("How far a file has come (tus)"), problems=("over",),
    ),
    Operation(
        name="upload_bytes", method="PATCH", path="/uploads/{upload}", act=upload, status=204, **_SHAPE,
        words=_l("Send more of a file (tus)"), headers={**_TUS, "Upload-Offset": "Bytes that are there"}, problems=("over",
        "conflict"),
    ),
    Operation(
        name="drop_upload", method="DELETE", path="/uploads/{upload}", act=upload, status=204, headers=_TUS, **_SHAPE,
        words=_l("Give a file up (tus)"), problems=("not-allowed",),
    ),
)  # fmt: skip
