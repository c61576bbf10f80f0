"""Open draft: the passphrase that opens an encrypted draft, and what is said where one can't be encrypted or read."""

from __future__ import annotations

from flask import current_app, redirect, request, url_for
from werkzeug.wrappers import Response

from webmail.compose.blueprint import blueprint
from webmail.compose.drafts import drafts
from webmail.compose.encryption import protection_texts
from webmail.compose.encryption.draft_seal import SealBrokenError
from webmail.compose.encryption.protection_errors import ProtectionError
from webmail.compose.forms import ComposeForm
from webmail.compose.views.editor import show_form
from webmail.compose.views.encryption import keyring_access
from webmail.crypto.errors import CryptoError
from webmail.errors import MailError
from webmail.models import DraftRow
from webmail.web.current import current_user
from webmail.web.forms.request_values import local_path
from webmail.web.rendering import page
from webmail.web.responses.errors import mail_error


@blueprint.post("/compose/<draft_id>/open")
def open_draft(draft_id: str) -> Response:
    """Open the keyring, and with it the draft."""
    row = drafts.load(current_user(), draft_id)
    back = local_path(request.form.get("back", ""))
    if problem := keyring_access.unlock(request.form.get("passphrase", "")):
        return page("compose/closed.html", 422, draft_id=draft_id, row=row, back=back, problem=problem)
    return redirect(url_for("compose.show", draft_id=draft_id, back=back or None), 303)


@blueprint.errorhandler(ProtectionError)
@blueprint.errorhandler(CryptoError)
@blueprint.errorhandler(SealBrokenError)
def not_protected(error: MailError) -> Response:
    """Nothing was stored that should have been encrypted: the form again, with all that was typed."""
    if request.endpoint != "compose.act":
        return mail_error(error)
    current_app.logger.warning("a draft is not stored: %s", error)
    form, draft_id = ComposeForm(), (request.view_args or {})["draft_id"]
    form.passphrase.data = ""
    form.mark("protection", protection_texts.fault_words(error))
    mine = DraftRow.get_or_none((DraftRow.id == draft_id) & (DraftRow.user == current_user()))
    return show_form(form, draft_id, mine, status=error.status)
