"""Reader of Zimbra's filter rules as its SOAP interface tells them (`GetFilterRulesResponse`), in XML or in JSON.

Both say the same: `filterRule` with `filterTests` and `filterActions`. Its Sieve (`zimbraMailSieveScript`) is read as a script.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, SubElement

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
from webmail.filters.imports.sieve_tests import ConditionGroup, all_of, any_of, group_of, opposite
from webmail.filters.rules.rules import ActionKind, ConditionField, FilterRule, MatchKind, RuleAction, RuleCondition
from webmail.sieve.nodes import ListArgument, SieveTest, StringArgument, TagArgument

_UNITS = {"": 1, "B": 1, "K": 1024, "M": 1024**2, "G": 1024**3}
_FLAGS = {"read": ActionKind.READ, "flagged": ActionKind.FLAG}
_DEEPEST = 30


def read_zimbra_xml(text: str) -> FoundRules:
    """Raises NotReadableError."""
    return _found(read_xml(text))


def read_zimbra_json(text: str) -> FoundRules:
    """Raises NotReadableError."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotReadableError("not JSON", getattr(error, "lineno", 0)) from error
    top = Element("")
    _grow(top, "top", data, 0)
    return _found(top)


def _grow(parent: Element, name: str, data: Any, depth: int) -> None:
    """JSON as the XML that it stands for: lists are elements of one name, objects elements, all else attributes."""
    if depth > _DEEPEST:
        raise NotReadableError("too deep")
    if isinstance(data, list):
        for one in data:
            _grow(parent, name, one, depth + 1)
    elif isinstance(data, dict):
        node = SubElement(parent, name)
        for key, value in data.items():
            _grow(node, key, value, depth + 1)
    elif name == "_content":
        parent.text = str(data)
    else:
        parent.set(name, str(int(data)) if isinstance(data, bool) else str(data))


def _found(top: Element) -> FoundRules:
    rules: list[FoundRule] = []
    out: list[LeftOut] = []
    all_rules = list(top.iter("filterRule"))
    if not all_rules and next(top.iter("filterRules"), None) is None:
        raise NotReadableError("no filter rules")
    for number, one in enumerate(all_rules[:MOST_FOUND], 1):
        name = one.get("name", "")
        try:
            rules.append(_rule(one, number))
        except CannotMapError as error:
            out.append(LeftOut(plain(name, 100), plain(_told(one)), number, error.reason))
    return FoundRules("Zimbra", tuple(rules), tuple(out), more=len(all_rules) > MOST_FOUND)


def _told(element: Element) -> str:
    """What its tests and actions say, in a line."""
    parts = []
    for kind in (*element.iterfind("filterTests"), *element.iterfind("filterActions")):
        for each in kind[:20]:
            values = " ".join(f"{key}={value}" for key, value in each.items() if key != "index")
            parts.append(f"{each.tag} {values}".strip())
    return "; ".join(parts)


def _rule(element: Element, number: int) -> FoundRule:
    if element.find("nestedRule") is not None:
        raise CannotMapError(WhyLeftOut.NESTED)
    tests = element.findall("filterTests/*")
    joined = next((group.get("condition", "") for group in element.iterfind("filterTests")), "allof")
    groups = [_group(test) for test in sorted(tests, key=_index)]
    group = any_of(groups) if joined == "anyof" and groups else all_of(groups)
    differences = set(group.differences)
    actions: list[RuleAction] = []
    for action in sorted(element.iterfind("filterActions/*"), key=_index):
        actions += _action(action, differences)
    if any(action.kind is ActionKind.REPLY for action in actions):
        differences.add(Difference.STOPS)
    kinds = {action.kind for action in actions}
    if ActionKind.FORWARD in kinds and ActionKind.MOVE not in kinds:
        differences.add(Difference.COPY_STAYS)
    on = element.get("active", "1").lower() in ("1", "true")
    rule = FilterRule(element.get("name", ""), group.conditions, tuple(actions), group.any, on)
    return found_rule(rule, number, differences)


def _index(node: Element) -> int:
    given = node.get("index", "0")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 6 else 0


# --- conditions ------------------------------------------------------------------------------------------------------


def _group(test: Element) -> ConditionGroup:
    found = _positive(test)
    return opposite(found) if test.get("negative", "0").lower() in ("1", "true") else found


