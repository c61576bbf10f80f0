"""Connected services for administrators: what is set up, what to register at the providers, and whether it works."""

from __future__ import annotations

from flask import Response, abort, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webmail.admin.blueprint import blueprint
from webmail.admin.service_setup_texts import finding_words, missing_words
from webmail.admin.views.access import whole_installation
from webmail.admission import AdmissionRefusedError
from webmail.config.connected_services import SERVICES
from webmail.services import policy, provider_check, providers
from webmail.services.provider_check import ServiceFault, ServiceFinding
from webmail.services.providers import PURPOSES, ServiceProvider
from webmail.web.current import settings
from webmail.web.notices import notify
from webmail.web.public_links import public_link
from webmail.web.rendering import page
from webmail.web.responses.outside import ASKING_OUTSIDE


@blueprint.get("/services")
def services_page() -> Response:
    whole_installation()
    found = [one for key in SERVICES if (one := providers.find(key, settings())) is not None]
    return page(
        "admin/services.html", providers=found, set_up=[one.key for one in policy.set_up(settings())],
        missing={one.key: missing_words(one, settings()) for one in found}, back=_back,
        scopes=lambda one: [*one.base, *one.scopes_for(PURPOSES)],
    )  # fmt: skip


@blueprint.post("/services/<provider>")
def test_service(provider: str) -> AnyResponse:
    """Ask the provider whether it knows us. Nothing is changed."""
    whole_installation()
    found = providers.find(provider, settings())
    if found is None or not found.consent or not found.client_id:
        abort(404)
    findings = _findings(found)
    for one in findings:
        notify(f"{found.title}: {finding_words(one, found.title)}", "caution")
    if not findings:
        notify(_("%(title)s knows this site: the client ID and secret are right.", title=found.title), "done")
    return redirect(url_for("admin.services_page"), 303)


def _findings(provider: ServiceProvider) -> list[ServiceFinding]:
    try:
        with ASKING_OUTSIDE.admit():
            return provider_check.check(provider, _back(provider.key))
    except AdmissionRefusedError:
        return [ServiceFinding(ServiceFault.BUSY)]


def _back(provider: str) -> str:
    return public_link("services.end_consent", provider=provider)
