"""Importing: keys out of a file, own ones and certificates of others."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail.auth.guard import asks_again
from webmail.errors import MailError
from webmail.keys import key_making
from webmail.keys.blueprint import blueprint
from webmail.keys.key_making import KeyFile
from webmail.keys.key_texts import readable, refusal_words
from webmail.keys.views.current_keyring import ask_to_open, check_here, opened_here
from webmail.models import AuditAct
from webmail.web.audit import audited
from webmail.web.current import current_user
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.security_mail import SecurityNotice, tell


@blueprint.get("/encryption/import")
@asks_again
def show_import() -> Response:
    check_here()
    if not current_user().has_keys:
        return redirect(url_for("keys.show"), 303)
    return page("keys/import.html", problem="") if opened_here() else ask_to_open()


@blueprint.post("/encryption/import")
@asks_again
def import_file() -> Response:
    """`file`, or `text` that was pasted; `password` of it."""
    check_here()
    opened = opened_here()
    if opened is None:
        return ask_to_open(url_for("keys.show_import"))
    upload = request.files.get("file")
    content = upload.read(key_making.LARGEST_FILE + 1) if upload and upload.filename else b""
    content = content or request.form.get("text", "").strip().encode()
    if not content:
        return page("keys/import.html", 422, problem=_("Choose a file, or paste the text of a key."))
    try:
        found = key_making.read_file(current_user(), opened, content, request.form.get("password", ""))
    except MailError as error:
        return page("keys/import.html", 422, problem=refusal_words(error))
    for key in found.new:
        audited(AuditAct.MAIL_KEY_IMPORTED, key.fingerprint)
        tell(current_user(), SecurityNotice.MAIL_KEY_IMPORTED, readable(key.fingerprint))
    notify(_told(found), "done" if found.keys or found.others else "caution")
    return redirect(url_for("keys.show" if found.keys else "keys.show_others"), 303)


@blueprint.app_template_global()
def key_file_endings() -> str:
    """What a file of keys may be called, for the browser."""
    return ".asc,.gpg,.pgp,.key,.txt,.p12,.pfx,.pem,.crt,.cer"


@blueprint.app_template_global()
def key_file_hint() -> str:
    return _("OpenPGP keys (.asc, .gpg) or a certificate with its key (.p12, .pfx, .pem), at most 5 MB. A file may hold several.")


def _told(found: KeyFile) -> str:
    words = []
    if found.keys:
        count = len(found.keys)
        words.append(ngettext("%(num)d key of yours was imported.", "%(num)d keys of yours were imported.", count))
    if found.others:
        words.append(
            ngettext("%(num)d key of somebody else was imported.", "%(num)d keys of other people were imported.", found.others)
        )
    return " ".join(words) or _("There is no key in this file that can be used here.")
