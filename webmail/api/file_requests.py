"""Requests for files, for scripts: made, changed, listed and closed; what came by them are transfers like others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask_babel import get_locale
from werkzeug.datastructures import MultiDict

from webmail.api import answer_bodies, transfer_sending
from webmail.api.operations import ApiAnswer, ApiCall, Operation
from webmail.api.problems import ProblemError
from webmail.api.request_keys import keyed
from webmail.api.schemas import number, or_null, record, several, text, until, yes_or_no
from webmail.database import idempotency
from webmail.database.connection import db
from webmail.errors import LimitReachedError
from webmail.models import FileRequest, FileRequestInvite
from webmail.transfers import listing
from webmail.transfers.notifications import recipients
from webmail.transfers.requests import requests
from webmail.transfers.requests.request_forms import LONGEST_PEOPLE, RequestForm
from webmail.transfers.requests.requests import LONGEST_MESSAGE, LONGEST_TITLE, RequestState, Wishes
from webmail.web.current import wake_system_mail
from webmail.web.formatting import lazy_text as _l

_PEOPLE = several(text(320, least=3), 1000, "Who is asked by mail, each with a link of their own")
_TITLE = text(LONGEST_TITLE, "What the files are for", least=1)
NEW = record(
    {
        "title": _TITLE, "message": text(LONGEST_MESSAGE, lines=True), "people": _PEOPLE,
        "invited_only": yes_or_no("Only they may send", False), "once": yes_or_no("Each link takes one transfer", False),
        "asks_name": yes_or_no("Whoever sends must give a name", True), "until": until("After it nothing can be sent"),
        "days": number(3650, "How long what comes is kept", least=1), "most_megabytes": number(10**9, "Of one transfer", least=1),
        "most_files": number(10_000, least=1), "notify": yes_or_no("A mail for each arrival", True),
    },
    "title",
)  # fmt: skip
CHANGED = record(
    {
        "title": _TITLE, "message": text(LONGEST_MESSAGE, lines=True), "invited_only": yes_or_no("Only they may send"),
        "once": yes_or_no("Each link takes one transfer"), "asks_name": yes_or_no("Whoever sends must give a name"),
        "until": or_null(until("After it nothing can be sent; null: open until you close it")),
        "days": or_null(number(3650, "How long what comes is kept; null: as usual", least=1)),
        "most_megabytes": or_null(number(10**9, "Of one transfer; null: as much as may be", least=1)),
        "most_files": or_null(number(10_000, "null: as many as may be", least=1)), "notify": yes_or_no("A mail for each arrival"),
    },
    note="What is left out stays as it is",
)  # fmt: skip


def _check_offered(call: ApiCall) -> None:
    if not requests.is_offered(call.settings):
        raise ProblemError("not-found")


def _mine(call: ApiCall) -> FileRequest:
    _check_offered(call)
    found = requests.find(call.person, call.values["number"])
    if found is None:
        raise ProblemError("not-found")
    return found


def _told(found: FileRequest, call: ApiCall, status: int = 200) -> ApiAnswer:
    arrived = [one.id for one in requests.arrivals(found)]
    people = [answer_bodies.invited(one, call.settings) for one in requests.invites(found)]
    whole = {**answer_bodies.file_request(found, len(arrived), call.settings), "invited": people, "transfers": arrived}
    return answer_bodies.answer(whole, status)


def show_list(call: ApiCall) -> ApiAnswer:
    _check_offered(call)
    rows = requests.listed(call.person)
    return answer_bodies.answer(
        {"requests": [answer_bodies.file_request(one.request, one.arrived, call.settings) for one in rows]}
    )


def make(call: ApiCall) -> ApiAnswer:
    _check_offered(call)
    wishes, people = _wishes(call)
    if not call.key:
        return _told(_made(call, wishes, people), call, 201)
    with keyed(call.person, "file request", call.key, call.fingerprint, call.settings) as work:
        if not work.number:
            with db.atomic():  # whoever takes over finds it made, or asks nobody twice
                made, asked = _row(call, wishes, people)
                work.finish(made.id)
            _tell(call, asked)
    found = requests.find(call.person, work.number)
    if found is None:
        raise ProblemError("over")
    return _told(found, call, 201)


def _made(call: ApiCall, wishes: Wishes, people: list[tuple[str, str]]) -> FileRequest:
    made, asked = _row(call, wishes, people)
    _tell(call, asked)
    return made


def _row(call: ApiCall, wishes: Wishes, people: list[tuple[str, str]]) -> tuple[FileRequest, list[Any]]:
    try:
        return requests.make(call.person, wishes, str(get_locale()), call.settings, people)
    except LimitReachedError as error:
        raise _too_many_open() from error


def _tell(call: ApiCall, invites: list[Any]) -> None:
    for one in invites:
        if (letter := recipients.invite(one, call.settings)) is not None:
            wake_system_mail(letter)


def change(call: ApiCall) -> ApiAnswer:
    """What the body names, of two who change it at once each their own."""
    number = _mine(call).id
    with db.atomic():
        idempotency.in_turn(call.person)
        found = requests.find(call.person, number)
        if found is None:
            raise ProblemError("not-found")
        requests.change(found, _changed(requests.wishes_of(found), call))
    return _told(_mine(call), call)


def _changed(before: Wishes, call: ApiCall) -> Wishes:
    """As the page's form reads them, but a size that is not named stays to the byte. Raises ProblemError."""
    form, body = RequestForm.showing(before), call.body
    form.title, form.message = " ".join(body.get("title", form.title).split()), body.get("message", form.message)
    form.asks_name, form.notify = body.get("asks_name", form.asks_name), body.get("notify", form.notify)
    if "invited_only" in body:
        form.who = "named" if body["invited_only"] else "anyone"
    if "once" in body:
        form.often = "once" if body["once"] else "several"
    if "until" in body:
        form.until, form.until_hour = body["until"] or "", ""
    for name, shown in (("days", "days"), ("most_files", "files"), ("most_megabytes", "most")):
        if name in body:
            setattr(form, shown, str(body[name] or ("0" if shown == "most" else "")))
    wishes = form.read(call.settings, before)
    if wishes is None or form.errors:
        raise _fault_of(form)
    return wishes if "most_megabytes" in body else replace(wishes, most_bytes=before.most_bytes)