def _positive(test: Element) -> ConditionGroup:
    given = test.attrib
    match test.tag:
        case "trueTest":
            return ConditionGroup()
        case "headerTest" | "mimeHeaderTest" | "addressTest":
            return _compared(test)
        case "headerExistsTest":
            return group_of(SieveTest("exists", (StringArgument(_needed(test, "header")),)))
        case "sizeTest":
            return _size(test)
        case "bodyTest":
            differences = frozenset([Difference.CASE]) if given.get("caseSensitive", "0") in ("1", "true") else frozenset()
            return ConditionGroup(
                (RuleCondition(ConditionField.BODY, MatchKind.CONTAINS, (_needed(test, "value"),)),), False, differences
            )
        case "attachmentTest":
            return ConditionGroup((RuleCondition(ConditionField.ATTACHMENT, MatchKind.PRESENT),))
        case "addressBookTest" if given.get("header", "").lower() == "from":
            return ConditionGroup((RuleCondition(ConditionField.CONTACTS, MatchKind.PRESENT),))
        case "listTest":
            return ConditionGroup((RuleCondition(ConditionField.LIST, MatchKind.PRESENT),))
    raise CannotMapError(WhyLeftOut.CONDITION)


def _compared(test: Element) -> ConditionGroup:
    """By way of the Sieve that Zimbra makes of it."""
    kind, part = test.get("stringComparison", "is"), test.get("part", "all")
    if kind not in ("is", "contains", "matches") or part not in ("all", "domain", "localpart"):
        raise CannotMapError(WhyLeftOut.CONDITION)
    names = ListArgument(tuple(one.strip() for one in _needed(test, "header").split(",")))
    last = (TagArgument(kind), names, StringArgument(_needed(test, "value")))
    exact = test.get("caseSensitive", "0").lower() in ("1", "true")
    comparator = (TagArgument("comparator"), StringArgument("i;octet")) if exact else ()
    if test.tag == "addressTest":
        return group_of(SieveTest("address", (*comparator, TagArgument(part), *last)))
    return group_of(SieveTest("header", (*comparator, *last)))


def _size(test: Element) -> ConditionGroup:
    size, way = test.get("s", "").upper(), test.get("numberComparison", "over")
    digits = size.rstrip("BKMG")
    unit = _UNITS.get(size[len(digits) :])
    if unit is None or not (digits.isascii() and digits.isdigit() and len(digits) < 12) or way not in ("over", "under"):
        raise CannotMapError(WhyLeftOut.CONDITION)
    limit = int(digits) * unit
    if way == "under" and limit < 1:
        raise CannotMapError(WhyLeftOut.NEVER)
    kind, value = (MatchKind.LEAST, limit + 1) if way == "over" else (MatchKind.MOST, limit - 1)
    return ConditionGroup((RuleCondition(ConditionField.SIZE, kind, (str(value),)),))


def _needed(test: Element, name: str) -> str:
    value = test.get(name, "")
    if not value.strip():
        raise CannotMapError(WhyLeftOut.CONDITION)
    return value


# --- actions ---------------------------------------------------------------------------------------------------------


def _action(action: Element, differences: set[Difference]) -> Iterator[RuleAction]:
    given = action.attrib
    match action.tag:
        case "actionFileInto":
            folder = given.get("folderPath", "").strip("/")
            copy = given.get("copy", "0").lower() in ("1", "true")
            yield RuleAction(ActionKind.COPY if copy else ActionKind.MOVE, "INBOX" if folder.lower() == "inbox" else folder)
        case "actionKeep":
            yield RuleAction(ActionKind.MOVE, "INBOX")
        case "actionDiscard":
            differences.add(Difference.TRASH)
            yield RuleAction(ActionKind.DELETE)
        case "actionStop":
            yield RuleAction(ActionKind.STOP)
        case "actionTag":
            yield RuleAction(ActionKind.TAG, given.get("tagName", ""))
        case "actionFlag" if given.get("flagName", "") in _FLAGS:
            yield RuleAction(_FLAGS[given["flagName"]])
        case "actionRedirect":
            yield RuleAction(ActionKind.FORWARD, given.get("a", ""))
        case "actionReply":
            differences.add(Difference.ONCE_A_DAY)
            yield RuleAction(ActionKind.REPLY, text=_content(action))
        case "actionReject" | "actionEreject":
            yield RuleAction(ActionKind.REJECT, text=action.text or given.get("content", "") or _content(action))
        case _:
            raise CannotMapError(WhyLeftOut.ACTION)


def _content(action: Element) -> str:
    words = next((one.text or "" for one in action.iterfind("content")), action.get("content", ""))
    if "${" in words:
        raise CannotMapError(WhyLeftOut.VARIABLES)
    return words
