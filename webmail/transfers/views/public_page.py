"""What the page of a public link shows of its files, a page of them at a time, and of who sent them."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request
from flask_babel import gettext as _

from webmail.config.settings import Settings
from webmail.models import ContentState, Transfer, TransferFile
from webmail.transfers import options, store
from webmail.transfers.public import access, fetches, previews
from webmail.transfers.public.access import LinkVisit
from webmail.transfers.texts.file_texts import scan_words, state_words
from webmail.transfers.texts.transfer_texts import size_of
from webmail.transfers.uploads import paths
from webmail.transfers.views.visitors import page_url
from webmail.web.responses.file_host import file_url
from webmail.web.templates.addresses import url_for
from webmail.web.visitors import chosen_language

A_PAGE = 100  # files
_KINDS = {
    "picture": "jpg jpeg png gif webp avif bmp tif tiff heic heif svg psd xcf",
    "film": "mp4 mov avi mkv webm mpg mpeg m4v ogv",
    "sound": "mp3 ogg oga opus flac wav m4a aac wma",
    "pdf": "pdf ps",
    "text": "txt md doc docx odt rtf tex csv xls xlsx ods ppt pptx odp epub",
    "archive": "zip 7z rar tar gz bz2 xz zst tgz iso dmg",
}
_KIND_OF = {ending: kind for kind, endings in _KINDS.items() for ending in endings.split()}


@dataclass(frozen=True, slots=True)
class SentBy:
    """Who sent it, as we know them; or, for what came from outside, as they say."""

    name: str
    address: str
    is_ours: bool


@dataclass(frozen=True, slots=True)
class OfferedFile:
    """A row of the page."""

    file: TransferFile
    size: int  # bytes, decrypted
    name: str
    folder: str
    kind: str
    ending: str  # in capitals, if it is short: people know files by it
    sha256: str
    state: str  # why it can't be had; "" where it can
    scan: str
    address: str  # for programs; "" where a button has to be pressed
    preview: str
    fetched: bool = False  # it could be downloaded once, and was


class FilesPage:
    """Files of a transfer with totals, and the rows of one page."""

    def __init__(self, visited: LinkVisit, files: list[TransferFile], number: int, settings: Settings) -> None:
        self.count = len(files)
        self.pages = max(1, -(-self.count // A_PAGE))
        self.number = min(max(1, number), self.pages)
        self._visited, self._link = visited, visited.link_with(visited.grant, settings)
        self._alone = visited.link_with(visited.grant, settings, alone=True)  # for other programs, and for the host of files
        ready = access.ready_files(files)
        left = {file.id for file in fetches.left(visited, ready)}
        self.ready = [file for file in ready if file.id in left]
        self.some_fetched = len(left) < len(ready)
        self.all_fetched = self.some_fetched and not left and len(ready) == self.count
        self.size = sum(size_of(file, visited.transfer) for file in files)
        self.ready_size = sum(size_of(file, visited.transfer) for file in self.ready)
        self.coming = any(
            file.content is not None and file.content.state in (ContentState.UPLOADING, ContentState.CHECKING) for file in files
        )
        self.refused = any(file.content is not None and file.content.state == ContentState.REFUSED for file in files)
        first = (self.number - 1) * A_PAGE
        self.rows = [self._row(file, settings, file.id in left) for file in files[first : first + A_PAGE]]
        said = {row.scan for row in self.rows if not row.state}
        self.scan = said.pop() if len(said) == 1 else ""  # what is true of all is said once

    def _row(self, file: TransferFile, settings: Settings, left: bool) -> OfferedFile:
        folder, _slash, name = file.path.rpartition("/")
        _stem, _dot, ending = name.rpartition(".")
        state, visited = state_words(file), self._visited
        given = not state and left and not visited.options.once and not visited.transfer.end_to_end
        address = file_url("transfers.file", link=self._alone, upload=file.upload, name=name) if given else ""
        shows = given and previews.kind_of(file) is not None
        preview = preview_url(self._link, file) if shows else ""
        return OfferedFile(
            file, size_of(file, visited.transfer), name, folder, _KIND_OF.get(ending.lower(), "file"),
            ending.upper() if ending.isalnum() and len(ending) < 5 else "",
            file.content.sha256 if file.content is not None else "", state, scan_words(file), address, preview,
            fetched=not state and not left,
        )  # fmt: skip

    def page_link(self, number: int) -> str:
        return page_url(self._visited, self._link, page=number)


def requested_page(visited: LinkVisit, settings: Settings) -> FilesPage:
    """The page of files that is asked for."""
    return FilesPage(visited, store.files(visited.transfer), request.args.get("page", 1, type=int) or 1, settings)


def archive_name(visited: LinkVisit) -> str:
    """Of all its files together: as the transfer is called."""
    subject = visited.transfer.subject
    stem = paths.clean(subject.replace("/", "-"), "") if subject else ""
    return f"{stem[:100] or _('Files')}.zip"


def preview_url(link: str, file: TransferFile) -> str:
    return url_for("transfers.preview", link=link, upload=file.upload, lang=chosen_language() or None)


def sender_of(transfer: Transfer) -> SentBy:
    """The owner; of files that came from outside, whoever said they sent them."""
    if transfer.request_id is not None:
        return SentBy(transfer.guest_name or transfer.guest_address, transfer.guest_address, False)
    owner = transfer.owner
    hidden = options.load(transfer).hide_address and bool(owner.name)
    return SentBy(owner.name, "" if hidden else owner.address, True)
