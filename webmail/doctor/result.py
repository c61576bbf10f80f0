"""Doctor, results: what each check says, and the words of an error without Python notation."""

from __future__ import annotations

import re
import smtplib
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from flask_babel import lazy_gettext as _lazy
from flask_babel import lazy_ngettext as _lazy_plural
from flask_babel.speaklater import LazyString

from webmail.admin.watching import check_texts
from webmail.errors import EnglishText, ServerAwayError

OK, WARNING, PROBLEM = "ok", "warning", "problem"
CERTIFICATE_DAYS = 14  # warn if one expires sooner


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check: what was checked, ok / warning / problem, and one sentence; of a certificate, its days too.

    The sentence is one of the catalogue, in the language of whoever reads it: `str()` fixes it.
    """

    name: str
    state: str
    words: str
    days: int | None = None


def lazy_gettext(text: str, **values: Any) -> str:
    """A sentence of the catalogue, in the language of its reader. Import it as `_l`, by which the catalogue finds it."""
    return cast(str, _lazy(text, **values))


def later(make: Callable[..., str], *about: Any) -> str:
    """A sentence that is made when it is read, in the reader's language, by a function that uses gettext."""
    return cast(str, LazyString(make, *about))


def lazy_ngettext(singular: str, plural: str, num: int, **values: Any) -> str:
    """As `lazy_gettext`, by a number."""
    return cast(str, _lazy_plural(singular, plural, num, **values))


def told(text: str) -> str:
    """What the rest of the code says of it, in the reader's language where it has an entry of the catalogue."""
    return later(check_texts.in_readers_language, text) if isinstance(text, EnglishText) else text


def why(error: BaseException) -> str:
    """An error as a part of a sentence: without a full stop; in the reader's language if its words are our own."""
    if isinstance(error, ServerAwayError) and isinstance(error.__cause__, OSError):
        error = error.__cause__  # the system's own words, without ours around them
    words = error.args[0] if error.args else ""
    return told(words) if isinstance(words, EnglishText) else plain(error).rstrip(".")


def plain(error: BaseException) -> str:
    """The message of an error, without Python notation such as b'...', (535, b'...') or [Errno 2]."""
    if isinstance(error, smtplib.SMTPResponseException):
        told = error.smtp_error
        return f"{error.smtp_code} {told.decode(errors='replace') if isinstance(told, bytes) else told}"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror.lower()}: {error.filename}" if error.filename else error.strerror.lower()
    first = error.args[0] if error.args else ""
    words = first.decode(errors="replace") if isinstance(first, bytes) else str(error)
    words = re.sub(r"""\bb(['"])(.*?)\1""", lambda found: found[2].replace(r"\r", "").replace(r"\n", " "), words)
    return " ".join(words.split()) or type(error).__name__


_l = lazy_gettext


def certificate(name: str, peer: dict[str, Any]) -> CheckResult:
    """How long a trusted certificate is still valid."""
    days = int((ssl.cert_time_to_seconds(peer["notAfter"]) - time.time()) // 86400)
    if days < CERTIFICATE_DAYS:
        words = _expiring(days)
        return CheckResult(name, WARNING, words, days)
    return CheckResult(name, OK, _l("its certificate is trusted and valid for %(days)s more days.", days=days), days)


def _expiring(days: int) -> str:
    return lazy_ngettext(
        "its certificate is trusted but expires in %(num)d day: renew it.",
        "its certificate is trusted but expires in %(num)d days: renew it.",
        days,
    )
