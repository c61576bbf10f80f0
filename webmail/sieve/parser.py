"""Parser of Sieve scripts (RFC 5228, section 8.2): tokens to nodes. It knows the grammar, and no command or extension."""

from __future__ import annotations

from webmail.sieve.lexer import LexerToken, SieveSyntaxError, TokenKind, tokens
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

DEEPEST = 60  # blocks and tests inside each other; Pigeonhole allows 32


def parse(script: str) -> SieveScript:
    """Read a script. Raises SieveSyntaxError, with the line."""
    reader = _Reader(script)
    commands = reader.commands(0)
    comments = reader.comments()
    reader.expect(TokenKind.END)
    return SieveScript(commands, comments)


class _Reader:
    def __init__(self, script: str) -> None:
        self._tokens = list(tokens(script))
        self._at = 0

    @property
    def _next(self) -> LexerToken:
        return self._tokens[self._at]

    def _take(self) -> LexerToken:
        token = self._next
        self._at += token.kind is not TokenKind.END
        return token

    def _is_mark(self, mark: str) -> bool:
        self.comments()
        return self._next.kind is TokenKind.MARK and self._next.text == mark

    def expect(self, kind: TokenKind, mark: str = "") -> LexerToken:
        if self._next.kind is not kind or (mark and self._next.text != mark):
            raise SieveSyntaxError(self._next.line, self._next.text[:40])
        return self._take()

    def comments(self) -> tuple[str, ...]:
        """Those that stand here. Inside a command they are read over, as nothing there could keep them."""
        found = []
        while self._next.kind is TokenKind.COMMENT:
            found.append(self._take().text)
        return tuple(found)

    def commands(self, depth: int) -> tuple[Command, ...]:
        found: list[Command] = []
        while True:
            before = self._at
            comments = self.comments()
            if self._next.kind is not TokenKind.WORD:
                self._at = before  # the comments belong to what encloses them
                return tuple(found)
            found.append(self._command(comments, depth))

    def _command(self, comments: tuple[str, ...], depth: int) -> Command:
        self._check(depth)
        word = self._take()
        arguments, tests = self._arguments(depth)
        block = None
        if self._is_mark("{"):
            self._take()
            block = self.commands(depth + 1)
            self.comments()
            self.expect(TokenKind.MARK, "}")
        else:
            self.expect(TokenKind.MARK, ";")
        return Command(word.text, arguments, tests, block, comments, word.line)

    def _arguments(self, depth: int) -> tuple[tuple[SieveArgument, ...], tuple[SieveTest, ...]]:
        found: list[SieveArgument] = []
        while (argument := self._argument()) is not None:
            found.append(argument)
        if self._next.kind is TokenKind.WORD:
            return tuple(found), (self._test(depth + 1),)
        if not self._is_mark("("):
            return tuple(found), ()
        tests = []
        self._take()
        while True:
            self.comments()
            tests.append(self._test(depth + 1))
            if not self._is_mark(","):
                break
            self._take()
        self.expect(TokenKind.MARK, ")")
        return tuple(found), tuple(tests)

    def _test(self, depth: int) -> SieveTest:
        self._check(depth)
        word = self.expect(TokenKind.WORD)
        return SieveTest(word.text, *self._arguments(depth))

    def _argument(self) -> SieveArgument | None:
        self.comments()
        match self._next.kind:
            case TokenKind.TAG:
                return TagArgument(self._take().text)
            case TokenKind.NUMBER:
                return NumberArgument(int(self._take().text))
            case TokenKind.STRING:
                return StringArgument(self._take().text)
        return self._list() if self._is_mark("[") else None

    def _list(self) -> ListArgument:
        self._take()
        values = []
        if not self._is_mark("]"):  # empty ones are no Sieve, but Pigeonhole takes them
            while True:
                self.comments()
                values.append(self.expect(TokenKind.STRING).text)
                if not self._is_mark(","):
                    break
                self._take()
        self.expect(TokenKind.MARK, "]")
        return ListArgument(tuple(values))

    def _check(self, depth: int) -> None:
        if depth > DEEPEST:
            raise SieveSyntaxError(self._next.line, self._next.text[:40])
