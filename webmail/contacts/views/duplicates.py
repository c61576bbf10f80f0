"""Pages of duplicates: contacts that may be the same person, side by side, merged field by field or told apart."""

from __future__ import annotations

from flask import Response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as Answer

from webmail.contacts import duplicates, store
from webmail.contacts.blueprint import blueprint
from webmail.contacts.duplicates import MOST_SHOWN, MOST_TOGETHER, Candidate, Comparison, Likeness
from webmail.contacts.views.shared import say_refused, undo_of
from webmail.database.user_lock import user_lock
from webmail.models import Contact
from webmail.web.current import current_user
from webmail.web.notices import notify
from webmail.web.rendering import page


@blueprint.get("/contacts/duplicates")
def show_duplicates() -> Response:
    found = duplicates.candidates(current_user())
    shown = [(one, _reason(one)) for one in found[:MOST_SHOWN]]
    return page("contacts/duplicates.html", shown=shown, total=len(found))


def _reason(candidate: Candidate) -> str:
    return {
        Likeness.ADDRESS: _("Same email address"), Likeness.PHONE: _("Same phone number"), Likeness.NAME: _("Same name"),
    }[candidate.likeness]  # fmt: skip


@blueprint.get("/contacts/duplicates/compare")
def compare_duplicates() -> Answer:
    """`uid`: of each, two to four."""
    rows = _chosen(request.args.getlist("uid"))
    if len(rows) < 2:
        return redirect(url_for("contacts.show_duplicates"), 303)
    return _compare_page(duplicates.compare(rows))


def _chosen(uids: list[str]) -> list[Contact]:
    """Those that are there and are people, in this order."""
    found = []
    for uid in dict.fromkeys(uids[:MOST_TOGETHER]):
        try:
            row = store.load(current_user(), uid)
        except store.NoSuchContactError:
            continue
        if row.kind == store.INDIVIDUAL:
            found.append(row)
    return found


def _compare_page(found: Comparison, status: int = 200) -> Response:
    return page(
        "contacts/duplicates_compare.html", status, found=found, choices=_choice_words(), chosen=request.form,
    )  # fmt: skip


def _choice_words() -> dict[str, str]:
    return {
        "name": _("Name"), "nickname": _("Nickname"), "organisation": _("Organisation"), "title": _("Job title"),
        "role": _("Role"), "birthday": _("Birthday"), "anniversary": _("Anniversary"), "gender": _("Gender"),
        "photo": _("Photo"), "note": _("Note"),
    }  # fmt: skip


@blueprint.post("/contacts/duplicates/compare")
def merge_duplicates() -> Answer:
    """`action`: merge, different, or together (which takes "different" back). `revision`: of each, as it was shown."""
    user, uids = current_user(), request.form.getlist("uid")
    here = redirect(url_for("contacts.show_duplicates"), 303)
    if request.form.get("action") == "together":
        duplicates.tell_together(user, request.form.get("uids", "").split(",")[:MOST_TOGETHER])
        notify(_("These contacts may be the same person again."))
        return here
    with user_lock(user.id):
        rows = _chosen(uids)
        if len(rows) < 2:
            notify(_("These contacts have already been merged or removed."), "caution")
            return here
        if request.form.get("action") == "different":
            duplicates.tell_apart(user, [row.uid for row in rows])
            again = (url_for("contacts.merge_duplicates"), {"action": "together", "uids": ",".join(row.uid for row in rows)})
            notify(_("These contacts won’t be suggested as duplicates any more."), undo=again)
            return here
        if [row.revision for row in rows] != request.form.getlist("revision"):
            notify(_("One of these contacts has changed in the meantime. Check it, then merge again."), "caution")
            return _compare_page(duplicates.compare(rows), 409)
        try:
            before = duplicates.merge(user, rows, request.form.to_dict())
        except store.CardTooLargeError as error:
            say_refused(error)
            return _compare_page(duplicates.compare(rows), 422)
        except store.ContactChangedElsewhereError:
            notify(_("Your contacts have changed in the meantime. Try again: nothing will be done twice."), "caution")
            return here
    words = ngettext("%(num)d contact merged into “%(name)s”.", "%(num)d contacts merged into “%(name)s”.", len(rows),
                     name=store.load(user, rows[0].uid).name)  # fmt: skip
    notify(words, undo=undo_of(before, url_for("contacts.show_duplicates")))
    return here
