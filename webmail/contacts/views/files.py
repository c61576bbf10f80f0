"""Contacts as files: import of a .vcf, export of one contact or of all."""

from __future__ import annotations

from flask import Response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as Answer

from webmail.contacts import merge, store
from webmail.contacts.blueprint import blueprint
from webmail.contacts.merge import ImportPlan, ImportResult
from webmail.contacts.views.common import mine, say_refused, undo_of
from webmail.errors import LimitReached
from webmail.mime.charsets import decode_bytes
from webmail.mime.filenames import called
from webmail.user_lock import user_lock
from webmail.web import downloads
from webmail.web.current import current_user
from webmail.web.formatting import file_size
from webmail.web.notices import notify
from webmail.web.rendering import page

_TYPE = "text/vcard; charset=utf-8"


@blueprint.get("/contacts/import")
def import_form() -> Response:
    return page("contacts/import.html", errors=[])


@blueprint.post("/contacts/import")
def import_file() -> Answer:
    """Take the cards of a file. Nothing of it is parsed where it is too large."""
    file = request.files.get("file")
    content = file.stream.read(merge.LARGEST_FILE + 1) if file else b""
    if len(content) > merge.LARGEST_FILE:
        return _refused(_("This file is too large: at most %(limit)s.", limit=file_size(merge.LARGEST_FILE)))
    if not content:
        return _refused(_("Choose a file first."))
    try:
        with user_lock(current_user().id):
            planned = merge.plan(current_user(), decode_bytes(content))
            taken = merge.apply(current_user(), planned)
    except (LimitReached, store.CardTooLarge) as error:
        say_refused(error)
        return page("contacts/import.html", 422, errors=[])
    except store.ContactChangedElsewhere:
        return _refused(_("Your contacts were changed in the meantime. Nothing was imported: try again."))
    if not planned.any_cards:
        return _refused(_("No contact was found in this file. It should be a .vcf file (vCard)."))
    say_taken(planned, taken)
    return redirect(url_for("contacts.show"), 303)


def _refused(words: str) -> Response:
    return page("contacts/import.html", 422, errors=[words])


def say_taken(planned: ImportPlan, taken: ImportResult, back: str = "") -> None:
    """What became of the cards of a file, with a way back."""
    told = [
        ngettext("%(num)d contact was added.", "%(num)d contacts were added.", len(taken.added)) if taken.added else "",
        ngettext("%(num)d was completed.", "%(num)d were completed.", taken.merged) if taken.merged else "",
        ngettext("%(num)d was there already.", "%(num)d were there already.", len(planned.present)) if planned.present else "",
        ngettext("%(num)d could not be read.", "%(num)d could not be read.", planned.refused) if planned.refused else "",
        ngettext("%(num)d picture was too large.", "%(num)d pictures were too large.", planned.cut) if planned.cut else "",
    ]
    offered = undo_of(list(taken.before), back) if taken.before else None
    kind = "caution" if planned.refused else "done"
    notify(" ".join(filter(None, told)), kind, undo=offered, keep=45 if offered else 0)


@blueprint.get("/contacts/export")
def export() -> Response:
    return _as_file(merge.as_file(current_user()), _("contacts"))


@blueprint.get("/contacts/<uid>/card")
def card(uid: str) -> Response:
    row = mine(uid)
    return _as_file(row.vcard, called(row.name, "contact"))


def _as_file(text: str, name: str) -> Response:
    response = Response(text.encode("utf-8", "replace"), content_type=_TYPE)
    response.headers["Content-Disposition"] = downloads.disposition(f"{name}.vcf")
    response.headers["Content-Security-Policy"] = downloads.POLICY
    response.headers["Cache-Control"] = "no-store"
    return response
