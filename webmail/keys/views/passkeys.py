"""Passkeys: what opens the keys of encryption by a fingerprint or PIN, where browser and passkey can compute it (WebAuthn's PRF).

The passphrase and the recovery sheet go on opening them: a passkey is lost with its telephone, and takes scripts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from flask import redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.admission import AdmissionRefusedError
from webmail.auth.factors import security_keys
from webmail.auth.factors.challenges import ChallengeSubject, Purpose
from webmail.auth.factors.security_keys import KeyFault, KeyRefusedError, Site
from webmail.auth.guard import asks_again
from webmail.auth.sessions.cookies import visit
from webmail.errors import MailError
from webmail.keys import keyring
from webmail.keys.blueprint import blueprint
from webmail.keys.key_errors import WrongPassphraseError
from webmail.keys.key_texts import refusal_words
from webmail.keys.views.current_keyring import HOUR, SESSION, ask_to_open, check_here, opened_here, put
from webmail.models import AuditAct, SecurityKey
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.forms.request_values import next_path
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.security_mail import SecurityNotice, tell


@dataclass(frozen=True, slots=True)
class PasskeyQuestion:
    """What a button asks the browser for, as JSON, and where the answer goes. It asks only on pages of this origin."""

    url: str
    origin: str
    options: str
    salt: str = ""  # of a passkey that is to be added, hex


@blueprint.app_template_global()
def passkey_question() -> PasskeyQuestion | None:
    """For the passkeys that open the keyring of who is asking; None without one. One SELECT."""
    here = security_keys.site(settings())
    salts = keyring.passkey_salts(current_user().id) if here is not None else []
    if here is None or not salts:
        return None
    options = security_keys.computing_options(salts, here, _subject(), settings())
    return PasskeyQuestion(url_for("keys.open_by_passkey"), here.origin, json.dumps(options))


@blueprint.app_template_global()
def passkey_opens() -> bool:
    """Whether a passkey opens the keyring of who is asking. One SELECT."""
    return bool(keyring.passkey_ids(current_user().id))


@blueprint.post("/encryption/open/passkey")
def open_by_passkey() -> Response:
    """By the answer of a passkey (`key`); `lasts` and `next` as `open_keys` has them."""
    check_here()
    lasts = HOUR if request.form.get("lasts") == HOUR else SESSION
    try:
        key, computed = _answer()
        ring = keyring.by_passkey(current_user().id, key.id, computed, settings())
    except KeyRefusedError as refused:
        return page("keys/open.html", 422, problem=_refusal(refused.fault), by_sheet=False, lasts=lasts)
    except (MailError, AdmissionRefusedError) as error:
        words = _cannot_words() if isinstance(error, WrongPassphraseError) else refusal_words(error)
        return page("keys/open.html", 422, problem=words, by_sheet=False, lasts=lasts)
    put(ring, lasts)
    notify(_("Your keys are open for an hour.") if lasts == HOUR else _("Your keys are open until you sign out."), "done")
    return redirect(next_path() or url_for("keys.show"), 303)


@blueprint.get("/encryption/passkeys")
@asks_again
def show_passkeys() -> Response:
    check_here()
    if not current_user().has_keys:
        return redirect(url_for("keys.show"), 303)
    return _page() if opened_here() else ask_to_open()


@blueprint.post("/encryption/passkeys")
@asks_again
def add_passkey() -> Response:
    """By its answer (`key`), computed from `salt`, which the page made."""
    check_here()
    opened = opened_here()
    if opened is None:
        return ask_to_open(url_for("keys.show_passkeys"))
    try:
        key, computed = _answer()
        keyring.add_passkey(current_user(), opened.secret, key, _salt(), computed)
    except KeyRefusedError as refused:
        return _page(_refusal(refused.fault))
    except WrongPassphraseError:
        return _page(_cannot_words())
    _told()
    notify(_("“%(name)s” now opens your keys. Your passphrase and your recovery sheet still do too.", name=key.name), "done")
    return redirect(url_for("keys.show_passkeys"), 303)


@blueprint.post("/encryption/passkeys/remove")
@asks_again
def remove_passkey() -> Response:
    """`passkey`: its number."""
    check_here()
    number = request.form.get("passkey", 0, int)
    if 0 < number < 2**63 and keyring.remove_passkey(current_user(), number):
        _told()
        notify(_("This passkey no longer opens your keys."), "done")
    return redirect(url_for("keys.show_passkeys"), 303)


def _page(problem: str = "") -> Response:
    """3 queries at most."""
    user, here = current_user(), security_keys.site(settings())
    mine, opening = security_keys.keys_of(user), keyring.passkey_ids(user.id)
    others = [one for one in mine if one.id not in opening]
    return page(
        "keys/passkeys.html", 422 if problem else 200, problem=problem, opening=[one for one in mine if one.id in opening],
        others=others, here=here, asked=_adding(others, here) if here is not None and others else None,
    )  # fmt: skip


def _adding(others: list[SecurityKey], here: Site) -> PasskeyQuestion:
    salt = keyring.new_salt()
    options = security_keys.computing_options([(one, salt) for one in others], here, _subject(), settings())
    return PasskeyQuestion(url_for("keys.add_passkey"), here.origin, json.dumps(options), salt.hex())


def _answer() -> tuple[SecurityKey, bytes]:
    """The passkey of the person that answered, and what it computed. Raises KeyRefusedError."""
    here, answer = security_keys.site(settings()), request.form.get("key", "")
    if here is None:
        raise KeyRefusedError(KeyFault.INVALID)
    key = security_keys.verify(answer, current_user(), here, _subject(), settings(), verified=True)
    return key, security_keys.computed(answer)


def _subject() -> ChallengeSubject:
    row = visit().stored
    return ChallengeSubject(Purpose.KEYRING, row.id_hash if row else "", current_user().id)


def _salt() -> bytes:
    typed = request.form.get("salt", "")
    try:
        return bytes.fromhex(typed) if len(typed) == 64 else b""
    except ValueError:
        return b""


def _told() -> None:
    audited(AuditAct.KEYRING_CHANGED)
    tell(current_user(), SecurityNotice.KEYRING_CHANGED)


def _refusal(fault: KeyFault) -> str:
    if fault is KeyFault.EXPIRED:
        return _("This took too long. Try again.")
    if fault is KeyFault.UNVERIFIED:
        return _("Your passkey has to ask for its PIN or your fingerprint to open your keys.")
    return _("The response from the passkey can’t be used here. Try again, or type your passphrase.")


def _cannot_words() -> str:
    return _("This passkey or this browser can’t open keys. Your passphrase does. A passkey that you add again may be able to.")
