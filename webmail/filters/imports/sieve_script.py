"""Reader of other programs' Sieve scripts: those of Roundcube, SOGo, Nextcloud, Ingo and Zimbra, and any written by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from webmail.filters import own_script, store
from webmail.filters.imports.decompile import ScriptUnit, decompiled, left_out, units_of
from webmail.filters.imports.found import (
    LARGEST,
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
from webmail.filters.imports.sieve_absence import absence_of, differences_of, nextcloud_absence
from webmail.filters.rules.rules import ActionKind, ConditionField, FilterRule, MatchKind, RuleAction, RuleCondition
from webmail.sieve.lexer import SieveSyntaxError
from webmail.sieve.nodes import SieveScript
from webmail.sieve.parser import parse

_NAMED = re.compile(r"#\s*rule:\[(?P<name>.{1,300})\]\s*")
_FILTERS = re.compile(r"#\s*FILTER:\s*(?P<data>\[.{0,500000}\])\s*")
_MOST_MARKS = 30_000  # what makes tokens: scripts of a megabyte hold long texts, not so many commands
_FLAGGING = frozenset(["addflag", "setflag", "tag", "flag"])


def read_script(text: str) -> FoundRules:
    """Raises NotReadableError, with the line."""
    if len(text) > LARGEST or sum(text.count(mark) for mark in ';{,"#') > _MOST_MARKS:
        raise NotReadableError("too large")
    ours = own_script.read(text)
    if ours is not None:
        return _ours(ours)
    try:
        script = parse(text)
    except SieveSyntaxError as error:
        raise NotReadableError(error.what, error.line) from error
    expands = bool(script.required & {"variables", "encoded-character"})
    source = text.replace("\r\n", "\n").split("\n")
    rules: list[FoundRule] = []
    out: list[LeftOut] = []
    absence = nextcloud_absence(_comments(script))
    in_comment = absence is not None
    differs: tuple[Difference, ...] = ()
    flagged, more = False, False
    for unit in units_of(script):
        if len(rules) + len(out) >= MOST_FOUND:
            more = True
            break
        name = _name(unit)
        away = absence_of(unit.commands)
        if away is not None:
            if absence is None:
                absence, differs = away, differences_of(unit.commands)
            elif not in_comment:
                out.append(left_out(unit, name, WhyLeftOut.SECOND))
            in_comment = False  # the first one is what the comment tells of
            continue
        if _forwards_all(unit):
            out.append(left_out(unit, name, WhyLeftOut.FORWARDING))
            continue
        try:
            rules += decompiled(unit, name, expands=expands, flagged=flagged, source=source)
        except CannotMapError as error:
            out.append(left_out(unit, name, error.reason))
        flagged = flagged or any(one.name in _FLAGGING for command in unit.commands for one in command.walk())
    for found in _switched_off(script):
        (rules if isinstance(found, FoundRule) else out).append(found)  # type: ignore[arg-type]
    return FoundRules(_program(text), tuple(rules), tuple(out), absence, differs, lines=True, more=more)


def _ours(own: own_script.OwnScript) -> FoundRules:
    """A copy of our own script, of another account or an earlier day."""
    filters, _unreadable = store.filters_of(own)
    absence = filters.absence if filters.absence.text else None
    rules = tuple(FoundRule(rule, number) for number, rule in enumerate(filters.rules, 1))
    elsewhere = {
        WhyLeftOut.FORWARDING: filters.forwarding.addresses if filters.forwarding.on else (),
        WhyLeftOut.BLOCKED: filters.senders.blocked,
        WhyLeftOut.SAFE: filters.senders.safe,
    }
    out = tuple(LeftOut("", plain(", ".join(told)), 0, reason) for reason, told in elsewhere.items() if told)
    return FoundRules("Traboule", rules, out, absence)


def _comments(script: SieveScript) -> Iterator[str]:
    for command in script.commands:
        yield from command.comments
    yield from script.comments


def _name(unit: ScriptUnit) -> str:
    """As Roundcube marks it, else the last comment before it."""
    comments = unit.commands[0].comments
    for one in reversed(comments):
        if found := _NAMED.fullmatch(one):
            return plain(found["name"], 100)
    last = comments[-1] if comments else ""
    said = last.strip("#/* \t\r\n")
    is_data = last.startswith("###") or said.startswith(("FILTER:", "DATA:", "rule:["))
    return "" if is_data else plain(said, 100)


def _program(text: str) -> str:
    """Whose script it is, as far as it shows."""
    marks = (
        ("### Nextcloud Mail", "Nextcloud"),
        ("# rule:[", "Roundcube"),
        ("Ingo (http", "Ingo"),
        ("disabled_if", "Zimbra"),
    )
    return next((program for mark, program in marks if mark in text), "Sieve")


def _forwards_all(unit: ScriptUnit) -> bool:
    """For every message, and nothing else: what the page of forwarding is for, under its own rules."""
    bare = [one for command in unit.commands for one in command.walk()]
    always = all(one.name != "if" or [test.name for test in one.tests] == ["true"] for one in bare)
    names = {one.name for one in bare}
    return always and "redirect" in names and names <= {"redirect", "keep", "stop", "if"}


# --- what Nextcloud keeps of rules that are switched off ---------------------------------------------------------------


def _switched_off(script: SieveScript) -> Iterator[FoundRule | LeftOut]:
    for comment in _comments(script):
        told = _FILTERS.fullmatch(comment)
        if told is None:
            continue
        try:
            items = json.loads(told["data"])
        except (ValueError, RecursionError):
            return
        for number, one in enumerate(items[:MOST_FOUND], 1):
            if isinstance(one, dict) and one.get("enable") is False:
                yield _of_json(one, number)
        return


def _of_json(item: Mapping[str, Any], number: int) -> FoundRule | LeftOut:
    name = plain(str(item.get("name", "")), 100)
    try:
        conditions = tuple(_condition(test) for test in item["tests"])
        actions = tuple(_action(action) for action in item["actions"])
        return found_rule(FilterRule(name, conditions, actions, item.get("operator") == "anyof", False), number)
    except (CannotMapError, KeyError, TypeError, ValueError, AttributeError):
        return LeftOut(name, plain(json.dumps(item)[:2000]), number, WhyLeftOut.CONDITION)


def _condition(test: Mapping[str, Any]) -> RuleCondition:
    field = {"from": ConditionField.FROM, "to": ConditionField.TO, "subject": ConditionField.SUBJECT}[test["field"]]
    match = {"is": MatchKind.IS, "contains": MatchKind.CONTAINS, "matches": MatchKind.MATCHES}[test["operator"]]
    return RuleCondition(field, match, tuple(str(value) for value in test["values"]))


def _action(action: Mapping[str, Any]) -> RuleAction:
    match action["type"]:
        case "fileinto":
            return RuleAction(ActionKind.MOVE, str(action["mailbox"]))
        case "addflag":
            word = "_".join(str(action["flag"]).lower().split())
            return RuleAction(ActionKind.TAG, word if word.startswith("$") else f"${word}")
        case "stop":
            return RuleAction(ActionKind.STOP)
        case "keep":
            return RuleAction(ActionKind.MOVE, "INBOX")
    raise KeyError(action["type"])
