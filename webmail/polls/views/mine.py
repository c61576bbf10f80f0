"""One's polls: the list, the page of one with its answers, and what is done with it, down to the event of the date chosen."""

from __future__ import annotations

from flask import Response, abort, redirect, request
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from webmail.calendar import form_store
from webmail.calendar.guests.guest_list import MOST_GUESTS
from webmail.models import Poll, PollOption, PollVoter
from webmail.polls import csv_file, poll_texts, results, store, voting
from webmail.polls.blueprint import blueprint
from webmail.polls.results import PollResults
from webmail.polls.store import PollState
from webmail.polls.views.form import of_mine
from webmail.polls.voting import PollAnswer
from webmail.web.current import current_user, settings
from webmail.web.notices import notify, withdraw_notices
from webmail.web.public_links import public_link
from webmail.web.rendering import page
from webmail.web.responses.downloads import named
from webmail.web.responses.qr_code import qr_code
from webmail.web.templates.addresses import url_for

A_PAGE = 100  # of those who answered
_MOST_NAMES = 50  # in the note of an event, for each answer
_LONGEST_NOTE = 1_900


@blueprint.get("/polls")
def index() -> Response:
    """Two queries."""
    rows = [(poll, count, str(store.state(poll)), poll_texts.closing_words(poll)) for poll, count in store.listed(current_user())]
    return page("polls/index.html", rows=rows)


