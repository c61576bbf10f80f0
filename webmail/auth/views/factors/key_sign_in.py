"""Signing in with a key: as the second step, or by a passkey alone; and confirming with one before a change."""

from __future__ import annotations

from flask import abort, jsonify, redirect, request, session, url_for
from werkzeug.wrappers import Response

from webmail import audit
from webmail.auth.blueprint import blueprint
from webmail.auth.factors import security_keys
from webmail.auth.factors.challenges import Purpose
from webmail.auth.factors.second_step import Factor
from webmail.auth.factors.security_keys import KeyRefusedError, Site
from webmail.auth.forms import SecondStepForm, SignInForm
from webmail.auth.guard import comes_first, public
from webmail.auth.sessions.cookies import visit
from webmail.auth.sign_in import waiting_lines
from webmail.auth.sign_in.first_steps import FirstStep
from webmail.auth.views.completion import Started, complete
from webmail.auth.views.factors.confirm import resume_after_factor
from webmail.auth.views.factors.second_step import second_step_done, second_step_over, second_step_page
from webmail.auth.views.factors.security_keys import (
    answering_key,
    asked_of_visitor,
    key_fault_words,
    key_kind,
    key_was_refused,
    passkey_site,
)
from webmail.auth.views.sign_in import PLACE, kept_data, sign_in_page
from webmail.models import AuditAct
from webmail.rate_limits import TooManyRequestsError
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.forms.request_values import local_path
from webmail.web.notices import notify
from webmail.web.responses.too_many import told_to_wait, too_many_words

_REFUSED = 401


@blueprint.post("/login/code/key")
@public  # for somebody whose password was right, and nobody else
def check_key() -> Response:
    form, user = SecondStepForm(), visit().pending_user
    if user is None:
        return second_step_over()
    place = waiting_lines.place_of(session.get(PLACE))
    try:
        key = answering_key(user, Purpose.SECOND_STEP, place)
    except KeyRefusedError as refused:
        return second_step_page(form, _REFUSED, key_fault_words(refused.fault))
    except TooManyRequestsError as error:
        session[PLACE] = waiting_lines.next_place(place)
        audited(AuditAct.SIGN_IN_BLOCKED, user.address)
        return told_to_wait(second_step_page(form, error.status, too_many_words(error)), error)
    return second_step_done(Factor(key_kind(key)), form.next.data or "", trust=bool(form.trust.data))


@blueprint.post("/account/confirm/key")
@comes_first(FirstStep.SECOND_STEP, FirstStep.RECOVERY)
def confirm_by_key() -> Response:
    """Before a change of how somebody signs in: their key instead of a code."""
    target, user = local_path(request.form.get("next", "")), current_user()
    again = redirect(url_for("auth.show_confirm", next=target or None), 303)
    try:
        key = answering_key(user, Purpose.CONFIRM)
    except KeyRefusedError as refused:
        notify(key_fault_words(refused.fault), "danger")
        return again
    except TooManyRequestsError as error:
        notify(too_many_words(error), "danger")
        return again
    return resume_after_factor(Factor(key_kind(key)), target)


@blueprint.get("/login/passkey/options")
@public
def passkey_options() -> Response:
    """What the script of the sign-in page asks the browser for, as JSON: at the click, since that page may be open for hours."""
    here = _here()
    return jsonify(security_keys.assertion_options(None, here, asked_of_visitor(), settings()))


@blueprint.post("/login/passkey")
@public
def sign_in_by_passkey() -> Response:
    """Sign in by a passkey alone. No password is known then: the mail servers take our token."""
    here, form = _here(), SignInForm()
    try:
        key = security_keys.verify(request.form.get("key", ""), None, here, asked_of_visitor(), settings())
    except KeyRefusedError as refused:
        key_was_refused(refused, AuditAct.SIGN_IN_REFUSED, refused.key.user.address if refused.key else audit.UNKNOWN)
        return sign_in_page(form, _REFUSED, key_fault_words(refused.fault))
    shared, lasting = bool(form.shared.data), bool(form.lasting.data)
    how = Started(shared=shared, lasting=lasting, data=kept_data(form), factor=Factor.PASSKEY)
    return complete(key.user, how, form.next.data or "")


def _here() -> Site:
    return passkey_site() or abort(404)
