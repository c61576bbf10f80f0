"""FETCH responses: read as the library reads them, whatever servers and hostile messages put there."""

from __future__ import annotations

import random
from typing import Any

import pytest
from imapclient.response_parser import parse_fetch_response

from webmail.imap.connections import fetch_answers
from webmail.imap.connections.responses import EPOCH, fetched, flags_of, when_of

ANSWERS: list[list[Any]] = [
    [b'3 (UID 12 FLAGS (\\Seen $Label1 "odd") RFC822.SIZE 1200 INTERNALDATE "24-Nov-2026 14:02:00 +0100")'],
    [b'3 (UID 12 INTERNALDATE "no date" X NIL Y nil Z 0123 W 0 V -5 U "")'],
    [b"3 (UID 12 INTERNALDATE NIL)"],
    [(b"3 (UID 12 BODY[HEADER.FIELDS (FROM TO)]<0> {5}", b"a (b\n"), (b" BODY[1] {0}", b""), b" FLAGS ())"],
    [
        b'3 (uid 12 bodystructure ("text" "plain" ("charset" "utf-8" "name" "a \\"b\\" \\\\ \\c") NIL NIL "7bit" 10 1 NIL NIL NIL NIL))'
    ],
    [
        b'1 (UID 2 BODYSTRUCTURE (("text" "plain" NIL NIL NIL "7bit" 1 1)("text" "html" NIL NIL NIL "7bit" 1 1) "mixed" ("a" "b")))'
    ],
    [(b'1 (UID 2 BODYSTRUCTURE (("text" "plain" ("name" {3}', b'"x\n'), b') NIL NIL "7bit" 1 1) "mixed"))'],
    [b"1 (UID 2 ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL))"],
    [b"1 (UID 2 FLAGS (\xc3\xa9t\xc3\xa9 NonJunk))"],
    [b"1 (UID x)"],
    [b"1 (UID 2"],
    [b"1 UID 2)"],
    [b"1 (UID)"],
    [b"x (UID 2)"],
    [b"1 (UID 2 X \t Y)"],
    [b'1 (UID 2 X "open)'],
    [b"1 (UID 2 X {3} Y NIL)"],
    [(b"1 (UID 2 X {4}", b"abc"), b")"],
    [b"1 (UID 2) 4 (UID 5)"],
    [b"1 (UID 2 BODY NIL)"],
    [b""],
    [],
]


def by_the_library(answer: list[Any]) -> list[dict[bytes, Any]]:
    try:
        return list(parse_fetch_response(answer, normalise_times=False, uid_is_key=False).values())
    except Exception:
        return []


@pytest.mark.parametrize("answer", ANSWERS)
def test_the_same_as_the_library_reads(answer: list[Any]) -> None:
    assert fetch_answers.read(answer) == by_the_library(answer)


def test_the_same_of_what_is_damaged() -> None:
    """What the library reads at all: where it finds no closing bracket, or a quotation mark within a word, more may be read here."""
    chance = random.Random(31)
    for _time in range(3000):
        answer = list(chance.choice(ANSWERS[:9]))
        at = chance.randrange(len(answer))
        text = answer[at][0] if isinstance(answer[at], tuple) else answer[at]
        place = chance.randrange(len(text) + 1)
        damaged = text[:place] + bytes([chance.choice(b' ()"\\{}[]%0aN\t\r\n\0\xe9')]) + text[place + chance.randrange(2) :]
        answer[at] = (damaged, answer[at][1]) if isinstance(answer[at], tuple) else damaged
        expected = by_the_library(answer)
        assert expected == [] or fetch_answers.read(answer) == expected, answer


def test_brackets_without_end_are_bounded() -> None:
    deep = b"1 (UID 2 BODYSTRUCTURE " + b"(" * 100_000 + b")" * 100_000 + b")"
    assert len(fetch_answers.read([deep])) <= 1
    assert fetch_answers.read([b"(" * 200_000]) == []
    assert fetch_answers.read([b'1 (UID 2 X "' + b'\\"' * 100_000]) == []


@pytest.mark.parametrize(
    "wrong",
    [
        b"1" * 5000 + b" (UID 2)", b"1 (UID 2 RFC822.SIZE " + b"1" * 5000 + b")", b"1" * 5000 + b" (UID 2 FLAGS ())",
        b"1 (UID " + b"2" * 5000 + b" FLAGS ())",
    ],
)  # fmt: skip
def test_a_number_without_end_hides_no_other_message(wrong: bytes) -> None:
    assert fetch_answers.read([wrong]) == []
    assert list(fetched({"FETCH": [wrong, b"2 (UID 3 RFC822.SIZE 10)"]})) == [3]


@pytest.mark.parametrize("told", [b"INTERNALDATE 5", b"INTERNALDATE (1 2)", b"FLAGS 5", b"FLAGS NIL", b'FLAGS "seen"'])
def test_values_of_another_kind_than_they_are_count_for_nothing(told: bytes) -> None:
    values = fetched({"FETCH": [b"1 (UID 2 " + told + b" RFC822.SIZE 10)"]})[2]
    assert (flags_of(values), when_of(values)) == (frozenset(), EPOCH)


@pytest.mark.parametrize("told", [b"NIL", b'"10"', b"(1 2)", b"9223372036854775808"])
def test_a_size_that_is_none_is_left_out(told: bytes) -> None:
    """What is added up, compared and stored is a number that the database takes."""
    assert fetched({"FETCH": [b"1 (UID 2 FLAGS () RFC822.SIZE " + told + b")"]}) == {2: {b"SEQ": 1, b"UID": 2, b"FLAGS": ()}}
