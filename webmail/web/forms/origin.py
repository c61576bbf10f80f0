"""Origin: refuses forms that a browser sends from another site's page, before anything reads them (RFC 6454, Fetch section 3.1).

The second guard against forged requests, beside the token of each form and SameSite cookies. Programs that send no Origin are no
danger, since they carry nobody's cookies.
"""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from flask import Response, current_app, request
from flask_babel import gettext as _

from webmail.web.current import settings
from webmail.web.responses.errors import error_page

_SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")  # they change nothing (RFC 9110 section 9.2.1)


def refuse_foreign_forms() -> Response | None:
    """403 for a form whose Origin is another site, or is withheld ("null") and not said to be this site by the browser."""
    if request.method in _SAFE or (origin := request.headers.get("Origin")) is None or _is_ours(origin):
        return None
    current_app.logger.warning("a form from %.200r is refused, since this is %r or public_url", origin, request.host_url)
    return error_page(
        _("This form came from another site"),
        _("Nothing was changed. Open the page here and send the form again."),
        403,
    )


def _is_ours(origin: str) -> bool:
    if origin == "null":  # of a page without an address, or of a browser that tells nobody where it comes from
        return request.headers.get("Sec-Fetch-Site") == "same-origin"
    try:
        theirs, here, public = urlsplit(origin), urlsplit(request.host_url), urlsplit(settings().public_url)
        return _same(theirs, public) or (_same(theirs, here) and not (request.is_secure and theirs.scheme != "https"))
    except ValueError:  # no port, or no host
        return False


def _same(theirs: SplitResult, ours: SplitResult) -> bool:
    """The same host, and port where ours is known: proxies may pass on the name alone. The scheme may be theirs alone too."""
    if theirs.scheme not in ("http", "https") or not theirs.hostname or theirs.hostname != ours.hostname:
        return False
    port = theirs.port or (443 if theirs.scheme == "https" else 80)
    return ours.port is None or ours.port == port
