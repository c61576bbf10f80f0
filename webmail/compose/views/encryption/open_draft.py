"""Open draft: the passphrase that opens what is encrypted and is written on or answered; what is said where that can't be."""

from __future__ import annotations

from flask import current_app, redirect, request, url_for
from werkzeug.wrappers import Response

from webmail.compose.blueprint import blueprint
from webmail.compose.encryption import protection_texts
from webmail.compose.encryption.draft_seal import SealBrokenError
from webmail.compose.encryption.protection_errors import ProtectionError, SealedDraftError
from webmail.compose.forms import ComposeForm
from webmail.compose.views.editor import show_form
from webmail.compose.views.encryption import keyring_access
from webmail.crypto.errors import CryptoError
from webmail.errors import MailError
from webmail.models import DraftRow
from webmail.web.current import current_user
from webmail.web.forms.request_values import local_path
from webmail.web.responses.errors import mail_error


@blueprint.post("/compose/keys/open")
def open_keys() -> Response:
    """Open the keyring by `passphrase`, and go on to `there`."""
    there = local_path(request.form.get("there", "")) or url_for("mailbox.show", mailbox="INBOX")
    if problem := keyring_access.unlock(request.form.get("passphrase", "")):
        return keyring_access.closed_page(status=422, problem=problem, there=there)
    return redirect(there, 303)


@blueprint.errorhandler(ProtectionError)
@blueprint.errorhandler(CryptoError)
@blueprint.errorhandler(SealBrokenError)
def not_protected(error: MailError) -> Response:
    """Nothing was stored that should have been encrypted: the form again, with all that was typed."""
    if isinstance(error, SealedDraftError) and request.method == "GET":
        return keyring_access.closed_page()
    if request.endpoint != "compose.act":
        return mail_error(error)
    current_app.logger.warning("a draft is not stored: %s", error)
    form, draft_id = ComposeForm(), (request.view_args or {})["draft_id"]
    form.passphrase.data = ""
    form.mark("protection", protection_texts.fault_words(error))
    mine = DraftRow.get_or_none((DraftRow.id == draft_id) & (DraftRow.user == current_user()))
    return show_form(form, draft_id, mine, status=error.status)
