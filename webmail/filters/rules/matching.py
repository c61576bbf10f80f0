"""Matching: which messages of a folder a rule touches, and why, told without running it on the server.

It runs the very tests that `compiler.py` writes, on what IMAP tells of the messages (`match_data.py`), with the meaning they
have in Pigeonhole. "Now" is the moment at which a message arrived. Conditions that cost much (texts) are asked only of messages
that the others have not decided.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from webmail.filters.rules.compiler import SievePlace, condition_test
from webmail.filters.rules.rules import ConditionField, FilterRule, RuleCondition
from webmail.imap.bulk import match_data
from webmail.imap.bulk.match_data import EvidenceKind, MessageEvidence
from webmail.imap.connections.connection import Connection
from webmail.mime.charsets import decode_bytes
from webmail.mime.headers.addresses import addresses
from webmail.mime.headers.encoded_words import decode_words
from webmail.mime.tree import PartNode
from webmail.sieve.nodes import NumberArgument, SieveTest, StringArgument, TagArgument, texts

NEWEST = 1000  # messages that are tried
PATIENCE = 10.0  # seconds that a page may take to judge them
SLOWEST = 5.0  # seconds for one message
UNKNOWN = frozenset((ConditionField.SPAM,))  # the server's filter alone knows in which header its score is
_ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


class CannotTellError(ValueError):
    """A condition that only the server can judge, as a message arrives."""


class TooSlowError(Exception):
    """The time was over before a message was judged: a long text, and many values with many wildcards."""


@dataclass(frozen=True, slots=True)
class TouchedMessage:
    """A message that the rule touches. `reasons`: the conditions that hold, each with the one value that did it."""

    message: MessageEvidence
    reasons: tuple[RuleCondition, ...]


@dataclass(frozen=True, slots=True)
class Tried:
    """`looked`: how many messages were judged; `unread`: how many had texts that were too much to fetch, and were not."""

    touched: tuple[TouchedMessage, ...]
    looked: int
    unread: int = 0


def try_newest(connection: Connection, rule: FilterRule, context: SievePlace, most: int = NEWEST) -> Tried:
    """Of the selected mailbox, the newest first: 1 round trip, and 1 more for each 4 MB of texts. Raises CannotTellError."""
    return _judged(connection, match_data.newest(connection, most, _wanted(rule, context)), rule, context, PATIENCE)


def try_messages(connection: Connection, uids: Iterable[int], rule: FilterRule, context: SievePlace) -> Tried:
    """The same of these messages of the selected mailbox, by UID."""
    return _judged(connection, match_data.of_messages(connection, uids, _wanted(rule, context)), rule, context)


def can_tell(rule: FilterRule) -> bool:
    return not any(condition.field in UNKNOWN for condition in rule.conditions)


def _judged(
    connection: Connection, found: list[MessageEvidence], rule: FilterRule, context: SievePlace, seconds: float = math.inf
) -> Tried:
    """Those that are not reached within `seconds` are left out, as those whose texts are too much: rules can be very long."""
    tests = [condition_test(condition, context) for condition in rule.conditions]
    dear = [condition.field is ConditionField.BODY for condition in rule.conditions]
    end = time.monotonic() + seconds
    open_ones = [one for one in found if _is_open(one, rule, tests, dear, end)] if any(dear) else []
    unread = match_data.add_texts(connection, open_ones) if open_ones else 0
    touched, slow = [], 0
    for number, one in enumerate(found):
        if time.monotonic() > end:
            unread = max(unread, len(found) - number)
            break
        try:
            results = _results(one, tests, dear, end, texts_too=one.texts is not None)
            if _verdict(rule, results):
                held = [condition for condition, result in zip(rule.conditions, results, strict=True) if result]
                touched.append(TouchedMessage(one, tuple(_reason(condition, one, context, end) for condition in held)))
        except TooSlowError:
            slow += 1
    return Tried(tuple(touched), len(found) - unread - slow, unread + slow)


def _is_open(
    message_evidence: MessageEvidence, rule: FilterRule, tests: Sequence[SieveTest], dear: Sequence[bool], end: float
) -> bool:
    """Whether its texts have to be known. Not once the time is over: nobody will look at them."""
    try:
        return time.monotonic() < end and _verdict(rule, _results(message_evidence, tests, dear, end, texts_too=False)) is None
    except TooSlowError:
        return False


def _results(
    message_evidence: MessageEvidence, tests: Sequence[SieveTest], dear: Sequence[bool], end: float, *, texts_too: bool
) -> list[bool | None]:
    until = min(end, time.monotonic() + SLOWEST)
    return [
        None if late and not texts_too else holds(test, message_evidence, until) for test, late in zip(tests, dear, strict=True)
    ]


def _verdict(rule: FilterRule, results: Sequence[bool | None]) -> bool | None:
    """Whether the rule touches a message of which some conditions may not be known yet: None."""
    if not results:
        return True
    decides = rule.any
    if decides in results:
        return decides
    return None if None in results else not decides


def _reason(condition: RuleCondition, message_evidence: MessageEvidence, context: SievePlace, end: float) -> RuleCondition:
    """The condition with the value that matched; one that says "not" keeps all."""
    if condition.negated or len(condition.values) < 2:
        return condition
    until = min(end, time.monotonic() + SLOWEST)
    each = (replace(condition, values=(value,)) for value in condition.values)
    return next((alone for alone in each if holds(condition_test(alone, context), message_evidence, until)), condition)


# --- what has to be known --------------------------------------------------------------------------------------------


def _wanted(rule: FilterRule, context: SievePlace) -> EvidenceKind:
    found = EvidenceKind()
    for condition in rule.conditions:
        found |= _needed(condition_test(condition, context))
    return found


def _needed(test: SieveTest) -> EvidenceKind:
    found = EvidenceKind()
    for inner in test.tests:
        found |= _needed(inner)
    if test.name == "body":
        return EvidenceKind(texts=True)
    if test.name in ("header", "address", "exists"):
        if _has(test, "mime"):
            return EvidenceKind(structure=True)
        names = texts(test.arguments[0 if test.name == "exists" else -2])
        return EvidenceKind(frozenset(name.lower() for name in names))
    return found


# --- tests -----------------------------------------------------------------------------------------------------------


def holds(test: SieveTest, message_evidence: MessageEvidence, until: float = math.inf) -> bool:
    """Whether a test of those that `compiler.py` writes is true of a message. Raises CannotTellError, and TooSlowError after the
    moment `until` (monotonic).
    """
    match test.name:
        case "not":
            return not holds(test.tests[0], message_evidence, until)
        case "anyof":
            return any(holds(inner, message_evidence, until) for inner in test.tests)
        case "allof":
            return all(holds(inner, message_evidence, until) for inner in test.tests)
        case "exists":
            return all(message_evidence.fields.get(name.lower()) for name in texts(test.arguments[0]))
        case "size":
            return _size(test, message_evidence)
        case "currentdate":
            return _any_matches(test, [_moment(test, message_evidence)], until)
        case "body":
            return _any_matches(test, message_evidence.texts or (), until)
        case "address":
            return _any_matches(test, _addresses(test, message_evidence), until)
        case "header":
            found = _mime_values(test, message_evidence) if _has(test, "mime") else _header_values(test, message_evidence)
            return _any_matches(test, found, until)
    raise CannotTellError(test.name)


def _size(test: SieveTest, message_evidence: MessageEvidence) -> bool:
    limit = next(argument.value for argument in test.arguments if isinstance(argument, NumberArgument))
    return message_evidence.size > limit if _has(test, "over") else message_evidence.size < limit


def _moment(test: SieveTest, message_evidence: MessageEvidence) -> str:
    part = texts(test.arguments[-2])[0]
    if part == "weekday":
        return str(message_evidence.received.isoweekday() % 7)
    return message_evidence.received.strftime("%H" if part == "hour" else "%Y-%m-%d")


def _header_values(test: SieveTest, message_evidence: MessageEvidence) -> list[str]:
    raw = [value for name in texts(test.arguments[-2]) for value in message_evidence.fields.get(name.lower(), [])]
    return [_decoded(value) for value in raw]


@lru_cache(maxsize=4096)
def _decoded(value: bytes) -> str:
    """As Sieve compares it: encoded words read (RFC 5228, section 2.7.2), white space at the ends left out (section 5.7)."""
    text = decode_bytes(value)
    return (decode_words(text) if "=?" in text else text).strip()


def _addresses(test: SieveTest, message_evidence: MessageEvidence) -> list[str]:
    raw = [value for name in texts(test.arguments[-2]) for value in message_evidence.fields.get(name.lower(), [])]
    found = [each.email for each in addresses(raw) if each.email]
    return [email.rpartition("@")[2] for email in found] if _has(test, "domain") else found


def _mime_values(test: SieveTest, message_evidence: MessageEvidence) -> list[str]:
    """The type of each part, or a parameter of one of its two headers (RFC 5703, section 4)."""
    if _has(test, "contenttype"):
        return [part.type for part in message_evidence.parts]
    name, header = _tagged(test, "param"), texts(test.arguments[-2])[0]
    return [decode_words(_parameters(part, header).get(name, "")) for part in message_evidence.parts]


def _parameters(part: PartNode, header: str) -> Mapping[str, str]:
    """Not those of RFC 2231 ("filename*"), which Pigeonhole does not read here."""
    return part.disposition_params if header == "content-disposition" else part.params


# --- comparing -------------------------------------------------------------------------------------------------------


def _any_matches(test: SieveTest, values: Iterable[str], until: float) -> bool:
    """Whether one of the values matches one of the keys, the test's last argument."""
    how, keys = _how(test), texts(test.arguments[-1])
    if how == "matches":
        return any(_like(_lower(value).encode(errors="replace"), _patterns(keys), until) for value in values)
    matches = _matcher(how, keys)
    return any(matches(value) for value in values)


