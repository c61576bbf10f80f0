"""Attach files: uploads from the user's computer, sent with the form or separately by scripts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import IO

from flask import current_app, redirect
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response

from webmail.compose.attachments import attachments, uploads
from webmail.compose.drafts.drafts import AlreadyLeftError
from webmail.compose.forms import ComposeForm
from webmail.compose.large_files import large_changes, large_files
from webmail.compose.outbox import queue
from webmail.compose.views.attachments.large_files import link_refusal_words
from webmail.compose.views.drafts_folder import put_if_small
from webmail.compose.views.editor import (
    LEFT,
    address_of,
    no_room_words,
    show_form,
    store,
)
from webmail.models import DraftRow
from webmail.people import policies
from webmail.storage import StorageAwayError, StorageFullError
from webmail.transfers.limits import OverLimitError
from webmail.transfers.store import TransferClosedError
from webmail.web.current import current_user, settings
from webmail.web.formatting import file_size


def attach_files(form: ComposeForm, row: DraftRow) -> int:
    """Attach the uploaded files. Returns 0, or the HTTP status if one was refused; the field then has an error."""
    for file in form.files():
        if 0 < (most := policies.attachment_limit(current_user())) < (size := _size(file.stream)):
            told = {"name": file.filename, "size": file_size(size), "limit": file_size(most)}
            form.mark("attachments", _("“%(name)s” (%(size)s) is too large. You can attach files of up to %(limit)s.", **told))
            return 422
        try:
            attachments.add(row, _chunks(file.stream), file.filename or "", file.mimetype or "", settings())
        except uploads.MessageTooLargeError:
            if (held := _keep_as_large_file(form, row, file)) is not None:
                if held:
                    return held
                continue
            limit = policies.message_limit(current_user(), settings())
            words = _(
                "“%(name)s” (%(size)s) is too large. Messages are limited to %(limit)s, and files grow by a third when sent.",
                name=file.filename, size=file_size(_size(file.stream)), limit=file_size(limit),
            )  # fmt: skip
            form.mark("attachments", words)
            return 422
        except (uploads.AllowanceUsedError, StorageFullError, StorageAwayError) as error:
            current_app.logger.warning("draft %s: %s", row.id, error)
            form.mark("attachments", _("“%(name)s” was not attached.", name=file.filename) + " " + no_room_words(error))
            return error.status
    return 422 if form.attachments.errors else 0


def _keep_as_large_file(form: ComposeForm, row: DraftRow, file: FileStorage) -> int | None:
    """Keep a file that is too large, so that it can go as a link without being uploaded again, and offer that.

    0, or the status of an error that the form says; None where links are not offered.
    """
    size = _size(file.stream)
    if not large_files.are_offered(current_user(), settings()):
        return None
    file.stream.seek(0)
    told = {"name": uploads.clean_filename(file.filename or ""), "size": file_size(size)}
    limit = file_size(policies.message_limit(current_user(), settings()) * 73 // 100)  # as the form says how much fits
    words = _("“%(name)s” is too large (%(size)s of %(limit)s). Send it as a link instead.", limit=limit, **told)
    try:
        large_changes.add(row, _chunks(file.stream), told["name"], size, file.mimetype or "", settings(), held=True)
    except (OverLimitError, TransferClosedError, StorageFullError, StorageAwayError) as error:
        form.mark("attachments", _("“%(name)s” was not attached.", name=told["name"]) + " " + link_refusal_words(error))
        return error.status if error.status >= 500 else 422
    form.mark("attachments", words)
    return 0


def attach_alone(draft_id: str, form: ComposeForm) -> Response:
    """Attach files uploaded separately (static/js/compose/attach.js) as the user types: the draft's text is not changed."""
    sent = queue.of_draft(current_user(), draft_id)
    if sent is not None and sent.state in LEFT:
        return Response(status=204)
    row = DraftRow.get_or_none((DraftRow.id == draft_id) & (DraftRow.user == current_user())) or store(draft_id, form)
    try:
        refused = attach_files(form, row)
    except AlreadyLeftError:
        return Response(status=204)
    put_if_small(row)
    if refused:
        return show_form(form, row.id, row, status=refused)
    return redirect(address_of(row, form), 303)


def _size(stream: IO[bytes]) -> int:
    return stream.seek(0, os.SEEK_END)


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    while chunk := stream.read(uploads.CHUNK):
        yield chunk
