"""The merged order of several lists from the keys of few of their elements."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from webmail.imap.connections.multi_fetch import MailboxHits
from webmail.imap.searching import merging, sort_keys
from webmail.imap.searching.merging import merged, spans
from webmail.imap.searching.sort_keys import ORDERS, Wanted


def random_lists(chance: random.Random) -> list[list[int]]:
    """Sorted lists of very different lengths, with many equal numbers."""
    return [sorted(chance.randrange(40) for _ in range(chance.choice((0, 1, 2, 30, 300)))) for _ in range(chance.randrange(1, 9))]


def test_the_spans_hold_all_that_stands_at_these_places() -> None:
    chance = random.Random(5)
    for _ in range(500):
        lists, step = random_lists(chance), chance.randrange(1, 20)
        everything = sorted((key, number, at) for number, each in enumerate(lists) for at, key in enumerate(each))
        first = chance.randrange(len(everything) + 1)
        last = first + chance.randrange(60)
        samples = [[(key, step * at) for at, key in enumerate(each[::step])] for each in lists]
        found = spans(samples, [len(each) for each in lists], first, last)
        before = sum(low for low, _high in found)
        inside = [one for one in everything if found[one[1]][0] <= one[2] < found[one[1]][1]]
        assert before <= first
        assert inside[first - before : last - before] == everything[first:last]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many keys each question asks for; a UID is its own key, but multiples of 1000 went meanwhile."""
    counts: list[int] = []

    def keys_of(_connection: object, _order: object, wanted: Sequence[Wanted]) -> dict[tuple[str, int], float]:
        counts.append(sum(len(uids) for _place, uids in wanted))
        return {(place.mailbox, uid): float(uid) for place, uids in wanted for uid in uids if uid % 1000}

    monkeypatch.setattr(merging, "keys_of", keys_of)
    return counts


def places(chance: random.Random, count: int, total: int) -> list[MailboxHits]:
    each: list[list[int]] = [[] for _ in range(count)]
    for uid in range(1, total + 1):
        chance.choice(each).append(uid)
    return [MailboxHits(f"F{number}", 1, frozenset(), tuple(uids)) for number, uids in enumerate(each)]


def test_a_late_page_of_100000_results_needs_few_keys(asked: list[int]) -> None:
    lists = places(random.Random(7), 50, 100_000)
    for first in (0, 50, 5_000, 50_000, 99_800):
        asked.clear()
        found = merged(None, lists, ORDERS["oldest"], first, first + 50, is_sorted=True)  # type: ignore[arg-type]
        assert [hit.uid for hit in found] == list(range(first + 1, first + 51))
        assert len(asked) <= 2 and sum(asked) < 8_000


def test_all_pages_together_show_each_result_once(asked: list[int]) -> None:
    lists = places(random.Random(9), 7, 4_990)
    shown = [
        hit.uid for first in range(0, 4_990, 50)
        for hit in merged(None, lists, ORDERS["oldest"], first, first + 50, is_sorted=True)  # type: ignore[arg-type]
    ]  # fmt: skip
    assert sorted(shown) == list(range(1, 4_991))


def test_results_of_one_mailbox_need_no_key(asked: list[int]) -> None:
    only = [MailboxHits("A", 1, frozenset(), (9, 8, 7)), MailboxHits("B", 1, frozenset(), ())]
    assert [hit.uid for hit in merged(None, only, ORDERS["date"], 1, 3, is_sorted=True)] == [8, 7]  # type: ignore[arg-type]
    assert asked == []


@pytest.mark.parametrize(
    ("subject", "key"),
    [
        ("Re: [Profs] TR: Été", "ete"), ("RE : Bilan", "bilan"), ("Fwd[2]: «Bilan»", "bilan»"), ("[liste]", "liste]"),
        ("Rendez-vous : mardi", "rendez-vous : mardi"), ("Re:", "re:"), ("", ""), ("Œuvre", "œuvre"),
    ],
)  # fmt: skip
def test_subjects_are_compared_without_what_answers_add(subject: str, key: str) -> None:
    assert sort_keys.subject_key(subject) == key
