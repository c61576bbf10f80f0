"""Drive: what every drive can, whichever service it is on; `open_drives.py` finds the one behind a connected service.

A drive keeps nothing: what an upload has to remember is handed to its caller as JSON. Nothing is asked before a person clicks,
and a page of a folder, however many files that has, is one request. What services tell is not trusted: names are cleaned here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol

from webmail.errors import MailError
from webmail.mime.headers import filenames

PAGE = 100  # entries of a folder on a page
PIECE = (
    10 * 1024 * 1024
)  # bytes that are sent at once: a multiple of 320 KiB (Graph) and of 256 KiB (Google), above 5 MB (Nextcloud)
LONGEST_ID = 2_000  # characters

State = dict[str, Any]  # what an upload remembers, as JSON; {} before it begins


class DriveFault(StrEnum):
    """What can go wrong on a drive: words that pages explain and that tasks end with."""

    AWAY = "away"  # not reached, too slow, or a fault of its own (5xx)
    BUSY = "busy"  # it asks us to come later (429, 503, a rate)
    SIGN_IN = "sign-in"  # the password or the consent holds no more
    REFUSED = "refused"  # it does not allow this
    GONE = "gone"  # there is no such file or folder (any longer)
    CHANGED = "changed"  # the file is another one than when it was begun
    FULL = "full"  # no space there
    NAME_TAKEN = "name-taken"
    BAD_NAME = "bad-name"  # it takes no file of this name
    TOO_LARGE = "too-large"  # more than may be, here or there
    TOO_MANY = "too-many"  # more in a folder than is read
    FORBIDDEN_PLACE = "forbidden-place"  # an address that our server must not ask, or without TLS
    ELSEWHERE = "elsewhere"  # it sends us on to another host, which must not get the password
    NOT_UNDERSTOOD = "not-understood"  # its answer is not what its interface says
    RIGHT_MISSING = "right-missing"  # the person has not allowed this yet: they are asked
    LINK_REFUSED = "link-refused"  # the service makes no such link


LATER = (DriveFault.AWAY, DriveFault.BUSY)  # what may be well by itself


class DriveError(MailError):
    """`after`: seconds that the service asks us to wait, 0 where it says nothing. The words are for the log."""

    status = 502

    def __init__(self, fault: DriveFault, text: str = "", after: int = 0) -> None:
        super().__init__(f"{fault}: {text}"[:300])
        self.fault, self.after = fault, after


class EntryKind(StrEnum):
    FOLDER = "folder"
    FILE = "file"
    DOCUMENT = "document"  # of the service's own: it has no bytes, but for what it is exported as


@dataclass(frozen=True, slots=True)
class DriveEntry:
    """A file or folder. `id` means something to its own drive alone; `version` changes with the content, "" if that is not told.

    `size`: bytes, None if not told. `exports`: media types that a document can be had as, the best first. `web_url`: its page
    there.
    """

    id: str
    name: str
    kind: EntryKind
    size: int | None = None
    modified: datetime | None = None  # naive UTC
    version: str = ""
    type: str = ""  # media type, "" if not told
    exports: Sequence[str] = ()
    web_url: str = ""
    may_share: bool = True

    @property
    def is_folder(self) -> bool:
        return self.kind is EntryKind.FOLDER


@dataclass(frozen=True, slots=True)
class DriveSpace:
    """Bytes; None: not told, or without end."""

    used: int | None = None
    free: int | None = None


@dataclass(frozen=True, slots=True)
class Crumb:
    """A folder on the way from the root, which is "" with the name ""."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class FolderPage:
    """A page of a folder, or of what a search found. `cursor`: of the next page, "" on the last. `crumbs`: from the root to
    it, without further requests; `space` where the same answer told it. `hidden`: how many entries were left out, since their
    names can't be. `before`: the cursor of the page before it; "" for the first one, or where the service only goes forwards.
    `part`: the folder in which a search from here looks, "" for all of the drive; `part_name`: what that is called.
    """

    entries: Sequence[DriveEntry]
    cursor: str = ""
    crumbs: Sequence[Crumb] = ()
    space: DriveSpace | None = None
    may_write: bool = True
    hidden: int = 0
    before: str = ""
    part: str = ""
    part_name: str = ""


class LinkRight(StrEnum):
    """Who may do what with a link."""

    ANYONE_READS = "anyone-reads"
    ANYONE_WRITES = "anyone-writes"
    ORGANISATION_READS = "organisation-reads"  # with an account of the same organisation there
    CHOSEN_PEOPLE = "chosen-people"  # who was given access there already


@dataclass(frozen=True, slots=True)
class LinkRules:
    """What links the service makes for this person. `latest`: a date that it demands at the latest."""

    rights: Sequence[LinkRight] = (LinkRight.ANYONE_READS,)
    can_have_password: bool = False
    needs_password: bool = False
    can_expire: bool = False
    latest: date | None = None


@dataclass(frozen=True, slots=True)
class LinkOrder:
    """The link that is wanted."""

    right: LinkRight = LinkRight.ANYONE_READS
    password: str = ""
    expires: date | None = None


