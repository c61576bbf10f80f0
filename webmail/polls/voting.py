"""Voting: what people answer to a poll, each in one row that is written whole, so that of many at once none is lost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import peewee as pw

from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.errors import LimitReachedError
from webmail.models import Poll, PollOption, PollVoter, User, now
from webmail.polls import store
from webmail.polls.store import PollState
from webmail.rate_limits import DAY, HOUR, QUARTER, RateLimit
from webmail.transfers import links
from webmail.transfers.links import LinkKind

LONGEST_NAME, LONGEST_COMMENT, LONGEST_ADDRESS = 120, 500, 254
UNKNOWN = RateLimit("links to polls that lead nowhere", 60, QUARTER)  # from one network
VOTES = RateLimit("votes from a network", 700, HOUR)  # a whole school votes from one
CHANGES = RateLimit("changes of one vote", 60, HOUR)
LINKS_TO_ADDRESS = RateLimit("links to votes mailed to an address", 3, DAY)
LINKS_OF_OWNER = RateLimit("links to votes mailed for the polls of one person", 2_000, DAY)
LINKS_OF_NETWORK = RateLimit("links to votes mailed from a network", 500, DAY)


class PollAnswer(StrEnum):
    """To one date."""

    YES = "yes"
    MAYBE = "maybe"  # if need be
    NO = "no"


class PollShutError(Exception):
    """The poll takes no answers any more."""


class OptionGoneError(Exception):
    """Dates that were answered are no longer among those to choose from: `gone` names them (by `id`)."""

    def __init__(self, gone: list[int]) -> None:
        super().__init__(f"options {gone} were removed")
        self.gone = gone


@dataclass(frozen=True, slots=True)
class Ballot:
    """What somebody answers. `user`: a colleague who is signed in; else `name` and `address` are as they were typed."""

    answers: Mapping[int, PollAnswer]
    name: str = ""
    address: str = ""
    comment: str = ""
    user: User | None = None
    language: str = ""


def vote(poll: Poll, ballot: Ballot, settings: Settings, voter: PollVoter | None = None) -> PollVoter:
    """Write an answer: that of `voter` anew, that of a colleague anew where they have one, else one more.

    1 transaction. Raises PollShutError, OptionGoneError, LimitReachedError.
    """
    with db.atomic():
        store.lock(poll)
        found = Poll.get_or_none((Poll.id == poll.id) & Poll.removed.is_null())
        if found is None or store.state(found) is not PollState.OPEN:
            raise PollShutError(f"poll {poll.id}")
        if gone := sorted(set(ballot.answers) - {one.id for one in store.options(poll)}):
            raise OptionGoneError(gone)
        voter = voter or (_of_user(poll, ballot.user) if ballot.user is not None else None)
        if (voter is None or voter.removed is not None) and count(poll) >= store.MOST_VOTERS:
            raise LimitReachedError(f"{store.MOST_VOTERS} voters")
        columns = _columns(ballot)
        if voter is not None:
            PollVoter.update(**columns).where(PollVoter.id == voter.id).execute()
            return PollVoter.get_by_id(voter.id)
        nonce = links.new_nonce()
        hashed = links.link_hash(links.token(LinkKind.VOTER, nonce, settings.secret_key))
        return PollVoter.create(poll=poll, user=ballot.user, nonce=nonce, link_hash=hashed, **columns)


def _columns(ballot: Ballot) -> dict[str, object]:
    outside = ballot.user is None
    return {
        "name": ballot.name[:LONGEST_NAME] if outside else "",
        "address": ballot.address[:LONGEST_ADDRESS] if outside else "",
        "language": ballot.language,
        "answers": json.dumps({str(number): _SHORT[answer] for number, answer in sorted(ballot.answers.items())}),
        "comment": ballot.comment[:LONGEST_COMMENT],
        "changed": now(),
        "removed": None,
    }


_SHORT = {PollAnswer.YES: "y", PollAnswer.MAYBE: "m", PollAnswer.NO: "n"}
_LONG = {short: answer for answer, short in _SHORT.items()}


def answers_of(voter: PollVoter) -> dict[int, PollAnswer]:
    """By the option's `id`; some of them may have been removed since."""
    return {int(number): _LONG[short] for number, short in json.loads(voter.answers).items()}


def count(poll: Poll) -> int:
    """How many answered. 1 query."""
    return int(PollVoter.select().where(PollVoter.poll == poll, PollVoter.removed.is_null()).count())


def voters(poll: Poll) -> list[PollVoter]:
    """Who answered, the first first, with their accounts. 1 query."""
    rows: Any = PollVoter.select(PollVoter, User).join(User, pw.JOIN.LEFT_OUTER)
    return list(rows.where(PollVoter.poll == poll, PollVoter.removed.is_null()).order_by(PollVoter.id))


def address_of(voter: PollVoter) -> str:
    """A colleague's own; what was typed for others. No query, where its account was read with it."""
    return str(voter.user.address if voter.user is not None else voter.address)


def _of_user(poll: Poll, user: User) -> PollVoter | None:
    found: PollVoter | None = PollVoter.get_or_none((PollVoter.poll == poll) & (PollVoter.user == user))
    return found


def of_colleague(poll: Poll, user: User) -> PollVoter | None:
    """What a colleague answered; None where they did not. 1 query."""
    found = _of_user(poll, user)
    return found if found is not None and found.removed is None else None


def find_by_link(token: str) -> PollVoter | None:
    """Who has this private link. 1 query; none for what is no token."""
    if links.parts(token) != (token, None):
        return None
    rows: Any = PollVoter.select(PollVoter, Poll, User).join(Poll).join(User)
    return rows.where(PollVoter.link_hash == links.link_hash(token), PollVoter.user.is_null()).first()


def token(voter: PollVoter, settings: Settings) -> str:
    """That of the link by which they change it."""
    return links.token(LinkKind.VOTER, voter.nonce, settings.secret_key)


def remove(poll: Poll, number: int) -> bool:
    """The answer (by its `id`) no longer counts; by whoever gave it, or the organiser. Whether it did."""
    mine = (PollVoter.id == number) & (PollVoter.poll == poll) & PollVoter.removed.is_null()
    return bool(PollVoter.update(removed=now()).where(mine).execute())


def put_back(poll: Poll, number: int) -> bool:
    """Undo `remove`, where there is room."""
    with db.atomic():
        store.lock(poll)
        if count(poll) >= store.MOST_VOTERS:
            return False
        mine = (PollVoter.id == number) & (PollVoter.poll == poll)
        return bool(PollVoter.update(removed=None).where(mine).execute())


def missed(voter: PollVoter, choices: list[PollOption]) -> tuple[int, int]:
    """How many dates that they answered are gone, and how many came since."""
    given, there = set(answers_of(voter)), {one.id for one in choices}
    fresh = [one for one in choices if one.id not in given]
    return len(given - there), len(fresh)
