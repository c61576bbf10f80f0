"""Absences in other programs' scripts: `vacation` (RFC 5230), perhaps between two moments, as ours, switched off."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from webmail.filters.absence import machines
from webmail.filters.absence.absence import INTERVALS, LONGEST_SUBJECT, Absence, check
from webmail.filters.imports.found import Difference, plain
from webmail.filters.rules.rules import LONGEST_TEXT, BadRuleError
from webmail.sieve.nodes import Command, NumberArgument, SieveTest, StringArgument, TagArgument, texts

_MARKS = frozenset([
    "list-help", "list-unsubscribe", "list-subscribe", "list-owner", "list-post", "list-archive", "list-id", "mailing-list",
    "precedence", "auto-submitted", "x-auto-response-suppress", "x-spam-flag", "x-spam-status", "return-path", *machines.HEADERS,
])  # fmt: skip
_SENDERS = frozenset(["from", "sender", "to", "resent-from", "reply-to"])
_MACHINE = re.compile(
    r"no.?reply|noreply|donotreply|mailer-daemon|bounce|postmaster|owner-|-request|multiple recipients", re.IGNORECASE
)
_NEXTCLOUD = re.compile(r"#\s*DATA:\s*(?P<data>\{.{0,60000}\})\s*")


def absence_of(commands: Sequence[Command]) -> Absence | None:
    """The absence that these commands are: one `vacation`, for all but lists and machines, which ours never answers either.

    None where they do more, or ask what ours does not.
    """
    every = [one for command in commands for one in command.walk()]
    answers = [one for one in every if one.name == "vacation"]
    if len(answers) != 1 or not all(one.name in ("if", "vacation", "stop") for one in every):
        return None
    moments: dict[str, datetime] = {}
    for one in every:
        for test in one.tests:
            if not _is_of_absence(test, moments, negated=False):
                return None
    return _absence(answers[0], moments.get("ge"), moments.get("le"))


def differences_of(commands: Sequence[Command]) -> tuple[Difference, ...]:
    """What the absence of these commands does otherwise here."""
    [answer] = [one for command in commands for one in command.walk() if one.name == "vacation"]
    tags = {one.name: after for one, after in pairwise([*answer.arguments, None]) if isinstance(one, TagArgument)}
    days = tags.get("days")
    found = [Difference.DAYS] if "seconds" in tags or (isinstance(days, NumberArgument) and days.value not in INTERVALS) else []
    found += [Difference.ADDRESSES] if "addresses" in tags else []
    found += [Difference.FROM] if "from" in tags else []
    return tuple(found)


def nextcloud_absence(comments: Iterator[str]) -> Absence | None:
    """The one that Nextcloud keeps as JSON in a comment."""
    for comment in comments:
        found = _NEXTCLOUD.fullmatch(comment)
        if found is None:
            continue
        try:
            data = json.loads(found["data"])
            message, subject = data.get("message", ""), data.get("subject", "")
            return _checked(
                Absence(
                    False, _iso(data.get("start")), _iso(data.get("end")), _subject(str(subject)), str(message)[:LONGEST_TEXT]
                )
            )
        except (ValueError, TypeError, AttributeError, RecursionError):
            continue
    return None


def _absence(command: Command, start: datetime | None, until: datetime | None) -> Absence | None:
    values: dict[str, object] = {}
    waiting, text = "", ""
    for argument in command.arguments:
        if waiting:
            values[waiting], waiting = argument, ""
        elif isinstance(argument, TagArgument):
            if argument.name == "mime":
                return None
            waiting = argument.name
        elif isinstance(argument, StringArgument):
            text = argument.value
    days, subject = values.get("days"), values.get("subject")
    wanted = days.value if isinstance(days, NumberArgument) else 7
    interval = next((one for one in INTERVALS if one >= wanted), INTERVALS[-1])
    said = subject.value if isinstance(subject, StringArgument) else ""
    text = text.replace("\r\n", "\n").strip("\n")
    if "${" in text or len(text) > LONGEST_TEXT:
        return None
    return _checked(Absence(False, start, until, _subject(said), text, days=interval))


def _checked(absence: Absence) -> Absence | None:
    try:
        check(absence)
    except BadRuleError:
        return None
    return absence if absence.text.strip() else None


def _subject(text: str) -> str:
    return plain(text, LONGEST_SUBJECT)


def _is_of_absence(test: SieveTest, moments: dict[str, datetime], *, negated: bool) -> bool:
    """Whether a test only says when, or that lists and machines get no answer; a moment goes into `moments`."""
    match test.name:
        case "true":
            return not negated
        case "allof" | "anyof" if test.name == "allof" or negated:
            return all(_is_of_absence(one, moments, negated=negated) for one in test.tests)
        case "not":
            return not negated and all(_is_of_absence(one, moments, negated=True) for one in test.tests)
        case "exists":
            return negated and bool(test.arguments) and {one.lower() for one in texts(test.arguments[0])} <= _MARKS
        case "header" | "address":
            return negated and _is_machine(test)
        case "currentdate":
            return not negated and _moment(test, moments)
    return False


def _is_machine(test: SieveTest) -> bool:
    if len(test.arguments) < 2:
        return False
    names = {one.lower() for one in texts(test.arguments[-2])}
    return bool(names) and (
        names <= _MARKS or (names <= _SENDERS and all(_MACHINE.search(one) for one in texts(test.arguments[-1])))
    )


def _moment(test: SieveTest, moments: dict[str, datetime]) -> bool:
    """Full moments alone: a day by itself would end in somebody's time zone, and nobody knows whose."""
    strings = [one for argument in test.arguments for one in texts(argument)]
    if len(test.arguments) != 4 or len(strings) != 3 or strings[0] not in ("ge", "le") or strings[1] != "iso8601":
        return False
    found = _iso(strings[2])
    if found is None or strings[0] in moments:
        return False
    moments[strings[0]] = found
    return True


def _iso(text: object) -> datetime | None:
    """A moment with its zone, in UTC, to the second; None for anything else."""
    if not isinstance(text, str) or len(text) > 40:
        return None
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC).replace(microsecond=0) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None
