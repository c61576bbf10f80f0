"""Lexer of Sieve scripts (RFC 5228, section 8.1): text to tokens, with the line on which each stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

LONGEST_SCRIPT = 1024 * 1024  # characters
MOST_TOKENS = 200_000  # a person waits for what is made of them
_MULTIPLIERS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
_LARGEST = 2**63 - 1

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\n]+)
  | (?P<comment>\#[^\n]*\n? | /\*.*?\*/)
  | (?P<multiline>text:[ \t]*(?:\#[^\n]*)?\r?\n)
  | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<tag>:[A-Za-z_][A-Za-z0-9_]*)
  | (?P<number>[0-9]+[KMGkmg]?(?![A-Za-z0-9_]))
  | (?P<string>"(?:[^"\\]|\\.)*")
  | (?P<mark>[;,(){}\[\]])
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_LINE_END = re.compile(r"\r\n|\r|\n")


class SieveSyntaxError(ValueError):
    """Not a script: `line` counts from 1, `what` is what stands there, cut, or "" at its end."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(f"line {line}: {what or 'the script ends'}")
        self.line = line
        self.what = what


class TokenKind(StrEnum):
    WORD = "word"
    TAG = "tag"
    NUMBER = "number"
    STRING = "string"
    MARK = "mark"
    COMMENT = "comment"
    END = "end"


@dataclass(frozen=True, slots=True)
class LexerToken:
    """`text`: of a string its value, of a number its digits once multiplied, of words and tags themselves in lower case."""

    kind: TokenKind
    text: str
    line: int


def tokens(script: str) -> Iterator[LexerToken]:
    """The tokens of a script, the last one of kind END. Takes time in proportion to its length. Raises SieveSyntaxError."""
    if len(script) > LONGEST_SCRIPT:
        raise SieveSyntaxError(1, "longer than a script can be")
    at, line, count = 0, 1, 0
    while at < len(script):
        found = _TOKEN.match(script, at)
        if found is None:
            raise SieveSyntaxError(line, script[at : at + 40].split("\n", maxsplit=1)[0])
        kind, text, end = str(found.lastgroup), found.group(), found.end()
        count += kind != "space"
        if count > MOST_TOKENS:
            raise SieveSyntaxError(line, "longer than a script can be")
        if kind == "multiline":
            value, end = _lines(script, end, line)
            yield LexerToken(TokenKind.STRING, value, line)
        elif kind != "space":
            yield LexerToken(TokenKind(kind), _value(kind, text, line), line)
        line += script.count("\n", at, end)
        at = end
    yield LexerToken(TokenKind.END, "", line)


def _value(kind: str, text: str, line: int) -> str:
    match kind:
        case "string":
            return _LINE_END.sub("\r\n", _ESCAPED.sub(r"\1", text[1:-1])) if "\\" in text or "\n" in text else text[1:-1]
        case "number":
            digits = text.rstrip("KMGkmg")
            number = int(digits[:20]) * _MULTIPLIERS[text[len(digits) :].lower()]
            if len(digits) > 20 or number > _LARGEST:
                raise SieveSyntaxError(line, text[:40])
            return str(number)
        case "tag":
            return text[1:].lower()
        case "word":
            return text.lower()
        case "comment":
            return text.rstrip("\r\n")
        case _:
            return text


def _lines(script: str, at: int, line: int) -> tuple[str, int]:
    """The value of a `text:` from `at` on, and where it ends: at a line with a dot alone. Other dots at a start are doubled."""
    kept: list[str] = []
    while at < len(script):
        end = script.find("\n", at)
        end = len(script) if end < 0 else end + 1
        each = script[at:end].rstrip("\r\n")
        at = end
        if each == ".":
            return "".join(one + "\r\n" for one in kept), at
        kept.append(each[1:] if each.startswith("..") else each)
    raise SieveSyntaxError(line, "text:")
