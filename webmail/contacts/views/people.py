"""People you write to: the page of those that are suggested without being contacts, to forget some, or to learn them again."""

from __future__ import annotations

from datetime import datetime

from flask import Response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext, pgettext
from werkzeug.wrappers import Response as Answer

from webmail.contacts import store
from webmail.contacts.blueprint import blueprint
from webmail.contacts.views.sources import SOURCES, PeopleSource, SourcePerson
from webmail.errors import LimitReachedError
from webmail.mime.headers.address_input import address_key
from webmail.mime.headers.shown_address import readable_address
from webmail.models import User
from webmail.people.suggestions import mail_scan, remembered
from webmail.preferences import change
from webmail.web.current import current_user, preferences, settings, task_credential
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.texts.task_texts import TASK_TEXTS, TaskText, task_started

_LONGEST_WORDS, _LONGEST_ADDRESS = 100, 254


@blueprint.get("/contacts/people")
def people() -> Response:
    user, words = current_user(), request.args.get("words", "")[:_LONGEST_WORDS]
    found = remembered.listing(user, words)
    if not preferences().suggest_met:
        found = []
    size = preferences().page_size or settings().page_size
    last = max((len(found) - 1) // size, 0) + 1
    at = min(max(request.args.get("page", 1, int), 1), last)
    shown = found[(at - 1) * size : at * size]
    known = store.by_address(user, [address_key(one.address) for one in shown])
    return page(
        "contacts/people.html", people=shown, total=len(found), number=at, last=last, words=words,
        learned=mail_scan.last_learned(user), known={one.address for one in shown if address_key(one.address) in known},
        on=preferences().suggest_met,
    )  # fmt: skip


@blueprint.post("/contacts/people")
def change_people() -> Answer:
    """`action`: forget an address or all, or remember them again; turn all of it on or off."""
    user, action, address = current_user(), request.form.get("action", ""), request.form.get("address", "")[:_LONGEST_ADDRESS]
    words = request.form.get("words", "")[:_LONGEST_WORDS] or None
    shown = readable_address(address)
    if action == "forget" and remembered.forget(user, address):
        undo = (url_for("contacts.change_people"), {"action": "remember", "address": address})
        notify(_("%(address)s will no longer be suggested.", address=shown), undo=undo)
    elif action == "remember":
        remembered.take_back(user, address)
        notify(_("%(address)s will be suggested again.", address=shown))
    elif action in ("forget-all", "remember-all"):
        _change_all(action)
    elif action in ("on", "off"):
        change(user, suggest_met=action == "on")
        told = _("People you write to are suggested.") if action == "on" else _("People you write to are no longer suggested.")
        notify(told)
    return redirect(url_for("contacts.people", words=words, page=request.form.get("page", None, int)), 303)


def _change_all(action: str) -> None:
    user = current_user()
    if action == "forget-all":
        if (when := remembered.forget_all(user)) is not None:
            undo = (url_for("contacts.change_people"), {"action": "remember-all", "when": when.isoformat()})
            notify(_("Nobody on this list will be suggested any more."), undo=undo)
        return
    try:
        when = datetime.fromisoformat(request.form.get("when", "")[:40])
    except ValueError:
        return
    remembered.take_back_all(user, when)
    notify(_("These people will be suggested again."))


@blueprint.post("/contacts/people/learn")
def learn_people() -> Answer:
    """Read the newest messages again, in the background. Pressed twice, it is done once."""
    try:
        task_started(mail_scan.begin(current_user(), task_credential()))
    except LimitReachedError:
        notify(_("You have too many tasks running. Wait until one finishes."), "caution")
    return redirect(url_for("contacts.people"), 303)


def _find(user: User, text: str, most: int) -> tuple[list[SourcePerson], int]:
    found = remembered.listing(user, text)
    return [SourcePerson(one.name, one.shown) for one in found[:most]], len(found)


SOURCES.append(
    PeopleSource(
        "people",
        label=lambda: pgettext("tab", "People you write to"),
        url=lambda words: url_for("contacts.people", words=words or None),
        find=_find,
        searched=lambda: preferences().suggest_met,
        named=False,
    )
)


def _done(result: dict[str, int]) -> str:
    return ngettext("%(num)d person found in your mail.", "%(num)d people found in your mail.", result.get("people", 0))


def _failed(reason: str) -> str:
    return _("The mail server did not accept your password. Sign in again, then try again.") if reason == "sign-in" else ""


TASK_TEXTS[mail_scan.NAME] = TaskText(
    title=lambda _about: _("Finding the people you write to."),
    done=_done,
    failed=_failed,
    link=lambda _result: (url_for("contacts.people"), _("View list")),
)