def _like(raw: bytes, patterns: Iterable[Sequence[re.Pattern[bytes]]], until: float) -> bool:
    for pattern in patterns:
        if time.monotonic() > until:
            raise TooSlowError
        if _fits(pattern, raw):
            return True
    return False


@lru_cache(maxsize=64)
def _patterns(keys: tuple[str, ...]) -> tuple[Sequence[re.Pattern[bytes]], ...]:
    return tuple(_pattern(_lower(key)) for key in keys)


def _how(test: SieveTest) -> str:
    if _has(test, "value"):
        return _tagged(test, "value")
    return next((kind for kind in ("contains", "matches") if _has(test, kind)), "is")


@lru_cache(maxsize=512)
def _matcher(how: str, keys: tuple[str, ...]) -> Callable[[str], bool]:
    """Capitals of ASCII are as small letters, and no others (i;ascii-casemap, RFC 4790)."""
    small = tuple(_lower(key) for key in keys)
    match how:
        case "contains":
            return lambda value: _holds_any(_lower(value), small)
        case "ge":
            return lambda value: any(_lower(value) >= key for key in small)
        case "le":
            return lambda value: any(_lower(value) <= key for key in small)
    return lambda value: _lower(value) in small


def _lower(text: str) -> str:
    return text.lower() if text.isascii() else text.translate(_ASCII_LOWER)


