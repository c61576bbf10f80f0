"""Autoconfiguration: the addresses at which Thunderbird and Outlook ask for the servers of an address, by themselves."""

from __future__ import annotations

from flask import abort, request
from werkzeug.wrappers import Response

from webmail.auth.blueprint import blueprint
from webmail.auth.guard import public
from webmail.auth.views.devices.dav import has_dav
from webmail.web.current import settings

_XML = "text/xml; charset=utf-8"


@blueprint.get("/.well-known/autoconfig/mail/config-v1.1.xml")
@blueprint.get("/mail/config-v1.1.xml")
@public
def thunderbird() -> Response:
    """The second one is asked of `autoconfig.<domain>`. 404 for other domains: `emailaddress` tells which."""
    from webmail.auth.devices import autoconfig

    if not autoconfig.serves(request.args.get("emailaddress", ""), settings()):
        abort(404)
    return _answer(autoconfig.client_config(settings(), dav=has_dav()))


@blueprint.post("/autodiscover/autodiscover.xml")
@blueprint.post("/Autodiscover/Autodiscover.xml")
@blueprint.post("/AutoDiscover/AutoDiscover.xml")
@public
def outlook() -> Response:
    """Outlook's three spellings. Needs no CSRF token: it changes nothing."""
    from webmail.auth.devices import autoconfig

    if (request.content_length or 0) > autoconfig.LONGEST_REQUEST:
        abort(413)
    try:
        asked = autoconfig.read_request(request.stream.read(autoconfig.LONGEST_REQUEST + 1))
    except autoconfig.BadRequestError:
        abort(400)
    return _answer(autoconfig.outlook_answer(asked, settings()))


def _answer(document: bytes | None) -> Response:
    return Response(document, content_type=_XML) if document is not None else abort(404)
