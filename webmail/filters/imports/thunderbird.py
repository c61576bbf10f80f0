"""Reader of Thunderbird's message filters, `msgFilterRules.dat`: lines of `name="value"`, a filter from each `name=` on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from imapclient import imap_utf7

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
)
from webmail.filters.rules.rules import (
    MOST_CONDITIONS,
    ActionKind,
    ConditionField,
    FilterRule,
    MatchKind,
    RuleAction,
    RuleCondition,
)

_LINE = re.compile(r'\s*(?P<key>[A-Za-z]{1,40})="(?P<value>(?:[^"\\]|\\.)*)"\s*')
_ESCAPED = re.compile(r'\\([\\"])')
_TERM = re.compile(r"\s*(?P<joined>AND|OR)\s*\(", re.IGNORECASE)

_FIELDS: Mapping[str, ConditionField] = {
    "subject": ConditionField.SUBJECT,
    "from": ConditionField.FROM,
    "to": ConditionField.TO,
    "cc": ConditionField.CC,
    "to or cc": ConditionField.RECIPIENT,
    "body": ConditionField.BODY,
    "size": ConditionField.SIZE,
}
_MATCHES: Mapping[str, tuple[MatchKind, bool]] = {
    "contains": (MatchKind.CONTAINS, False),
    "doesn't contain": (MatchKind.CONTAINS, True),
    "is": (MatchKind.IS, False),
    "isn't": (MatchKind.IS, True),
    "begins with": (MatchKind.BEGINS, False),
    "ends with": (MatchKind.ENDS, False),
}
_SIMPLE_ACTIONS: Mapping[str, ActionKind] = {
    "mark read": ActionKind.READ,
    "mark flagged": ActionKind.FLAG,
    "delete": ActionKind.DELETE,
    "stop execution": ActionKind.STOP,
}


@dataclass(slots=True)
class _Filter:
    name: str
    number: int
    line: int
    on: bool = True
    kind: int = 17
    actions: list[tuple[str, str]] = field(default_factory=list)
    condition: str = ""


def read_thunderbird(text: str) -> FoundRules:
    """Raises NotReadableError, with the line."""
    rules: list[FoundRule] = []
    out: list[LeftOut] = []
    filters = _filters(text)
    for one in filters[:MOST_FOUND]:
        try:
            rules.append(_rule(one))
        except CannotMapError as error:
            said = "; ".join([one.condition, *(f"{action} {value}".strip() for action, value in one.actions)])
            out.append(LeftOut(plain(one.name, 100), plain(said), one.line, error.reason))
    return FoundRules("Thunderbird", tuple(rules), tuple(out), lines=True, more=len(filters) > MOST_FOUND)


def _filters(text: str) -> list[_Filter]:
    found: list[_Filter] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        told = _LINE.fullmatch(line)
        if told is None:
            raise NotReadableError(line[:40], number)
        key, value = told["key"].lower(), _ESCAPED.sub(r"\1", told["value"])
        if key == "name":
            found.append(_Filter(value, len(found) + 1, number))
        elif found:
            _set(found[-1], key, value)
        elif key not in ("version", "logging"):
            raise NotReadableError(line[:40], number)
    return found


def _set(item: _Filter, key: str, value: str) -> None:
    match key:
        case "enabled":
            item.on = value.lower() == "yes"
        case "type" if value.isascii() and value.isdigit() and len(value) < 10:
            item.kind = int(value)
        case "action":
            item.actions.append((value, ""))
        case "actionvalue" if item.actions:
            item.actions[-1] = (item.actions[-1][0], value)
        case "condition":
            item.condition = value


def _rule(item: _Filter) -> FoundRule:
    differences: set[Difference] = set()
    left: list[str] = []
    actions = [action for name, value in item.actions for action in _action(name, value, differences, left)]
    if not actions:
        raise CannotMapError(WhyLeftOut.ACTION)
    conditions, any_of_them = _conditions(item.condition)
    if any(condition.field is ConditionField.RECIPIENT for condition in conditions):
        differences.add(Difference.RESENT)
    arrives = bool(item.kind & 0x1)
    if not arrives:
        differences.add(Difference.EVERYWHERE)
    if any(action.kind is ActionKind.REPLY for action in actions):
        differences.add(Difference.STOPS)
    rule = FilterRule(item.name, conditions, tuple(actions), any_of_them, item.on and arrives)
    return found_rule(rule, item.line, differences, left)


# --- conditions ------------------------------------------------------------------------------------------------------


def _conditions(text: str) -> tuple[tuple[RuleCondition, ...], bool]:
    """`AND (subject,contains,x) AND (from,is,"a,b")`; ALL is every message."""
    if text.strip().upper() == "ALL":
        return (), False
    found, joined = [], set()
    for how, what, match, value in _terms(text):
        joined.add(how)
        found.append(_condition(what, match, value))
        if len(found) > MOST_CONDITIONS:
            raise CannotMapError(WhyLeftOut.LIMIT)
    if not found:
        raise CannotMapError(WhyLeftOut.CONDITION)
    if len(joined) > 1:
        raise CannotMapError(WhyLeftOut.NESTED)
    return tuple(found), joined == {"or"} and len(found) > 1


def _terms(text: str) -> Iterator[tuple[str, str, str, str]]:
    at = 0
    while text[at:].strip():
        head = _TERM.match(text, at)
        if head is None:
            raise CannotMapError(WhyLeftOut.CONDITION)
        what, at = _word(text, head.end(), ",")
        match, at = _word(text, at, ",")
        value, at = _word(text, at, ")")
        yield head["joined"].lower(), what.strip(), match.strip().lower(), value


def _word(text: str, at: int, end: str) -> tuple[str, int]:
    """Up to `end`, or in quotes, in which a backslash takes the meaning of what follows it."""
    if text[at : at + 1] != '"':
        stop = text.find(end, at)
        if stop < 0:
            raise CannotMapError(WhyLeftOut.CONDITION)
        return text[at:stop], stop + 1
    found, at = [], at + 1
    while at < len(text) and text[at] != '"':
        at += text[at] == "\\"
        found.append(text[at : at + 1])
        at += 1
    if text[at + 1 : at + 2] != end:
        raise CannotMapError(WhyLeftOut.CONDITION)
    return "".join(found), at + 2


def _condition(what: str, match: str, value: str) -> RuleCondition:
    field_ = _FIELDS.get(what.lower())
    if field_ is ConditionField.SIZE:
        return _size(match, value)
    if what.lower() == "has attachment status" and match in ("is", "isn't") and value == "true":
        return RuleCondition(ConditionField.ATTACHMENT, MatchKind.PRESENT, negated=match == "isn't")
    if match not in _MATCHES or not value:
        raise CannotMapError(WhyLeftOut.CONDITION)
    kind, negated = _MATCHES[match]
    if field_ is ConditionField.BODY and kind is not MatchKind.CONTAINS:
        raise CannotMapError(WhyLeftOut.CONDITION)
    if field_ is None:
        return RuleCondition(ConditionField.HEADER, kind, (value,), _header_name(what), negated)
    return RuleCondition(field_, kind, (value,), negated=negated)


def _header_name(what: str) -> str:
    """Its own names have spaces or mean no header; those of headers that a person adds are as they are in messages."""
    name = what.strip().lower()
    if " " in name or name in ("date", "priority", "status", "tag", "label", "custom"):
        raise CannotMapError(WhyLeftOut.CONDITION)
    return name


def _size(match: str, value: str) -> RuleCondition:
    """In kilobytes, whole ones."""
    if not (value.isascii() and value.isdigit() and len(value) < 8):
        raise CannotMapError(WhyLeftOut.CONDITION)
    match match:
        case "is greater than":
            return RuleCondition(ConditionField.SIZE, MatchKind.LEAST, (str(int(value) * 1024 + 1),))
        case "is less than" if int(value) > 0:
            return RuleCondition(ConditionField.SIZE, MatchKind.MOST, (str(int(value) * 1024 - 1),))
    raise CannotMapError(WhyLeftOut.CONDITION)


# --- actions ---------------------------------------------------------------------------------------------------------


def _action(name: str, value: str, differences: set[Difference], left: list[str]) -> Iterator[RuleAction]:
    """What only a mail program can do (priorities, threads) is left out and said; a rule of nothing else is left out whole."""
    wanted = name.lower()
    if wanted in _SIMPLE_ACTIONS:
        yield RuleAction(_SIMPLE_ACTIONS[wanted])
    elif wanted in ("move to folder", "copy to folder"):
        folder, local = _folder(value)
        if local:
            differences.add(Difference.LOCAL)
        yield RuleAction(ActionKind.MOVE if wanted.startswith("move") else ActionKind.COPY, folder)
    elif wanted == "addtag" and value:
        yield RuleAction(ActionKind.TAG, value)
    elif wanted == "forward" and value:
        yield RuleAction(ActionKind.FORWARD, value)
    elif wanted == "junkscore" and value == "100":
        yield RuleAction(ActionKind.TAG, "$Junk")
    elif wanted in ("mark unread", "change priority", "ignore thread", "ignore subthread", "watch thread", "junkscore"):
        differences.add(Difference.LEFT_ACTION)
        left.append(f"{name} {value}".strip())
    else:
        raise CannotMapError(WhyLeftOut.ACTION)


def _folder(uri: str) -> tuple[str, bool]:
    """The path in `imap://user@host/Path/Below`, percent-encoded UTF-8 or UTF-7 of IMAP; and whether it is not on the server."""
    scheme, mark, rest = uri.partition("://")
    _host, slash, path = rest.partition("/")
    if not mark or not slash or not path or scheme.lower() not in ("imap", "mailbox", "mailbox-message", "pop"):
        raise CannotMapError(WhyLeftOut.ACTION)
    raw = unquote_to_bytes(path)
    try:
        name = raw.decode()
        if name.isascii() and "&" in name:
            name = imap_utf7.decode(raw)
    except (ValueError, LookupError) as error:  # the former holds those of Unicode
        raise CannotMapError(WhyLeftOut.ACTION) from error
    return name.strip("/"), scheme.lower() != "imap"