def _pattern(key: str) -> Sequence[re.Pattern[bytes]]:
    """The pieces between the stars, of UTF-8, as regular expressions: "?" is any one byte, as in Pigeonhole. The last one is to
    end the value.
    """
    pieces, piece, marks = [], b"", iter(key)
    for mark in marks:
        if mark == "*":
            pieces.append(piece)
            piece = b""
        elif mark == "?":
            piece += b"."
        else:
            piece += re.escape((next(marks, "\\") if mark == "\\" else mark).encode())
    return [re.compile(each, re.DOTALL) for each in (*pieces, piece + rb"\Z")]


def _holds_any(value: str, keys: Iterable[str]) -> bool:
    return any(key in value for key in keys)


def _fits(pieces: Sequence[re.Pattern[bytes]], raw: bytes) -> bool:
    """Each piece is looked for once, the leftmost place first: the time does not grow with the ways in which it could fit."""
    at = 0
    for number, piece in enumerate(pieces):
        found = piece.search(raw, at) if number else piece.match(raw)
        if found is None:
            return False
        at = found.end()
    return True


def _has(test: SieveTest, tag: str) -> bool:
    return any(isinstance(argument, TagArgument) and argument.name == tag for argument in test.arguments)


def _tagged(test: SieveTest, tag: str) -> str:
    """The string that follows a tag."""
    at = test.arguments.index(TagArgument(tag))
    following = test.arguments[at + 1]
    return following.value if isinstance(following, StringArgument) else ""
