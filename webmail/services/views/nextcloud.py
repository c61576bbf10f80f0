"""Connecting a Nextcloud or another WebDAV server: by its own page (login flow v2), without a script, or by an app password."""

from __future__ import annotations

import base64
import binascii

from flask import redirect, request, session, url_for
from flask_babel import gettext as _
from flask_babel.speaklater import LazyString
from werkzeug.wrappers import Response

from webmail import vault
from webmail.admission import AdmissionRefusedError
from webmail.models import ConnectedService
from webmail.services import connections, nextcloud_sign_in
from webmail.services.nextcloud_sign_in import LoginFlow, ServerAccount, ServerSignInError, SignInTrouble
from webmail.services.providers import NEXTCLOUD, ServiceProvider
from webmail.services.service_errors import TooManyServicesError
from webmail.services.views.connect import FORMS
from webmail.web.current import current_user, settings
from webmail.web.formatting import lazy_text as _l
from webmail.web.forms.request_values import local_path, next_path
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.responses.outside import ASKING_OUTSIDE
from webmail.web.security_mail import SecurityNotice, tell

_PURPOSE = "login flow of a server"
_TROUBLES: dict[SignInTrouble, LazyString] = {
    SignInTrouble.ADDRESS: _l("This is not the address of a server. It begins with https://."),
    SignInTrouble.FORBIDDEN: _l("This address can’t be reached from here."),
    SignInTrouble.AWAY: _l("This server is not responding."),
    SignInTrouble.PASSWORD: _l("The server refuses this user name and app password."),
    SignInTrouble.NO_FLOW: _l("This server has no sign-in page for other programs. Use an app password below."),
    SignInTrouble.NOT_WEBDAV: _l("No files were found at this address."),
}


def connect(provider: ServiceProvider, connection: ConnectedService | None) -> Response:
    """The form, what it says to do, and the way back from the page of the server."""
    action = request.form.get("action", "") if request.method == "POST" else ""
    server = request.form.get("server", connection.address if connection else "").replace("\0", "")[:900]
    if connection is not None and action:
        server = connection.address  # it is the same place that is opened again
    try:
        with ASKING_OUTSIDE.admit():
            if action == "flow":
                return _agree(provider, connection, nextcloud_sign_in.begin_flow(server, settings()))
            if action == "agreed":
                return _agreed(provider, connection)
            if action == "password":
                login = request.form.get("login", "").strip()[:254]
                password = request.form.get("password", "")[:500]
                return _keep(provider, nextcloud_sign_in.account_at(server, login, password, settings()))
    except ServerSignInError as error:
        return _form(provider, connection, server, str(_TROUBLES[error.trouble]), error.trouble)
    except AdmissionRefusedError:
        return _form(
            provider, connection, server, _("Too many people are doing this at the moment. Try again."), SignInTrouble.AWAY
        )
    return _form(provider, connection, server)


def _form(
    provider: ServiceProvider, connection: ConnectedService | None, server: str, problem: str = "", trouble: str = ""
) -> Response:
    return page(
        "services/nextcloud.html", 422 if problem else 200, provider=provider, connection=connection, server=server,
        login=request.form.get("login", connection.login if connection else "")[:254], problem=problem, trouble=trouble,
        next=next_path(),
    )  # fmt: skip


def _agree(provider: ServiceProvider, connection: ConnectedService | None, flow: LoginFlow, *, early: bool = False) -> Response:
    """Where to agree, and the button for afterwards. What the server gave for it waits in the form, sealed."""
    sealed = vault.seal_secret(flow.to_json().encode(), settings().secret_key, _PURPOSE, current_user().id)
    return page(
        "services/nextcloud_agree.html", provider=provider, connection=connection, flow=flow, early=early, next=next_path(),
        sealed=base64.urlsafe_b64encode(sealed).decode(),
    )  # fmt: skip


def _agreed(provider: ServiceProvider, connection: ConnectedService | None) -> Response:
    try:
        sealed = base64.urlsafe_b64decode(request.form.get("flow", "")[:10_000])
        opened = vault.open_secret(sealed, settings().secret_key, _PURPOSE, current_user().id)
    except (binascii.Error, ValueError, vault.CannotOpenError):
        notify(_("Begin again: this sign-in is no longer valid."), "caution")
        return redirect(url_for("services.ask_to_connect", provider=provider.key), 303)
    flow = LoginFlow.from_json(opened.decode())
    account = nextcloud_sign_in.finish_flow(flow, settings())
    return _keep(provider, account) if account is not None else _agree(provider, connection, flow, early=True)


def _keep(provider: ServiceProvider, account: ServerAccount) -> Response:
    try:
        made, is_new = connections.make(
            current_user(), provider, login=account.login, secret={"password": account.password}, settings=settings(),
            address=account.address, title=account.title, scopes=account.abilities, network=session.network,  # type: ignore[attr-defined]
        )  # fmt: skip
    except TooManyServicesError:
        notify(_("You have too many connected services. Disconnect one first."), "caution")
        return redirect(url_for("services.index"), 303)
    if is_new:
        tell(current_user(), SecurityNotice.SERVICE_CONNECTED, f"{account.title} ({made.login})")
    notify(_("%(title)s is connected.", title=made.title), "done")
    return redirect(local_path(request.form.get("next", "")) or url_for("services.one", number=made.id), 303)


FORMS[NEXTCLOUD] = connect
