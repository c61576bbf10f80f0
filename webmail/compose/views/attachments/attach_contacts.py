"""Attach contacts: a page to pick contacts and attach them to a draft as vCards; works without scripts."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail.compose.attachments import attachments, uploads
from webmail.compose.blueprint import blueprint
from webmail.compose.forms import ComposeForm
from webmail.compose.views.drafts_folder import put_if_small
from webmail.compose.views.editor import no_room_words, own_draft, turned_page
from webmail.contacts import contact_list, store
from webmail.mime.headers.filenames import called
from webmail.models import DraftRow
from webmail.web.current import current_user, preferences, settings
from webmail.web.forms.request_values import local_path
from webmail.web.notices import notify
from webmail.web.rendering import page

_MOST = 100  # cards attached at once


@blueprint.get("/compose/<draft_id>/contacts")
def choose_contacts(draft_id: str) -> Response:
    """Contacts to tick; those ticked on other pages of the list are carried along in `kept`."""
    row = own_draft(draft_id)
    if isinstance(row, Response):
        return row
    words = request.args.get("words", "")[:100]
    size = preferences().page_size or settings().page_size
    found = contact_list.listed(current_user(), text=words, number=request.args.get("page", 1, int), size=size)
    kept = request.args.getlist("kept")[:_MOST]
    here = {one.uid for one in found.rows}
    return page(
        "compose/contacts.html", draft_id=draft_id, found=found, words=words, kept=[uid for uid in kept if uid not in here],
        ticked=here.intersection(kept), back=local_path(request.args.get("back", "")),
    )  # fmt: skip


@blueprint.post("/compose/<draft_id>/contacts")
def attach_contacts(draft_id: str) -> Response:
    """Attach the ticked contacts to the draft as vCard files, or show another page of contacts."""
    row = own_draft(draft_id)
    if isinstance(row, Response):
        return row
    back = local_path(request.form.get("back", "")) or None
    action = request.form.get("action", "search")
    chosen = list(dict.fromkeys(request.form.getlist("kept") + request.form.getlist("contact")))[:_MOST]
    if action != "attach":
        number = turned_page(action)
        words = request.form.get("words" if number is None else "searched", "")[:100]
        return redirect(
            url_for("compose.choose_contacts", draft_id=draft_id, words=words or None, page=number, kept=chosen, back=back), 303
        )
    found = store.cards(current_user(), chosen)
    files = [([card.encode("utf-8", "replace")], f"{called(name, 'contact')}.vcf", "text/vcard") for name, card in found]
    try:
        attached = attachments.add_all(row, files, settings())
    except uploads.REFUSALS as error:
        notify(_("Some contacts could not be attached.") + " " + no_room_words(error), "danger")
    else:
        words = ngettext("%(num)d contact attached.", "%(num)d contacts attached.", len(attached))
        put_if_small(row)
        notify(words if attached else _("No contacts selected."), "done" if attached else "caution")
    return redirect(url_for("compose.show", draft_id=draft_id, back=back, at="attachments"), 303)


def choosing_contacts(row: DraftRow, form: ComposeForm) -> str:
    """The URL of the contact picker for a form's draft."""
    return url_for("compose.choose_contacts", draft_id=row.id, back=local_path(form.back.data or "") or None)
