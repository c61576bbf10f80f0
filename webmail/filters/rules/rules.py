"""Rules: what a person wants done with which messages, as data. As Sieve: `compiler.py`; where they are kept: `own_script.py`."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

MOST_RULES = 200
MOST_CONDITIONS = 50  # of one rule
MOST_ACTIONS = 20
MOST_VALUES = 200  # of one condition that a person types; contacts are more
LONGEST_NAME = 100  # characters
LONGEST_VALUE = 1000
LONGEST_TEXT = 10_000  # of a reply or a refusal
LONGEST_DATA = 100_000  # of a rule as JSON; scripts are a megabyte at most


class ConditionField(StrEnum):
    """What a condition looks at."""

    FROM = "from"
    TO = "to"
    CC = "cc"
    RECIPIENT = "recipient"  # To or Cc
    SUBJECT = "subject"
    HEADER = "header"  # any other: `RuleCondition.header`
    BODY = "body"
    SIZE = "size"  # bytes
    LIST = "list"  # List-Id
    ATTACHMENT = "attachment"  # a file's name
    ATTACHMENT_TYPE = "attachment-type"  # application/pdf
    CONTACTS = "contacts"  # the sender is in the person's contacts; with a value, in that group of them
    INSIDE = "inside"  # the sender is of the establishment
    DATE = "date"  # 2026-12-24, the day on which it arrives
    WEEKDAY = "weekday"  # 0 is Sunday, as in Sieve
    HOUR = "hour"  # 0 to 23
    SPAM = "spam"  # percent
    UNPROVEN = "unproven"  # the sender's domain says that the message is not from there


class MatchKind(StrEnum):
    IS = "is"
    CONTAINS = "contains"
    BEGINS = "begins"
    ENDS = "ends"
    MATCHES = "matches"  # * any characters, ? one
    PRESENT = "present"
    LEAST = "least"  # this or more, this day or later
    MOST = "most"


class ActionKind(StrEnum):
    MOVE = "move"  # `value`: the folder's path
    COPY = "copy"
    TAG = "tag"  # `value`: the keyword
    FLAG = "flag"
    READ = "read"
    FORWARD = "forward"  # `value`: an address
    REPLY = "reply"  # `value`: the subject, `text`
    SNOOZE = "snooze"  # `value`: days until then
    DELETE = "delete"  # into the trash
    REJECT = "reject"  # `text` goes to the sender
    STOP = "stop"  # no rule below it is asked


TEXT_MATCHES = (MatchKind.IS, MatchKind.CONTAINS, MatchKind.BEGINS, MatchKind.ENDS, MatchKind.MATCHES)
ORDER_MATCHES = (MatchKind.IS, MatchKind.LEAST, MatchKind.MOST)
MATCHES: Mapping[ConditionField, tuple[MatchKind, ...]] = {
    ConditionField.FROM: TEXT_MATCHES,
    ConditionField.TO: TEXT_MATCHES,
    ConditionField.CC: TEXT_MATCHES,
    ConditionField.RECIPIENT: TEXT_MATCHES,
    ConditionField.SUBJECT: TEXT_MATCHES,
    ConditionField.HEADER: (*TEXT_MATCHES, MatchKind.PRESENT),
    ConditionField.BODY: (MatchKind.CONTAINS,),
    ConditionField.SIZE: (MatchKind.LEAST, MatchKind.MOST),
    ConditionField.LIST: (*TEXT_MATCHES, MatchKind.PRESENT),
    ConditionField.ATTACHMENT: (*TEXT_MATCHES, MatchKind.PRESENT),
    ConditionField.ATTACHMENT_TYPE: TEXT_MATCHES,
    ConditionField.CONTACTS: (MatchKind.PRESENT,),
    ConditionField.INSIDE: (MatchKind.PRESENT,),
    ConditionField.DATE: ORDER_MATCHES,
    ConditionField.WEEKDAY: (MatchKind.IS,),
    ConditionField.HOUR: ORDER_MATCHES,
    ConditionField.SPAM: (MatchKind.LEAST,),
    ConditionField.UNPROVEN: (MatchKind.PRESENT,),
}


class BadRuleError(ValueError):
    """A rule that can't be: `what` is the field of the form it belongs to, `why` a word for its words."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what}: {why}")
        self.what = what
        self.why = why


@dataclass(frozen=True, slots=True)
class RuleCondition:
    """True if one of `values` matches; with `negated`, if none does. `header`: its name, for HEADER."""

    field: ConditionField
    match: MatchKind
    values: tuple[str, ...] = ()
    header: str = ""
    negated: bool = False


@dataclass(frozen=True, slots=True)
class RuleAction:
    kind: ActionKind
    value: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class FilterRule:
    """`any`: one condition is enough. Without conditions it is for every message. `id` never changes."""

    name: str
    conditions: tuple[RuleCondition, ...] = ()
    actions: tuple[RuleAction, ...] = ()
    any: bool = False
    on: bool = True
    id: str = ""

    def identified(self) -> FilterRule:
        return self if self.id else replace(self, id=secrets.token_hex(6))


