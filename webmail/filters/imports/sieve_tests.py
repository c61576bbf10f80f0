"""Sieve tests (RFC 5228, section 5) as conditions, where ours say the same; what differs is named, all else refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from webmail.filters.imports.found import CannotMapError, Difference, WhyLeftOut
from webmail.filters.rules.compiler import SievePlace, compiled
from webmail.filters.rules.rules import (
    MOST_CONDITIONS,
    ActionKind,
    ConditionField,
    FilterRule,
    MatchKind,
    RuleAction,
    RuleCondition,
)
from webmail.sieve.nodes import Command, NumberArgument, SieveArgument, SieveTest, TagArgument, texts

_WITH_VALUE = frozenset(["comparator", "value", "count", "zone", "index", "param", "content", "in"])
_MATCHES = {"is": MatchKind.IS, "contains": MatchKind.CONTAINS, "matches": MatchKind.MATCHES}
_PEOPLE = {"from": ConditionField.FROM, "to": ConditionField.TO, "cc": ConditionField.CC}
_HEADERS = {"subject": ConditionField.SUBJECT, "list-id": ConditionField.LIST}
_PLACES = (SievePlace(frozenset()), SievePlace(frozenset(["comparator-i;unicode-casemap"])))
_STOP = (RuleAction(ActionKind.STOP),)
_ORDERS = (MatchKind.LEAST, MatchKind.MOST)


@dataclass(frozen=True, slots=True)
class ConditionGroup:
    """All of these, or one of these; none at all: every message."""

    conditions: tuple[RuleCondition, ...] = ()
    any: bool = False
    differences: frozenset[Difference] = frozenset()

    @property
    def is_all(self) -> bool:
        return not self.any or len(self.conditions) < 2


def group_of(test: SieveTest) -> ConditionGroup:
    """Raises CannotMapError."""
    match test.name:
        case "true":
            return ConditionGroup()
        case "false":
            raise CannotMapError(WhyLeftOut.NEVER)
        case "not":
            return opposite(group_of(_only(test.tests)))
        case "allof":
            return all_of([group_of(one) for one in test.tests])
        case "anyof":
            own = _own(test)
            return own if own is not None else any_of([group_of(one) for one in test.tests])
    return merged(_LEAVES[test.name](test)) if test.name in _LEAVES else _refuse()


def all_of(groups: Sequence[ConditionGroup]) -> ConditionGroup:
    """Raises CannotMapError where "one of" would stand within."""
    told = [one for one in map(merged, groups) if one.conditions]
    differences = frozenset(one for group in groups for one in group.differences)
    if len(told) == 1:
        return replace(told[0], differences=differences)
    if not all(one.is_all for one in told):
        raise CannotMapError(WhyLeftOut.NESTED)
    return _bounded(ConditionGroup(tuple(one for group in told for one in group.conditions), False, differences))


def any_of(groups: Sequence[ConditionGroup]) -> ConditionGroup:
    told = [merged(one) for one in groups]
    differences = frozenset(one for group in groups for one in group.differences)
    if not all(one.conditions for one in told):
        return ConditionGroup((), False, differences)
    if len(told) == 1:
        return told[0]
    if not all(one.any or len(one.conditions) == 1 for one in told):
        raise CannotMapError(WhyLeftOut.NESTED)
    return merged(_bounded(ConditionGroup(tuple(one for group in told for one in group.conditions), True, differences)))


def opposite(group: ConditionGroup) -> ConditionGroup:
    """None of these, or not all of these. Raises CannotMapError for the opposite of every message."""
    if not group.conditions:
        raise CannotMapError(WhyLeftOut.NEVER)
    turned = tuple(replace(one, negated=not one.negated) for one in group.conditions)
    return merged(ConditionGroup(turned, not group.any, group.differences))


def merged(group: ConditionGroup) -> ConditionGroup:
    """With the values of conditions that only differ in those together: one of "a", one of "b" is one of both."""
    found: dict[object, RuleCondition] = {}
    for number, one in enumerate(group.conditions):
        joins = one.values and one.match not in _ORDERS and (one.negated != group.any or len(group.conditions) == 1)
        key = (one.field, one.match, one.header, one.negated) if joins else number
        before = found.get(key)
        values = tuple(dict.fromkeys((*before.values, *one.values))) if before else one.values
        found[key] = replace(one, values=values)
    kept = tuple(found.values())
    return replace(group, conditions=kept, any=group.any and len(kept) > 1)


def _bounded(group: ConditionGroup) -> ConditionGroup:
    if len(group.conditions) > 4 * MOST_CONDITIONS:
        raise CannotMapError(WhyLeftOut.LIMIT)
    return group


def _refuse(reason: WhyLeftOut = WhyLeftOut.CONDITION) -> ConditionGroup:
    raise CannotMapError(reason)


def _only(tests: Sequence[SieveTest]) -> SieveTest:
    if len(tests) != 1:
        raise CannotMapError(WhyLeftOut.CONDITION)
    return tests[0]


# --- arguments -------------------------------------------------------------------------------------------------------


def tagged(
    node: SieveTest | Command, allowed: Iterable[str], count: int
) -> tuple[Mapping[str, SieveArgument | None], list[SieveArgument]]:
    """The tags of a test or command, with the values of those that have one, and its `count` other arguments.

    Raises CannotMapError for other tags, or another number.
    """
    tags: dict[str, SieveArgument | None] = {}
    rest: list[SieveArgument] = []
    waiting = ""
    for argument in node.arguments:
        if waiting:
            tags[waiting], waiting = argument, ""
        elif isinstance(argument, TagArgument):
            tags[argument.name] = None
            waiting = argument.name if argument.name in _WITH_VALUE or argument.name in _COMMAND_VALUES else ""
        else:
            rest.append(argument)
    if waiting or len(rest) != count or not set(tags) <= set(allowed):
        raise CannotMapError(WhyLeftOut.CONDITION if isinstance(node, SieveTest) else WhyLeftOut.ACTION)
    return tags, rest


_COMMAND_VALUES = frozenset(["days", "subject", "handle", "addresses", "from", "flags", "specialuse", "seconds"])


def _compared(tags: Mapping[str, SieveArgument | None], values: Sequence[str]) -> tuple[MatchKind, tuple[str, ...], bool]:
    """How to compare with what, and whether capitals counted."""
    named = [_MATCHES[tag] for tag in tags if tag in _MATCHES]
    if len(named) > 1:
        raise CannotMapError(WhyLeftOut.CONDITION)
    comparator = "".join(texts(given)) if (given := tags.get("comparator")) else "i;ascii-casemap"
    if comparator not in ("i;ascii-casemap", "i;unicode-casemap", "i;octet"):
        raise CannotMapError(WhyLeftOut.CONDITION)
    kind, keys = _simpler(named[0] if named else MatchKind.IS, tuple(values))
    return kind, keys, comparator == "i;octet"


def _simpler(kind: MatchKind, keys: tuple[str, ...]) -> tuple[MatchKind, tuple[str, ...]]:
    """`:matches` by the plain word for it, where all keys have the same form."""
    if kind is not MatchKind.MATCHES or not keys:
        return kind, keys
    forms: tuple[tuple[MatchKind, Callable[[str], str | None]], ...] = (
        (MatchKind.IS, _literal),
        (MatchKind.CONTAINS, lambda key: _literal(key[1:-1]) if key[:1] == "*" and key[1:].endswith("*") else None),
        (MatchKind.BEGINS, lambda key: _literal(key[:-1]) if key.endswith("*") else None),
        (MatchKind.ENDS, lambda key: _literal(key[1:]) if key.startswith("*") else None),
    )
    for form, read in forms:
        found = [read(key) for key in keys]
        if all(found):
            return form, tuple(one for one in found if one)
    return kind, keys


def _literal(pattern: str) -> str | None:
    """What a pattern says word by word; None if it has wildcards, or ends in a backslash that takes one away."""
    found, at = [], 0
    while at < len(pattern):
        mark = pattern[at]
        if mark in "*?" or (mark == "\\" and at + 1 == len(pattern)):
            return None
        at += 1 + (mark == "\\")
        found.append(pattern[at - 1])
    return "".join(found)


def _own(test: SieveTest) -> ConditionGroup | None:
    """A test that we wrote ourselves: one condition that takes several tests."""
    if len(test.tests) != 2 or not all(one.arguments for one in test.tests):
        return None
    keys = texts(test.tests[0].arguments[-1])
    for candidate in _candidates(keys):
        rule = FilterRule("", (candidate,), _STOP)
        if any(compiled(rule, place)[0].tests == (test,) for place in _PLACES):
            return ConditionGroup((candidate,))
    return None


def _candidates(keys: tuple[str, ...]) -> Iterable[RuleCondition]:
    if not keys or not all(key.strip() for key in keys):
        return
    kinds = [(kind, keys) for kind in (MatchKind.CONTAINS, MatchKind.IS)]
    kinds += [_simpler(MatchKind.MATCHES, keys), (MatchKind.MATCHES, keys)]
    fields = (*_PEOPLE.values(), ConditionField.RECIPIENT, ConditionField.ATTACHMENT)
    if keys == ("?*",):
        yield RuleCondition(ConditionField.ATTACHMENT, MatchKind.PRESENT)
    for field in fields:
        for kind, values in kinds:
            yield RuleCondition(field, kind, values)


# --- tests -----------------------------------------------------------------------------------------------------------


def _header(test: SieveTest) -> ConditionGroup:
    if any(isinstance(one, TagArgument) and one.name == "mime" for one in test.arguments):
        return _attachment_type(test)
    tags, (names, given) = tagged(test, (*_MATCHES, "comparator"), 2)
    keys = _once(texts(given))
    kind, values, exact = _compared(tags, keys)
    if keys in (("",), ("*",)) and kind in (MatchKind.CONTAINS, MatchKind.MATCHES):
        kind, values, exact = MatchKind.PRESENT, (), False
    if kind is not MatchKind.PRESENT and not (values and all(values)):
        return _refuse()
    conditions = tuple(_of_header(name.lower(), kind, values) for name in texts(names))
    return ConditionGroup(conditions, True, frozenset([Difference.CASE] if exact else ())) if conditions else _refuse()


def _once(keys: tuple[str, ...]) -> tuple[str, ...]:
    """Without those that ours have twice, with a space before for folded headers."""
    return tuple(key for key in keys if not (key.startswith(" ") and key[1:] in keys))


def _of_header(name: str, kind: MatchKind, values: tuple[str, ...]) -> RuleCondition:
    """Ours for people also ask the address alone, which makes a difference to all but "contains"."""
    if name in _PEOPLE and kind is MatchKind.CONTAINS:
        return RuleCondition(_PEOPLE[name], kind, values)
    if name in _HEADERS and (name != "subject" or kind is not MatchKind.PRESENT):
        return RuleCondition(_HEADERS[name], kind, values)
    return RuleCondition(ConditionField.HEADER, kind, values, name)


def _attachment_type(test: SieveTest) -> ConditionGroup:
    keys = texts(test.arguments[-1])
    for kind, values in (*((kind, keys) for kind in _MATCHES.values()), _simpler(MatchKind.MATCHES, keys)):
        candidate = RuleCondition(ConditionField.ATTACHMENT_TYPE, kind, values)
        rule = FilterRule("", (candidate,), _STOP)
        if values and any(compiled(rule, place)[0].tests == (test,) for place in _PLACES):
            return ConditionGroup((candidate,))
    return _refuse()


def _address(test: SieveTest) -> ConditionGroup:
    tags, (names, given) = tagged(test, (*_MATCHES, "comparator", "all", "domain", "localpart"), 2)
    kind, values, exact = _compared(tags, texts(given))
    headers = [name.lower() for name in texts(names)]
    people = [name for name in headers if name in _PEOPLE]
    others = [name for name in headers if name not in _PEOPLE]  # Ingo's blacklist asks Sender and Resent-From too
    whole = kind is MatchKind.IS and not tags.keys() & {"domain", "localpart"} and all("@" in value for value in values)
    if not people or (others and not whole) or not (values and all(values)):
        return _refuse()
    differences = {Difference.CASE} if exact else set()
    if others:
        differences.add(Difference.NAMES)
    if "domain" in tags:
        kind, values = _of_domain(kind, values)
    elif "localpart" in tags:
        if kind is not MatchKind.IS:
            return _refuse()
        kind, values = MatchKind.BEGINS, tuple(f"{value}@" for value in values)
    if kind not in (MatchKind.IS, MatchKind.ENDS):
        differences.add(Difference.NAMES)
    asked = [RuleCondition(_PEOPLE[one], kind, values) for one in people]
    asked += [RuleCondition(ConditionField.HEADER, MatchKind.CONTAINS, values, one) for one in others]
    return ConditionGroup(tuple(asked), True, frozenset(differences))


def _of_domain(kind: MatchKind, values: tuple[str, ...]) -> tuple[MatchKind, tuple[str, ...]]:
    match kind:
        case MatchKind.IS:
            return MatchKind.ENDS, tuple(f"@{value}" for value in values)
        case MatchKind.ENDS:
            return kind, values
        case MatchKind.MATCHES:
            return kind, tuple(f"*@{value}" for value in values)
    raise CannotMapError(WhyLeftOut.CONDITION)


def _exists(test: SieveTest) -> ConditionGroup:
    _tags, (names,) = tagged(test, (), 1)
    return ConditionGroup(tuple(_of_header(name.lower(), MatchKind.PRESENT, ()) for name in texts(names)) or _refuse().conditions)


def _body(test: SieveTest) -> ConditionGroup:
    tags, (given,) = tagged(test, (*_MATCHES, "comparator", "text"), 1)
    kind, values, exact = _compared(tags, texts(given))
    if kind is not MatchKind.CONTAINS or not (values and all(values)):
        return _refuse()
    return ConditionGroup(
        (RuleCondition(ConditionField.BODY, kind, values),), False, frozenset([Difference.CASE] if exact else ())
    )


def _size(test: SieveTest) -> ConditionGroup:
    tags, (limit,) = tagged(test, ("over", "under"), 1)
    if len(tags) != 1 or not isinstance(limit, NumberArgument) or ("under" in tags and limit.value < 1):
        return _refuse()
    kind, size = (MatchKind.LEAST, limit.value + 1) if "over" in tags else (MatchKind.MOST, limit.value - 1)
    return ConditionGroup((RuleCondition(ConditionField.SIZE, kind, (str(size),)),))


def _currentdate(test: SieveTest) -> ConditionGroup:
    """By the server's own clock, as ours are."""
    tags, (part, given) = tagged(test, ("is", "value", "comparator"), 2)
    name = "".join(texts(part)).lower()
    if name not in ("date", "hour", "weekday"):
        return _refuse()
    field = ConditionField(name)
    numeric = "comparator" in tags and texts(tags["comparator"] or part) == ("i;ascii-numeric",)
    if numeric and field is ConditionField.DATE:  # compares the year alone
        return _refuse()
    if "comparator" in tags and not numeric and texts(tags["comparator"] or part) != ("i;ascii-casemap",):
        return _refuse()
    values = tuple(str(int(value)) if field is not ConditionField.DATE and _is_number(value) else value for value in texts(given))
    if "value" not in tags:
        return ConditionGroup((RuleCondition(field, MatchKind.IS, values),))
    orders = {"ge": (MatchKind.LEAST, False), "le": (MatchKind.MOST, False), "lt": (MatchKind.LEAST, True),
              "gt": (MatchKind.MOST, True), "eq": (MatchKind.IS, False), "ne": (MatchKind.IS, True)}  # fmt: skip
    found = orders.get("".join(texts(tags["value"] or part)).lower())
    if found is None or len(values) != 1 or (field is ConditionField.WEEKDAY and found[0] in _ORDERS):
        return _refuse()
    return ConditionGroup((RuleCondition(field, found[0], values, negated=found[1]),))


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) < 3


def _spamtest(test: SieveTest) -> ConditionGroup:
    """In percent alone: the other scale (RFC 5235, section 2.1) knows ten steps."""
    tags, (given,) = tagged(test, ("percent", "value", "comparator"), 1)
    values = texts(given)
    if not {"percent", "value"} <= set(tags) or texts(tags["value"] or given) != ("ge",) or len(values) != 1:
        return _refuse()
    return ConditionGroup((RuleCondition(ConditionField.SPAM, MatchKind.LEAST, values),))


_LEAVES: Mapping[str, Callable[[SieveTest], ConditionGroup]] = {
    "header": _header,
    "address": _address,
    "exists": _exists,
    "body": _body,
    "size": _size,
    "currentdate": _currentdate,
    "spamtest": _spamtest,
}
