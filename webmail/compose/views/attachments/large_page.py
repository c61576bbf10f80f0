"""Large page: uploads large files of a message where the form can't: without scripts, on another day, or after "Send".

Its form is read as it comes, straight into the storage, so its token stands in its address.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import abort, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail.compose.blueprint import blueprint
from webmail.compose.drafts import drafts
from webmail.compose.large_files import large_changes, large_files
from webmail.compose.outbox import queue
from webmail.compose.views.attachments.large_files import link_refusal_words, linked_files
from webmail.compose.views.editor import LEFT
from webmail.models import DraftRow, OutboxState, Transfer, TransferState
from webmail.transfers.limits import MB
from webmail.transfers.uploads import form_uploads
from webmail.transfers.uploads.form_uploads import TakenForm
from webmail.transfers.uploads.upload_bodies import Body, Sender, TooManyUploadsError, admitted
from webmail.web.current import current_user, settings
from webmail.web.forms.address_token import address_token, check_address_token
from webmail.web.forms.body_limits import reads_its_body
from webmail.web.forms.request_values import local_path
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.responses.errors import too_many_files

_FORM = "large files of a message"


class _ElsewhereError(Exception):
    """There is nothing to do on this page; `address` is where to go."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


@blueprint.get("/compose/<draft_id>/large")
def large(draft_id: str) -> Response:
    """The draft's large files, and the form that takes more of them; those of a message that waits for them as well."""
    try:
        row, _transfer, back = _draft_and_transfer(draft_id)
    except _ElsewhereError as error:
        return redirect(error.address, 303)
    action = url_for("compose.take_large", draft_id=draft_id, csrf=address_token(_FORM), back=_back_of_form())
    return page(
        "compose/large.html", links=linked_files(row), back=back, action=action, subject=row.subject,
        leaving=drafts.has_left(draft_id), most=min(settings().transfers.file_mb, settings().transfers.transfer_mb) * MB,
    )  # fmt: skip


@blueprint.post("/compose/<draft_id>/large")
@reads_its_body
def take_large(draft_id: str) -> Response:
    """Take the files; then back to the message, unless one was not taken."""
    check_address_token(_FORM)
    try:
        row, transfer, back = _draft_and_transfer(draft_id)
    except _ElsewhereError as error:
        return redirect(error.address, 303)
    taken = _read(lambda: transfer or large_changes.begun(row, settings()))
    if taken.files:
        for file in taken.files:
            large_changes.take_place(file, settings())
        drafts.touch(row)
        count = len(taken.files)
        notify(ngettext("%(num)d file will be sent as a link.", "%(num)d files will be sent as a link.", count))
    for name, why in taken.refused[:5]:
        notify(_("“%(name)s” was refused.", name=name[:150]) + " " + link_refusal_words(why), "caution")
    if taken.broken is not None:
        notify(_("The connection was lost before everything had arrived. Complete files are kept."), "caution")
    elif not taken.files and not taken.refused:
        notify(_("Choose at least one file."), "caution")
    if taken.files and not taken.refused and taken.broken is None:
        return redirect(back, 303)
    return redirect(url_for("compose.large", draft_id=draft_id, back=_back_of_form()), 303)


def _read(transfer: Callable[[], Transfer]) -> TakenForm:
    if request.mimetype != "multipart/form-data":
        return TakenForm()
    read = request.environ["wsgi.input"].read
    try:
        with admitted(Sender(f"user {current_user().id}"), settings(), form=True):
            body = Body(read, request.content_length)
            return form_uploads.take(body, request.content_type or "", transfer, settings())
    except TooManyUploadsError:
        abort(too_many_files())


def _draft_and_transfer(draft_id: str) -> tuple[DraftRow, Transfer | None, str]:
    """The draft, its transfer if it has one, and where to go back to. Raises _Elsewhere, NoSuchMessageError."""
    row = drafts.load(current_user(), draft_id)
    sent = queue.of_draft(current_user(), draft_id)
    leaving = sent is not None and sent.state in LEFT
    if sent is not None and leaving and sent.state != OutboxState.WAITING:
        raise _ElsewhereError(url_for("compose.outbox"))
    back = url_for("compose.show", draft_id=draft_id, back=_back_of_form(), at="attachments")
    if leaving:
        back = url_for("compose.outbox")
    transfer = large_files.standing(draft_id)
    if not large_files.are_offered(current_user(), settings()):
        raise _ElsewhereError(back)
    if (transfer is None and leaving) or (transfer is not None and transfer.state != TransferState.OPEN):
        raise _ElsewhereError(back)
    return row, transfer, back


def _back_of_form() -> str | None:
    return local_path(request.args.get("back", "")) or None


CHECK_TOKENS_THEMSELVES = (take_large,)
