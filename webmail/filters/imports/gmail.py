"""Reader of Gmail's exported filters (`mailFilters.xml`): an Atom feed, an entry for each, `apps:property` for all it says.

Gmail searches for words, ours for text: a filter comes over where its search is plain, and the difference is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from xml.etree.ElementTree import Element

from webmail.filters.imports.found import (
    MOST_FOUND,
    CannotMapError,
    Difference,
    FoundRule,
    FoundRules,
    LeftOut,
    NotReadableError,
    WhyLeftOut,
    found_rule,
    plain,
    read_xml,
)
from webmail.filters.imports.sieve_tests import ConditionGroup, all_of
from webmail.filters.rules.rules import ActionKind, ConditionField, FilterRule, MatchKind, RuleAction, RuleCondition

_ASKED = {"from": ConditionField.FROM, "to": ConditionField.RECIPIENT, "subject": ConditionField.SUBJECT}
_EVERYWHERE = (ConditionField.SUBJECT, ConditionField.BODY, ConditionField.FROM, ConditionField.RECIPIENT)
_UNITS = {"s_sb": 1, "s_skb": 1024, "s_smb": 1024**2}
_TOKEN = re.compile(r'\s*(?:"(?P<quoted>[^"]{1,500})"|(?P<mark>[(){}])|(?P<word>[^\s"(){}]{1,500}))')
_OPERATOR = re.compile(
    r'(?<!\S)(?P<minus>-?)(?P<name>[A-Za-z_]{2,20}):(?!//)(?:\((?P<group>[^(){}]{1,2000})\)|(?P<value>"[^"]{1,500}"|[^\s(){}"]{1,500}))'
)
_SIZE = re.compile(r"([0-9]{1,11})([kKmM]?)[bB]?")
_QUIET = frozenset(["sizeOperator", "sizeUnit", "excludeChats"])  # in every export, alone they say nothing
_ACTS = frozenset(["label", "shouldArchive", "shouldMarkAsRead", "shouldStar", "shouldTrash", "forwardTo"])
_ASKS = frozenset(["from", "to", "subject", "hasTheWord", "doesNotHaveTheWord", "hasAttachment", "size"])


def read_gmail(text: str) -> FoundRules:
    """Raises NotReadableError."""
    feed = read_xml(text)
    if feed.tag != "feed":
        raise NotReadableError("not a feed")
    entries = [one for one in feed.iterfind("entry") if one.find("property") is not None]
    rules: list[FoundRule] = []
    out: list[LeftOut] = []
    for number, entry in enumerate(entries[:MOST_FOUND], 1):
        told = _properties(entry)
        try:
            rules.append(_rule(told, number))
        except CannotMapError as error:
            words = "; ".join(f"{key}: {value}" for key, value in told.items() if key not in _QUIET)
            out.append(LeftOut("", plain(words), number, error.reason))
    return FoundRules("Gmail", tuple(rules), tuple(out), more=len(entries) > MOST_FOUND)


def _properties(entry: Element) -> dict[str, str]:
    return {one.get("name", ""): one.get("value", "") for one in entry.iterfind("property")}


def _rule(told: Mapping[str, str], number: int) -> FoundRule:
    differences: set[Difference] = set()
    group = _conditions(told, differences)
    actions = list(_actions(told, differences))
    known = _ACTS | _ASKS | _QUIET
    left = [f"{key}: {value}" for key, value in told.items() if key not in known and value not in ("", "false")]
    if left:
        differences.add(Difference.LEFT_ACTION)
    if any(one.field is ConditionField.RECIPIENT for one in group.conditions):
        differences.add(Difference.RESENT)
    if not group.conditions:
        raise CannotMapError(WhyLeftOut.CONDITION)
    return found_rule(FilterRule("", group.conditions, tuple(actions), group.any), number, differences | group.differences, left)


# --- what is done ----------------------------------------------------------------------------------------------------


def _actions(told: Mapping[str, str], differences: set[Difference]) -> Iterator[RuleAction]:
    if _is(told, "shouldMarkAsRead"):
        yield RuleAction(ActionKind.READ)
    if _is(told, "shouldStar"):
        yield RuleAction(ActionKind.FLAG)
    label, archived = told.get("label", ""), _is(told, "shouldArchive")
    if label and not archived:
        differences.add(Difference.LABEL)
        yield RuleAction(ActionKind.TAG, label)
    if told.get("forwardTo"):
        yield RuleAction(ActionKind.FORWARD, told["forwardTo"])
    if _is(told, "shouldTrash"):
        yield RuleAction(ActionKind.DELETE)
    elif archived:
        yield RuleAction(ActionKind.MOVE, label or "Archive")


def _is(told: Mapping[str, str], name: str) -> bool:
    return told.get(name, "") == "true"


# --- what is asked ---------------------------------------------------------------------------------------------------


def _conditions(told: Mapping[str, str], differences: set[Difference]) -> ConditionGroup:
    groups = []
    for name, asked in _ASKED.items():
        if told.get(name, "").strip():
            groups.append(_searched(told[name], (asked,)))
    if told.get("hasTheWord", "").strip():
        groups.append(_search(told["hasTheWord"]))
    if told.get("doesNotHaveTheWord", "").strip():
        words = _search_words(told["doesNotHaveTheWord"])
        if len(words) > 1:  # Gmail: none of them together
            raise CannotMapError(WhyLeftOut.NESTED)
        conditions = tuple(RuleCondition(one, MatchKind.CONTAINS, words[0], negated=True) for one in _EVERYWHERE)
        groups.append(ConditionGroup(conditions))
    if _is(told, "hasAttachment"):
        groups.append(ConditionGroup((RuleCondition(ConditionField.ATTACHMENT, MatchKind.PRESENT),)))
    if told.get("size", "").strip() not in ("", "0"):
        groups.append(ConditionGroup((_size(told),)))
    if any(told.get(name, "").strip() for name in (*_ASKED, "hasTheWord", "doesNotHaveTheWord")):
        differences.add(Difference.WORDS)
    return all_of(groups)


def _size(told: Mapping[str, str]) -> RuleCondition:
    number, unit = told["size"].strip(), _UNITS.get(told.get("sizeUnit", "s_sb"))
    if unit is None or not (number.isascii() and number.isdigit() and len(number) < 12):
        raise CannotMapError(WhyLeftOut.CONDITION)
    match told.get("sizeOperator", "s_sl"):
        case "s_sl":
            return RuleCondition(ConditionField.SIZE, MatchKind.LEAST, (str(int(number) * unit + 1),))
        case "s_ss" if int(number) > 0:
            return RuleCondition(ConditionField.SIZE, MatchKind.MOST, (str(int(number) * unit - 1),))
    raise CannotMapError(WhyLeftOut.CONDITION)


def _search(text: str) -> ConditionGroup:
    """`hasTheWord`: plain words, operators that have an equal here (`from:(a) subject:(b OR c) has:attachment larger:5M`), or one
    operator's alternatives (`from:a OR from:b`)."""
    if len(text) > 20_000:
        raise CannotMapError(WhyLeftOut.LIMIT)
    asked, rest = _operators(text)
    if not asked:
        return _searched(text, _EVERYWHERE)
    joins = re.findall(r"(?<!\S)(?:OR|\|)(?!\S)", rest)
    plain_words = re.sub(r"(?<!\S)(?:OR|\|)(?!\S)", " ", rest).strip()
    if joins:
        if len({name for _not, name, _value in asked}) > 1 or plain_words or len(joins) != len(asked) - 1:
            raise CannotMapError(WhyLeftOut.NESTED)
        minus, name, _value = asked[0]
        asked = [(minus, name, " OR ".join(value for _not, _name, value in asked))] if not minus else []
    groups = [_condition_group(*one) for one in asked]
    if not groups:
        raise CannotMapError(WhyLeftOut.NESTED)
    return all_of([*groups, *([_searched(plain_words, _EVERYWHERE)] if plain_words else [])])


