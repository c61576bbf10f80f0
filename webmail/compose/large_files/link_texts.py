"""Link texts: how a message names its large files, in its language or its writer's (`compose/large_files/link_block.py`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from html import escape

from flask_babel import ngettext

from webmail.compose.large_files import drive_calls
from webmail.compose.large_files.drive_facts import DriveLink
from webmail.config.settings import Settings
from webmail.models import TransferFile, User
from webmail.web.formatting import day_in_full, file_size, local, written_in

BULLET = "• "  # before each file
INDENT = "  "  # before what is said of it
_SPOKEN = ("fr", "en")  # what the catalogues know
_BOX = "margin:16px 0;border:1px solid #d8d0c4;border-collapse:collapse"
_CELL = "padding:10px 14px"
_SMALL = "font-size:13px;color:#6a645b"
_HASH = "font-family:monospace;font-size:12px;word-break:break-all"


@dataclass(frozen=True, slots=True)
class LinkBlock:
    """The block as plain text (LF, ending with one) and as HTML."""

    text: str
    html: str


@dataclass(frozen=True, slots=True)
class LinkedFiles:
    """What a message carries: the link, its files, and until when it works (naive UTC). `hashes`: SHA-256 of files by `id`, where
    their bytes are no longer here."""

    owner: User
    language: str  # of the message; empty: that which its owner chose
    link: str
    files: tuple[TransferFile, ...]
    until: datetime
    hashes: Mapping[str, str] = field(default_factory=dict)


def written(carried: LinkedFiles, settings: Settings) -> LinkBlock:
    """The block in both forms: in the language of the message, or that which its sender chose. Not in that of their browser:
    others read it."""
    with written_in(_spoken(carried.language, carried.owner, settings)):
        size = file_size(sum(file.size for file in carried.files))
        day = day_in_full(local(carried.until).date())
        head = ngettext(
            "%(num)d large file (%(size)s), available until %(day)s", "%(num)d large files (%(size)s), available until %(day)s",
            len(carried.files), size=size, day=day,
        )  # fmt: skip
        get = ngettext("Download the file", "Download the files", len(carried.files))
        return LinkBlock(_text(carried, head), _html(carried, head, get))


def written_elsewhere(
    owner: User, language: str, files: Sequence[tuple[TransferFile, DriveLink]], settings: Settings
) -> LinkBlock:  # fmt: skip
    """The block for files on a drive of their writer: each has its own link, and who may open it."""
    with written_in(_spoken(language, owner, settings)):
        size = file_size(sum(file.size for file, _link in files))
        head = ngettext("%(num)d large file (%(size)s)", "%(num)d large files (%(size)s)", len(files), size=size)
        lines, items = [f"{head}:"], []
        for file, link in files:
            name, words = str(file.path).rpartition("/")[2], drive_calls.link_words(link)
            lines += ["", f"{name} ({file_size(file.size)})", link.url, words]
            small = f'<span style="{_SMALL}">({escape(file_size(file.size))})<br>{escape(words)}</span>'
            items.append(f'<li><a href="{escape(link.url)}">{escape(name)}</a> {small}</li>')
        cell = f"<strong>{escape(head)}</strong><ul>{''.join(items)}</ul>"
        return LinkBlock("\n".join(lines) + "\n", f'<table style="{_BOX}"><tr><td style="{_CELL}">{cell}</td></tr></table>\n')


def _spoken(language: str, owner: User, settings: Settings) -> str:
    """The language of a message, or of who writes it."""
    spoken = language.partition("-")[0].lower()
    return spoken if spoken in _SPOKEN else owner.language or settings.language


def _text(carried: LinkedFiles, head: str) -> str:
    lines = [f"{head}:", carried.link, ""]
    for file in carried.files:
        lines.append(f"{BULLET}{file.path} ({file_size(file.size)})")
        if sha256 := _sha256(carried, file):
            lines.append(f"{INDENT}SHA-256: {sha256}")
    return "\n".join(lines) + "\n"


def _html(carried: LinkedFiles, head: str, get: str) -> str:
    items = "".join(_item(carried, file) for file in carried.files)
    return (
        f'<table style="{_BOX}"><tr><td style="{_CELL}"><strong>{escape(head)}</strong><br>'
        f'<a href="{escape(carried.link)}">{escape(get)}</a><ul>{items}</ul></td></tr></table>\n'
    )


def _item(carried: LinkedFiles, file: TransferFile) -> str:
    sha256 = _sha256(carried, file)
    told = f'<br><span style="{_SMALL}">SHA-256: <span style="{_HASH}">{sha256}</span></span>' if sha256 else ""
    return f'<li>{escape(file.path)} <span style="{_SMALL}">({escape(file_size(file.size))})</span>{told}</li>'


def _sha256(carried: LinkedFiles, file: TransferFile) -> str:
    """ "" while it is not known."""
    if known := carried.hashes.get(str(file.id)):
        return known
    return str(file.content.sha256) if file.content is not None else ""
