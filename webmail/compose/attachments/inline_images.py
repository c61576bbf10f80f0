"""Inline images: which files of a draft can be shown in its text, and how they are put there.

Formatted text refers to images by file name (`mime/html/markdown_images.py`). Those that it shows become related parts of the
HTML and are not listed as attachments. In plain text, or text too long to be formatted, files are only attached.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from webmail.compose import identities
from webmail.compose.attachments import attachment_rows, uploads
from webmail.compose.drafts import message_options
from webmail.config.settings import Settings
from webmail.errors import NoSuchMessageError
from webmail.mime.formats import image_info
from webmail.mime.html import markdown_images as marks
from webmail.models import AttachmentRow, DraftRow, User
from webmail.storage import FileGoneError, Storage

if TYPE_CHECKING:
    from webmail.compose.drafts.fields import Fields

_HEAD = 65_536
_FAR = 4_000_000  # bytes: in a JPEG, the dimensions follow the metadata of cameras and programs


def kind(file: AttachmentRow, settings: Settings) -> str:
    """The media type of an image that can be shown inline; "" for any other file, or one that is gone. Raises
    StorageAwayError."""
    try:
        if file.sealed is None:
            return _kind(uploads.files(settings), uploads.name_of(file.draft_id, file.stored))
        return "" if file.content_key is None else _sealed_kind(file, settings)
    except (FileGoneError, uploads.FilesGoneError):
        return ""


@lru_cache(4096)
def _kind(files: Storage, name: str) -> str:
    """Determined by content, not by name. Cacheable, since uploaded files never change."""
    head = b"".join(files.get(name, 0, _HEAD))
    if image_info.type_of(head) == "image/jpeg" and not image_info.displayable_type(head):
        head += b"".join(files.get(name, _HEAD, _FAR))
    found = image_info.displayable_type(head)
    return found if found in marks.TYPES else ""


def _sealed_kind(file: AttachmentRow, settings: Settings) -> str:
    """The same for a file of a sealed draft, of which nothing is cached."""
    found = image_info.displayable_type(b"".join(attachment_rows.chunks(file, settings, first=_HEAD)))
    return found if found in marks.TYPES else ""


def content(file: AttachmentRow, settings: Settings) -> Iterator[bytes]:
    """The bytes of a draft's file, in pieces. Raises FileGoneError, StorageAwayError."""
    if file.sealed is not None:
        return attachment_rows.chunks(file, settings)
    return uploads.files(settings).get(uploads.name_of(file.draft_id, file.stored))


def load(row: DraftRow, attachment_id: int, settings: Settings) -> tuple[AttachmentRow, str]:
    """An image of the draft and its media type. Raises NoSuchMessageError, also for a file that is not an image;
    StorageAwayError."""
    file = next((one for one in attachment_rows.of_draft(row) if one.id == attachment_id), None)
    found = kind(file, settings) if file else ""
    if file is None or not found:
        raise NoSuchMessageError(f"draft {row.id} has no picture {attachment_id}")
    return file, found


def mark_of(file: AttachmentRow) -> str:
    """The Markdown for an image."""
    return marks.mark(marks.words_for(file.filename), file.filename)


def inserted(fields: Fields, file: AttachmentRow, user: User, at: int | None = None) -> Fields:
    """The fields with the image inserted at `at` (in characters), or where the user's own text ends; switches to formatted."""
    body, mark = fields.body, mark_of(file)
    if at is not None and 0 <= at <= len(body):
        return replace(fields, body=body[:at] + mark + body[at:], format=message_options.FORMATTED)
    return replace(fields, body=identities.with_own_text(body, mark, user), format=message_options.FORMATTED)
