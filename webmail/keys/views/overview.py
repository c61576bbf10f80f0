"""Encryption: the page that explains it to who has never heard of a key, and lists the keys of who has some."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import preferences
from webmail.admission import AdmissionRefusedError
from webmail.auth import aliases
from webmail.auth.guard import asks_again
from webmail.errors import MailError
from webmail.keys import key_making, keyring, own_keys, published_keys, staged_certificates
from webmail.keys.blueprint import blueprint
from webmail.keys.key_errors import KeyringExistsError
from webmail.keys.key_texts import day_words, kind_words, origin_words, readable, refusal_words, state_words, weakness_words
from webmail.keys.open_keyring import OpenKeyring
from webmail.keys.own_keys import OwnKey
from webmail.keys.views.current_keyring import SESSION, ask_to_open, check_here, opened_here, put
from webmail.keys.views.recovery_sheet import show_code_next
from webmail.models import AuditAct, User, now
from webmail.people.suggestions.mail_scan import own_addresses
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.responses.qr_code import qr_code
from webmail.web.security_mail import SecurityNotice, tell

blueprint.add_app_template_global(readable, "readable_fingerprint")
blueprint.add_app_template_global(day_words, "key_day")
blueprint.add_app_template_global(kind_words, "key_kind")
blueprint.add_app_template_global(state_words, "key_state")
blueprint.add_app_template_global(origin_words, "key_origin")


@blueprint.get("/encryption")
def show() -> Response:
    """4 queries of its own at most."""
    check_here()
    user = current_user()
    ring = keyring.find(user.id)
    waiting = staged_certificates.waiting(user.id)
    if ring is None:
        return page("keys/first.html", available=key_making.is_available(settings()), waiting=waiting)
    return page(
        "keys/index.html", ring=ring, keys=own_keys.own_keys(user.id), is_open=opened_here() is not None,
        available=key_making.is_available(settings()), keep_opened=preferences.for_user(user).keep_opened,
        waiting=waiting,
    )  # fmt: skip


@blueprint.post("/encryption/habits")
def change_habits() -> Response:
    """How new messages begin: `protect_encrypt` (never, ask, possible) and `protect_sign`."""
    check_here()
    encrypt, sign = request.form.get("protect_encrypt", ""), bool(request.form.get("protect_sign"))
    preferences.change(current_user(), protect_encrypt=encrypt, protect_sign=sign)
    notify(_("Saved. New messages begin like this."), "done")
    return redirect(url_for("keys.show", _anchor="habits"), 303)


@blueprint.post("/encryption/keeping")
def choose_keeping() -> Response:
    """Whether messages are kept decrypted once they were opened (`keep_opened`)."""
    check_here()
    chosen = "keep_opened" in request.form
    preferences.change(current_user(), keep_opened=chosen)
    notify(
        _("From now on, encrypted messages that you open are kept decrypted on this server.") if chosen
        else _("Encrypted messages stay encrypted when you open them. Those you have kept decrypted stay so."), "done",
    )  # fmt: skip
    return redirect(url_for("keys.show"), 303)


@blueprint.get("/encryption/begin")
@asks_again
def show_beginning() -> Response:
    check_here()
    if keyring.exists(current_user().id):
        return redirect(url_for("keys.show"), 303)
    return _beginning()


@blueprint.post("/encryption/begin")
@asks_again
def begin() -> Response:
    """The keyring, a first key in it, and on to the recovery sheet."""
    check_here()
    user = current_user()
    passphrase = request.form.get("passphrase", "")
    if problem := weakness_words(passphrase, request.form.get("passphrase_again", ""), user):
        return _beginning(problem)
    if not key_making.is_available(settings()):
        return _beginning(_("Encryption isn’t set up on this server."))
    try:
        ring, code = keyring.make(user, passphrase, settings())
    except KeyringExistsError:
        return redirect(url_for("keys.show"), 303)
    except AdmissionRefusedError as error:
        return _beginning(refusal_words(error))
    put(ring, SESSION)
    audited(AuditAct.KEYRING_MADE)
    tell(user, SecurityNotice.KEYRING_MADE)
    show_code_next(code)
    try:
        _make_key(user, OpenKeyring(user.id, ring), _chosen_addresses(user))
    except MailError as error:
        notify(_("Your key could not be made yet: %(why)s", why=refusal_words(error)), "caution")
    return redirect(url_for("keys.show_sheet"), 303)


@blueprint.post("/encryption/keys")
@asks_again
def make_key() -> Response:
    """A further OpenPGP key."""
    check_here()
    opened = opened_here()
    if opened is None:
        return ask_to_open()
    try:
        key = _make_key(current_user(), opened, _chosen_addresses(current_user()))
    except MailError as error:
        notify(refusal_words(error), "caution")
        return redirect(url_for("keys.show"), 303)
    notify(_("A new key is made. Print a new recovery sheet: it has what revokes this key too."), "done")
    return redirect(url_for("keys.show_key", number=key.id), 303)


@blueprint.get("/encryption/delete")
@asks_again
def ask_to_delete() -> Response:
    check_here()
    if not keyring.exists(current_user().id):
        return redirect(url_for("keys.show"), 303)
    return page("keys/delete.html", keys=own_keys.own_keys(current_user().id))


@blueprint.post("/encryption/delete")
@asks_again
def delete() -> Response:
    """All keys, for who begins again: without the passphrase too, since it may be lost."""
    check_here()
    if request.form.get("sure") != "yes":
        return redirect(url_for("keys.ask_to_delete"), 303)
    if keyring.exists(current_user().id):
        keyring.delete(current_user())
        audited(AuditAct.KEYRING_DELETED)
        tell(current_user(), SecurityNotice.KEYRING_DELETED)
        notify(_("All your keys are deleted."), "done")
    return redirect(url_for("keys.show"), 303)


@blueprint.app_template_global()
def key_qr(fingerprint: str, kind: str) -> str:
    """A code that telephones compare a fingerprint by."""
    return qr_code(f"OPENPGP4FPR:{fingerprint}" if kind == own_keys.OPENPGP else fingerprint)


@blueprint.app_template_global()
def key_ends_soon(key: OwnKey) -> bool:
    """Whether a good key has an end within a month."""
    return key.is_good() and not key.is_good(now() + own_keys.NOTICE)


def publishable(user: User) -> list[str]:
    """The addresses that are this person's alone: theirs and its aliases. 1 query."""
    others = [one.address for one in aliases.of_account(user) if not one.address.startswith("@") and not one.former]
    return [user.address.lower(), *others]


