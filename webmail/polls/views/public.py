"""The page of a poll for everybody who has its link: dates, who answered, and the form to answer. GET shows; only POST writes.

Nobody needs an account, and no cookie is set. Who answered has a private link to the same page, by which they change it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import redirect, request, session
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import rate_limits
from webmail.auth.guard import public
from webmail.auth.sessions.sessions import network_of
from webmail.errors import BadAddressError, LimitReachedError
from webmail.mime.headers.address_input import parse_addresses
from webmail.mime.threats.skeletons import visible
from webmail.models import Poll, PollVoter, User
from webmail.polls import poll_texts, results, store, voting
from webmail.polls.blueprint import blueprint
from webmail.polls.notifications import voter_links
from webmail.polls.store import PollState
from webmail.polls.voting import Ballot, OptionGoneError, PollAnswer, PollShutError
from webmail.rate_limits import TooManyRequestsError
from webmail.web.current import settings
from webmail.web.public_links import public_link
from webmail.web.responses.too_many import told_to_wait, with_again
from webmail.web.templates.addresses import url_for
from webmail.web.visitors import chosen_language, for_visitors, leads_nowhere, told, too_often, visitors_page

A_PAGE = 30  # of those who answered
_FIELD = "vote-"


@dataclass(frozen=True, slots=True)
class PollVisit:
    """Who comes by a link. `voter`: who answered already; `user`: a colleague, signed in, who came by the poll's own link."""

    link: str
    poll: Poll
    voter: PollVoter | None = None
    user: User | None = None

    @property
    def privately(self) -> bool:
        return self.voter is not None and self.user is None


@blueprint.get("/p/<link>")
@public
@for_visitors
def show(link: str) -> Response:
    """Four queries."""
    visit = _visit(link)
    return _page(visit) if isinstance(visit, PollVisit) else visit


@blueprint.post("/p/<link>")
@public
@for_visitors
def act(link: str) -> Response:
    """`vote-<number>` yes, maybe or no for each date, `name`, `address`, `comment`; `action`: vote, withdraw or restore.

    No token protects this form, since that would take a cookie: who sends it has to know the link, and what a colleague answers
    comes from our own pages (webmail/web/forms/origin.py).
    """
    visit = _visit(link)
    if not isinstance(visit, PollVisit):
        return visit
    action = request.form.get("action", "vote")
    if action in ("withdraw", "restore") and visit.voter is not None:
        return _withdraw(visit, visit.voter, back=action == "restore")
    return _vote(visit)


def _visit(link: str) -> PollVisit | Response:
    poll, voter = store.find_by_link(link), None
    if poll is None and (voter := voting.find_by_link(link)) is not None:
        poll = voter.poll
    if poll is None:
        return leads_nowhere(voting.UNKNOWN.by(_network()))
    if poll.removed is not None:
        return told(_("This poll was deleted"), _("Ask the person who sent you the link."), 410)
    user = _signed_in() if voter is None else None
    return PollVisit(link, poll, voting.of_colleague(poll, user) if user else voter, user)


def _signed_in() -> User | None:
    user = getattr(session, "user", None)
    return user if isinstance(user, User) and user.active else None


# --- what they answer ------------------------------------------------------------------------------------------------


def _vote(visit: PollVisit) -> Response:
    typed, answers = _typed(), _answers()
    problems = {} if visit.user else _problems(typed)
    if not answers:
        problems["answers"] = _("Answer for at least one date.")
    if problems:
        return _page(visit, 422, typed=typed, answers=answers, problems=problems)
    outside = {} if visit.user else {"name": typed["name"], "address": typed["address"]}
    comment = typed["comment"] if visit.poll.comments else ""
    ballot = Ballot(answers, comment=comment, user=visit.user, language=str(get_locale()), **outside)
    own = visit.voter if visit.privately else None
    try:
        counted = voting.CHANGES.by(own.id) if own else voting.VOTES.by(_network())
        rate_limits.take(settings(), counted)
        voter = voting.vote(visit.poll, ballot, settings(), own)
    except TooManyRequestsError as error:
        words = with_again(_("Too many answers come from your network at the moment. Yours is not saved yet."), error)
        return told_to_wait(_page(visit, typed=typed, answers=answers, problems={"all": words}), error)
    except PollShutError:
        return _page(visit, 409, problems={"all": _("The poll was closed before your answer arrived. It was not counted.")})
    except OptionGoneError as error:
        left = {number: answer for number, answer in answers.items() if number not in error.gone}
        words = ngettext(
            "%(num)d date that you answered was removed meanwhile. Nothing was saved: check your answer, then send it again.",
            "%(num)d dates that you answered were removed meanwhile. Nothing was saved: check your answer, then send it again.",
            len(error.gone),
        )
        return _page(visit, 409, typed=typed, answers=left, problems={"all": words})
    except LimitReachedError:
        words = _("This poll already has %(count)d answers, and takes no more.", count=store.MOST_VOTERS)
        return _page(visit, 409, typed=typed, answers=answers, problems={"all": words})
    if visit.user is not None:
        return redirect(_url(visit.link, done="saved"), 303)
    changed = own is not None and own.address == voter.address
    mailed = not changed and voter_links.mail_link(visit.poll, voter, _network())
    return redirect(_url(voting.token(voter, settings()), done="mailed" if mailed else "changed" if own else "voted"), 303)


