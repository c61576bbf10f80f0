"""Import filing: where an imported message goes and how it is marked, by what programs note in its headers.

Known are the labels of Gmail (Google Takeout, `X-Gmail-Labels`, in English and French), and the marks of mbox files: `Status` and
`X-Status` (mutt, Pine, Dovecot) and `X-Mozilla-Status` (Thunderbird).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from webmail.mail import Role
from webmail.mime import headers

_MOST_LABELS = 30
_READ, _ANSWERED, _FLAGGED = 0x0001, 0x0002, 0x0004  # X-Mozilla-Status
_DELETED = 0x0008  # in Thunderbird's file until it is compacted
_OLDEST = datetime(1970, 1, 2, tzinfo=UTC)

_ROLES = {
    Role.INBOX: ("inbox", "boîte de réception"),
    Role.SENT: ("sent", "sent mail", "messages envoyés", "envoyés"),
    Role.DRAFTS: ("drafts", "draft", "brouillons", "brouillon"),
    Role.JUNK: ("spam", "pourriel"),
    Role.TRASH: ("trash", "bin", "corbeille"),
}
_ROLE_OF = {word: role for role, words in _ROLES.items() for word in words}
_UNREAD = {"unread", "non lus", "non lu"}
_STARRED = {"starred", "messages suivis", "suivis", "suivi"}
_IMPORTANT = {"important", "importants"}
# neither folders nor tags: everything has them
_IGNORED = {"opened", "ouvert", "ouverts", "archived", "archivé", "archivés", "all mail", "tous les messages", "chat", "chats"}
_CATEGORY = re.compile(r"category[ :]|catégorie[ :]|categorie[ :]")


@dataclass(frozen=True, slots=True)
class Filing:
    """`role` or `path` says where it goes (neither: nothing is known), `tags` which tags it gets besides, `flags` its IMAP flags.

    `skip`: it was deleted by the program that wrote the file.
    """

    flags: tuple[str, ...] = ()
    received: datetime | None = None
    role: Role | None = None
    path: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    skip: bool = False


def filing_of(raw: bytes, separator: bytes = b"", path: Sequence[str] = ()) -> Filing:
    """From a message, the line "From " before it in an mbox file, and the folder it lay in. Never raises."""
    found = headers.fields(raw)
    received = _received(found, separator)
    if "x-gmail-labels" in found:
        return by_labels(labels_in(found["x-gmail-labels"][0]), received)
    flags, skip = _marks(found)
    return replace(named(*path), flags=flags, received=received, skip=skip)


def named(*path: str) -> Filing:
    """A folder of another program; one that is called "Sent" alone is the folder for sent mail."""
    folder = tuple(part for part in path if part.strip())
    role = _ROLE_OF.get(folder[0].casefold()) if len(folder) == 1 else None
    return Filing(role=role, path=() if role else folder)


def labels_in(value: bytes) -> list[str]:
    """The labels of `X-Gmail-Labels`: words with commas between, in quotes where a label has a comma."""
    text = headers.decode(value)
    found = [(quoted or plain).strip() for quoted, plain in re.findall(r'"([^"]*)"|([^,]+)', text)]
    return [label for label in dict.fromkeys(found) if label][:_MOST_LABELS]


def by_labels(labels: Sequence[str], received: datetime | None) -> Filing:
    """A message of Gmail is in one folder here: that of its first own label, else by what Gmail calls it, else the archive. Its
    further labels become tags.
    """
    low = {label.casefold().lstrip("\\") for label in labels}
    own = [label for label in labels if not _is_system(label)]
    flags = [flag for flag, there in (("\\Seen", not low & _UNREAD), ("\\Flagged", low & _STARRED)) if there]
    if low & _IMPORTANT:
        flags.append("$Important")
    roles = {role for word, role in _ROLE_OF.items() if word in low}
    if Role.DRAFTS in roles:
        flags.append("\\Draft")
    for role in (Role.JUNK, Role.TRASH, Role.DRAFTS):  # wherever else it was
        if role in roles:
            return Filing(tuple(flags), received, role)
    if own:
        return Filing(tuple(flags), received, path=_levels(own[0]), tags=tuple(own[1:]))
    role = Role.SENT if Role.SENT in roles and Role.INBOX not in roles else Role.INBOX if Role.INBOX in roles else Role.ARCHIVE
    return Filing(tuple(flags), received, role)


def _is_system(label: str) -> bool:
    if label.startswith("\\"):  # in IMAP; what people call theirs does not begin so
        return True
    word = label.casefold()
    known = word in _ROLE_OF or word in _UNREAD | _STARRED | _IMPORTANT | _IGNORED
    return known or bool(_CATEGORY.match(word)) or not word


def _levels(label: str) -> tuple[str, ...]:
    """A label "Projects/2024" is a folder in a folder."""
    return tuple(part.strip() for part in label.split("/") if part.strip())[:10]


def _marks(found: dict[str, list[bytes]]) -> tuple[tuple[str, ...], bool]:
    """The flags that are noted in an mbox file; a message without any note is old mail: read."""
    status, more = (found.get(name, [b""])[0][:20] for name in ("status", "x-status"))
    noted = status or more
    read = b"R" in status if noted else True
    answered, flagged, deleted = b"A" in more, b"F" in more, b"D" in more
    if mozilla := found.get("x-mozilla-status", [b""])[0][:8]:
        bits = int(mozilla, 16) if re.fullmatch(rb"[0-9A-Fa-f]{1,8}", mozilla) else 0
        read, answered, flagged = bool(bits & _READ), bool(bits & _ANSWERED), bool(bits & _FLAGGED)
        deleted = bool(bits & _DELETED)
    names = (("\\Seen", read), ("\\Answered", answered), ("\\Flagged", flagged))
    return tuple(name for name, there in names if there), deleted


def _received(found: dict[str, list[bytes]], separator: bytes) -> datetime | None:
    """When it came: its last hop, else the line before it, else when it was written."""
    hops = found.get("received", [b""])[0].rpartition(b";")[2]
    words = separator.split(maxsplit=2)
    for text in (hops, words[2] if len(words) > 2 else b"", found.get("date", [b""])[0]):
        at = headers.date(text)
        if at and _OLDEST <= at <= datetime(2100, 1, 1, tzinfo=UTC):
            return at
    return None
