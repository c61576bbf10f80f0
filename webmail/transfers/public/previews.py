"""Previews: pictures of kinds that are nothing but pixels, and the beginning of texts. Never what a browser could run.

Whatever a file is called or was sent as: its first bytes say what it is.
"""

from __future__ import annotations

from enum import StrEnum

from webmail.config.settings import Settings
from webmail.mime.formats import image_info
from webmail.models import TransferFile
from webmail.transfers import content

TEXT_BYTES = 64 * 1024
PICTURE_BYTES = 15 * 1024 * 1024
_HEAD = 256 * 1024
_PICTURES = frozenset(("jpg", "jpeg", "png", "gif", "webp", "avif", "bmp"))
_TEXTS = frozenset((
    "txt", "md", "csv", "tsv", "log", "json", "xml", "yaml", "yml", "ini", "toml", "py", "js", "css", "html", "htm", "tex", "srt",
    "vtt", "ics", "vcf", "sql", "sh", "c", "h", "cpp", "java",
))  # fmt: skip


class PreviewKind(StrEnum):
    """What there is to see."""

    PICTURE = "picture"
    TEXT = "text"


def kind_of(file: TransferFile) -> PreviewKind | None:
    """What its name promises; whether it is true is seen when it is opened."""
    ending = file.path.rpartition("/")[2].rpartition(".")[2].lower()
    if ending in _PICTURES and 0 < file.size <= PICTURE_BYTES:
        return PreviewKind.PICTURE
    return PreviewKind.TEXT if ending in _TEXTS and file.size else None


def picture_type(file: TransferFile, settings: Settings, link_key: bytes | None = None) -> str:
    """The media type of a picture by its first bytes; "" for what is none, or too large to be shown. Raises as `content.read`."""
    assert file.content is not None
    head = b"".join(content.read(file.content, settings, 0, _HEAD, link_key=link_key))
    return image_info.displayable_type(head)


def text_of(file: TransferFile, settings: Settings, link_key: bytes | None = None) -> str:
    """The beginning of a text, in whatever encoding it seems to be; "" for what is none. Raises as `content.read`."""
    assert file.content is not None
    head = b"".join(content.read(file.content, settings, 0, TEXT_BYTES, link_key=link_key))
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", "replace")
    if b"\0" in head:
        return ""
    try:
        return head.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        if error.start >= len(head) - 4 and file.size > len(head):  # cut within a character
            return head[: error.start].decode("utf-8", "replace")
    return head.decode("cp1252", "replace")