def _withdraw(visit: PollVisit, voter: PollVoter, *, back: bool) -> Response:
    if store.state(visit.poll) is not PollState.OPEN:
        return _page(visit, 409, problems={"all": _("The poll is closed: answers can no longer be changed.")})
    try:
        rate_limits.take(settings(), voting.CHANGES.by(voter.id))
    except TooManyRequestsError as error:
        return too_often(error)
    if back:
        voting.put_back(visit.poll, voter.id)
    else:
        voting.remove(visit.poll, voter.id)
    return redirect(_url(visit.link, done="restored" if back else "withdrawn"), 303)


def _typed() -> dict[str, str]:
    """Made harmless: one line of visible letters for the name; a little longer than allowed, to say so."""
    values = request.form
    comment = values.get("comment", "")[: 4 * voting.LONGEST_COMMENT].replace("\r\n", "\n").replace("\r", "\n")
    lines = ["".join(mark for mark in line if mark.isprintable()) for line in comment.split("\n")]
    return {
        "name": " ".join(visible(values.get("name", "")[:1000]).split())[: 2 * voting.LONGEST_NAME],
        "address": values.get("address", "").strip()[:300],
        "comment": "\n".join(lines).strip()[: 2 * voting.LONGEST_COMMENT],
    }


def _answers() -> dict[int, PollAnswer]:
    """By the option's number, as the form has them; no more than there may be dates."""
    given = [(name.removeprefix(_FIELD), value) for name, value in request.form.items() if name.startswith(_FIELD)]
    known = [(number, value) for number, value in given if value in list(PollAnswer) and number.isascii() and number.isdigit()]
    return {int(number): PollAnswer(value) for number, value in known[: 2 * store.MOST_OPTIONS] if len(number) < 16}


_LONGEST = {"name": voting.LONGEST_NAME, "address": voting.LONGEST_ADDRESS, "comment": voting.LONGEST_COMMENT}


def _problems(typed: dict[str, str]) -> dict[str, str]:
    found = {
        name: _("This is too long. Use at most %(count)d characters.", count=most)
        for name, most in _LONGEST.items()
        if len(typed[name]) > most
    }
    if not typed["name"]:
        found["name"] = _("Type your name.")
    if typed["address"] and "address" not in found:
        try:
            people = parse_addresses(typed["address"])
        except BadAddressError:
            people = ()
        if len(people) != 1 or people[0].email != typed["address"]:
            found["address"] = _("This is not a complete address. It looks like marie@example.org.")
    return found


# --- pages -----------------------------------------------------------------------------------------------------------


def _page(
    visit: PollVisit, status: int = 200, *, typed: dict[str, str] | None = None, answers: dict[int, PollAnswer] | None = None,
    problems: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    poll, voter, found = visit.poll, visit.voter, results.results(visit.poll)
    if voter is not None and typed is None:
        typed = {"name": voter.name, "address": voter.address, "comment": voter.comment}
    if voter is not None and answers is None:
        answers = voting.answers_of(voter)
    withdrawn = voter is not None and voter.removed is not None
    missed = voting.missed(voter, found.options) if voter is not None and not withdrawn else (0, 0)
    done = request.args.get("done", "") if request.method == "GET" else ""
    now_is = store.state(poll)
    chosen = next((one for one in found.options if one.id == poll.chosen_id), None)
    return visitors_page(
        "polls/public.html", status, endpoint="polls.show", keep=("page",), poll=poll, visit=visit, state=str(now_is),
        counts=found.counts, here=_url(visit.link), typed=typed or {}, answers=answers or {}, problems=problems or {}, done=done,
        private_url=_private_url(visit) if visit.privately and done else "", withdrawn=withdrawn, missed=missed,
        chosen=poll_texts.option_words(chosen, poll) if chosen else "", closing=poll_texts.closing_words(poll),
        limits=_LONGEST, mails=settings().system_sender is not None and bool(settings().public_url),
        option_words=poll_texts.option_words, option_head=poll_texts.option_head, answer_words=poll_texts.answer_words,
        **_people(visit, found),
    )  # fmt: skip


def _people(visit: PollVisit, found: results.PollResults) -> dict[str, Any]:
    """Who answered, a page of them: nobody where votes are hidden."""
    visible_ones = [] if visit.poll.hidden else found.voters
    last = max(1, -(-len(visible_ones) // A_PAGE))
    number = min(max(1, request.args.get("page", 1, type=int) or 1), last)
    rows = visible_ones[(number - 1) * A_PAGE : number * A_PAGE]
    people = [(poll_texts.voter_name(one, visit.poll, settings()), voting.answers_of(one), one.comment) for one in rows]
    following = _url(visit.link, page=number + 1) if number < last else ""
    before = _url(visit.link, page=number - 1) if number > 1 else ""
    return {"people": people, "total": len(found.voters), "first": (number - 1) * A_PAGE + 1, "next": following, "before": before}


def _private_url(visit: PollVisit) -> str:
    """As people reach it; without the setting `public_url`, as this request did."""
    return public_link("polls.show", link=visit.link) or url_for("polls.show", link=visit.link, _external=True)


def _url(link: str, **values: Any) -> str:
    return url_for("polls.show", link=link, lang=chosen_language() or None, **values)


def _network() -> str:
    return network_of(request.remote_addr)
