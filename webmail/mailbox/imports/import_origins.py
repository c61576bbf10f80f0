"""Import origins: which program made a file of mail, by the file itself, never by what a message in it says of itself.

An export of ours has a file that says so, or three lines before the headers of each message. Takeout's mbox begins each message
with a number "@xxx" or with Gmail's headers; Thunderbird's with "From -" or "From" alone. What a sender writes into a message
stands below what was put before it on its way, and never in a line "From ".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import IO

from webmail.mail import Role
from webmail.mailbox.imports.import_filing import notes_states
from webmail.mailbox.imports.import_labels import BOTH, GmailWords, labels_in, words_of
from webmail.mime.formats import mbox
from webmail.mime.formats.mbox import MboxEntry
from webmail.mime.formats.mbox_writer import own_notes
from webmail.mime.headers import headers

_LOOKED_AT = 20  # messages by which a file is recognised
_LABELS_OF = 200  # messages whose labels tell the language
_TOP = 65_536  # bytes of a message that are looked at
_GMAILS_LINE = re.compile(rb"From \d{5,30}@xxx ")
_GMAILS_FIRST = re.compile(rb"(?:X-GM-THRI?I?R?D|X-Gmail-Labels)[ \t]*:", re.IGNORECASE)
_MOZILLAS_LINE = re.compile(rb"From -? |From -?\Z")

# what programs call their folders, in lower case
_THUNDERBIRDS = {
    "sent": Role.SENT, "drafts": Role.DRAFTS, "junk": Role.JUNK, "trash": Role.TRASH, "archives": Role.ARCHIVE,
}  # fmt: skip
_ANYBODYS = _THUNDERBIRDS | {
    "sent items": Role.SENT, "sent messages": Role.SENT, "sent mail": Role.SENT, "envoyés": Role.SENT,
    "messages envoyés": Role.SENT, "éléments envoyés": Role.SENT, "draft": Role.DRAFTS, "brouillons": Role.DRAFTS,
    "spam": Role.JUNK, "junk e-mail": Role.JUNK, "indésirables": Role.JUNK, "courrier indésirable": Role.JUNK,
    "pourriel": Role.JUNK, "bin": Role.TRASH, "corbeille": Role.TRASH, "deleted items": Role.TRASH,
    "deleted messages": Role.TRASH, "éléments supprimés": Role.TRASH, "archive": Role.ARCHIVE,
}  # fmt: skip


class Origin(StrEnum):
    """Who made a file of mail."""

    OWN = "own"
    GMAIL = "gmail"
    MOZILLA = "mozilla"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Hints:
    """What is known of a file besides its content: `own` says the person, or the archive that it is in; so do the others."""

    own: bool = False
    mozilla: bool = False
    takeout: bool = False


@dataclass(frozen=True, slots=True)
class Program:
    """Who made a file: `words` are Gmail's labels in the language of the account; with `states` other programs' marks count."""

    origin: Origin
    words: GmailWords = BOTH
    states: bool = False


def program_of(file: IO[bytes], hints: Hints) -> Program:
    """Look at the first messages of an mbox."""
    first = [(entry, _top(file, entry)) for entry in islice(mbox.entries(file), _LOOKED_AT)]
    if hints.own or (first and all(own_notes(top) for _entry, top in first)):
        return Program(Origin.OWN)
    if _is_gmails(first, hints):
        return Program(Origin.GMAIL, words=_gmail_words(file))
    if hints.mozilla or (first and all(_MOZILLAS_LINE.match(entry.separator) for entry, _top_of in first)):
        return Program(Origin.MOZILLA)
    noted = sum(notes_states(headers.fields(top)) for _entry, top in first)
    return Program(Origin.OTHER, states=bool(noted) and 2 * noted >= len(first))


def _top(file: IO[bytes], entry: MboxEntry) -> bytes:
    file.seek(entry.start)
    return file.read(min(entry.size, _TOP))


def _is_gmails(first: list[tuple[MboxEntry, bytes]], hints: Hints) -> bool:
    if hints.takeout:
        return any(headers.fields(top).keys() & {"x-gmail-labels", "x-gm-thrid"} for _entry, top in first)
    return bool(first) and all(_GMAILS_LINE.match(entry.separator) or _GMAILS_FIRST.match(top) for entry, top in first)


def _gmail_words(file: IO[bytes]) -> GmailWords:
    tops = (headers.fields(_top(file, entry)) for entry in islice(mbox.entries(file), _LABELS_OF))
    return words_of(labels_in(found["x-gmail-labels"][0]) for found in tops if "x-gmail-labels" in found)


def special_role(path: tuple[str, ...], origin: Origin, *, is_requested: bool) -> Role | None:
    """The folder here that a folder of another program is: its inbox, and at the top level those that Thunderbird has.
    `is_requested`: the person wants what is called as such a folder to be it.
    """
    if len(path) != 1:
        return None
    name = path[0].casefold()
    if name == "inbox":  # no other folder can be called so
        return Role.INBOX
    return _ANYBODYS.get(name) if is_requested else _THUNDERBIRDS.get(name) if origin is Origin.MOZILLA else None
