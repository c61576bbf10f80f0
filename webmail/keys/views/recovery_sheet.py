"""Recovery sheet: a page to print, with the code that opens the keys and what revokes them. Shown once, made again on request."""

from __future__ import annotations

import base64

from flask import redirect, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import vault
from webmail.admission import AdmissionRefusedError
from webmail.auth.guard import asks_again
from webmail.auth.sessions.cookies import visit
from webmail.errors import MailError
from webmail.keys import keyring, own_keys
from webmail.keys.blueprint import blueprint
from webmail.keys.key_texts import refusal_words
from webmail.keys.own_keys import OPENPGP
from webmail.keys.views.current_keyring import check_here, opened_here
from webmail.models import AuditAct, now
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.formatting import day_in_full, local
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.security_mail import SecurityNotice, tell

_CODE = "recovery_sheet"  # in the session: a code that was made and is not printed yet, sealed


def show_code_next(code: str) -> None:
    """Let the sheet show a code that was just made, until the person says that they have it or signs out."""
    sealed = vault.seal_for_session(code, visit().token, settings().secret_key, current_user().id)
    session[_CODE] = base64.b64encode(sealed).decode()


@blueprint.get("/encryption/sheet")
@asks_again
def show_sheet() -> Response:
    """The sheet, where a code was made and not put away; else the form that makes another."""
    check_here()
    user = current_user()
    ring = keyring.find(user.id)
    if ring is None:
        return redirect(url_for("keys.show"), 303)
    code = _code()
    if not code:
        return page("keys/new_sheet.html", ring=ring, problem="")
    keys, opened = own_keys.own_keys(user.id), opened_here()
    revocations = [] if opened is None else [
        (key, own_keys.revocation_of(key, opened).decode("ascii", "replace").strip())
        for key in keys if key.kind == OPENPGP and key.revocation is not None and key.revoked is None
    ]  # fmt: skip
    return page("keys/sheet.html", code=code, keys=keys, revocations=revocations, day=day_in_full(local(now()).date()))


@blueprint.post("/encryption/sheet")
@asks_again
def make_sheet() -> Response:
    """A new sheet, by the passphrase; the one before opens nothing any more."""
    check_here()
    user = current_user()
    if (ring := keyring.find(user.id)) is None:
        return redirect(url_for("keys.show"), 303)
    try:
        secret = keyring.by_passphrase(user.id, request.form.get("passphrase", ""), settings())
    except (MailError, AdmissionRefusedError) as error:
        return page("keys/new_sheet.html", 422, ring=ring, problem=refusal_words(error))
    show_code_next(keyring.new_sheet(user, secret))
    audited(AuditAct.KEYRING_CHANGED)
    tell(user, SecurityNotice.KEYRING_CHANGED)
    return redirect(url_for("keys.show_sheet"), 303)


@blueprint.post("/encryption/sheet/done")
def put_sheet_away() -> Response:
    """The person has it: the code is shown no more."""
    check_here()
    if session.pop(_CODE, None):
        keyring.note_sheet(current_user())
        notify(_("Keep the sheet where you keep important papers."), "done")
    return redirect(url_for("keys.show"), 303)


def _code() -> str:
    sealed = session.get(_CODE)
    if not sealed:
        return ""
    try:
        return vault.open_for_session(base64.b64decode(sealed), visit().token, settings().secret_key, current_user().id)
    except (vault.CannotOpenError, ValueError):
        session.pop(_CODE, None)
        return ""
