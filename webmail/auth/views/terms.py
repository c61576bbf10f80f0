"""Terms page: the establishment's terms of use, accepted before anything else, and read again at any time."""

from __future__ import annotations

from flask import abort, redirect, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response

from webmail.auth.blueprint import blueprint
from webmail.auth.guard import comes_first
from webmail.auth.sign_in import terms
from webmail.auth.sign_in.first_steps import FirstStep
from webmail.auth.views import first_walk
from webmail.mime.html.linkify import linkify
from webmail.models import AuditAct
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.forms.request_values import local_path
from webmail.web.notices import notify
from webmail.web.rendering import page


@blueprint.get("/account/terms")
@comes_first(FirstStep.TERMS)
def show_terms() -> Response:
    locale = get_locale()
    text = terms.text(settings(), locale.language if locale else "")
    if not text:
        abort(404)
    asked = terms.must_accept(current_user(), settings())
    template = "auth/first_terms.html" if asked else "auth/terms.html"
    return page(template, blocks=terms.blocks(text), version=settings().terms_version, target=_target())


@blueprint.post("/account/terms")
@comes_first(FirstStep.TERMS)
def accept_terms() -> Response:
    version = request.form.get("version", "")
    if not terms.accept(current_user(), version, settings()):
        notify(_("The terms have changed in the meantime. Please read them again."), "caution")
        return redirect(url_for("auth.show_terms", next=_target() or None), 303)
    audited(AuditAct.TERMS_ACCEPTED, version=version)
    walks = first_walk.walks()
    first_walk.has_walked()
    target = first_walk.lead_on(current_user(), _target() or url_for("mailbox.show", mailbox="INBOX"), typed=walks)
    return redirect(target, 303)


@blueprint.app_template_filter()
def with_links(text: str) -> Markup:
    """A plain text with its addresses as links."""
    return Markup(linkify(text))  # noqa: S704 - escaped by linkify


def _target() -> str:
    return local_path(request.values.get("next", ""))
