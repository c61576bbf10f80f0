"""Import filing: where an imported message goes and how it is marked.

What a header of a message says counts only where the program that writes this header made the file (`import_origins.py`), and is
taken off as it is taken over: anybody can write any header into a message that they send.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from imapclient import imap_utf7

from webmail.mail import Role
from webmail.mime.headers import headers

_READ, _ANSWERED, _FLAGGED = 0x0001, 0x0002, 0x0004  # X-Mozilla-Status
_DELETED = 0x0008  # in Thunderbird's file until it is compacted
_FORWARDED = 0x1000
_OLDEST = datetime(1970, 1, 2, tzinfo=UTC)
_KEPT_FLAGS = ("\\Seen", "\\Answered", "\\Flagged", "\\Draft", "$Forwarded", "$MDNSent", "$Important")
_MOST_KEYWORDS = 10
_KEYWORD = re.compile(r"[A-Za-z0-9$_.-]{1,40}")
_THUNDERBIRDS = re.compile(r"\$label[1-5]\Z", re.IGNORECASE)  # its five tags, which have names on our pages
_NO_TAGS = {"junk", "nonjunk", "notjunk", "$junk", "$notjunk", "$mdnsent", "$forwarded", "forwarded", "receipt-handled"}
_STATES = re.compile(rb"[ROUNADFT]{0,8}", re.IGNORECASE)  # letters of Status and X-Status


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


def kept_flags(flags: Iterable[str]) -> tuple[str, ...]:
    """Those of a message's flags that are taken over from elsewhere."""
    told = tuple(dict.fromkeys(flags))
    kept = [flag for flag in told if flag in _KEPT_FLAGS]
    own = [flag for flag in told if flag not in _KEPT_FLAGS and flag[:1] != "\\" and _may_be_keyword(flag)]
    return (*kept, *own[:_MOST_KEYWORDS])


def _may_be_keyword(word: str) -> bool:
    return bool(_THUNDERBIRDS.match(word) or (word[:1] != "$" and _KEYWORD.fullmatch(word)))


def mozilla_marks(found: dict[str, list[bytes]]) -> Filing:
    """What Thunderbird notes of a message: its state in four letters, its tags; without any note it is old mail: read."""
    told = found.get("x-mozilla-status", [b""])[0][:8].strip()
    bits = int(told, 16) if re.fullmatch(rb"[0-9A-Fa-f]{1,8}", told) else (0 if told else _READ)
    marks = ((_READ, "\\Seen"), (_ANSWERED, "\\Answered"), (_FLAGGED, "\\Flagged"), (_FORWARDED, "$Forwarded"))
    flags = [flag for bit, flag in marks if bits & bit]
    words = found.get("x-mozilla-keys", [b""])[0][:2000].decode("ascii", "replace").split()
    wanted = [word for word in dict.fromkeys(words) if word.lower() not in _NO_TAGS][:_MOST_KEYWORDS]
    flags += [word.lower() for word in wanted if _THUNDERBIRDS.match(word)]
    own = [decoded(word) for word in wanted if word[:1] not in "$\\"]
    return Filing(tuple(flags), tags=tuple(own), skip=bool(bits & _DELETED))


def decoded(name: str) -> str:
    """A name in modified UTF-7 (RFC 3501 section 5.1.3), as mail programs write those of folders and tags; others as they are."""
    if not re.search(r"&[A-Za-z0-9+,]*-", name) or not name.isascii():
        return name
    try:
        return imap_utf7.decode(name.encode())
    except (UnicodeError, ValueError):
        return name


def notes_states(found: dict[str, list[bytes]]) -> bool:
    """Whether `Status` or `X-Status` is there, with letters as programs write them."""
    told = [found[name][0] for name in ("status", "x-status") if name in found]
    return bool(told) and all(_STATES.fullmatch(value) for value in told)


def state_marks(found: dict[str, list[bytes]]) -> Filing:
    """The marks of mbox files of mutt, Pine, Dovecot and others; a message without any is old mail: read."""
    status, more = (found.get(name, [b""])[0][:20].upper() for name in ("status", "x-status"))
    read = b"R" in status if status or more else True
    names = (("\\Seen", read), ("\\Answered", b"A" in more), ("\\Flagged", b"F" in more), ("\\Draft", b"T" in more))
    words = found.get("x-keywords", [b""])[0][:2000].decode("ascii", "replace").split()
    return Filing(kept_flags([*(name for name, there in names if there), *words]))


def received_at(found: dict[str, list[bytes]], separator: bytes, *, noted: bool = False) -> datetime | None:
    """When it came: its last hop, else the line before it, else when it was written; `noted`: the line before it first."""
    hops = found.get("received", [b""])[0].rpartition(b";")[2]
    words = separator.split(maxsplit=2)
    before = words[2] if len(words) > 2 else b""
    for text in (before, hops) if noted else (hops, before):
        if at := plausible(headers.date(text)):
            return at
    return plausible(headers.date(found.get("date", [b""])[0]))


def plausible(at: datetime | None) -> datetime | None:
    return at if at and _OLDEST <= at <= datetime(2100, 1, 1, tzinfo=UTC) else None
