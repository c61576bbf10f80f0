"""Web Key Directory: other mail programs ask here for the certificate of an address, in both ways that the draft has."""

from __future__ import annotations

import re

from flask import abort, request
from werkzeug.wrappers import Response

from webmail.auth.guard import public
from webmail.keys import published_keys
from webmail.keys.blueprint import blueprint
from webmail.keys.views.current_keyring import check_here
from webmail.mime.headers.address_input import ascii_domain

_HASH = re.compile(r"[ybndrfg8ejkmcpqxot1uwisza345h769]{32}")
_ROOT = "/.well-known/openpgpkey"


@blueprint.get(f"{_ROOT}/<domain>/hu/<name>")
@public
def advanced_key(domain: str, name: str) -> Response:
    """Asked of `openpgpkey.<domain>`."""
    return _certificates(domain, name)


@blueprint.get(f"{_ROOT}/hu/<name>")
@public
def direct_key(name: str) -> Response:
    """Asked of the domain itself."""
    return _certificates(request.host.partition(":")[0], name)


@blueprint.get(f"{_ROOT}/<domain>/policy")
@blueprint.get(f"{_ROOT}/policy")
@public
def key_policy(domain: str = "") -> Response:
    """There has to be one, and nothing has to be in it."""
    check_here()
    return _open(Response("", mimetype="text/plain"))


def _certificates(domain: str, name: str) -> Response:
    check_here()
    if not _HASH.fullmatch(name) or len(domain) > 190:
        abort(404)
    try:
        content = published_keys.by_hash(ascii_domain(domain.lower()), name)
    except (UnicodeError, ValueError):
        abort(404)
    if not content:
        abort(404)
    return _open(Response(content, mimetype="application/octet-stream"))


def _open(response: Response) -> Response:
    """Programs in browsers may read it too."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
