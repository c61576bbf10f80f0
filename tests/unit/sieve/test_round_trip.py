"""Whatever strings hold, a written script reads as the same nodes; foreign scripts are read and written without a change of sense."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.errors import UnsafeValueError
from webmail.sieve.lexer import LONGEST_SCRIPT, SieveSyntaxError
from webmail.sieve.nodes import (
    Command,
    ListArgument,
    NumberArgument,
    SieveScript,
    SieveTest,
    StringArgument,
    TagArgument,
)
from webmail.sieve.parser import parse
from webmail.sieve.writer import comment, write

CORPORA = Path(__file__).resolve().parents[4] / "shared" / "corpora"
FOREIGN = sorted(CORPORA.glob("sieve-*/*.sieve"))

NASTY = [
    "", " ", '"', "\\", '\\"', '"; discard; #', "a\nb", "a\r\nb\r\n", "\r\n.\r\n", ".\r\n..\r\n...\r\n", "text:\n.\n", "/* */", "*/", "#", "${x}",
    "${hex:22}", "é", "\U0001f600", "\u2028", "\x7f", "\x01", "a" * 5000, "]", "[", "}", ";", "\\\n", "'", "require \"x\";", "\r", "\n\n",
    "first\r\n.\r\nkeep;\r\nlast\r\n", "\t",
]  # fmt: skip


def normal(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")


@pytest.mark.parametrize("text", NASTY)
def test_a_string_comes_back_whatever_it_holds(text):
    script = SieveScript(
        (
            Command("require", (ListArgument(("fileinto", text)),)),
            Command(
                "if",
                (),
                (SieveTest("anyof", (), (SieveTest("header", (TagArgument("is"), StringArgument(text), ListArgument((text, "x")))),)),),
                (Command("fileinto", (StringArgument(text),)), Command("stop")),
            ),
            Command("reject", (StringArgument(text),)),
        )
    )  # fmt: skip
    found = parse(write(script))
    assert strings(found) == [normal(one) for one in strings(script)]
    assert shape(found) == shape(script)
    assert parse(write(found)) == found


@pytest.mark.parametrize("text", NASTY)
def test_a_comment_can_t_become_a_command(text):
    script = SieveScript((Command("keep", comments=comment(text)),), comments=(text,))
    found = parse(write(script))
    assert [command.name for command in found.commands] == ["keep"]


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800"])
def test_what_no_script_can_hold_is_refused(text):
    with pytest.raises(UnsafeValueError):
        write(SieveScript((Command("fileinto", (StringArgument(text),)),)))


@pytest.mark.parametrize("name", ["", "keep;", "a b", "Keep", "é", "a-b", "1a"])
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(UnsafeValueError):
        write(SieveScript((Command(name),)))
    with pytest.raises(UnsafeValueError):
        write(SieveScript((Command("keep", (TagArgument(name),)),)))


def test_random_scripts_come_back():
    chance = random.Random(5228)
    for _ in range(300):
        script = SieveScript(tuple(random_command(chance, 0) for _ in range(chance.randint(0, 4))))
        found = parse(write(script))
        assert strings(found) == [normal(one) for one in strings(script)]
        assert shape(found) == shape(script)


@pytest.mark.skipif(not FOREIGN, reason="no scripts of other programs here")
@pytest.mark.parametrize("file", FOREIGN, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_scripts_of_other_programs_keep_their_sense(file):
    found = parse(file.read_text("utf-8"))
    assert found.commands or found.comments
    assert parse(write(found)) == found


@pytest.mark.parametrize(
    ("script", "line"),
    [
        ("keep", 1), ("keep;\nfoo", 2), ('fileinto "a', 1), ("if true {\nkeep;", 2), ("keep;\n\n}", 3), ("if (true {}", 1),
        ("if anyof (true,) {}", 1), ('fileinto ["a" "b"];', 1), ("text:\nabc\n", 1), ('redirect text:\nabc\n', 1), ("keep; %", 1), ("\0", 1),
        ("/* open", 1), (":tag;", 1), ("99999999999999999999999G;", 1), ("size :over 9223372036854775808;", 1), ("é;", 1),
    ],
)  # fmt: skip
def test_what_is_no_script_is_refused_with_its_line(script, line):
    with pytest.raises(SieveSyntaxError) as refused:
        parse(script)
    assert refused.value.line == line


@pytest.mark.parametrize("piece", ["(", "{", "[", '"', "not ", "allof(", "/*", "#", "text:\n", "if true {", "a" * 50, "\\", ";"])
def test_hostile_repetition_takes_no_time(piece):
    script = (piece * (200_000 // len(piece)))[:200_000]
    with cpu_seconds(1.5, piece):
        try:
            parse(script)
        except SieveSyntaxError:
            return


def test_a_script_that_is_too_long_is_not_read():
    with pytest.raises(SieveSyntaxError):
        parse(" " * (LONGEST_SCRIPT + 1))


def test_numbers_and_case_and_lists():
    found = parse('IF SIZE :OVER 2k { Fileinto :COPY ["a"]; }').commands[0]
    assert found.tests[0] == SieveTest("size", (TagArgument("over"), NumberArgument(2048)))
    assert found.block == (Command("fileinto", (TagArgument("copy"), ListArgument(("a",)))),)


def test_required_extensions_are_found():
    assert parse('require "a"; require ["b", "c"]; keep;').required == {"a", "b", "c"}


def strings(script: SieveScript) -> list[str]:
    found = []

    def of_test(test: SieveTest) -> None:
        of_arguments(test.arguments)
        for inner in test.tests:
            of_test(inner)

    def of_arguments(arguments) -> None:
        for argument in arguments:
            if isinstance(argument, StringArgument):
                found.append(argument.value)
            elif isinstance(argument, ListArgument):
                found.extend(argument.values)

    for command in script.walk():
        of_arguments(command.arguments)
        for test in command.tests:
            of_test(test)
    return found


def shape(script: SieveScript) -> str:
    """The script without its strings."""

    def arguments(found) -> list[object]:
        return [
            len(one.values) if isinstance(one, ListArgument) else "s" if isinstance(one, StringArgument) else one for one in found
        ]

    def test(one: SieveTest) -> object:
        return one.name, arguments(one.arguments), [test(inner) for inner in one.tests]

    def command(one: Command) -> object:
        block = None if one.block is None else [command(inner) for inner in one.block]
        return one.name, arguments(one.arguments), [test(inner) for inner in one.tests], block

    return repr([command(one) for one in script.commands])


def random_command(chance: random.Random, depth: int) -> Command:
    arguments = tuple(random_argument(chance) for _ in range(chance.randint(0, 3)))
    tests = tuple(random_test(chance, depth + 1) for _ in range(chance.choice([0, 0, 1, 2])))
    block = (
        tuple(random_command(chance, depth + 1) for _ in range(chance.randint(0, 2)))
        if depth < 3 and chance.random() < 0.4
        else None
    )
    return Command(random_name(chance), arguments, tests, block)


def random_test(chance: random.Random, depth: int) -> SieveTest:
    arguments = tuple(random_argument(chance) for _ in range(chance.randint(0, 2)))
    tests = tuple(random_test(chance, depth + 1) for _ in range(chance.randint(0, 2))) if depth < 4 else ()
    return SieveTest(random_name(chance), arguments, tests)


def random_argument(chance: random.Random):
    match chance.randint(0, 3):
        case 0:
            return TagArgument(random_name(chance))
        case 1:
            return NumberArgument(chance.randint(0, 10**6))
        case 2:
            return StringArgument(random_text(chance))
        case _:
            return ListArgument(tuple(random_text(chance) for _ in range(chance.randint(0, 3))))


def random_name(chance: random.Random) -> str:
    return chance.choice(["keep", "fileinto", "x_1", "_a", "text", "not", "if"])


def random_text(chance: random.Random) -> str:
    return "".join(chance.choice('ab"\\\r\n.;#/*{}[]()é \t$:') for _ in range(chance.randint(0, 12)))
