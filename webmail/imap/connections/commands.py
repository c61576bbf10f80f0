"""Commands: escapes and quotes every argument of an IMAP command, and converts errors and refusals to `MailError`."""

from __future__ import annotations

import imaplib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

from imapclient import imap_utf7
from imapclient.exceptions import ProtocolError

from webmail.errors import (
    MailError,
    NoSuchMailboxError,
    NotAllowedError,
    OverQuotaError,
    RefusedError,
    SearchNotReadyError,
    ServerAwayError,
    SignInRefusedError,
    UnsafeValueError,
)
from webmail.mime.headers.month_names import MONTHS

_UNSAFE = re.compile(r"[\r\n\0]")
_KEYWORD = re.compile(r"\\?[A-Za-z0-9$!#&'+,./:;<=>?@^_`|~-]+\Z")


def text(value: str) -> bytes:
    """A string argument as UTF-8, unquoted. Raises UnsafeValueError for CR, LF, NUL and lone surrogates."""
    if _UNSAFE.search(value):
        raise UnsafeValueError("a value for IMAP holds CR, LF or NUL")
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        raise UnsafeValueError("a value for IMAP is not valid Unicode") from error


def quoted(value: str) -> bytes:
    """A string argument: quoted, or a non-synchronizing literal if it is not ASCII (RFC 7888). Raises UnsafeValueError."""
    raw = text(value)
    if raw.isascii():
        return b'"' + raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    return b"{%d+}\r\n" % len(raw) + raw


def mailbox_name(name: str) -> bytes:
    """A mailbox name in modified UTF-7 (RFC 3501 section 5.1.3), quoted. Raises UnsafeValueError and NoSuchMailboxError."""
    return quoted(imap_utf7.encode(checked_name(name)).decode("ascii"))


def checked_name(name: str) -> str:
    """A mailbox name that a command may contain. Raises UnsafeValueError and NoSuchMailboxError."""
    text(name)
    if not name or len(name) > 1000:
        raise NoSuchMailboxError("no mailbox has such a name")
    return name


def uid_set(uids: Iterable[int]) -> bytes:
    """`[1, 2, 3, 7]` -> `1:3,7`. Raises UnsafeValueError for invalid UIDs, and if there are none."""
    numbers = sorted(set(uids))
    if not numbers or not all(isinstance(n, int) and 0 < n < 2**32 for n in numbers):
        raise UnsafeValueError("not a set of UIDs")
    ranges: list[list[int]] = []
    for n in numbers:
        if ranges and n == ranges[-1][1] + 1:
            ranges[-1][1] = n
        else:
            ranges.append([n, n])
    return b",".join(b"%d" % a if a == b else b"%d:%d" % (a, b) for a, b in ranges)


def flag_list(flags: Iterable[str]) -> bytes:
    """`["\\\\Seen", "$Forwarded"]` -> `(\\Seen $Forwarded)`. Raises UnsafeValueError for invalid flags."""
    names = list(flags)
    if not all(_KEYWORD.match(name) for name in names):
        raise UnsafeValueError("not a flag")
    return b"(" + " ".join(names).encode("ascii") + b")"


def imap_day(day: date) -> bytes:
    """A date as SEARCH wants it (RFC 3501 section 9), independent of the locale."""
    return f"{day.day}-{MONTHS[day.month - 1]}-{day.year:04d}".encode()


def internal_date(at: datetime) -> bytes:
    """A date-time as APPEND wants it (RFC 3501 section 9), quoted, in UTC; independent of the locale."""
    at = at.astimezone(UTC)
    return f'"{at.day:2d}-{MONTHS[at.month - 1]}-{at.year:04d} {at:%H:%M:%S} +0000"'.encode()


_MOST_UIDS = 1_000_000  # in one set: 40 MB of integers; no action has more


def expand_uid_set(value: str) -> list[int]:
    """`"1:3,7"` -> `[1, 2, 3, 7]`, in the order given (RFC 4315 COPYUID sets). Raises UnsafeValueError and ValueError."""
    uids: list[int] = []
    for item in value.split(","):
        first, _, last = item.partition(":")
        low, high = int(first), int(last or first)
        if not (0 < low < 2**32 and 0 < high < 2**32) or len(uids) + abs(high - low) >= _MOST_UIDS:
            raise UnsafeValueError("not a set of UIDs, or too large a one")
        uids.extend(range(low, high + 1) if low <= high else range(low, high - 1, -1))
    return uids


_CODES: dict[str, type[MailError]] = {
    "NONEXISTENT": NoSuchMailboxError,
    "TRYCREATE": NoSuchMailboxError,
    "OVERQUOTA": OverQuotaError,
    "NOPERM": NotAllowedError,
    "READ-ONLY": NotAllowedError,
    "AUTHENTICATIONFAILED": SignInRefusedError,
    "AUTHORIZATIONFAILED": SignInRefusedError,
    "EXPIRED": SignInRefusedError,
    "UNAVAILABLE": ServerAwayError,
    "INUSE": ServerAwayError,
    "SERVERBUG": ServerAwayError,
    "CONTACTADMIN": ServerAwayError,
}


def refusal(command: str, data: object) -> MailError:
    """The MailError for a NO or BAD response, by its response code (RFC 5530)."""
    words = data[0].decode("utf-8", "replace") if isinstance(data, list) and data and isinstance(data[0], bytes) else str(data)
    code = re.match(r"\[([A-Z-]+)", words)
    kind = _CODES.get(code[1], RefusedError) if code else RefusedError
    if "waiting for indexing" in words:  # Dovecot, after fts_search_timeout
        kind = SearchNotReadyError
    return kind(f"{command}: {words}")


@contextmanager
def translated() -> Iterator[None]:
    """Convert library and network errors to ServerAwayError. NO responses are handled by `refusal`."""
    try:
        yield
    except MailError:
        raise
    except imaplib.IMAP4.abort as error:
        raise ServerAwayError(f"the IMAP server broke off: {error}") from error
    except (imaplib.IMAP4.error, ProtocolError) as error:
        raise ServerAwayError(f"the IMAP server is not understood: {error}") from error
    except OSError as error:  # refused, reset, timed out, bad certificate
        raise ServerAwayError(f"the IMAP server can't be reached: {error}") from error
    except (MemoryError, OverflowError, ValueError) as error:  # imaplib trusts any literal size: {99999999999}
        raise ServerAwayError(f"the exchange with the IMAP server failed: {type(error).__name__} {error}") from error
