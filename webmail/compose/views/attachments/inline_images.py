"""Inline images views: serves images among a draft's files and inserts them into its text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flask import Response, request, url_for
from flask_babel import gettext as _

from webmail.compose.attachments import inline_images
from webmail.compose.blueprint import blueprint
from webmail.compose.drafts import drafts, message_options
from webmail.compose.drafts.fields import normalised
from webmail.compose.forms import ComposeForm
from webmail.compose.views.editor import no_room_words
from webmail.compose.views.encryption.keyring_access import openable
from webmail.errors import NoSuchMessageError
from webmail.models import AttachmentRow
from webmail.storage import FileGoneError, StorageAwayError
from webmail.web.current import current_user, settings
from webmail.web.notices import notify
from webmail.web.responses import downloads


@dataclass(frozen=True, slots=True)
class InlineImage:
    """An image as the form offers it: its URL, and the Markdown that inserts it."""

    address: str
    mark: str


@blueprint.get("/compose/<draft_id>/picture/<int:number>")
def picture(draft_id: str, number: int) -> Response:
    """Serve an image of the user's draft, its type determined by content. Other files give 404, and the CSP forbids scripts."""
    file, kind = inline_images.load(openable(drafts.load(current_user(), draft_id)), number, settings())
    try:
        response = downloads.whole(inline_images.content(file, settings()), kind)
    except FileGoneError as error:
        raise NoSuchMessageError(f"picture {number} of draft {draft_id} is gone") from error
    response.headers["Content-Disposition"] = downloads.disposition(file.filename, "inline")
    response.headers["Content-Security-Policy"] = downloads.POLICY
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def picture_address(draft_id: str, number: int | None) -> str | None:
    return url_for("compose.picture", draft_id=draft_id, number=number) if number else None


@blueprint.app_template_global()
def picture_of(draft_id: str, file: AttachmentRow) -> InlineImage | None:
    """The file as an inline image; None if it can't be shown in the text, or not be read at the moment."""
    try:
        if not inline_images.kind(file, settings()):
            return None
    except StorageAwayError:
        return None
    return InlineImage(url_for("compose.picture", draft_id=draft_id, number=file.id), inline_images.mark_of(file))


@blueprint.app_template_global()
def has_picture(draft_id: str, files: Iterable[AttachmentRow]) -> bool:
    return any(picture_of(draft_id, file) for file in files)


def put_in(form: ComposeForm, draft_id: str, number: int) -> None:
    """Insert an image of the draft into the form's text, which becomes formatted, and notify. Nothing changes if it is gone.

    It goes to the caret position if scripts sent it (`caret`), else where the user's own text ends.
    """
    try:
        file, _kind = inline_images.load(openable(drafts.load(current_user(), draft_id)), number, settings())
    except NoSuchMessageError:
        notify(_("This image is no longer there."), "caution")
        return
    except StorageAwayError as error:
        notify(no_room_words(error), "danger")
        return
    fields = normalised(form.fields())
    form.take(inline_images.inserted(fields, file, current_user(), request.form.get("caret", None, int)))
    if fields.format != message_options.FORMATTED:
        notify(_("Image inserted. The message is now formatted text."))
    else:
        notify(_("Image inserted."))
