"""Timing: whether the time that a refusal takes tells which accounts there are, and what they have."""

from __future__ import annotations

import math
import random
from statistics import fmean, median

from tests.attacks.ground import Browser, Ground, without_tokens
from tests.attacks.report import Finding
from tests.bench.visitor import Answer

_KNOWN = "a name that exists"
_MOST = 0.05  # of the time of a known name, by which another may differ
_UNLIKELY = 0.001  # or a chance above which the difference is one of the machine
_TRIMMED = 0.25  # of the times, the slowest: the machine did something else then


def attacks(ground: Ground) -> list[Finding]:
    """All kinds in turn, in another order each time, so that whatever else the machine does is alike for all."""
    rounds = ground.times(200)
    with ground.web(sign_in_attempts=1_000_000) as web:
        asked = _kinds(ground)
        browser = web.browser()
        browser.open()
        times: dict[str, list[float]] = {kind: [] for kind in asked}
        pages: dict[str, str] = {}
        order, chance = list(asked), random.Random(1)
        for number in range(rounds + 2):
            chance.shuffle(order)
            for kind in order:
                name, password = asked[kind]
                answer = _refusal(browser, name, password)
                pages[kind] = without_tokens(answer.text).replace(name, "")
                if number >= 2:  # the first ones warm up
                    times[kind].append(answer.ms)
    same = Finding(
        "What the page of a refusal says and holds", len(pages), "the same to the letter, but for what was typed",
        len(set(pages.values())) == 1,
    )  # fmt: skip
    return [
        same,
        *(compared(f"The time that refusing {kind} takes", times[kind], times[_KNOWN]) for kind in asked if kind != _KNOWN),
    ]


def _kinds(ground: Ground) -> dict[str, tuple[str, str]]:
    """The name and password that are typed, by what they are. None of them lets in."""
    wrong = "a wrong password"
    return {
        _KNOWN: (ground.person(), wrong),
        "a name that does not exist": ("nobody@lycee.example", wrong),
        "an account that is switched off": (ground.person(active=0), wrong),
        "an account with a temporary password": (ground.person(must_change=1), wrong),
        "an account with a second step": (ground.person(second_step=1), wrong),
        "an account without a password": (ground.person(password=""), wrong),
    }


def _refusal(browser: Browser, name: str, password: str) -> Answer:
    answer = browser.sign_in(name, password)
    assert answer.status == 401, (name, answer.status)
    return answer


def compared(attack: str, times: list[float], known: list[float]) -> Finding:
    """Whether what was timed differs from what a known name takes."""
    ratio = _trimmed(times) / _trimmed(known)
    alike = ranks_alike(times, known)
    words = (
        f"median {median(times):.0f} ms, quartiles {_quartiles(times)}; {_KNOWN}: {median(known):.0f}, {_quartiles(known)}; without the "
        f"slowest quarter {ratio - 1:+.1%}; p = {alike:.2f} (Mann-Whitney)"
    )
    return Finding(attack, len(times), words, abs(ratio - 1) <= _MOST or alike > _UNLIKELY)


def _trimmed(times: list[float]) -> float:
    return fmean(sorted(times)[: math.ceil(len(times) * (1 - _TRIMMED))])


def _quartiles(times: list[float]) -> str:
    ordered = sorted(times)
    return f"{ordered[len(ordered) // 4]:.0f} to {ordered[len(ordered) * 3 // 4]:.0f}"


def ranks_alike(one: list[float], other: list[float]) -> float:
    """The chance of ranks that differ so much or more, if both came from the same source (Mann and Whitney, both sides)."""
    ordered = sorted([(value, 0) for value in one] + [(value, 1) for value in other])
    ranks = sum(rank for rank, (_value, which) in enumerate(ordered, 1) if which == 0)
    m, n = len(one), len(other)
    apart = ranks - m * (m + 1) / 2 - m * n / 2
    return math.erfc(abs(apart) / math.sqrt(m * n * (m + n + 1) / 12) / math.sqrt(2))