def _operators(text: str) -> tuple[list[tuple[bool, str, str]], str]:
    """Each operator as (with a minus, name, value without parentheses around it), and what else the search has."""
    found = [(bool(one["minus"]), one["name"].lower(), one["group"] or one["value"]) for one in _OPERATOR.finditer(text)]
    return found, _OPERATOR.sub(" ", text)


def _condition_group(minus: bool, name: str, value: str) -> ConditionGroup:
    fields = {**_ASKED, "list": ConditionField.LIST}
    if name in fields:
        group = _searched(value, (fields[name],))
    elif name == "has" and value == "attachment":
        group = ConditionGroup((RuleCondition(ConditionField.ATTACHMENT, MatchKind.PRESENT),))
    elif name in ("larger", "larger_than", "size", "smaller", "smaller_than") and (size := _SIZE.fullmatch(value)):
        operator = "s_ss" if name.startswith("smaller") else "s_sl"
        unit = {"": "s_sb", "k": "s_skb", "m": "s_smb"}[size[2].lower()]
        group = ConditionGroup((_size({"size": size[1], "sizeUnit": unit, "sizeOperator": operator}),))
    else:
        raise CannotMapError(WhyLeftOut.CONDITION)
    if minus and len(group.conditions) > 1:
        raise CannotMapError(WhyLeftOut.NESTED)
    return replace(group, conditions=tuple(replace(one, negated=True) for one in group.conditions)) if minus else group