@dataclass(frozen=True, slots=True)
class MadeLink:
    """As the service made it, which may be narrower than ordered. `id`: to take it back by, "" if that can't be."""

    url: str
    right: LinkRight
    id: str = ""
    has_password: bool = False
    expires: date | None = None


class NameClash(StrEnum):
    """What becomes of a file whose name there is already. Nothing is ever replaced: that could not be undone."""

    RENAME = "rename"  # "report (2).pdf"
    REFUSE = "refuse"  # DriveFault.NAME_TAKEN


@dataclass(frozen=True, slots=True)
class UploadOrder:
    """A file to be put into a folder. `size` is exact."""

    folder: str
    name: str
    size: int
    type: str = "application/octet-stream"
    clash: NameClash = NameClash.RENAME


ReadFrom = Callable[[int], Iterator[bytes]]  # the bytes of what is uploaded from an offset on, in pieces of any length
SaveState = Callable[
    [State, int], None
]  # keeps what the upload remembers, with how many bytes are there; what it raises passes through


@dataclass(frozen=True, slots=True)
class DriveAbilities:
    """What a drive offers, so that pages show nothing else. `views`: lists beside folders, such as "recent" and "shared"."""

    search: bool = False
    links: bool = False
    space: bool = False
    resumes: bool = True  # an upload goes on after it broke off, rather than from its beginning
    views: Sequence[str] = ()
    most_bytes: int = 0  # of a file; 0: not told


class Drive(Protocol):
    """All methods raise DriveError, and keep no state between two calls but for connections."""

    @property
    def abilities(self) -> DriveAbilities: ...

    def list_folder(self, folder: str = "", cursor: str = "") -> FolderPage:
        """A page of a folder, "" for the root, folders first. One request."""

    def search(self, text: str, cursor: str = "", folder: str = "") -> FolderPage:
        """What is called so, in all of the drive, or in the part of it that `folder` names (`FolderPage.part`). Only where
        `abilities.search`."""

    def list_view(self, view: str, cursor: str = "") -> FolderPage:
        """A page of one of `abilities.views`."""

    def entry(self, entry_id: str) -> DriveEntry:
        """As it is now. One request. Raises GONE."""

    def download(self, entry: DriveEntry, start: int = 0, export: str = "") -> AbstractContextManager[Iterator[bytes]]:
        """The bytes from `start` on, for a `with` block. Raises CHANGED where it is no longer the version of `entry`; never
        more bytes than `entry.size` where that is told, and TRUNCATED answers raise AWAY. `export`: a media type of
        `entry.exports`, always from 0.
        """

    def upload(self, order: UploadOrder, read: ReadFrom, state: State, save: SaveState) -> DriveEntry:
        """Put a file there; returns what it became. `state` is what `save` was given last, {} at first: after a kill it goes
        on from there, and never makes two. Raises FULL, NAME_TAKEN, BAD_NAME, TOO_LARGE, RIGHT_MISSING besides.
        """

    def abandon(self, state: State) -> None:
        """Take back what an upload that will not go on has left there. Nothing is raised if there is nothing."""

    def delete(self, entry: DriveEntry) -> None:
        """To undo an upload: into the service's bin where it has one. Raises CHANGED if it was changed since; GONE passes
        silently."""

    def link_rules(self) -> LinkRules:
        """What links can be had. At most one request."""

    def make_link(self, entry: DriveEntry, order: LinkOrder) -> MadeLink:
        """An existing link of the same kind is returned rather than a second one made. Raises LINK_REFUSED, RIGHT_MISSING."""

    def remove_link(self, link: MadeLink) -> None:
        """To undo `make_link`; GONE passes silently."""

    def space(self) -> DriveSpace:
        """One request."""


def safe_name(name: str) -> str:
    """A name as a service told it, fit to be displayed and saved under: "" for one that no file can have ("..", "a/b",
    controls alone)."""
    if name in ("", ".", "..") or "/" in name or "\\" in name or "\0" in name:
        return ""
    return filenames.safe_name(name)


_ENDINGS = {
    "application/pdf": ".pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
}


class DocumentStyle(StrEnum):
    """What a service's own documents are had as."""

    PDF = "pdf"
    OFFICE = "office"  # Word, Excel, PowerPoint


def export_of(entry: DriveEntry, style: str) -> str:
    """The media type that an entry is exported as: in this style if it can be, else the best there is; "" for a file."""
    wanted = "application/pdf" if style != DocumentStyle.OFFICE else "application/vnd.openxmlformats-officedocument."
    return next((one for one in entry.exports if one.startswith(wanted)), entry.exports[0] if entry.exports else "")


def exported_name(name: str, export: str) -> str:
    """What a document is called once it is exported as this media type ("" for a file, which keeps its name)."""
    ending = _ENDINGS.get(export, "")
    return name if name.lower().endswith(ending) else f"{name[: filenames.NAME_LIMIT - 5]}{ending}"


def numbered_name(name: str, number: int) -> str:
    """ "report (2).pdf" for the second of a name."""
    stem, dot, ending = name.rpartition(".")
    if not stem or len(ending) > 10:
        stem, dot, ending = name, "", ""
    return f"{stem[: filenames.NAME_LIMIT - 20]} ({number}){dot}{ending}"
