"""How strong a password is, and what is said of a weak one."""

from __future__ import annotations

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.auth.passwords.strength import Strength, Weakness, judge, known_words, without

KNOWN = ("Alice Leroy", "alice.leroy@lycee-ampere.example", "Lycée Ampère")


@pytest.mark.parametrize(
    ("password", "weakness"),
    [
        ("motdepasse", Weakness.COMMON),
        ("password1234", Weakness.COMMON),
        ("azertyuiop12", Weakness.COMMON),
        ("mlkjhgfdsq", Weakness.KEYS),
        ("wxcvbn,;:!", Weakness.KEYS),
        ("abababababab", Weakness.REPEATED),
        ("abcdefghijkl", Weakness.SEQUENCE),
        ("12/05/1990", Weakness.DATE),
        ("Lycée Ampère 12", Weakness.KNOWN),
        ("LYCEE-AMPERE", Weakness.KNOWN),
        ("alice.leroy.2026", Weakness.KNOWN),
    ],
)
def test_a_weak_password_is_told_why(password: str, weakness: Weakness) -> None:
    found = judge(password, existing=KNOWN, shortest=10)
    assert found.score <= 2 and found.weakness is weakness


@pytest.mark.parametrize(
    "password", ["correct horse battery staple", "cheval pile agrafe nuage", "tR7!kk2#pQz9", "ö" + "x7kQ!zp2vT"]
)
def test_a_strong_password_is_told_nothing(password: str) -> None:
    assert judge(password, existing=KNOWN, shortest=10) == Strength(4)


def test_a_good_password_beside_a_known_word_stays_good() -> None:
    assert judge("alice-Tk93hdk!vm", existing=KNOWN, shortest=10).score >= 3


@pytest.mark.parametrize("password", ["", "x", "Tk9!vm", "  "])
def test_a_short_password_is_weak_whatever_it_is(password: str) -> None:
    assert judge(password, shortest=10).score <= 1
    assert judge(password, shortest=10).weakness is Weakness.SHORT


@pytest.mark.parametrize("password", ["x" * 100_000, "é" * 5000, "aA1!" * 2000, "\0\n\t" * 500, "😀" * 400, "ab" * 4000])
def test_any_length_is_judged_at_once(password: str) -> None:
    with cpu_seconds(1):
        judge(password, existing=[*KNOWN, "y" * 10_000, " ".join(f"word{n}" for n in range(5000))], shortest=10)


def test_words_that_everybody_knows() -> None:
    assert known_words(["Alice Le Roy", "alice@a.example"]) == ["alice", "roy", "example"]
    assert len(known_words([" ".join(f"word{n}" for n in range(5000))])) == 60
    assert without(["lycée"], "LYCEE-12") == "-12"