def _searched(text: str, fields: tuple[ConditionField, ...]) -> ConditionGroup:
    """All words, each one of its alternatives, in one of the fields."""
    words = _search_words(text)
    if len(fields) > 1 and len(words) > 1:
        raise CannotMapError(WhyLeftOut.NESTED)
    if len(words) == 1:
        return ConditionGroup(tuple(RuleCondition(one, MatchKind.CONTAINS, words[0]) for one in fields), len(fields) > 1)
    return ConditionGroup(tuple(RuleCondition(fields[0], MatchKind.CONTAINS, one) for one in words))


def _search_words(text: str) -> list[tuple[str, ...]]:
    """The words of a search, each with its alternatives: `a OR b`, `{a b}`. Raises CannotMapError for what is no plain search."""
    found: list[list[str]] = []
    braces, joins = False, False
    for mark, word, quoted in _tokens(text):
        if mark:
            braces = mark == "{" or (braces and mark != "}")
            joins = False if mark in "{}" else joins
            if mark == "{":
                found.append([])
            continue
        if not quoted and word in ("OR", "|"):
            joins = bool(found)
            continue
        if not quoted and (word in ("AND", "AROUND", "NOT") or word[:1] in "-+" or _is_operator(word)):
            raise CannotMapError(WhyLeftOut.CONDITION)
        plain_word = word if quoted else word.strip("<>,;").strip("*")  # "*@corp.example" is what has "@corp.example"
        if not plain_word or "*" in plain_word:
            raise CannotMapError(WhyLeftOut.CONDITION)
        if (joins or braces) and found:
            found[-1].append(plain_word)
        else:
            found.append([plain_word])
        joins = False
    groups = [tuple(one) for one in found if one]
    if not groups or ("(" in text and len(groups) > 1):
        raise CannotMapError(WhyLeftOut.CONDITION)
    return groups


def _is_operator(word: str) -> bool:
    name, colon, _value = word.partition(":")
    return bool(colon) and name.isalpha()


def _tokens(text: str) -> Iterator[tuple[str, str, bool]]:
    if len(text) > 20_000:
        raise CannotMapError(WhyLeftOut.LIMIT)
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None:
            raise CannotMapError(WhyLeftOut.CONDITION)
        yield found["mark"] or "", found["quoted"] or found["word"] or "", found["quoted"] is not None
        at = found.end()
