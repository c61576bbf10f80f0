"""Redirects in scripts: where somebody's active scripts send mail on, whoever wrote them. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from webmail import managesieve
from webmail.account import Account
from webmail.sieve.lexer import SieveSyntaxError
from webmail.sieve.nodes import Command, StringArgument
from webmail.sieve.parser import parse

_MOST_SCRIPTS = 50
UNREADABLE = "?"  # in place of an address: a script that no parser of ours reads


def targets(account: Account) -> list[tuple[str, str]]:
    """(script, address) for each `redirect` or `notify` of the script that runs, and of those it includes (RFC 6609). 2 or 3
    round trips for a script.

    Raises what `managesieve.connect` does.
    """
    found: list[tuple[str, str]] = []
    with managesieve.connect(account) as connection:
        scripts = connection.list()
        there = [script.name for script in scripts]
        waiting, seen = [script.name for script in scripts if script.active], set[str]()
        while waiting and len(seen) < _MOST_SCRIPTS:
            name = waiting.pop(0)
            if name in seen or name not in there:
                continue
            seen.add(name)
            text = connection.read(name)
            found += [(name, address) for address in in_script(text)]
            waiting += _included(text, there)
    return list(dict.fromkeys(found))


def in_script(text: str) -> list[str]:
    try:
        return list(_redirects_in(parse(text).commands))
    except SieveSyntaxError:
        return [UNREADABLE] if "redirect" in text.lower() or "notify" in text.lower() else []


def may_change(target: str) -> bool:
    """Whether a target does not say where mail goes: variables do (RFC 5229), or no parser of ours can tell."""
    return target == UNREADABLE or "${" in target


def _included(text: str, there: Sequence[str]) -> Sequence[str]:
    """All that there are, where no parser of ours can tell."""
    try:
        return list(_names(parse(text).commands))
    except SieveSyntaxError:
        return there if "include" in text.lower() else ()


def _names(commands: Sequence[Command]) -> Iterator[str]:
    for command in commands:
        target = command.arguments[-1] if command.arguments else None
        if isinstance(target, StringArgument) and command.name.lower() == "include":
            yield target.value.removesuffix("\r\n")
        yield from _names(command.block or ())


def _redirects_in(commands: Sequence[Command]) -> Iterator[str]:
    for command in commands:
        target = command.arguments[-1] if command.arguments else None
        if isinstance(target, StringArgument) and command.name.lower() == "redirect":
            yield target.value
        if isinstance(target, StringArgument) and command.name.lower() == "notify":  # RFC 5436: it can carry the whole text
            yield target.value.removeprefix("mailto:")
        yield from _redirects_in(command.block or ())
