"""Which extensions a script has to ask for by `require` (RFC 5228, section 3.2), found in the script itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from webmail.sieve.nodes import Command, ListArgument, SieveArgument, SieveScript, SieveTest, StringArgument, TagArgument

_COMMANDS = {
    "fileinto": "fileinto",
    "reject": "reject",
    "ereject": "ereject",
    "vacation": "vacation",
    "addflag": "imap4flags",
    "setflag": "imap4flags",
    "removeflag": "imap4flags",
    "include": "include",
    "return": "include",
    "set": "variables",
}
_TESTS = {
    "body": "body",
    "currentdate": "date",
    "date": "date",
    "envelope": "envelope",
    "hasflag": "imap4flags",
    "mailboxexists": "mailbox",
    "spamtest": "spamtestplus",
    "string": "variables",
    "duplicate": "duplicate",
    "environment": "environment",
}
_TAGS = {
    "copy": "copy",
    "create": "mailbox",
    "flags": "imap4flags",
    "mime": "mime",
    "value": "relational",
    "count": "relational",
    "detail": "subaddress",
    "user": "subaddress",
    "regex": "regex",
    "seconds": "vacation-seconds",
}
_ALWAYS_THERE = ("i;octet", "i;ascii-casemap")


def needed(commands: Iterable[Command]) -> tuple[str, ...]:
    """The extensions that these commands use, sorted; those that `_COMMANDS`, `_TESTS` and `_TAGS` know."""
    return tuple(sorted(set(_of_commands(commands))))


def with_require(commands: tuple[Command, ...], comments: tuple[str, ...] = ()) -> SieveScript:
    """A script of these commands that asks for what they use. `comments` stand on its top."""
    found = needed(commands)
    return (
        SieveScript((Command("require", (ListArgument(found),), comments=comments), *commands))
        if found
        else SieveScript(commands, comments)
    )


def _of_commands(commands: Iterable[Command]) -> Iterator[str]:
    for command in commands:
        if command.name in _COMMANDS:
            yield _COMMANDS[command.name]
        yield from _of_arguments(command.arguments)
        for test in command.tests:
            yield from _of_test(test)
        yield from _of_commands(command.block or ())


def _of_test(test: SieveTest) -> Iterator[str]:
    if test.name in _TESTS:
        yield _TESTS[test.name]
    yield from _of_arguments(test.arguments)
    for inner in test.tests:
        yield from _of_test(inner)


def _of_arguments(arguments: tuple[SieveArgument, ...]) -> Iterator[str]:
    for before, argument in zip((None, *arguments), arguments, strict=False):
        if isinstance(argument, TagArgument) and argument.name in _TAGS:
            yield _TAGS[argument.name]
        is_comparator = isinstance(before, TagArgument) and before.name == "comparator"
        if is_comparator and isinstance(argument, StringArgument) and argument.value not in _ALWAYS_THERE:
            yield f"comparator-{argument.value}"
