"""Our own script: rules, absence and forwarding, each as data in a comment, with the commands that do it below.

The data is what is edited; the commands are what the server runs. Both are in the script, so that another program or a restored
backup shows them too. A checksum beside the data tells whether somebody else has changed the commands since.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from webmail.sieve.extensions import with_require
from webmail.sieve.lexer import SieveSyntaxError
from webmail.sieve.nodes import Command, SieveScript
from webmail.sieve.parser import parse
from webmail.sieve.writer import comment, write

NAME = "traboule"  # as the server lists it
_TOP = "Traboule wrote this script. What you change below is lost when somebody changes filters there."
_MARK = re.compile(r"# traboule:(?P<kind>[a-z]{1,20}) (?P<sum>[0-9a-f]{16}) (?P<data>\{.{0,200000}\})")


@dataclass(frozen=True, slots=True)
class ScriptPart:
    """A rule, an absence, a forwarding: `kind`, the JSON that says it, and the commands that do it (none while it is off).

    `edited`: the commands are not those that were written with the data.
    """

    kind: str
    data: str
    commands: tuple[Command, ...] = ()
    edited: bool = False


@dataclass(frozen=True, slots=True)
class OwnScript:
    """`foreign`: commands in it that belong to no part; whoever wrote them loses them when the script is written anew."""

    parts: tuple[ScriptPart, ...] = ()
    foreign: tuple[Command, ...] = ()

    def parts_of(self, kind: str) -> tuple[ScriptPart, ...]:
        return tuple(part for part in self.parts if part.kind == kind)


def text_of(parts: Sequence[ScriptPart]) -> str:
    """The script. Raises UnsafeValueError for what no script can hold."""
    commands: list[Command] = []
    waiting: list[str] = []
    for part in parts:
        waiting += comment(f"traboule:{part.kind} {_sum(part.commands)} {part.data}")
        for each in part.commands:
            commands.append(Command(each.name, each.arguments, each.tests, each.block, tuple(waiting)))
            waiting = []
    script = with_require(tuple(commands), comment(_TOP))
    return write(SieveScript(script.commands, (*script.comments, *waiting)))


def read(text: str) -> OwnScript | None:
    """The parts of a script that `text_of` wrote, in their order; None for one of another program, or of nobody's grammar."""
    try:
        script = parse(text)
    except SieveSyntaxError:
        return None
    parts: list[tuple[str, str, str, list[Command]]] = []
    foreign: list[Command] = []
    for command in script.commands:
        parts += _marks(command.comments)
        if command.name == "require":
            continue
        (parts[-1][3] if parts else foreign).append(command)
    parts += _marks(script.comments)
    if not parts and not _is_ours(script):
        return None
    found = [ScriptPart(kind, data, tuple(commands), _sum(commands) != kept) for kind, kept, data, commands in parts]
    return OwnScript(tuple(found), tuple(foreign))


def holds(text: str, parts: Sequence[ScriptPart]) -> bool:
    """Whether these parts come back from the script that was made of them: too long a script, or too long a part, does not."""
    own = read(text)
    if own is None or own.foreign:
        return False
    return [(part.kind, part.data) for part in own.parts] == [(part.kind, part.data) for part in parts]


def part_at(text: str, line: int) -> ScriptPart | None:
    """The part whose commands stand on this line of our script (from 1)."""
    found = None
    try:
        commands = parse(text).commands
    except SieveSyntaxError:
        return None
    for command in commands:
        if command.line > line:
            break
        for kind, _kept, data, _commands in _marks(command.comments):
            found = ScriptPart(kind, data)
    return found if line > 0 else None


def _marks(comments: Sequence[str]) -> list[tuple[str, str, str, list[Command]]]:
    found = (_MARK.fullmatch(line) for line in comments)
    return [(one["kind"], one["sum"], one["data"], []) for one in found if one is not None]


def _is_ours(script: SieveScript) -> bool:
    """Whether it is our script with nothing in it."""
    comments = [*script.comments, *(line for command in script.commands for line in command.comments)]
    return comment(_TOP)[0] in comments


def _sum(commands: Sequence[Command]) -> str:
    return hashlib.sha256(write(SieveScript(tuple(_bare(one) for one in commands))).encode()).hexdigest()[:16]


def _bare(command: Command) -> Command:
    block = None if command.block is None else tuple(_bare(one) for one in command.block)
    return Command(command.name, command.arguments, command.tests, block)
