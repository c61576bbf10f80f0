"""Own key: the page of one key, where it is chosen, published, exported, revoked and deleted."""

from __future__ import annotations

from flask import abort, make_response, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.auth.guard import asks_again
from webmail.errors import MailError
from webmail.keys import key_making, own_keys, published_keys
from webmail.keys.blueprint import blueprint
from webmail.keys.key_errors import KeyringClosedError
from webmail.keys.key_texts import readable, refusal_words, weakness_words
from webmail.keys.own_keys import OPENPGP, OwnKey
from webmail.keys.views.current_keyring import ask_to_open, check_here, opened_here
from webmail.keys.views.overview import publishable
from webmail.models import AuditAct
from webmail.web.audit import audited
from webmail.web.current import current_user
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.security_mail import SecurityNotice, tell


@blueprint.get("/encryption/keys/<int:number>")
def show_key(number: int) -> Response:
    key = _key(number)
    return page("keys/key.html", key=key, is_open=opened_here() is not None,
                publishable=[one for one in publishable(current_user()) if one in key.addresses])  # fmt: skip


@blueprint.post("/encryption/keys/<int:number>")
@asks_again
def change_key(number: int) -> Response:
    """`action`: prefer, publish, withdraw."""
    key, user = _key(number), current_user()
    match request.form.get("action"):
        case "prefer" if key.is_good():
            own_keys.prefer(user, key)
            notify(_("New messages are signed with this key."), "done")
        case "publish":
            if published_keys.publish(user, key, publishable(user)):
                audited(AuditAct.MAIL_KEY_PUBLISHED, key.fingerprint)
                notify(_("Others can now find this key by your address."), "done")
            else:
                notify(_("This key names none of your own addresses, so it can’t be published."), "caution")
        case "withdraw":
            published_keys.withdraw(user, key)
            audited(AuditAct.MAIL_KEY_WITHDRAWN, key.fingerprint)
            notify(_("This key can no longer be found by your address."), "done")
    return redirect(url_for("keys.show_key", number=number), 303)


@blueprint.get("/encryption/keys/<int:number>/certificate")
def certificate(number: int) -> Response:
    """The public part as a file, which can be given to anybody."""
    key = _key(number)
    try:
        text = key_making.certificate_text(key)
    except MailError as error:
        notify(refusal_words(error), "caution")
        return redirect(url_for("keys.show_key", number=number), 303)
    return _file(text, key, "public")


@blueprint.get("/encryption/keys/<int:number>/export")
@asks_again
def show_export(number: int) -> Response:
    key = _key(number)
    return page("keys/export.html", key=key, problem="") if opened_here() else ask_to_open()


@blueprint.post("/encryption/keys/<int:number>/export")
@asks_again
def export(number: int) -> Response:
    """The private part too, locked with a passphrase of its own."""
    key, password = _key(number), request.form.get("passphrase", "")
    if problem := weakness_words(password, request.form.get("passphrase_again", ""), current_user()):
        return page("keys/export.html", 422, key=key, problem=problem)
    try:
        content = key_making.written(key, opened_here(), password)
    except KeyringClosedError:
        return ask_to_open(url_for("keys.show_export", number=number))
    except MailError as error:
        return page("keys/export.html", 422, key=key, problem=refusal_words(error))
    audited(AuditAct.MAIL_KEY_EXPORTED, key.fingerprint)
    tell(current_user(), SecurityNotice.MAIL_KEY_EXPORTED, readable(key.fingerprint))
    return _file(content, key, "private")


@blueprint.get("/encryption/keys/<int:number>/revoke")
@asks_again
def ask_to_revoke(number: int) -> Response:
    key = _key(number)
    return page("keys/revoke.html", key=key) if opened_here() else ask_to_open()


@blueprint.post("/encryption/keys/<int:number>/revoke")
@asks_again
def revoke(number: int) -> Response:
    key = _key(number)
    if key.revoked is None:
        try:
            key_making.revoke(key, opened_here())
        except KeyringClosedError:
            return ask_to_open(url_for("keys.ask_to_revoke", number=number))
        except MailError as error:
            notify(refusal_words(error), "caution")
            return redirect(url_for("keys.show_key", number=number), 303)
        audited(AuditAct.MAIL_KEY_REVOKED, key.fingerprint)
        tell(current_user(), SecurityNotice.MAIL_KEY_REVOKED, readable(key.fingerprint))
    notify(_("This key is revoked. You can still read what was encrypted for it."), "done")
    return redirect(url_for("keys.show_key", number=number), 303)


@blueprint.get("/encryption/keys/<int:number>/remove")
@asks_again
def ask_to_remove(number: int) -> Response:
    return page("keys/remove.html", key=_key(number))


@blueprint.post("/encryption/keys/<int:number>/remove")
@asks_again
def remove(number: int) -> Response:
    key = _key(number)
    if own_keys.remove(current_user(), key):
        audited(AuditAct.MAIL_KEY_REMOVED, key.fingerprint)
        tell(current_user(), SecurityNotice.MAIL_KEY_REMOVED, readable(key.fingerprint))
    notify(_("The key is deleted."), "done")
    return redirect(url_for("keys.show"), 303)


def _key(number: int) -> OwnKey:
    check_here()
    return own_keys.find(current_user().id, number)


def _file(content: bytes, key: OwnKey, part: str) -> Response:
    if not content:
        abort(404)
    ending = "asc" if key.kind == OPENPGP else "pem" if part == "public" else "p12"
    response = make_response(content)
    response.headers["Content-Type"] = "application/pgp-keys" if ending == "asc" else "application/octet-stream"
    response.headers["Content-Disposition"] = f'attachment; filename="{part}-key-{key.fingerprint[-16:]}.{ending}"'
    response.headers["Cache-Control"] = "no-store"
    return response
