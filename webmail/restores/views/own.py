"""Page on which one asks for mail, a calendar or a book as it was, and sees what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.collections import store as collections
from webmail.collections.look import title_of
from webmail.models import AuditAct, RestoreKind, RestoreRequest, RestoreState
from webmail.restores import requests, restore_texts
from webmail.restores.blueprint import blueprint
from webmail.restores.requests import NightGoneError, OneAtATimeError, RestoreWish
from webmail.web.audit import audited
from webmail.web.current import current_user, overview, settings
from webmail.web.frame.areas import shows
from webmail.web.labels import mailbox_path
from webmail.web.notices import notify
from webmail.web.rendering import page

_LONGEST = 500  # characters of the name of a folder


@dataclass(frozen=True, slots=True)
class RestoreChoice:
    """`value`: of the form, "mail:Sent" or "calendar:12"; `title` "" for all of a kind."""

    value: str
    label: str
    title: str = ""


@blueprint.get("/account/restore")
def show() -> Response:
    """One SELECT for the nights, one for the requests; the folders as on any page of mail."""
    return _page()


@blueprint.post("/account/restore")
def ask() -> Response:
    """`night`: a backup; `what`: one of the choices; `folder`: the name of a folder that is no longer there."""
    found = requests.nights()
    night = next((one for one in found if one.snapshot == request.form.get("night")), None)
    choice, problem = _chosen(request.form.get("what", ""), request.form.get("folder", ""))
    if night is None:
        return _page(_("Choose a night that is in the list."), 422)
    if choice is None:
        return _page(problem, 422)
    kind, _colon, what = choice.value.partition(":")
    title = choice.title or restore_texts.all_words(kind)
    place = restore_texts.place_words(title.rpartition("/")[2], night.at)
    try:
        row = requests.ask(
            current_user(), current_user(), RestoreWish(night.snapshot, RestoreKind(kind), what, choice.title, place)
        )  # fmt: skip
    except OneAtATimeError:
        return _page(_("Something is being brought back already. Wait until it is done."), 409)
    except NightGoneError:  # a night passed meanwhile
        return _page(_("Choose a night that is in the list."), 422)
    audited(AuditAct.RESTORE_ASKED, current_user().address, kind=row.kind, night=row.night.isoformat())
    requests.call_attention(settings())
    notify(_("Asked for. You will find it in “%(place)s”.", place=row.place))
    return redirect(url_for("restores.show"), 303)


def _page(problem: str = "", status: int = 200) -> Response:
    rows, nights = requests.of_person(current_user()), requests.nights()
    busy = any(row.open_for for row in rows)
    choices = _choices() if nights and not busy else []
    return page(
        "restores/own.html", status, rows=rows, nights=nights, choices=choices, problem=problem, busy=busy,
        night=request.form.get("night", ""), what=request.form.get("what", ""), folder=request.form.get("folder", "")[:_LONGEST],
    )  # fmt: skip


def _choices() -> list[tuple[str, Sequence[RestoreChoice]]]:
    """By kind, with the word for it."""
    there = overview()
    folders = [RestoreChoice(f"mail:{one.name}", mailbox_path(one), one.name) for one in (there.mailboxes if there else ())]
    found: list[tuple[str, Sequence[RestoreChoice]]] = [(_("Mail"), [_all(RestoreKind.MAIL), *folders])]
    mine = [one for one in collections.accessible(current_user()) if one.rights == "own" and not one.collection.derived]
    for kind, of_store, area, heading in (
        (RestoreKind.CALENDAR, collections.CALENDAR, "calendar", _("Calendars")),
        (RestoreKind.BOOK, collections.BOOK, "contacts", _("Address books")),
    ):
        if shows(area):
            own = [one for one in mine if one.collection.kind == of_store]
            rows = [RestoreChoice(f"{kind}:{one.collection.id}", title_of(one.props), title_of(one.props)) for one in own]
            found.append((heading, [_all(kind), *rows]))
    return found


def _all(kind: RestoreKind) -> RestoreChoice:
    return RestoreChoice(f"{kind}:", restore_texts.all_words(kind))


def _chosen(value: str, folder: str) -> tuple[RestoreChoice | None, str]:
    """What was chosen; or None, and why."""
    folder = folder.strip()
    if folder:
        if len(folder) > _LONGEST or not folder.isprintable():
            return None, _("This can’t be the name of a folder.")
        return RestoreChoice(f"mail:{folder}", folder, folder), ""
    known = {one.value: one for _heading, group in _choices() for one in group}
    return known.get(value), _("Choose what to bring back.")


@blueprint.app_template_filter("restore_title")
def title(row: RestoreRequest) -> str:
    return restore_texts.title_words(row)


@blueprint.app_template_filter("restore_state")
def state(row: RestoreRequest) -> str:
    return restore_texts.state_words(row)


@blueprint.app_template_filter("restore_notice")
def notice(row: RestoreRequest) -> str:
    """The kind of notice in which its state stands."""
    return {RestoreState.DONE: "done", RestoreState.FAILED: "danger"}.get(RestoreState(row.state), "caution")
