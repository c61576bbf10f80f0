"""Redirects in scripts: where somebody's active scripts send mail on, whoever wrote them. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from webmail import managesieve
from webmail.account import Account
from webmail.filters import store
from webmail.filters.own_script import NAME
from webmail.sieve.lexer import SieveSyntaxError
from webmail.sieve.nodes import Command, StringArgument
from webmail.sieve.parser import parse

UNREADABLE = "?"  # in place of an address: a script that no parser of ours reads


def targets(account: Account) -> list[tuple[str, str]]:
    """(script, address) for each `redirect` or `notify` of the scripts that run. 2 or 3 round trips for a script.

    Raises what `managesieve.connect` does.
    """
    with managesieve.connect(account) as connection:
        names = [script.name for script in connection.list() if script.active]
        if names == [store.BESIDE]:
            names = [*filter(None, [store.other_of(connection.read(store.BESIDE))]), NAME]
        texts = [(name, connection.read(name)) for name in names]
    return list(dict.fromkeys((name, address) for name, text in texts for address in in_script(text)))


def in_script(text: str) -> list[str]:
    try:
        return list(_of(parse(text).commands))
    except SieveSyntaxError:
        return [UNREADABLE] if "redirect" in text.lower() or "notify" in text.lower() else []


def _of(commands: Sequence[Command]) -> Iterator[str]:
    for command in commands:
        target = command.arguments[-1] if command.arguments else None
        if isinstance(target, StringArgument) and command.name.lower() == "redirect":
            yield target.value
        if isinstance(target, StringArgument) and command.name.lower() == "notify":  # RFC 5436: it can carry the whole text
            yield target.value.removeprefix("mailto:")
        yield from _of(command.block or ())
