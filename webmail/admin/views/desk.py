"""The desk: what people ask for, as one list, and the page of one case, where it is taken, answered, granted or closed."""

from __future__ import annotations

from typing import Any

from flask import abort, redirect, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.accounts.request_texts import KINDS, kind_words, state_words
from webmail.accounts.support_texts import trouble_words
from webmail.admin.blueprint import blueprint
from webmail.admin.desk import sight
from webmail.admin.desk.answer_texts import granted_text, ready_answers
from webmail.admin.desk.answering import Desk, NotGrantedError, TellingResult, mail_address
from webmail.admin.notifications.desk_answers import answer_language, answer_mail
from webmail.admin.views.access import for_deputies_too, scope_here
from webmail.auth.sessions.user_agent import describe
from webmail.desk import cases
from webmail.desk.cases import CaseChangedError
from webmail.errors import NotAllowedError
from webmail.mailbox.quota import quota_request
from webmail.models import DeskCase, DeskKind, DeskState, User
from webmail.transfers.public import reports
from webmail.web.current import current_user, settings, wake_system_mail
from webmail.web.formatting import file_size, written_in
from webmail.web.notices import notify
from webmail.web.rendering import page

_TABS = {"open": cases.OPEN, "mine": cases.OPEN, "answered": (DeskState.ANSWERED,), "closed": (DeskState.CLOSED,)}
_GIB = 1024**3
_LARGEST = 1024**5  # bytes: a petabyte is a slip of the finger


@blueprint.get("/desk")
@for_deputies_too
def desk() -> Response:
    """Four SELECTs."""
    tab, kind = request.args.get("show", "open"), request.args.get("kind", "")
    if tab not in _TABS:
        tab = "open"
    within, number = _within(), min(max(request.args.get("page", 1, int), 1), 10_000)
    mine = current_user() if tab == "mine" else None
    rows, more = cases.listing(within, states=_TABS[tab], kind=kind if kind in KINDS else "", holder=mine, page=number)
    return page(
        "admin/desk/list.html", rows=rows, more=more, number=number, tab=tab, kind=kind, kinds=KINDS,
        counts=cases.open_counts(within), title_of=_title, state_of=state_words, me=current_user(),
    )  # fmt: skip


@blueprint.get("/desk/<int:number>")
@for_deputies_too
def show_case(number: int) -> Response:
    return _case_page(_found(number))


@blueprint.post("/desk/<int:number>")
@for_deputies_too
def act_on_case(number: int) -> Response:
    """`action`: take, give-back, answer (`text`, or `ready`), grant (`give` in bytes, or `size` in GB), close."""
    case, version = _found(number), request.form.get("version", -1, int)
    text = request.form.get("text", "").replace("\r\n", "\n").replace("\0", "").strip()[: cases.LONGEST_TEXT]
    try:
        return _done(case, request.form.get("action", ""), text, version)
    except CaseChangedError as error:
        return _case_page(error.case, 409, text=text, meanwhile=True)


def _done(case: DeskCase, action: str, text: str, version: int) -> Response:
    """Raises CaseChangedError."""
    desk = Desk(current_user(), settings(), answer_mail, session.network)  # type: ignore[attr-defined]
    match action:
        case "take":
            desk.take(case, version)
            notify(_("You are looking after this request."))
        case "give-back":
            desk.give_back(case, version)
            notify(_("This request is free again."))
        case "close":
            desk.close(case, version)
            notify(_("Closed, without an answer."))
            return redirect(url_for("admin.desk"), 303)
        case "grant":
            return _granted(desk, case, text, version)
        case "answer":
            text = text or _ready(case)
            if not text:
                return _case_page(case, 422, problem=_("Write an answer, or choose a ready one."))
            _tell(case, desk.answer(case, text, version))
            return redirect(url_for("admin.desk"), 303)
        case _:
            abort(400)
    return redirect(url_for("admin.show_case", number=case.id), 303)


