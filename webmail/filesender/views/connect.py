"""Connecting one's own account at FileSender, by the secret that its page *My profile* shows."""

from __future__ import annotations

from flask import Response, abort, redirect, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webmail import rate_limits
from webmail.errors import MailError
from webmail.filesender import access
from webmail.filesender.blueprint import blueprint
from webmail.filesender.client import FileSenderServer
from webmail.filesender.filesender_texts import error_words
from webmail.rate_limits import QUARTER, RateLimit, TooManyRequestsError
from webmail.services import connections, providers
from webmail.services.service_errors import TooManyServicesError
from webmail.web.current import current_user, settings
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.security_mail import SecurityNotice, tell

_LONGEST = 254
_TRIES = RateLimit("secrets tried at FileSender", 10, QUARTER)  # nobody guesses them through us


def _check() -> None:
    if not access.serves(current_user(), settings()):
        abort(404)


@blueprint.get("/services/filesender/connect")
def connect() -> Response:
    """The form, where people may connect their own account; else what to do."""
    _check()
    return _form({}, {})


def _form(typed: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    given = settings().filesender
    return page(
        "filesender/connect.html", status, typed={"login": current_user().address} | typed, errors=errors,
        may=access.may_connect(current_user(), settings()), site=given.url if given is not None else "",
    )  # fmt: skip


@blueprint.post("/services/filesender/connect")
def make_connection() -> AnyResponse:
    """`login`, `secret`: tried before they are kept."""
    _check()
    if not access.may_connect(current_user(), settings()):
        abort(404)
    login, secret = request.form.get("login", "")[:_LONGEST].strip(), request.form.get("secret", "")[:_LONGEST].strip()
    if not login or not secret:
        return _form({"login": login}, {"secret": _("Type both.")}, 422)
    try:
        rate_limits.take(settings(), _TRIES.by(current_user().id))
        FileSenderServer(access.own(login, secret, settings())).guests()
        _stored(login, secret)
    except TooManyRequestsError:
        return _form({"login": login}, {"secret": _("You have tried too often. Wait a quarter of an hour.")}, 429)
    except TooManyServicesError:
        return _form({"login": login}, {"secret": _("You have connected as many services as you can.")}, 422)
    except MailError as error:
        return _form({"login": login}, {"secret": error_words(error)}, 422)
    notify(_("Your account at FileSender is connected."))
    return redirect(url_for("transfers.new"), 303)


def _stored(login: str, secret: str) -> None:
    provider, given = providers.find(providers.FILESENDER, settings()), settings().filesender
    assert provider is not None and given is not None
    _made, is_new = connections.make(
        current_user(), provider, login=login, secret={"password": secret}, settings=settings(), address=given.url,
        network=session.network,  # type: ignore[attr-defined]
    )  # fmt: skip
    if is_new:
        tell(current_user(), SecurityNotice.SERVICE_CONNECTED, f"{provider.title} ({login})")
