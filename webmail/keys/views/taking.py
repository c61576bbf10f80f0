"""Taking: the page on which somebody takes the certificate that their establishment's authority made for them."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from webmail.auth.guard import asks_again
from webmail.errors import MailError
from webmail.keys import staged_certificates
from webmail.keys.blueprint import blueprint
from webmail.keys.key_texts import readable, refusal_words
from webmail.keys.staged_certificates import UnreadableStagedError, WaitingCertificate
from webmail.keys.views.current_keyring import ask_to_open, check_here, opened_here
from webmail.models import AuditAct
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.security_mail import SecurityNotice, tell


@blueprint.get("/encryption/take/<int:number>")
@asks_again
def show_taking(number: int) -> Response:
    """1 query, and that of the open keyring."""
    found = _waiting(number)
    if not current_user().has_keys:
        notify(_("Choose a passphrase for your keys first. Then take your certificate."), "caution")
        return redirect(url_for("keys.show"), 303)
    return page("keys/take.html", waiting=found, problem="") if opened_here() else ask_to_open()


@blueprint.post("/encryption/take/<int:number>")
@asks_again
def take(number: int) -> Response:
    """`password`: of the file."""
    found, opened = _waiting(number), opened_here()
    if opened is None:
        return ask_to_open(url_for("keys.show_taking", number=number))
    try:
        taken = staged_certificates.take(current_user(), opened, found, request.form.get("password", ""), settings())
    except UnreadableStagedError:
        problem = _("This file can’t be read any more. Ask your administrator to import it again.")
        return page("keys/take.html", 422, waiting=found, problem=problem)
    except MailError as error:
        return page("keys/take.html", 422, waiting=found, problem=refusal_words(error))
    for key in taken.new:
        audited(AuditAct.MAIL_KEY_IMPORTED, key.fingerprint)
        tell(current_user(), SecurityNotice.MAIL_KEY_IMPORTED, readable(key.fingerprint))
    notify(_("Your certificate is ready to use. Older ones stay here: they still open old messages."), "done")
    return redirect(url_for("keys.show"), 303)


def _waiting(number: int) -> WaitingCertificate:
    check_here()
    found = staged_certificates.find(current_user().id, number)
    if found is None:
        raise NotFound
    return found
