"""Opening: the keyring is opened and closed in this session, and gets another passphrase."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.admission import AdmissionRefusedError
from webmail.auth.guard import asks_again
from webmail.errors import MailError
from webmail.keys import keyring
from webmail.keys.blueprint import blueprint
from webmail.keys.key_texts import refusal_words, weakness_words
from webmail.keys.views.current_keyring import HOUR, SESSION, check_here, close, put
from webmail.models import AuditAct
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.forms.request_values import next_path
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.security_mail import SecurityNotice, tell


@blueprint.get("/encryption/open")
def show_opening() -> Response:
    """`next`: where it leads on to."""
    check_here()
    if not current_user().has_keys:
        return redirect(url_for("keys.show"), 303)
    return page("keys/open.html", problem="", by_sheet=request.args.get("by") == "sheet", lasts=SESSION)


@blueprint.post("/encryption/open")
def open_keys() -> Response:
    """By the `passphrase`, or by the `code` of the recovery sheet; `lasts`: "session" or "hour"."""
    check_here()
    by_sheet, lasts = "code" in request.form, HOUR if request.form.get("lasts") == HOUR else SESSION
    try:
        ring = _ring(by_sheet)
    except (MailError, AdmissionRefusedError) as error:
        return page("keys/open.html", 422, problem=refusal_words(error), by_sheet=by_sheet, lasts=lasts)
    put(ring, lasts)
    if by_sheet:
        notify(_("Your keys are open. Choose a new passphrase now."), "done")
        return redirect(url_for("keys.show_passphrase"), 303)
    notify(_("Your keys are open for an hour.") if lasts == HOUR else _("Your keys are open until you sign out."), "done")
    return redirect(next_path() or url_for("keys.show"), 303)


@blueprint.post("/encryption/close")
def close_keys() -> Response:
    check_here()
    close()
    notify(_("Your keys are closed."), "done")
    return redirect(next_path() or url_for("keys.show"), 303)


@blueprint.get("/encryption/passphrase")
@asks_again
def show_passphrase() -> Response:
    check_here()
    if not current_user().has_keys:
        return redirect(url_for("keys.show"), 303)
    return _form()


@blueprint.post("/encryption/passphrase")
@asks_again
def change_passphrase() -> Response:
    """By the one of before, or by the `code` of the recovery sheet."""
    check_here()
    user, by_sheet = current_user(), bool(request.form.get("code"))
    new = request.form.get("new_passphrase", "")
    try:
        ring = _ring(by_sheet)
        if problem := weakness_words(new, request.form.get("new_passphrase_again", ""), user):
            return _form(problem, "new")
        keyring.change_passphrase(user, ring, new, settings())
    except (MailError, AdmissionRefusedError) as error:
        return _form(refusal_words(error), "old")
    put(ring, SESSION)
    audited(AuditAct.KEYRING_CHANGED)
    tell(user, SecurityNotice.KEYRING_CHANGED)
    notify(_("Your passphrase is changed. The recovery sheet still works."), "done")
    return redirect(url_for("keys.show"), 303)


def _ring(by_sheet: bool) -> bytes:
    if by_sheet:
        return keyring.by_sheet(current_user().id, request.form.get("code", ""), settings())
    return keyring.by_passphrase(current_user().id, request.form.get("passphrase", ""), settings())


def _form(problem: str = "", field: str = "") -> Response:
    return page("keys/passphrase.html", 422 if problem else 200, problem=problem, field=field, shortest=keyring.SHORTEST)
