"""Originals: the HTML of the message answered or forwarded, as it stands below a draft's text until it is sent.

It is an HTML file among the draft's files, with the pictures that it shows; their rows are told by `content_id`. So it goes where
the files go: into copies of the draft, out of the room for files, away with the draft.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from webmail.compose.attachments import attachment_rows
from webmail.compose.drafts import message_options
from webmail.config.settings import Settings
from webmail.mail import Attachment
from webmail.mime.html import markdown_images as marks
from webmail.mime.html import quoted_html
from webmail.models import AttachmentRow, DraftRow

HTML = "original"  # the `content_id` of the HTML; those of its pictures have an "@"
FILENAME = "original.html"
LONGEST_ID = 255  # characters, as in the table
File = tuple[Iterable[bytes], str, str]  # content, name, type: as `attachments.add_all` takes it


@dataclass(frozen=True, slots=True)
class Original:
    """The rows of an original: its HTML, and the pictures in it."""

    page: AttachmentRow
    pictures: tuple[AttachmentRow, ...] = ()

    def html(self, settings: Settings) -> str:
        """The HTML, cleaned when it was kept. Raises FilesGoneError, StorageAwayError."""
        return b"".join(attachment_rows.chunks(self.page, settings)).decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Below:
    """What an original adds to a message: HTML (only to a formatted one), plain text, and files, with the rows of those shown."""

    html: str = ""
    text: str = ""
    files: tuple[Attachment, ...] = ()
    shown: tuple[tuple[str, int], ...] = ()  # (Content-ID, attachment row)


def as_file(html: str) -> tuple[File]:
    """The file, to be added with `HTML` as its `content_id`, that keeps this HTML (`mime/html/quoted_html.py`)."""
    return (([html.encode("utf-8", "replace")], FILENAME, "text/html"),)


def split(rows: Iterable[AttachmentRow]) -> tuple[list[AttachmentRow], Original | None]:
    """The files that are attached, and the original, if there is one."""
    rows = list(rows)
    page = next((row for row in rows if row.content_id == HTML), None)
    if page is None:
        return rows, None
    return [row for row in rows if not row.content_id], Original(page, tuple(r for r in rows if r.content_id and r is not page))


def of_draft(row: DraftRow) -> Original | None:
    """1 query."""
    return split(attachment_rows.of_draft(row))[1]


def below(row: DraftRow, original: Original | None, settings: Settings) -> Below:
    """What stands below the draft's text. In plain text a reply has no pictures, a forward has them as files.

    Raises FilesGoneError, StorageAwayError.
    """
    if original is None:
        return Below()
    html = original.html(settings)
    text = f"\n\n{quoted_html.as_text(html)}\n"
    files = [_file(one, settings) for one in original.pictures]
    if row.format == message_options.FORMATTED:
        shown = tuple((str(one.content_id), one.id) for one in original.pictures)
        return Below(quoted_html.marked(html), text, tuple(files), shown)
    beside = (Attachment(file.filename, file.type, file.size, file.chunks) for file in files)
    return Below("", text, tuple(beside) if row.source_flag == "$Forwarded" else ())


def _file(row: AttachmentRow, settings: Settings) -> Attachment:
    chunks = partial(attachment_rows.chunks, row, settings)
    return Attachment(row.filename, row.type, row.size, chunks, row.content_id or "")


def as_text(original: Original, settings: Settings, *, formatted: bool) -> str:
    """The original as text to write in; in formatted text its pictures become marks. Raises FilesGoneError, StorageAwayError."""
    names = {one.content_id: one.filename for one in original.pictures}

    def picture(content_id: str, text: str) -> str:
        name = names.get(content_id.strip("<> "))
        return marks.mark(text, name) if name else ""

    return quoted_html.as_text(original.html(settings), picture if formatted else None)
