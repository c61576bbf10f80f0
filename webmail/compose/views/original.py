"""Original: the HTML of the message answered or forwarded, below the text in the form: to see, to leave out, to edit as text."""

from __future__ import annotations

from dataclasses import replace

from flask import Response, redirect, render_template
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from webmail.compose.attachments import attachments, uploads
from webmail.compose.blueprint import blueprint
from webmail.compose.drafts import drafts, message_options
from webmail.compose.drafts.fields import fields_of
from webmail.compose.forms import ComposeForm
from webmail.compose.replies import originals
from webmail.compose.views.attachments.inline_images import picture_address
from webmail.compose.views.drafts_folder import put_if_small, put_into_drafts
from webmail.compose.views.editor import address_of, no_room_words
from webmail.compose.views.encryption.keyring_access import openable
from webmail.errors import NoSuchMessageError
from webmail.mime.html import sanitizer
from webmail.models import DraftRow
from webmail.storage import StorageAwayError
from webmail.web.current import current_user, settings
from webmail.web.notices import notify

_FRAME_CSP = (
    "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline' 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)


@blueprint.get("/compose/<draft_id>/original")
def original(draft_id: str) -> Response:
    """The original as a page of its own, for the frame in the form. Nothing is fetched from the web for it."""
    found = originals.of_draft(openable(drafts.load(current_user(), draft_id)))
    if found is None:
        raise NoSuchMessageError(f"draft {draft_id} has no original")
    shown = {one.content_id: one.id for one in found.pictures}
    try:
        html = found.html(settings())
    except uploads.FilesGoneError as error:
        raise NoSuchMessageError(f"the original of draft {draft_id} is gone") from error
    return framed(sanitizer.clean(html, lambda cid: picture_address(draft_id, shown.get(cid))).html)


def framed(html: str) -> Response:
    """Cleaned HTML as the page in a frame of the form."""
    body = render_template("message/body.html", html=Markup(html), cut="", remote=0, with_images="")  # noqa: S704 - it was cleaned
    response = Response(body, mimetype="text/html")
    response.headers["Content-Security-Policy"] = _FRAME_CSP
    response.headers["Cache-Control"] = "no-store"
    return response


def leave_out(form: ComposeForm, row: DraftRow) -> AnyResponse:
    """The button "Remove original"."""
    attachments.remove_original(row, settings(), keep_pictures=False)
    put_if_small(row)
    return redirect(address_of(row, form), 303)


def edit_as_text(form: ComposeForm, row: DraftRow) -> AnyResponse:
    """The button "Edit as text": the original's words go to the end of the text, its pictures are files of the draft."""
    found, formatted = originals.of_draft(row), row.format == message_options.FORMATTED
    if found is not None:
        try:
            text = originals.as_text(found, settings(), formatted=formatted)
        except (uploads.FilesGoneError, StorageAwayError) as error:
            notify(
                no_room_words(error) if isinstance(error, StorageAwayError) else _("The original message is no longer there."),
                "danger",
            )
        else:
            drafts.update(row, replace(fields_of(row), body=f"{row.body.rstrip()}\n\n{text}\n"))
            attachments.remove_original(row, settings(), keep_pictures=formatted or row.source_flag == "$Forwarded")
    put_into_drafts(row)
    return redirect(address_of(row, form), 303)
