"""Requests for files, for scripts: made, listed and closed; what came by them are transfers like others."""

from __future__ import annotations

from typing import Any

from flask_babel import get_locale
from werkzeug.datastructures import MultiDict

from webmail.api import told, transfer_sending
from webmail.api.operations import ApiAnswer, ApiCall, Operation
from webmail.api.problems import ProblemError
from webmail.api.request_keys import keyed
from webmail.api.schemas import number, record, several, text, until, yes_or_no
from webmail.database.connection import db
from webmail.errors import LimitReachedError
from webmail.models import FileRequest
from webmail.transfers.notifications import recipients
from webmail.transfers.requests import requests
from webmail.transfers.requests.request_forms import LONGEST_PEOPLE, RequestForm
from webmail.transfers.requests.requests import LONGEST_MESSAGE, LONGEST_TITLE, Wishes
from webmail.web.current import wake_system_mail
from webmail.web.formatting import lazy_text as _l

NEW = record(
    {
        "title": text(LONGEST_TITLE, "What the files are for", least=1), "message": text(LONGEST_MESSAGE, lines=True),
        "people": several(text(320, least=3), 1000, "Who is asked by mail, each with a link of their own"),
        "invited_only": yes_or_no("Only they may send", False), "once": yes_or_no("Each link takes one transfer", False),
        "asks_name": yes_or_no("Whoever sends must give a name", True), "until": until("After it nothing can be sent"),
        "days": number(3650, "How long what comes is kept", least=1), "most_megabytes": number(10**9, "Of one transfer", least=1),
        "most_files": number(10_000, least=1), "notify": yes_or_no("A mail for each arrival", True),
    },
    "title",
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
    people = [told.invited(one, call.settings) for one in requests.invites(found)]
    whole = {**told.file_request(found, len(arrived), call.settings), "invited": people, "transfers": arrived}
    return told.answer(whole, status)


def show_list(call: ApiCall) -> ApiAnswer:
    _check_offered(call)
    rows = requests.listed(call.person)
    return told.answer({"requests": [told.file_request(one.request, one.arrived, call.settings) for one in rows]})


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
        raise ProblemError("conflict", "You have as many open requests as you can: close one first.") from error


def _tell(call: ApiCall, invites: list[Any]) -> None:
    for one in invites:
        if (letter := recipients.invite(one, call.settings)) is not None:
            wake_system_mail(letter)


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
        raise ProblemError("invalid", errors=[{"at": f"/{name}", "fault": words} for name, words in form.errors.items()])
    return wishes, found


def show(call: ApiCall) -> ApiAnswer:
    return _told(_mine(call), call)


def close(call: ApiCall) -> ApiAnswer:
    found = _mine(call)
    requests.close(found)
    return _told(_mine(call), call)


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
)  # fmt: skip