def _granted(desk: Desk, case: DeskCase, text: str, version: int) -> Response:
    """Raises CaseChangedError."""
    user = _grantee(case)
    if user is None:
        abort(404)
    given = _quota_typed()
    if given is None or given == user.quota_bytes:
        return _case_page(case, 422, text=text, problem=_("Enter the new size of the mailbox in GB, such as 5."))
    with written_in(answer_language(case)):
        said = granted_text(file_size(given))
    try:
        done = desk.grant(case, user, given, f"{said}\n\n{text}".strip(), version)
    except NotGrantedError:
        return _case_page(case, 409, text=text, problem=_("The directory says how much space this account has: change it there."))
    _tell(case, done)
    return redirect(url_for("admin.desk"), 303)


def _quota_typed() -> int | None:
    """In bytes; None for what can't be one."""
    typed = request.form.get("give", "")
    if typed.isascii() and typed.isdigit() and len(typed) < 20:
        found = int(typed)
    else:
        try:
            found = int(float(request.form.get("size", "").strip().replace(",", ".")) * _GIB)
        except (ValueError, OverflowError):
            return None
    return found if 1024**2 <= found <= _LARGEST else None


def _ready(case: DeskCase) -> str:
    with written_in(answer_language(case)):
        offered = ready_answers(case)
    chosen = request.form.get("ready", -1, int)
    return offered[chosen] if 0 <= chosen < len(offered) else ""


def _tell(case: DeskCase, done: TellingResult) -> None:
    undo = (url_for("admin.undo_people"), {"undo": done.undo, "back": url_for("admin.desk")}) if done.undo else None
    if done.message is not None:
        wake_system_mail(done.message)
        notify(_("Answered. %(address)s is told by email.", address=done.message.recipient), undo=undo)
    elif case.user is not None:
        notify(_("Answered. No email was sent, but the answer is on their page of requests."), "caution", undo)
    else:
        notify(_("Answered, but nobody could be told by email: call them, or tell them in person."), "caution")


# --- parts -----------------------------------------------------------------------------------------------------------


def _within() -> Any:
    """What one sees. Raises NotAllowedError."""
    found = sight.within(scope_here(), current_user(), settings())
    if found is None:
        raise NotAllowedError(f"{current_user().address} answers nobody's requests")
    return found


def _found(number: int) -> DeskCase:
    within = sight.within(scope_here(), current_user(), settings())
    case = cases.find(number, within) if within is not None else None
    if case is None:
        abort(404)
    return case


def _grantee(case: DeskCase) -> User | None:
    """Whom who is asking may give more space here; None for nobody."""
    scope = scope_here()
    if case.kind != DeskKind.SPACE or case.user is None or scope is None or settings().sign_in != "accounts":
        return None
    return case.user if scope.includes(case.user) else None


def _title(case: DeskCase) -> str:
    return trouble_words(case.topic) if case.kind == DeskKind.SUPPORT else kind_words(case.kind)


def _case_page(case: DeskCase, status: int = 200, *, text: str = "", problem: str = "", meanwhile: bool = False) -> Response:
    seen = cases.seen_of(case)
    with written_in(answer_language(case)):
        ready = ready_answers(case)
    return page(
        "admin/desk/case.html", status, case=case, seen=seen, said=cases.answers(case), title=_title(case), ready=ready,
        state_of=state_words, browser=describe(seen.get("browser", "")), text=text, problem=problem, meanwhile=meanwhile,
        told=mail_address(case), gifts=_gifts(case), longest=cases.LONGEST_TEXT, me=current_user(), ended=cases.ENDED,
        administers=scope_here() is not None, space=quota_request.find(case.number) if case.kind == DeskKind.SPACE else None,
        report=reports.find(case.number) if case.kind == DeskKind.ABUSE else None,
    )  # fmt: skip


def _gifts(case: DeskCase) -> list[int]:
    """Sizes to give by one click: half as much again, twice and four times, in whole GB."""
    if (user := _grantee(case)) is None:
        return []
    has = int(user.quota_bytes)
    sizes = (-(-has * 3 // 2 // _GIB), -(-has * 2 // _GIB), -(-has * 4 // _GIB))
    return sorted({max(size, 1) * _GIB for size in sizes if max(size, 1) * _GIB > has})
