"""Uploads of large files by tus 1.0: the requests that the page's script and other programs send, one file at a time.

Nothing else reads what they bring: the token that protects forms stands in a header here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

from flask import Response, abort, request
from flask_wtf.csrf import CSRFError, validate_csrf
from wtforms import ValidationError

from webmail.errors import MailError
from webmail.models import StoredContent, Transfer, TransferFile, TransferState
from webmail.transfers import assembly, store
from webmail.transfers.blueprint import blueprint
from webmail.transfers.limits import OverLimitError
from webmail.transfers.notifications import recipients
from webmail.transfers.texts.refusals import refusal_words
from webmail.transfers.uploads import tus, upload_bodies
from webmail.transfers.uploads.tus import TusAnswer
from webmail.transfers.uploads.upload_bodies import Body, Sender
from webmail.transfers.views import link_keys
from webmail.web.current import current_user, settings
from webmail.web.forms.body_limits import reads_its_body
from webmail.web.templates.addresses import url_for

_METHODS = ["HEAD", "PATCH", "DELETE", "POST"]


@blueprint.route("/transfers/uploads", methods=["POST", "OPTIONS"], provide_automatic_options=False)
@reads_its_body
def uploads() -> Response:
    """POST: a new file of the open transfer `of`, or of a new one, whose number the answer tells. OPTIONS: what is known here."""
    _is_on()
    if request.method == "OPTIONS":
        return response(tus.options(settings()))
    _check_token()
    return response(tus.answered(request.headers, creating(_create)), tus.name_in(request.headers))


def creating(create: Callable[[], TusAnswer]) -> Callable[[], TusAnswer]:
    """Few at a time, unless bytes come along, which are admitted by themselves."""

    def act() -> TusAnswer:
        with nullcontext() if tus.brings_bytes(request.headers) else upload_bodies.creation():
            return create()

    return act


def _create() -> TusAnswer:
    tus.creation(request.headers)  # before a transfer is made for nothing
    transfer = _transfer_asked()
    made = transfer is None
    if transfer is None:
        transfer = link_keys.begin()
    sender = _person()
    try:
        found = tus.create(request.headers, admitted_body(sender), transfer, settings(), _address, link_key=link_key_of(transfer))
    except MailError:
        if made:
            assembly.drop(transfer, settings())
        raise
    found = TusAnswer(found.status, found.headers | {"X-Traboule-Transfer": str(transfer.id)}, found.error, found.file)
    return with_pause(found, sender)


def _person() -> Sender:
    return Sender(f"user {current_user().id}")


def _transfer_asked() -> Transfer | None:
    """The open transfer that is gone on with; None for a new one. 404 for another's, 410 for one that is no longer open."""
    number = request.args.get("of", "")
    if not number:
        return None
    known = number.isdecimal() and len(number) < 19  # digits of a row's number
    found = assembly.of_owner(int(number), current_user()) if known else None
    if found is None or found.request_id is not None:
        abort(404)
    if found.state != TransferState.OPEN or store.is_over(found):
        raise tus.TusRefusalError(410, "this transfer takes no more files")
    return found


@blueprint.route("/transfers/uploads/<upload>", methods=[*_METHODS, "OPTIONS"], provide_automatic_options=False)
@reads_its_body
def upload(upload: str) -> Response:
    """HEAD: how far it is; PATCH: more of it; DELETE: not any more."""
    _is_on()
    method = tus.method(request.method, request.headers)
    if method == "OPTIONS":
        return response(tus.options(settings()))
    if request.method != "HEAD":
        _check_token()
    file = file_of(upload, Transfer.owner == current_user())
    return answer_for(file, method, _person())


def answer_for(
    file: TransferFile, method: str, sender: Sender, told: Callable[[MailError], MailError] = lambda error: error
) -> Response:
    """What a request for a file does, once it is known that it may. `sender`: who is admitted; `told`: what they may know of
    why it was refused.
    """

    def act() -> TusAnswer:
        transfer, key = file.transfer, link_key_of(file.transfer)
        if store.is_over(transfer):
            raise tus.TusRefusalError(410, "this transfer is closed")
        if method == "HEAD":
            return with_pause(tus.head(file, settings(), key), sender)
        if method == "PATCH":
            try:
                return with_pause(tus.patch(file, request.headers, admitted_body(sender), settings(), key), sender)
            except OverLimitError as error:
                raise told(error) from error
        if method == "DELETE":
            if transfer.state != TransferState.OPEN:
                raise tus.TusRefusalError(403, "this transfer was sent already")
            return tus.terminate(file, settings())
        raise tus.TusRefusalError(405, "HEAD, PATCH and DELETE are known here", {"Allow": "HEAD, PATCH, DELETE, OPTIONS"})

    found = tus.answered(request.headers, act)
    if found.file is not None and method == "PATCH" and found.headers.get("Upload-Offset") == str(file.size):
        recipients.settle(file.transfer, settings(), link_key_of(file.transfer))
    return response(found, file.path)


def file_of(upload: str, whose: object) -> TransferFile:
    """The file of an upload's address, of transfers that are `whose` (a condition). 404 where there is none."""
    rows = TransferFile.select(TransferFile, Transfer, StoredContent).join(Transfer)
    rows = rows.switch(TransferFile).left_outer_join(StoredContent)
    found: TransferFile | None = rows.where((TransferFile.upload == upload) & whose).first()
    return found if found is not None else abort(404)


def link_key_of(transfer: Transfer) -> bytes | None:
    """The key of a transfer whose files only its link opens, as the session has it. 403 in another session."""
    if not transfer.key_check:
        return None
    return link_keys.load(transfer) or abort(403)


def admitted_body(sender: Sender) -> tus.AdmittedBody:
    """What the client sends for a file, once it is admitted. Raises TooManyUploadsError, UploadBusyError."""

    @contextmanager
    def coming(file: TransferFile) -> Iterator[Body]:
        body = body_of_request()
        with body.receiving(file.upload), upload_bodies.admitted(sender, settings()) as place:
            if not request.headers.get("Upload-Checksum"):  # of which all or nothing is kept
                body.place = place
            yield body

    return coming


def with_pause(answer: TusAnswer, sender: Sender) -> TusAnswer:
    """An answer that says too when to send more, where others want to."""
    return tus.later(answer, lambda: upload_bodies.pause(sender, settings()))


def body_of_request() -> Body:
    """What the client sends, of which nothing was read yet."""
    read: Callable[[int], bytes] = request.environ["wsgi.input"].read
    length = request.content_length
    if length is None and request.headers.get("Transfer-Encoding", "") == "":
        length = 0
    return Body(read, length)


def response(answer: TusAnswer, name: str = "") -> Response:
    """An answer of the protocol; its text says in words of people why something was refused."""
    text = ""
    if isinstance(answer.error, tus.TusRefusalError):
        text = str(answer.error)
    elif answer.error is not None:
        text = refusal_words(answer.error, name)
    made = Response(text, answer.status, content_type="text/plain; charset=utf-8")
    made.headers.update(answer.headers)
    return made


def _address(file: TransferFile) -> str:
    return url_for("transfers.upload", upload=file.upload)


def _check_token() -> None:
    try:
        validate_csrf(request.headers.get("X-CSRFToken", ""))
    except ValidationError as error:
        raise CSRFError(str(error)) from error


def _is_on() -> None:
    if not settings().transfers.on:
        abort(404)


CHECK_TOKENS_THEMSELVES = (uploads, upload)
