"""Results of a poll: how often each date was answered how, and which suits most people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from webmail.models import Poll, PollOption, PollVoter
from webmail.polls import store, voting
from webmail.polls.voting import PollAnswer


@dataclass(frozen=True, slots=True)
class OptionCount:
    """How often one date was answered how. `best`: none suits more people."""

    option: PollOption
    yes: int
    maybe: int
    no: int
    best: bool = False


@dataclass(frozen=True, slots=True)
class PollResults:
    """The dates with their numbers, and who answered, the first first."""

    counts: list[OptionCount]
    voters: list[PollVoter]

    @property
    def options(self) -> list[PollOption]:
        return [one.option for one in self.counts]


def results(poll: Poll) -> PollResults:
    """2 queries."""
    choices, voters = store.options(poll), voting.voters(poll)
    given = Counter((number, answer) for voter in voters for number, answer in voting.answers_of(voter).items())
    best = _best(choices, given)
    counts = [
        OptionCount(
            one, given[one.id, PollAnswer.YES], given[one.id, PollAnswer.MAYBE], given[one.id, PollAnswer.NO], one.id in best
        )
        for one in choices
    ]
    return PollResults(counts, voters)


def _best(choices: Sequence[PollOption], given: Counter[tuple[int, PollAnswer]]) -> set[int]:
    """Most can come at all, and of those most without trouble. None while nobody can."""
    ranks = {one.id: _rank(one.id, given) for one in choices}
    top = max(ranks.values(), default=(0, 0))
    return {number for number, rank in ranks.items() if rank == top} if top[0] else set()


def _rank(number: int, given: Counter[tuple[int, PollAnswer]]) -> tuple[int, int]:
    yes = given[number, PollAnswer.YES]
    return yes + given[number, PollAnswer.MAYBE], yes


def answered(voters: Sequence[PollVoter], option: PollOption, *answers: PollAnswer) -> list[PollVoter]:
    """Who answered a date so."""
    return [one for one in voters if voting.answers_of(one).get(option.id) in answers]
