"""Throttle: how many wrong passwords are checked, counted in SQL for all processes together. No Flask here.

Failed attempts count by the name that was typed, whether it exists or not, and by where they come from (sources.py). That
alone would keep a person out for as long as somebody guesses in their name, so there are more ways to have a password checked,
and none gives whoever guesses many tries:

- a browser on which the person signed in before (known_devices.py) has a count of its own: failures elsewhere do not block
  it, its own failures block nobody else, and whoever steals it has as few tries;
- a browser that was told to wait, and did so quietly, stands in line (waiting_lines.py): one try a minute for each name, and
  so many a second for each network, who has waited longest first. Programs that go on guessing have never waited, so the owner
  gets in on a new browser within seconds while they do;
- a code that was mailed to the person's recovery address (auth/sign_in/unlock_codes.py), for when even those wait who guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from webmail import rate_limits
from webmail.auth.sign_in import waiting_lines
from webmail.auth.sign_in.sources import SignInSource
from webmail.auth.sign_in.waiting_lines import Place, WaitingLine, has_waited
from webmail.config.settings import Settings
from webmail.database.locks import serialize
from webmail.rate_limits import QUARTER, Bounded, RateLimit, TooManyRequestsError, Use

# seconds between turns of browsers that have waited, once the ordinary tries are used up
_TURN_OF_NAME = 60
_TURN_OF_CODE = 120  # of the second step: three codes of an app are right at any time

Lines = dict[Bounded, WaitingLine]


@dataclass(frozen=True, slots=True)
class SignInAttempt:
    """A password that counts as wrong until it was right."""

    use: Use
    name: Bounded
    counted: tuple[Bounded, ...]
    mark: str  # of failures from the same network under the same name


def begin(name: str, source: SignInSource, settings: Settings, *, admitted: Place | None = None) -> SignInAttempt:
    """Record a failure before the password is checked, so that concurrent attempts all count; it is deleted on success.

    `admitted`: of this browser, where it was told to wait. Raises TooManyRequestsError; such an attempt is not recorded, so that
    waiting always helps, and costs one SELECT alone where the browser did not wait.
    """
    lines, mark = _lines(name, source, settings), f"{name}\n{source.key}"
    use = _taken(lines, settings, admitted, source.key, mark)
    return SignInAttempt(use, next(iter(lines)), tuple(lines), mark)


def is_slowed(name: str, source: SignInSource, settings: Settings) -> bool:
    """Whether the ordinary tries for this name from there are used up. One SELECT."""
    return rate_limits.is_full(settings, *_lines(name, source, settings))


def attempt_at(what: str, settings: Settings) -> Use:
    """Count an attempt to say a secret elsewhere than at the door; give back what is returned if it was right.

    Raises TooManyRequestsError. `what` tells apart whose they are: they count by themselves, and nobody has turns.
    """
    return rate_limits.take(settings, _secret(what, settings))


def attempt_in_turn(what: str, settings: Settings, admitted: Place | None) -> Use:
    """The same, but a browser that was told to wait has turns: whoever guesses elsewhere keeps nobody out."""
    return _taken({_secret(what, settings): WaitingLine(what[:254], _TURN_OF_CODE)}, settings, admitted, "")


def succeeded(attempt: SignInAttempt, settings: Settings) -> None:
    """The attempt was right. Also forgets the failures before it from the same network, which were typing mistakes then; but not
    while their number slows somebody down: the owner's visits give whoever guesses no new tries.
    """
    if rate_limits.is_full(settings, attempt.name, besides=1):
        rate_limits.give_back(attempt.use)
    else:
        rate_limits.forget(settings, *attempt.counted, mark=attempt.mark, until=attempt.use.at)  # with the attempt itself


def _secret(what: str, settings: Settings) -> Bounded:
    return RateLimit("secrets that are said", settings.sign_in_attempts, QUARTER).by(what)


def _lines(name: str, source: SignInSource, settings: Settings) -> Lines:
    """What is counted, the name first, and the line in which an attempt has to wait where it is used up."""
    of_name = RateLimit("passwords for a name", settings.sign_in_attempts, QUARTER).by(name)
    lines = {of_name: WaitingLine(f"name {name}", _TURN_OF_NAME, by_source=True)}
    if source.key:
        lines[RateLimit("passwords from a network", source.tries, QUARTER).by(source.key)] = source.line
    return lines


def _taken(lines: Lines, settings: Settings, admitted: Place | None, source: str, mark: str = "") -> Use:
    if admitted is None or not has_waited(admitted):
        try:
            return rate_limits.take(settings, *lines, mark=mark)
        except TooManyRequestsError as error:
            raise TooManyRequestsError(timedelta(seconds=waiting_lines.FIRST), error.limit) from error

    def turn(full: Sequence[Bounded]) -> int:
        serialize("sign-in")
        return waiting_lines.take([lines[one] for one in full], admitted, source)

    return rate_limits.take(settings, *lines, mark=mark, revision=turn)
