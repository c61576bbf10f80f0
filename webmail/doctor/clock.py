"""Doctor, clocks: how far the clock of the mail server is from this machine's, told from the tokens that it accepts, and from the
date in the greeting of an SMTP server that gives one.

IMAP has no command that tells the time. But a token is valid between two moments of the server's clock: whether it is accepted
says on which side of them that clock is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from webmail.account import CLOCK_DIFFERENCE, Account, Server, Token, TokenIssuer
from webmail.doctor.result import OK, PROBLEM, WARNING, CheckResult
from webmail.doctor.result import lazy_gettext as _l
from webmail.errors import TokenRefusedError
from webmail.imap.connections.connection import Connection

_NEAR = 10  # seconds of difference that nobody needs to hear of
_EVER = 10 * 365 * 86400
_STEPS = ((600, _l("ten minutes")), (3600, _l("an hour")), (86400, _l("a day")))
_DATE = re.compile(rb"[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d(?::\d\d)? (?:[+-]\d{4}|[A-Z]{3})")
_ADVICE = _l("Set both with a time service (NTP). While they differ by more than a minute, pages and messages have to wait.")


@dataclass(frozen=True, slots=True)
class _Between(TokenIssuer):
    """Signs tokens that are valid between two moments, in seconds from now."""

    begins: int = 0
    ends: int = 0

    def moments(self, lifetime: int) -> tuple[int, int]:
        now = int(self.clock())
        return now + self.begins, now + self.ends


def imap(account: Account, *, refused: bool) -> Iterator[CheckResult]:
    """Compare with the IMAP server's clock, after it accepted or `refused` a token: 1 sign-in if it accepted, up to 5 else.

    Says nothing without tokens, for which clocks matter, and where the server refuses tokens of all times.
    """
    if not isinstance(account.credential, Token):
        return
    if not refused:
        if _accepted(account, -_NEAR, _NEAR):
            words = _l("of this machine and the IMAP server agree within %(seconds)s s.", seconds=_NEAR)
            yield CheckResult("Clocks", OK, words)
        else:
            words = _l(
                "of this machine and the IMAP server differ by more than %(seconds)s s. %(step)s", seconds=_NEAR, step=_ADVICE
            )
            yield CheckResult("Clocks", WARNING, words)
    elif _accepted(account, -_EVER, _EVER):
        yield CheckResult("Clocks", PROBLEM, _l("differ: %(distance)s. %(step)s", distance=_distance(account), step=_ADVICE))


def _distance(account: Account) -> str:
    """How far the server's clock is ahead or behind, in words."""
    ahead = _accepted(account, CLOCK_DIFFERENCE, _EVER)
    least = _l("a minute")
    for seconds, words in _STEPS:
        if not (_accepted(account, seconds, _EVER) if ahead else _accepted(account, -_EVER, -seconds)):
            about = {"least": least, "most": words}
            if ahead:
                return _l(
                    "the IMAP server’s clock is more than %(least)s, but less than %(most)s, ahead of this machine’s", **about
                )
            return _l("the IMAP server’s clock is more than %(least)s, but less than %(most)s, behind this machine’s", **about)
        least = words
    if ahead:
        return _l("the IMAP server’s clock is more than %(least)s ahead of this machine’s", least=least)
    return _l("the IMAP server’s clock is more than %(least)s behind this machine’s", least=least)


def _accepted(account: Account, begins: int, ends: int) -> bool:
    """Whether the IMAP server lets in a token that is valid between these moments. Raises ServerAwayError."""
    assert isinstance(account.credential, Token)
    ours = account.credential.issuer
    issuer = _Between(ours.key, ours.issuer, ours.client, ours.key_id, ours.clock, begins, ends)
    try:
        Connection(replace(account, credential=replace(account.credential, issuer=issuer))).close()
    except TokenRefusedError:
        return False
    return True


def greeting(name: str, server: Server, banner: bytes, now: datetime | None = None) -> Iterator[CheckResult]:
    """Compare with the date that some servers put into their greeting; says nothing if there is none."""
    if not (found := _DATE.search(banner)):
        return
    told = parsedate_to_datetime(found[0].decode("ascii"))
    told = told if told.tzinfo else told.replace(tzinfo=UTC)
    seconds = round((told - (now or datetime.now(UTC))).total_seconds())
    if abs(seconds) > CLOCK_DIFFERENCE:
        about = {"host": server.host, "seconds": abs(seconds), "step": _ADVICE}
        words = (
            _l("%(host)s is %(seconds)s s ahead of this machine. %(step)s", **about)
            if seconds > 0
            else _l("%(host)s is %(seconds)s s behind this machine. %(step)s", **about)
        )
        yield CheckResult(f"{name} clock", WARNING, words)