def _fault_of(form: RequestForm) -> ProblemError:
    """By the names that scripts use."""
    names = {"files": "most_files", "most": "most_megabytes"}
    faults = [{"at": f"/{names.get(name, name)}", "fault": words} for name, words in form.errors.items()]
    return ProblemError("invalid", errors=faults)


def invite(call: ApiCall) -> ApiAnswer:
    """Ask more people; who was asked already is left out. Twice is once."""
    found = _open(call)
    form = RequestForm(people=transfer_sending.checked_addresses(tuple(call.body["people"]), "people")[:LONGEST_PEOPLE])
    people = form.read_people(call.person, call.settings, needed=True)
    if form.errors:
        raise _fault_of(form)
    try:
        asked = requests.invite(found, people, call.settings)
    except LimitReachedError as error:
        most = call.settings.transfers.recipients
        raise ProblemError("invalid", errors=[{"at": "/people", "fault": f"you can ask {most} people at most"}]) from error
    _tell(call, asked)
    return _told(_mine(call), call)


def _open(call: ApiCall) -> FileRequest:
    found = _mine(call)
    if requests.state(found) is not RequestState.OPEN:
        raise ProblemError("over")
    return found


def _invited(call: ApiCall, request: FileRequest) -> FileRequestInvite:
    found = requests.find_invite(request, call.values["person"])
    if found is None:
        raise ProblemError("not-found")
    return found


def remove_invited(call: ApiCall) -> ApiAnswer:
    requests.remove_invite(_invited(call, _mine(call)))
    return ApiAnswer(None, 204)


def remind_invited(call: ApiCall) -> ApiAnswer:
    """Nobody twice within a few hours, nor who can't be mailed."""
    found = _invited(call, _open(call))
    sent = requests.remind(found, call.settings) and recipients.invite(found, call.settings, again=True)
    return answer_bodies.answer({"reminded": int(bool(sent))})


