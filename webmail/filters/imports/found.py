"""Found rules: what every reader of another program's rules gives back. Nothing is left out or changed without being said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from xml.etree.ElementTree import Element

from webmail.filters.absence.absence import Absence
from webmail.filters.rules.rules import BadRuleError, FilterRule, check
from webmail.mime import safe_xml
from webmail.mime.safe_xml import XmlBounds, XmlRefusedError

LARGEST = 1024 * 1024  # bytes of a file, characters of a script
MOST_FOUND = 500  # rules, taken or not, of one file
LONGEST_WORDS = 300  # characters of what is quoted
_BOUNDS = XmlBounds(size=4 * LARGEST, depth=40, elements=100_000)


class NotReadableError(ValueError):
    """Not rules in this format. `line` counts from 1; 0: not known."""

    def __init__(self, why: str, line: int = 0) -> None:
        super().__init__(why)
        self.line = line


class WhyLeftOut(StrEnum):
    """Why a rule has no equal here."""

    CONDITION = "condition"  # a condition that there is not here
    ACTION = "action"
    NESTED = "nested"  # "all of" and "any of" within each other
    NEVER = "never"  # it never holds, and says nothing to keep
    NOTHING = "nothing"  # it does nothing
    VARIABLES = "variables"  # text that is put together as the message arrives
    LIMIT = "limit"  # too long, or too many values
    FORWARDING = "forwarding"  # all mail goes to another address: that has a page of its own
    BLOCKED = "blocked"  # so have senders
    SAFE = "safe"
    SECOND = "second"  # an answer to all mail beside another one: there is one absence here


class Difference(StrEnum):
    """What a rule does otherwise here than it did there."""

    CASE = "case"  # capitals and small letters count as the same
    NAMES = "names"  # people's names are looked at too, not addresses alone
    RESENT = "resent"
    TRASH = "trash"  # into the trash instead of nowhere
    COPY_STAYS = "copy-stays"  # what is forwarded stays here too
    FLAGS_FIRST = "flags-first"  # tags go with what is filed in this rule
    FLAGS_STAY = "flags-stay"  # tags of rules above stay
    ONCE_A_DAY = "once-a-day"
    STOPS = "stops"  # a reply ends with no rule below
    FROM = "from"  # a reply comes from one's own address
    WORDS = "words"  # looks for this text, not for words
    LABEL = "label"  # a label is a tag
    EVERYWHERE = "everywhere"  # it was for some folders or by hand, and is for all that arrives: switched off
    LOCAL = "local"  # a folder on one's computer
    DAYS = "days"  # how often an absence answers the same person
    ADDRESSES = "addresses"  # to which of one's addresses mail is answered
    LEFT_ACTION = "left-action"  # something that has no meaning here


class CannotMapError(ValueError):
    """There is no such thing here."""

    def __init__(self, reason: WhyLeftOut) -> None:
        super().__init__(str(reason))
        self.reason = reason


@dataclass(frozen=True, slots=True)
class FoundRule:
    """A rule as ours. `place`: its line, or its number in the file, from 1. `left`: what of it was not taken."""

    rule: FilterRule
    place: int
    differences: tuple[Difference, ...] = ()
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A rule that stays there. `words`: what it says, cut. `place`: as of FoundRule; 0 for what is no rule."""

    name: str
    words: str
    place: int
    reason: WhyLeftOut


@dataclass(frozen=True, slots=True)
class FoundRules:
    """`program`: whose format it is. `lines`: places are lines. `absence` is never on: a person looks at it first."""

    program: str
    rules: tuple[FoundRule, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    absence: Absence | None = None
    absence_differences: tuple[Difference, ...] = ()
    lines: bool = False
    more: bool = False  # there was more than MOST_FOUND


def found_rule(
    rule: FilterRule, position: int, differences: Iterable[Difference] = (), left: Iterable[str] = ()
) -> FoundRule:  # fmt: skip
    """Raises CannotMapError for a rule that can't be."""
    rule = replace(rule, name=plain(rule.name, 100))
    try:
        check(rule)
    except BadRuleError as error:
        raise CannotMapError(
            WhyLeftOut.NOTHING if error.what == "actions" and error.why == "missing" else WhyLeftOut.LIMIT
        ) from error
    return FoundRule(rule, position, tuple(sorted(set(differences))), tuple(plain(one) for one in left))


def plain(text: str, most: int = LONGEST_WORDS) -> str:
    """On one line, cut, without what can't be seen."""
    shown = " ".join("".join(mark if mark.isprintable() else " " for mark in text[: most * 4]).split())
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def text_of(data: bytes) -> str:
    """UTF-8, else Latin 1, which everything is. Raises NotReadableError for what is no text or too large."""
    if len(data) > LARGEST:
        raise NotReadableError("too large")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    if "\0" in text:
        raise NotReadableError("not a text")
    return text


def read_xml(text: str) -> Element:
    """Its names without their namespaces. Raises NotReadableError, with the line."""
    try:
        return safe_xml.parse(text.encode(errors="replace"), _BOUNDS, utf8=True, namespaces=False)
    except XmlRefusedError as error:
        raise NotReadableError(str(error), error.line) from error
