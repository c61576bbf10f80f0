"""Nodes of a Sieve script (RFC 5228, section 8.2): commands with arguments, tests and blocks.

Extensions add names, not grammar, so every script can be read, also one with commands that nobody here knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TagArgument:
    """`:contains`, without the colon, in lower case."""

    name: str


@dataclass(frozen=True, slots=True)
class NumberArgument:
    """`100K` is 102400."""

    value: int


@dataclass(frozen=True, slots=True)
class StringArgument:
    """A quoted string or a `text:` of several lines."""

    value: str


@dataclass(frozen=True, slots=True)
class ListArgument:
    """`["a", "b"]`. A single string means the same as a list of one, but is another node, so that it is written as it was."""

    values: tuple[str, ...]


SieveArgument = TagArgument | NumberArgument | StringArgument | ListArgument


@dataclass(frozen=True, slots=True)
class SieveTest:
    """`header :is "subject" "x"`, or with tests inside: `allof (...)`, `not ...`."""

    name: str
    arguments: tuple[SieveArgument, ...] = ()
    tests: tuple[SieveTest, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """An action or control command: `keep;`, `if ... { ... }`.

    `block` is None for a command that ends with a semicolon. `comments` stand before it, each as it was written. `line` counts
    from 1 and is no part of what the script means; 0: it was not read.
    """

    name: str
    arguments: tuple[SieveArgument, ...] = ()
    tests: tuple[SieveTest, ...] = ()
    block: tuple[Command, ...] | None = None
    comments: tuple[str, ...] = field(default=(), compare=False)
    line: int = field(default=0, compare=False)

    def walk(self) -> Iterator[Command]:
        """This command, then all inside its block."""
        yield self
        for inner in self.block or ():
            yield from inner.walk()


@dataclass(frozen=True, slots=True)
class SieveScript:
    """A whole script. `comments` stand behind its last command."""

    commands: tuple[Command, ...] = ()
    comments: tuple[str, ...] = field(default=(), compare=False)

    def walk(self) -> Iterator[Command]:
        for command in self.commands:
            yield from command.walk()

    @property
    def required(self) -> frozenset[str]:
        """The extensions that its `require` commands name."""
        found: set[str] = set()
        for command in self.commands:
            if command.name == "require":
                for argument in command.arguments:
                    found.update(texts(argument))
        return frozenset(found)


def texts(argument: SieveArgument) -> tuple[str, ...]:
    """The strings of an argument, which is a string or a list; none of any other."""
    if isinstance(argument, StringArgument):
        return (argument.value,)
    return argument.values if isinstance(argument, ListArgument) else ()
