"""Reader of Zimbra's filter rules as its SOAP interface tells them (`GetFilterRulesResponse`), in XML or in JSON.

Both say the same: `filterRule` with `filterTests` and `filterActions`. Its Sieve (`zimbraMailSieveScript`) is read as a script.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from webmail.filters.imports.found import (
    MOST_FOUND,
    CannotMap,
    Difference,
    FoundRule,
    FoundRules,
    LeftOut,
    NotReadable,
    WhyLeftOut,
    found_rule,
    plain,
)
from webmail.filters.imports.safe_xml import XmlNode, read_xml
from webmail.filters.imports.sieve_tests import ConditionGroup, all_of, any_of, group_of, opposite
from webmail.filters.rules import ActionKind, ConditionField, FilterRule, MatchKind, RuleAction, RuleCondition
from webmail.sieve.nodes import ListArgument, SieveTest, StringArgument, TagArgument

_UNITS = {"": 1, "B": 1, "K": 1024, "M": 1024**2, "G": 1024**3}
_FLAGS = {"read": ActionKind.READ, "flagged": ActionKind.FLAG}
_DEEPEST = 30


def read_zimbra_xml(text: str) -> FoundRules:
    """Raises NotReadable."""
    return _found(read_xml(text))


def read_zimbra_json(text: str) -> FoundRules:
    """Raises NotReadable."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotReadable("not JSON", getattr(error, "lineno", 0)) from error
    top = XmlNode("")
    _grow(top, "top", data, 0)
    return _found(top)


def _grow(parent: XmlNode, name: str, data: Any, depth: int) -> None:
    """JSON as the XML that it stands for: lists are elements of one name, objects elements, all else attributes."""
    if depth > _DEEPEST:
        raise NotReadable("too deep")
    if isinstance(data, list):
        for one in data:
            _grow(parent, name, one, depth + 1)
    elif isinstance(data, dict):
        node = XmlNode(name)
        parent.children.append(node)
        for key, value in data.items():
            _grow(node, key, value, depth + 1)
    elif name == "_content":
        parent.text = str(data)
    else:
        parent.attributes[name] = {True: "1", False: "0"}.get(data, str(data)) if isinstance(data, bool) else str(data)


def _found(top: XmlNode) -> FoundRules:
    rules: list[FoundRule] = []
    out: list[LeftOut] = []
    all_rules = list(top.all_named("filterRule"))
    if not all_rules and not any(top.all_named("filterRules")):
        raise NotReadable("no filter rules")
    for number, one in enumerate(all_rules[:MOST_FOUND], 1):
        name = one.attributes.get("name", "")
        try:
            rules.append(_rule(one, number))
        except CannotMap as error:
            out.append(LeftOut(plain(name, 100), plain(_told(one)), number, error.reason))
    return FoundRules("Zimbra", tuple(rules), tuple(out), more=len(all_rules) > MOST_FOUND)


def _told(one: XmlNode) -> str:
    """What its tests and actions say, in a line."""
    parts = []
    for kind in (*one.named("filterTests"), *one.named("filterActions")):
        for each in kind.children[:20]:
            values = " ".join(f"{key}={value}" for key, value in each.attributes.items() if key != "index")
            parts.append(f"{each.name} {values}".strip())
    return "; ".join(parts)


def _rule(one: XmlNode, number: int) -> FoundRule:
    if list(one.named("nestedRule")):
        raise CannotMap(WhyLeftOut.NESTED)
    tests = [test for group in one.named("filterTests") for test in group.children]
    joined = next((group.attributes.get("condition", "") for group in one.named("filterTests")), "allof")
    groups = [_group(test) for test in sorted(tests, key=_index)]
    group = any_of(groups) if joined == "anyof" and groups else all_of(groups)
    differences = set(group.differences)
    actions: list[RuleAction] = []
    for action in sorted((each for kind in one.named("filterActions") for each in kind.children), key=_index):
        actions += _action(action, differences)
    if any(action.kind is ActionKind.REPLY for action in actions):
        differences.add(Difference.STOPS)
    kinds = {action.kind for action in actions}
    if ActionKind.FORWARD in kinds and ActionKind.MOVE not in kinds:
        differences.add(Difference.COPY_STAYS)
    on = one.attributes.get("active", "1").lower() in ("1", "true")
    rule = FilterRule(one.attributes.get("name", ""), group.conditions, tuple(actions), group.any, on)
    return found_rule(rule, number, differences)


def _index(node: XmlNode) -> int:
    given = node.attributes.get("index", "0")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 6 else 0


# --- conditions ------------------------------------------------------------------------------------------------------


def _group(test: XmlNode) -> ConditionGroup:
    found = _positive(test)
    return opposite(found) if test.attributes.get("negative", "0").lower() in ("1", "true") else found


def _positive(test: XmlNode) -> ConditionGroup:
    given = test.attributes
    match test.name:
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
    raise CannotMap(WhyLeftOut.CONDITION)


def _compared(test: XmlNode) -> ConditionGroup:
    """By way of the Sieve that Zimbra makes of it."""
    kind, part = test.attributes.get("stringComparison", "is"), test.attributes.get("part", "all")
    if kind not in ("is", "contains", "matches") or part not in ("all", "domain", "localpart"):
        raise CannotMap(WhyLeftOut.CONDITION)
    names = ListArgument(tuple(one.strip() for one in _needed(test, "header").split(",")))
    last = (TagArgument(kind), names, StringArgument(_needed(test, "value")))
    exact = test.attributes.get("caseSensitive", "0").lower() in ("1", "true")
    comparator = (TagArgument("comparator"), StringArgument("i;octet")) if exact else ()
    if test.name == "addressTest":
        return group_of(SieveTest("address", (*comparator, TagArgument(part), *last)))
    return group_of(SieveTest("header", (*comparator, *last)))


def _size(test: XmlNode) -> ConditionGroup:
    size, way = test.attributes.get("s", "").upper(), test.attributes.get("numberComparison", "over")
    digits = size.rstrip("BKMG")
    unit = _UNITS.get(size[len(digits) :])
    if unit is None or not (digits.isascii() and digits.isdigit() and len(digits) < 12) or way not in ("over", "under"):
        raise CannotMap(WhyLeftOut.CONDITION)
    limit = int(digits) * unit
    if way == "under" and limit < 1:
        raise CannotMap(WhyLeftOut.NEVER)
    kind, value = (MatchKind.LEAST, limit + 1) if way == "over" else (MatchKind.MOST, limit - 1)
    return ConditionGroup((RuleCondition(ConditionField.SIZE, kind, (str(value),)),))


def _needed(test: XmlNode, name: str) -> str:
    value = test.attributes.get(name, "")
    if not value.strip():
        raise CannotMap(WhyLeftOut.CONDITION)
    return value


# --- actions ---------------------------------------------------------------------------------------------------------


def _action(action: XmlNode, differences: set[Difference]) -> Iterator[RuleAction]:
    given = action.attributes
    match action.name:
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
            raise CannotMap(WhyLeftOut.ACTION)


def _content(action: XmlNode) -> str:
    words = next((one.text for one in action.named("content")), action.attributes.get("content", ""))
    if "${" in words:
        raise CannotMap(WhyLeftOut.VARIABLES)
    return words