@blueprint.get("/polls/<int:number>")
def show_poll(number: int) -> Response:
    """Three queries."""
    poll = of_mine(number)
    found, address = results.results(poll), _address(poll)
    last = max(1, -(-len(found.voters) // A_PAGE))
    at = min(max(1, request.args.get("page", 1, type=int) or 1), last)
    rows = found.voters[(at - 1) * A_PAGE : at * A_PAGE]
    people = [(voter, poll_texts.voter_name(voter, poll, settings()), voting.answers_of(voter)) for voter in rows]
    return page(
        "polls/one.html", poll=poll, state=str(store.state(poll)), counts=found.counts, people=people, total=len(found.voters),
        address=address, picture=qr_code(address), closing=poll_texts.closing_words(poll), at=at, last=last,
        chosen=next((option for option in found.options if option.id == poll.chosen_id), None),
        body=_("Please choose the dates that suit you: %(link)s", link=address),
        option_words=poll_texts.option_words, option_head=poll_texts.option_head, answer_words=poll_texts.answer_words,
    )  # fmt: skip


@blueprint.post("/polls/<int:number>")
def act_on(number: int) -> AnyResponse:
    """`action`: close, reopen, delete, restore, choose (`option`), remove-vote or put-vote-back (`voter`)."""
    poll = store.find(current_user(), number)
    if poll is None:
        abort(404)
    action = request.form.get("action", "")
    if action == "choose":
        return _choose(poll)
    act = {"close": _close, "reopen": _reopen, "delete": _delete, "restore": _restore}.get(action)
    if act is not None:
        act(poll)
        return redirect(url_for("polls.index") if action == "delete" else url_for("polls.show_poll", number=number), 303)
    if action not in ("remove-vote", "put-vote-back"):
        abort(400)
    _remove_vote(poll, request.form.get("voter", 0, type=int) or 0, back=action == "put-vote-back")
    return redirect(url_for("polls.show_poll", number=number, _anchor="voters"), 303)


def _close(poll: Poll) -> None:
    if store.close(poll):
        notify(_("“%(title)s” is closed: nobody can answer any more.", title=poll.title), undo=_undo(poll, "reopen"))


def _reopen(poll: Poll) -> None:
    withdraw_notices()
    if store.reopen(poll):
        notify(_("The poll “%(title)s” is open.", title=poll.title))
    else:
        notify(_("All dates are past. Change the poll to add new ones."), "caution")


def _delete(poll: Poll) -> None:
    if store.remove(poll):
        notify(_("“%(title)s” was deleted, and its link no longer works.", title=poll.title), undo=_undo(poll, "restore"))


def _restore(poll: Poll) -> None:
    withdraw_notices()
    store.put_back(poll)
    notify(_("“%(title)s” is back, with all its answers.", title=poll.title))


def _remove_vote(poll: Poll, voter: int, *, back: bool) -> None:
    if back:
        withdraw_notices()
        if voting.put_back(poll, voter):
            notify(_("The answer counts again."))
    elif voting.remove(poll, voter):
        notify(_("The answer was removed."), undo=_undo(poll, "put-vote-back", voter=str(voter)))


def _undo(poll: Poll, action: str, **fields: str) -> tuple[str, dict[str, str]]:
    return url_for("polls.act_on", number=poll.id), {"action": action, **fields}


@blueprint.get("/polls/<int:number>/answers.csv")
def answers_csv(number: int) -> Response:
    """Three queries."""
    poll = of_mine(number)
    name = _("poll")
    return named(csv_file.written(poll, results.results(poll), settings()), "text/csv", f"{name}-{poll.id}.csv")


def _address(poll: Poll) -> str:
    """As people reach it; without the setting `public_url`, as this request did."""
    link = store.token(poll, settings())
    return public_link("polls.show", link=link) or url_for("polls.show", link=link, _external=True)


# --- the event -------------------------------------------------------------------------------------------------------


def _choose(poll: Poll) -> AnyResponse:
    """Close the poll with a date, and lead to the form of its event, which is not saved, and invites nobody, until it is sent."""
    found = results.results(poll)
    option = next((one for one in found.options if str(one.id) == request.form.get("option")), None)
    if poll.removed is not None:
        abort(404)
    if option is None:
        notify(_("This date is no longer among those to choose from."), "caution")
        return redirect(url_for("polls.show_poll", number=poll.id), 303)
    uid = store.choose(poll, option)
    path = url_for("calendar.new_event")
    name = form_store.keep(current_user(), path, _event_fields(poll, option, found, uid))
    invited = _invited(found.voters, option)
    left_out = max(len(invited["invite"]) + len(invited["optional"]) - MOST_GUESTS, 0)
    said = _("The date is chosen, and the poll closed. Check the event, then save it: that invites the people below.")
    if left_out:
        said += " " + ngettext(
            "%(num)d person is left out: an event has at most %(most)d guests.",
            "%(num)d people are left out: an event has at most %(most)d guests.",
            left_out, most=MOST_GUESTS,
        )  # fmt: skip
    notify(said, "caution" if left_out else "done", undo=_undo(poll, "reopen") if store.state(poll) is PollState.OPEN else None)
    return redirect(url_for("calendar.new_event", form=name), 303)


def _event_fields(poll: Poll, option: PollOption, found: PollResults, uid: str) -> list[tuple[str, str]]:
    """The form of the event, as it would be typed."""
    begins, ends = store.span_of(option, poll)
    invited = _invited(found.voters, option)
    must = invited["invite"][:MOST_GUESTS]
    may = invited["optional"][: MOST_GUESTS - len(must)]
    fields = {
        "title": poll.title, "location": poll.location, "notes": poll.note, "uid": uid, "start": f"{begins:%Y-%m-%d}",
        "end": f"{ends:%Y-%m-%d}", "invite": ", ".join(must), "optional": ", ".join(may), "note": _told(poll, option, found),
    }  # fmt: skip
    if option.minutes:
        fields |= {"start_hour": f"{begins:%H:%M}", "end_hour": f"{ends:%H:%M}", "zone": poll.zone}
    else:
        fields["all_day"] = "1"
    return list(fields.items())


def _invited(voters: list[PollVoter], option: PollOption) -> dict[str, list[str]]:
    """The addresses of those who can come, and of the others, who gave one."""
    own = current_user().id
    able = results.answered(voters, option, PollAnswer.YES, PollAnswer.MAYBE)
    others = [one for one in voters if one not in able]
    return {"invite": _addresses(able, own), "optional": _addresses(others, own)}


def _addresses(voters: list[PollVoter], own: int) -> list[str]:
    found = [voting.address_of(one) for one in voters if one.user_id != own]
    return list({address.lower(): address for address in found if address}.values())


def _told(poll: Poll, option: PollOption, found: PollResults) -> str:
    """What the guests are told: how many voted what for this date, and who, unless votes are hidden."""
    lines = []
    for answer in (PollAnswer.YES, PollAnswer.MAYBE):
        voters = results.answered(found.voters, option, answer)
        if not voters:
            continue
        names = [poll_texts.voter_name(one, poll, settings()).text for one in voters[:_MOST_NAMES]]
        told = str(len(voters)) if poll.hidden else ", ".join(names) + (" …" if len(voters) > _MOST_NAMES else "")
        lines.append(_("%(answer)s: %(names)s", answer=poll_texts.answer_words(answer), names=told))
    return "\n".join([_("This date was chosen in the poll “%(title)s”.", title=poll.title), *lines])[:_LONGEST_NOTE]
