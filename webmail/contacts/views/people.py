"""People you write to: the page of those that are suggested without being contacts, to forget some, or to learn them again."""

from __future__ import annotations

from flask import Response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as Answer

from webmail.contacts.blueprint import blueprint
from webmail.errors import LimitReached
from webmail.mime.shown_address import readable_address
from webmail.people import learning, remembered
from webmail.web.current import current_user, preferences, settings, task_credential
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.task_texts import TASK_TEXTS, TaskText, task_started

_LONGEST_WORDS, _LONGEST_ADDRESS = 100, 254


@blueprint.get("/contacts/people")
def people() -> Response:
    user, words = current_user(), request.args.get("words", "")[:_LONGEST_WORDS]
    found = remembered.listing(user, words)
    size = preferences().page_size or settings().page_size
    last = max((len(found) - 1) // size, 0) + 1
    at = min(max(request.args.get("page", 1, int), 1), last)
    return page(
        "contacts/people.html", people=found[(at - 1) * size : at * size], total=len(found), number=at, last=last, words=words,
        learned=learning.last_learned(user),
    )  # fmt: skip


@blueprint.post("/contacts/people")
def change_people() -> Answer:
    """`action`: forget an address, or remember it again."""
    user, action, address = current_user(), request.form.get("action", ""), request.form.get("address", "")[:_LONGEST_ADDRESS]
    words = request.form.get("words", "")[:_LONGEST_WORDS] or None
    shown = readable_address(address)
    if action == "forget" and remembered.forget(user, address):
        undo = (url_for("contacts.change_people"), {"action": "remember", "address": address})
        notify(_("%(address)s will no longer be suggested.", address=shown), undo=undo)
    elif action == "remember":
        remembered.take_back(user, address)
        notify(_("%(address)s will be suggested again.", address=shown))
    return redirect(url_for("contacts.people", words=words, page=request.form.get("page", None, int)), 303)


@blueprint.post("/contacts/people/learn")
def learn_people() -> Answer:
    """Read the newest messages again, in the background. Pressed twice, it is done once."""
    try:
        task_started(learning.begin(current_user(), task_credential()))
    except LimitReached:
        notify(_("You have too many tasks running. Wait until one finishes."), "caution")
    return redirect(url_for("contacts.people"), 303)


def _done(result: dict[str, int]) -> str:
    return ngettext("%(num)d person found in your mail.", "%(num)d people found in your mail.", result.get("people", 0))


def _failed(reason: str) -> str:
    return _("The mail server did not accept your password. Sign in again, then try again.") if reason == "sign-in" else ""


TASK_TEXTS[learning.NAME] = TaskText(
    title=lambda _about: _("Finding the people you write to."),
    done=_done,
    failed=_failed,
    link=lambda _result: (url_for("contacts.people"), _("View list")),
)
