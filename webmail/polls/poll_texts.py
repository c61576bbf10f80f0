"""Words of polls: their dates, and who answered, with what is known of each name."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import NamedTuple

from flask_babel import gettext as _

from webmail import schedule
from webmail.calendar.display.event_texts import when_words
from webmail.config.settings import Settings
from webmail.mail import Address
from webmail.mime.threats import lookalike
from webmail.models import Poll, PollOption, PollVoter
from webmail.people import impostors
from webmail.people.colleagues import today
from webmail.polls import store
from webmail.polls.voting import PollAnswer
from webmail.web.formatting import clock_time, dated_weekday, day_in_full


class VoterName(NamedTuple):
    """How somebody is shown. `ours`: a colleague, signed in; `doubtful`: the name, or the address, pretends to be another's."""

    text: str
    ours: bool = False
    doubtful: bool = False


def option_words(option: PollOption, poll: Poll) -> str:
    """A date in full, in the poll's zone."""
    return when_words(*store.span_of(option, poll), store.zone_of(poll))


def option_head(option: PollOption, poll: Poll) -> str:
    """The same, short, for the head of a column: with its date, since the page is still there next week."""
    begins, _ends = store.span_of(option, poll)
    if isinstance(begins, datetime):
        return f"{dated_weekday(begins.date())} {clock_time(begins)}"
    return dated_weekday(begins)


def closing_words(poll: Poll) -> str:
    """The last day of answers, or when on it."""
    at = store.closing(poll).replace(tzinfo=UTC)
    day, hour = schedule.day_and_hour(at, store.zone_of(poll), ends=True)
    return when_words(at, at, store.zone_of(poll)) if hour else day_in_full(date.fromisoformat(day))


def answer_words(answer: PollAnswer | None) -> str:
    if answer is None:
        return "–"
    return {PollAnswer.YES: _("Yes"), PollAnswer.MAYBE: _("If need be"), PollAnswer.NO: _("No")}[answer]


def voter_name(voter: PollVoter, poll: Poll, settings: Settings) -> VoterName:
    """No query, where its account was read with it."""
    if voter.user is not None:
        return VoterName(voter.user.name or voter.user.address, ours=True)
    if not voter.name:
        return VoterName(_("Name deleted"))
    return VoterName(voter.name, doubtful=_pretends(voter, poll, settings))


def _pretends(voter: PollVoter, poll: Poll, settings: Settings) -> bool:
    """As a sender's name is checked; an address of ours that somebody typed proves nothing."""
    own = tuple(map(lookalike.readable, settings.own_domains(poll.owner.domain)))
    if impostors.domain_of(voter.address) in own:
        return True
    return impostors.pretends(Address(voter.name, voter.address), own, settings, today()) is not None
