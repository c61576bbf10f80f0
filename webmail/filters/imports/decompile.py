"""Decompiler: a script's commands (RFC 5228) as rules that do the same; whatever can't be said so is listed, whole.

A chain of `if`, `elsif` and `else`, and `if` within `if`, become rules one after the other: tests ask the message alone, so
nothing that one rule does changes what the next one finds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from webmail.errors import UnsafeValueError
from webmail.filters.imports.found import (
    LONGEST_WORDS,
    CannotMapError,
    FoundRule,
    LeftOut,
    WhyLeftOut,
    found_rule,
    plain,
)
from webmail.filters.imports.sieve_actions import read_actions
from webmail.filters.imports.sieve_tests import ConditionGroup, all_of, group_of, merged, opposite
from webmail.filters.rules.rules import ActionKind, FilterRule
from webmail.sieve.lexer import SieveSyntaxError
from webmail.sieve.nodes import Command, SieveScript, SieveTest, texts
from webmail.sieve.parser import parse
from webmail.sieve.writer import write

IFS = ("if", "elsif", "else", "disabled_if", "disabled_elsif")
_SWITCHED_OFF = re.compile(r"\s*if\s+false\s*#\s*(?P<test>\S.{0,20000})", re.IGNORECASE)
_EXPANDED = ("${",)


@dataclass(frozen=True, slots=True)
class ScriptUnit:
    """Commands that belong together: a whole chain of `if`, or actions that stand by themselves."""

    commands: tuple[Command, ...]

    @property
    def line(self) -> int:
        return self.commands[0].line


def units_of(script: SieveScript) -> Iterator[ScriptUnit]:
    waiting: list[Command] = []
    for command in script.commands:
        if command.name == "require":
            continue
        chained = bool(waiting) and waiting[-1].name in IFS
        goes_on = command.name in ("elsif", "else", "disabled_elsif") if chained else command.name not in IFS
        if waiting and not (goes_on and (chained or not command.comments)):
            yield ScriptUnit(tuple(waiting))
            waiting = []
        waiting.append(command)
    if waiting:
        yield ScriptUnit(tuple(waiting))


def decompiled(unit: ScriptUnit, name: str, *, expands: bool, flagged: bool, source: Sequence[str] = ()) -> list[FoundRule]:
    """The rules of a unit. `expands`: the script asked for variables. `flagged`: commands above set flags. `source`: its lines.

    Raises CannotMapError: then nothing of it is a rule.
    """
    unit = _woken(unit, source)
    if expands and any(mark in text for text in _all_texts(unit.commands) for mark in _EXPANDED):
        raise CannotMapError(WhyLeftOut.VARIABLES)
    found: list[FoundRule] = []
    on = unit.commands[0].name != "disabled_if"
    for group, commands in _guarded(unit.commands, ConditionGroup()):
        read = read_actions(commands, flagged=flagged)
        if not read.actions:
            continue
        flagged = flagged or read.flagged
        said = name if not found or not name else f"{name[:90]} ({len(found) + 1})"
        rule = FilterRule(said, group.conditions, tuple(read.actions), group.any, on)
        found.append(found_rule(rule, unit.line, group.differences | read.differences))
        _check_alone(rule)
    if not found:
        raise CannotMapError(WhyLeftOut.NOTHING)
    return found


def left_out(unit: ScriptUnit, name: str, reason: WhyLeftOut) -> LeftOut:
    return LeftOut(plain(name, 100), words_of(unit.commands), unit.line, reason)


def words_of(commands: Sequence[Command]) -> str:
    """The commands as they stand, on one line, cut."""
    bare = tuple(replace(one, comments=()) for one in commands[:20])
    try:
        return plain(write(SieveScript(bare))[: 4 * LONGEST_WORDS])
    except UnsafeValueError:
        return ""


def _check_alone(rule: FilterRule) -> None:
    """A refusal goes alone (RFC 5429, section 2.3): with more, the server would do neither."""
    kinds = {one.kind for one in rule.actions}
    if ActionKind.REJECT in kinds and kinds - {ActionKind.REJECT, ActionKind.STOP}:
        raise CannotMapError(WhyLeftOut.ACTION)


def _guarded(commands: Sequence[Command], guard: ConditionGroup) -> Iterator[tuple[ConditionGroup, list[Command]]]:
    """The actions in these commands, with the conditions under which each is reached, in their order."""
    plain_ones: list[Command] = []
    earlier: list[ConditionGroup] = []  # that hold for none of the branches so far
    for at, command in enumerate(commands):
        if command.name not in IFS:
            plain_ones.append(command)
            continue
        if plain_ones:
            yield guard, plain_ones
            if any(one.name == "stop" for one in plain_ones):
                return
            plain_ones = []
        if command.name in ("if", "disabled_if"):
            earlier = []
        own = _test_of(command)
        yield from _guarded(command.block or (), all_of([guard, *earlier, own]))
        goes_on = at + 1 < len(commands) and commands[at + 1].name in ("elsif", "else", "disabled_elsif")
        if goes_on and not _ends(command.block or ()):
            earlier.append(opposite(own))
    if plain_ones:
        yield guard, plain_ones


def _test_of(command: Command) -> ConditionGroup:
    if command.name == "else":
        return ConditionGroup()
    if len(command.tests) != 1 or command.arguments or command.block is None:
        raise CannotMapError(WhyLeftOut.CONDITION)
    return merged(group_of(command.tests[0]))


def _ends(commands: Sequence[Command]) -> bool:
    return any(one.name == "stop" for one in commands)


def _woken(unit: ScriptUnit, source: Sequence[str]) -> ScriptUnit:
    """A rule that Roundcube switched off: `if false # the test`, which is what the comment says. It stays off."""
    first = unit.commands[0]
    if len(unit.commands) != 1 or first.tests != (SieveTest("false"),) or not 0 < first.line <= len(source):
        return unit
    told = _SWITCHED_OFF.match(source[first.line - 1])
    if told is None:
        raise CannotMapError(WhyLeftOut.NEVER)
    try:
        (read,) = parse(f"if {told['test']}\r\n{{ stop; }}").commands
    except (SieveSyntaxError, ValueError) as error:
        raise CannotMapError(WhyLeftOut.NEVER) from error
    return ScriptUnit((replace(first, name="disabled_if", tests=read.tests),))


def _all_texts(commands: Sequence[Command]) -> Iterator[str]:
    for command in commands:
        for each in command.walk():
            for argument in each.arguments:
                yield from texts(argument)
            for test in each.tests:
                yield from _test_texts(test)


def _test_texts(test: SieveTest) -> Iterator[str]:
    for argument in test.arguments:
        yield from texts(argument)
    for inner in test.tests:
        yield from _test_texts(inner)