def _make_key(user: User, opened: OpenKeyring, addresses: list[str]) -> OwnKey:
    """Make a key, and publish it where there was none."""
    had = any(one.published and one.is_good() and one.kind == own_keys.OPENPGP for one in own_keys.own_keys(user.id))
    key = key_making.make_openpgp(user, opened, addresses, settings())
    audited(AuditAct.MAIL_KEY_MADE, key.fingerprint)
    tell(user, SecurityNotice.MAIL_KEY_MADE, readable(key.fingerprint))
    if not had and published_keys.publish(user, key, publishable(user)):
        audited(AuditAct.MAIL_KEY_PUBLISHED, key.fingerprint)
    return key


def _chosen_addresses(user: User) -> list[str]:
    """The account's own first, then those that were ticked of what the person writes from."""
    mine = own_addresses(user)
    ticked = [one for one in dict.fromkeys(request.form.getlist("address")) if one in mine]
    return list(dict.fromkeys([user.address.lower(), *ticked]))


def _beginning(problem: str = "") -> Response:
    user = current_user()
    addresses = sorted(own_addresses(user) - {user.address.lower()})
    ticked = request.form.getlist("address") if request.method == "POST" else publishable(user)
    return page(
        "keys/begin.html", 422 if problem else 200, problem=problem, addresses=addresses, ticked=ticked,
        available=key_making.is_available(settings()), shortest=keyring.SHORTEST,
    )  # fmt: skip
