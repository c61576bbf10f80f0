"""Writer of Sieve scripts: nodes to text that parses to the same nodes, whatever their strings hold. Lines end with CRLF."""

from __future__ import annotations

import re
from collections.abc import Iterator

from webmail.errors import UnsafeValueError
from webmail.sieve.nodes import (
    Command,
    ListArgument,
    NumberArgument,
    SieveArgument,
    SieveScript,
    SieveTest,
    StringArgument,
    TagArgument,
)

_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_INDENT = "  "
_WITH_LISTS = ("anyof", "allof")
_LINE_END = re.compile(r"\r\n|\r|\n")


def write(script: SieveScript) -> str:
    """The text of a script. Raises UnsafeValueError for a name that is none, and for what no string can hold (NUL, half a
    character).

    Lone CR and LF in strings become CRLF: the grammar knows no other line end (RFC 5228, section 2.4.2).
    """
    lines = [line for command in script.commands for line in _command(command, "")]
    lines += [line for comment in script.comments for line in _comment(comment, "")]
    return "".join(line + "\r\n" for line in lines)


def comment(text: str) -> tuple[str, ...]:
    """Comments with this text, one for each of its lines: nothing in it can end one."""
    return tuple(f"# {line}".rstrip() for line in text.splitlines() or [""])


def _command(command: Command, indent: str) -> Iterator[str]:
    for each in command.comments:
        yield from _comment(each, indent)
    head = indent + " ".join([_name(command.name), *_rest(command, indent)])
    if command.block is None:
        yield head + ";"
        return
    yield head + " {"
    for inner in command.block:
        yield from _command(inner, indent + _INDENT)
    yield indent + "}"


def _rest(node: Command | SieveTest, indent: str) -> Iterator[str]:
    """What stands behind a name. One test stands by itself, except in `anyof` and `allof`, which want a list (RFC 5228)."""
    for argument in node.arguments:
        yield _argument(argument)
    if not node.tests:
        return
    written = [" ".join([_name(test.name), *_rest(test, indent + _INDENT)]) for test in node.tests]
    if len(written) == 1 and node.name not in _WITH_LISTS:
        yield written[0]
    else:
        deeper = "\r\n" + indent + _INDENT
        yield "(" + deeper + ("," + deeper).join(written) + ")"


def _argument(argument: SieveArgument) -> str:
    match argument:
        case TagArgument(name):
            return ":" + _name(name)
        case NumberArgument(value):
            return str(value)
        case StringArgument(value):
            return _string(value)
        case ListArgument(values):
            return "[" + ", ".join(_quoted(value) for value in values) + "]"


def _string(value: str) -> str:
    """A text of several lines as such, where that gives back the same value; anything else in quotes."""
    normal = _LINE_END.sub("\r\n", value)
    if normal.count("\r\n") > 1 and normal.endswith("\r\n"):
        lines = _checked(normal).removesuffix("\r\n").split("\r\n")
        return "text:\r\n" + "".join(("." if line.startswith(".") else "") + line + "\r\n" for line in lines) + ".\r\n"
    return _quoted(value)


def _quoted(value: str) -> str:
    normal = _LINE_END.sub("\r\n", _checked(value))
    return '"' + normal.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _comment(text: str, indent: str) -> Iterator[str]:
    if text.startswith("/*") and text.find("*/") == len(text) - 2:
        yield indent + _checked(text)
        return
    for line in text.splitlines() or [""]:
        yield indent + _checked(line if line.startswith("#") else f"# {line}")


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise UnsafeValueError(f"{name[:40]!r} is no name in Sieve")
    return name


def _checked(text: str) -> str:
    if "\0" in text or not _encodable(text):
        raise UnsafeValueError("a text with characters that a script can't hold")
    return text


def _encodable(text: str) -> bool:
    return not any("\ud800" <= mark <= "\udfff" for mark in text)