def arrivals(call: ApiCall) -> ApiAnswer:
    at = int(call.query.get("page", "1"))
    rows, total = listing.arrived(_mine(call), at)
    return answer_bodies.answer({"transfers": [answer_bodies.listed(one) for one in rows], "total": total, "page": at})


def _wishes(call: ApiCall) -> tuple[Wishes, list[tuple[str, str]]]:
    """As the page's form reads them. Raises ProblemError."""
    body = call.body
    people = transfer_sending.checked_addresses(tuple(body.get("people", ())), "people")[:LONGEST_PEOPLE]
    fields = {
        "title": body["title"], "message": body.get("message", ""), "people": people,
        "who": "named" if body.get("invited_only") else "anyone", "often": "once" if body.get("once") else "several",
        "asks_name": "1" if body.get("asks_name", True) else "", "until": body.get("until", ""),
        "most": str(body.get("most_megabytes", 0)), "files": str(body.get("most_files", "")), "days": str(body.get("days", "")),
        "notify": "1" if body.get("notify", True) else "",
    }  # fmt: skip
    form = RequestForm.typed(MultiDict(fields))
    wishes = form.read(call.settings)
    found = form.read_people(call.person, call.settings, needed=bool(body.get("invited_only")))
    if wishes is None or form.errors:
        raise _fault_of(form)
    return wishes, found


def show(call: ApiCall) -> ApiAnswer:
    return _told(_mine(call), call)


def close(call: ApiCall) -> ApiAnswer:
    found = _mine(call)
    requests.close(found)
    return _told(_mine(call), call)


def reopen(call: ApiCall) -> ApiAnswer:
    try:
        requests.reopen(_mine(call))
    except LimitReachedError as error:
        raise _too_many_open() from error
    return _told(_mine(call), call)


def _too_many_open() -> ProblemError:
    return ProblemError("conflict", "You have as many open requests as you can: close one first.")


_SHAPE: dict[str, Any] = {"tag": "file requests", "area": "transfers"}
OPERATIONS = (
    Operation(
        name="list_requests", method="GET", path="/requests", words=_l("List your requests for files"), act=show_list,
        answer="FileRequestList", **_SHAPE,
    ),
    Operation(
        name="make_request", method="POST", path="/requests", words=_l("Ask for files: a link by which others send them to you"),
        act=make, body=NEW, answer="FileRequest", status=201, keyed="may", problems=("conflict",), **_SHAPE,
    ),
    Operation(
        name="show_request", method="GET", path="/requests/{number}", words=_l("Show a request, and what came by it"), act=show,
        answer="FileRequest", **_SHAPE,
    ),
    Operation(
        name="close_request", method="POST", path="/requests/{number}/close",
        words=_l("Close a request: nothing more can be sent"),
        act=close, answer="FileRequest", **_SHAPE,
    ),
    Operation(
        name="reopen_request", method="POST", path="/requests/{number}/reopen", act=reopen, answer="FileRequest",
        words=_l("Open a request again; a date that has passed no longer counts"), problems=("conflict",), **_SHAPE,
    ),
    Operation(
        name="change_request", method="PATCH", path="/requests/{number}", words=_l("Change a request; its link stays the same"),
        act=change, body=CHANGED, answer="FileRequest", **_SHAPE,
    ),
    Operation(
        name="list_arrivals", method="GET", path="/requests/{number}/transfers", act=arrivals, answer="TransferList",
        words=_l("List what guests sent by a request, newest first"), query={"page": number(100_000, least=1)}, **_SHAPE,
    ),
    Operation(
        name="invite_people", method="POST", path="/requests/{number}/people", words=_l("Ask more people by email"), act=invite,
        body=record({"people": {**_PEOPLE, "minItems": 1}}, "people"), answer="FileRequest", problems=("over",), **_SHAPE,
    ),
    Operation(
        name="remove_invited", method="DELETE", path="/requests/{number}/people/{person}", act=remove_invited, status=204,
        words=_l("Remove a person: their link no longer works"), **_SHAPE,
    ),
    Operation(
        name="remind_invited", method="POST", path="/requests/{number}/people/{person}/remind", act=remind_invited,
        words=_l("Remind a person who was asked"), answer="Reminded", problems=("over",), **_SHAPE,
    ),
)  # fmt: skip