def check(rule: FilterRule) -> None:
    """Raises BadRuleError: too many or too long, a match that its field does not have, a value that is missing or none."""
    if len(rule.name) > LONGEST_NAME or not rule.name.isprintable():
        raise BadRuleError("name", "long" if rule.name.isprintable() else "characters")
    if not rule.actions:
        raise BadRuleError("actions", "missing")
    if len(rule.conditions) > MOST_CONDITIONS or len(rule.actions) > MOST_ACTIONS:
        raise BadRuleError("conditions" if len(rule.conditions) > MOST_CONDITIONS else "actions", "many")
    for number, condition in enumerate(rule.conditions):
        check_condition(condition, f"conditions-{number}")
    for number, action in enumerate(rule.actions):
        check_action(action, f"actions-{number}")
    if len(to_json(rule)) > LONGEST_DATA:
        raise BadRuleError("conditions", "many")


def check_condition(condition: RuleCondition, where: str) -> None:
    """Raises BadRuleError, of the row `where`."""
    if condition.match not in MATCHES[condition.field]:
        raise BadRuleError(where, "match")
    if condition.field is ConditionField.HEADER and not is_header_name(condition.header):
        raise BadRuleError(f"{where}-header", "header")
    if not condition.values and condition.match is not MatchKind.PRESENT:
        raise BadRuleError(f"{where}-values", "missing")
    if len(condition.values) > MOST_VALUES:
        raise BadRuleError(f"{where}-values", "many")
    for value in condition.values:
        if not value.strip() or len(value) > LONGEST_VALUE:
            raise BadRuleError(f"{where}-values", "long" if value.strip() else "missing")
        if unwritable(value):
            raise BadRuleError(f"{where}-values", "characters")
        _check_value(condition.field, value, f"{where}-values")


def _check_value(field: ConditionField, value: str, where: str) -> None:
    ends = {ConditionField.WEEKDAY: 6, ConditionField.HOUR: 23, ConditionField.SPAM: 100, ConditionField.SIZE: 2**40}
    if field in ends and not (value.isascii() and value.isdigit() and int(value[:20]) <= ends[field]):
        raise BadRuleError(where, "number")
    if field is ConditionField.DATE and not _is_day(value):
        raise BadRuleError(where, "date")


def check_action(action: RuleAction, where: str) -> None:
    """Raises BadRuleError, of the row `where`."""
    needs_value = (ActionKind.MOVE, ActionKind.COPY, ActionKind.TAG, ActionKind.FORWARD, ActionKind.SNOOZE)
    if action.kind in needs_value and not action.value.strip():
        raise BadRuleError(f"{where}-value", "missing")
    if action.kind in (ActionKind.REPLY, ActionKind.REJECT) and not action.text.strip():
        raise BadRuleError(f"{where}-text", "missing")
    if len(action.value) > LONGEST_VALUE or len(action.text) > LONGEST_TEXT:
        raise BadRuleError(where, "long")
    if unwritable(action.value + action.text) or "\n" in action.value or "\r" in action.value:
        raise BadRuleError(where, "characters")
    if action.kind is ActionKind.SNOOZE and not (
        action.value.isascii() and action.value.isdigit() and 0 < int(action.value) <= 365
    ):
        raise BadRuleError(f"{where}-value", "number")


def is_header_name(name: str) -> bool:
    """A field name of RFC 5322, section 3.6.8."""
    return 0 < len(name) <= 100 and all("!" <= mark <= "~" and mark != ":" for mark in name)


def unwritable(text: str) -> bool:
    return any(mark == "\0" or "\ud800" <= mark <= "\udfff" for mark in text)


def _is_day(text: str) -> bool:
    try:
        return len(text) == 10 and bool(date.fromisoformat(text))
    except ValueError:
        return False


# --- as they are kept ------------------------------------------------------------------------------------------------


def to_json(rule: FilterRule) -> str:
    """One line of ASCII, without what is as it usually is."""
    found = asdict(rule)
    kept = {key: value for key, value in found.items() if value not in ((), "", False)}
    kept["conditions"] = [{key: value for key, value in one.items() if value} for one in found["conditions"]]
    kept["actions"] = [{key: value for key, value in one.items() if value} for one in found["actions"]]
    kept["on"] = rule.on
    return json.dumps(kept, separators=(",", ":"), sort_keys=True)


def from_json(text: str) -> FilterRule:
    """Raises BadRuleError for what `to_json` would not have written of a good rule: it stood in a script, where others write
    too."""
    try:
        found = json.loads(text)
        rule = FilterRule(
            name=_text(found.get("name", "")),
            conditions=tuple(_condition(one) for one in _items(found.get("conditions", []))),
            actions=tuple(_action(one) for one in _items(found.get("actions", []))),
            any=bool(found.get("any", False)),
            on=bool(found.get("on", True)),
            id=_text(found.get("id", ""))[:40],
        )
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise BadRuleError("rule", "unreadable") from error
    check(rule)
    return rule


def _condition(item: Mapping[str, Any]) -> RuleCondition:
    values = tuple(_text(value) for value in _items(item.get("values", [])))
    return RuleCondition(
        ConditionField(item["field"]),
        MatchKind(item["match"]),
        values,
        _text(item.get("header", "")),
        bool(item.get("negated", False)),
    )


def _action(item: Mapping[str, Any]) -> RuleAction:
    return RuleAction(ActionKind(item["kind"]), _text(item.get("value", "")), _text(item.get("text", "")))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _items(value: object) -> Sequence[Any]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return value
