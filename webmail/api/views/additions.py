"""Files that scripts add to a transfer that was sent: gathered beside it, they join it together, once each is checked."""

from __future__ import annotations

from typing import Any

from flask import request

from webmail.api import answer_bodies, transfer_files, transfers
from webmail.api.operations import ApiAnswer, ApiCall, Operation
from webmail.api.problems import ProblemError
from webmail.api.request_keys import keyed
from webmail.api.schemas import record, yes_or_no
from webmail.api.views import uploads
from webmail.models import ContentState, Transfer, TransferFile, TransferState
from webmail.transfers import additions, assembly, store
from webmail.transfers.additions import CannotAddError, Fault
from webmail.transfers.notifications import recipients
from webmail.transfers.views.uploads import body_of_request
from webmail.web.formatting import lazy_text as _l

_FAULTS = {
    Fault.OVER: "This transfer has ended.",
    Fault.PROTECTION: "New files must be better protected than this transfer: send them as a new one.",
    Fault.NAMES: "Only its link holds the key of its files, which its page alone knows.",
    Fault.KEY: "Only its link holds the key of its files, which its page alone knows.",
    Fault.MANY: "Files are being added in too many places: finish there, or discard them.",
}


def _refusal(fault: Fault) -> ProblemError:
    return ProblemError("over" if fault is Fault.OVER else "conflict", _FAULTS[fault])


def _parent(call: ApiCall) -> Transfer:
    found = transfers.mine(call)
    if found.request_id is not None:
        raise ProblemError("not-found")
    if found.state == TransferState.OPEN:
        raise ProblemError("conflict", "It was not sent yet: send its files to it.")
    if found.end_to_end or found.key_check:
        raise _refusal(Fault.KEY)
    return found


def _addition(parent: Transfer, number: int, call: ApiCall) -> Transfer:
    """Raises ProblemError: where it joined, was discarded, or can't join any more."""
    if (fault := additions.fault(parent, call.settings)) is not None:
        raise _refusal(fault)
    found = additions.find(parent, number)
    if found is None:
        raise ProblemError("not-found", "If you sent it, its files have joined the transfer: show that.")
    if found.state == TransferState.CLOSED:
        raise ProblemError("over")
    return found


def _mine(call: ApiCall) -> Transfer:
    return _addition(_parent(call), call.values["addition"], call)


def _told(found: Transfer, call: ApiCall, status: int = 200) -> ApiAnswer:
    files = store.files(found)
    return answer_bodies.answer(answer_bodies.addition(found, files, additions.tells(found)), status)


def begin(call: ApiCall) -> ApiAnswer:
    parent = _parent(call)
    if not call.key:
        return _told(_begun(parent, call), call, 201)
    with keyed(call.person, "addition", call.key, call.fingerprint, call.settings) as work:
        if not work.number:
            work.finish(_begun(parent, call).id)
    return _told(_addition(parent, work.number, call), call, 201)


def _begun(parent: Transfer, call: ApiCall) -> Transfer:
    try:
        return additions.begin(parent, call.settings)
    except CannotAddError as error:
        raise _refusal(error.fault) from error


def show(call: ApiCall) -> ApiAnswer:
    return _told(_mine(call), call)


def put_file(call: ApiCall) -> ApiAnswer:
    found = _mine(call)
    if found.state != TransferState.OPEN:
        raise ProblemError("over")
    piece = transfer_files.piece_of(request.content_length, request.headers.get("Content-Range", ""))
    path, media_type = call.values["path"], request.mimetype
    file = transfer_files.take(
        found, path, piece, body_of_request(), uploads.sender(call), call.settings,
        lambda: store.add_file(found, path, piece.size, media_type, call.settings),
    )  # fmt: skip
    return answer_bodies.answer(answer_bodies.file(file), 201)


def send(call: ApiCall) -> ApiAnswer:
    """The transfer as it is then: with the new files, unless the worker has still to check some."""
    parent = _parent(call)
    found = _addition(parent, call.values["addition"], call)
    files = store.files(found)
    if not files:
        raise ProblemError("invalid", errors=[{"at": "/files", "fault": "has none yet"}])
    if unfit := [fault for file in files if (fault := _fault_of(file))]:
        raise ProblemError("conflict", " ".join(unfit[:5]))
    if found.state == TransferState.OPEN and "mail" in call.body:
        additions.set_tells(found, call.body["mail"])
    try:
        if not additions.submit(found):
            raise ProblemError("conflict", "It was changed at this moment.")
    except CannotAddError as error:
        raise _refusal(error.fault) from error
    if additions.settle(found):
        recipients.settle(parent, call.settings)
    return transfers.show(call)


def _fault_of(file: TransferFile) -> str:
    if file.content is not None and file.content.state == ContentState.REFUSED:
        return f"{file.path}: was refused because it may be harmful."
    return "" if assembly.is_whole(file) else f"{file.path}: is incomplete."


def discard(call: ApiCall) -> ApiAnswer:
    """As its page does: its files stay for a few minutes."""
    store.close(_mine(call), "owner")
    return ApiAnswer(None, 204)


_SHAPE: dict[str, Any] = {"tag": "transfers", "area": "transfers"}
_PATH = "/transfers/{number}/additions/{addition}"
OPERATIONS = (
    Operation(
        name="begin_addition", method="POST", path="/transfers/{number}/additions", act=begin, answer="Addition", status=201,
        words=_l("Begin to add files to a transfer that was sent"), body=record({}), keyed="may", problems=("over", "conflict"),
        **_SHAPE,
    ),
    Operation(
        name="show_addition", method="GET", path=_PATH, act=show, answer="Addition", words=_l("Show files that are being added"),
        problems=("over", "conflict"), **_SHAPE,
    ),
    Operation(
        name="put_added_file", method="PUT", path=f"{_PATH}/files/{{path}}", act=put_file, answer="File", status=201,
        words=_l("Add a file, whole or in pieces"), reads_itself=True, headers=uploads.RANGE,
        problems=("no-length", "wrong-offset", "invalid", "over", "conflict", "too-large", "no-room"), **_SHAPE,
    ),
    Operation(
        name="send_addition", method="POST", path=f"{_PATH}/send", act=send, answer="Transfer",
        words=_l("Send the added files: they join the transfer together"), problems=("over", "conflict"),
        body=record({"mail": yes_or_no("false: recipients are not told by email", True)}), **_SHAPE,
    ),
    Operation(
        name="discard_addition", method="DELETE", path=_PATH, act=discard, status=204,
        words=_l("Discard files that are being added"), problems=("over", "conflict"), **_SHAPE,
    ),
)  # fmt: skip
