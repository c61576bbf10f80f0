"""Connecting a service: what it is for, to the provider's own page and back; or the form of a provider without one (`FORMS`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from flask import Response, abort, current_app, redirect, request, session, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from webmail.admission import AdmissionRefusedError
from webmail.auth.guard import asks_again
from webmail.models import ConnectedService
from webmail.services import connections, consent_attempts, google_account, oauth, policy
from webmail.services.blueprint import blueprint
from webmail.services.oauth import ConsentAttempt, ServiceGrant
from webmail.services.providers import DRIVE, GOOGLE, PICKED, PURPOSES, ServiceProvider
from webmail.services.service_errors import ServiceAwayError, ServiceError, TooManyServicesError
from webmail.services.service_texts import choice_words, error_words, purpose_words
from webmail.web.current import current_user, settings
from webmail.web.forms.request_values import local_path, next_path
from webmail.web.notices import notify
from webmail.web.public_links import public_link
from webmail.web.rendering import page
from webmail.web.responses.outside import ASKING_OUTSIDE
from webmail.web.security_mail import SecurityNotice, tell

# By provider, what answers GET and POST of its connecting, with the connection that is opened again (None: a new one)
FORMS: dict[str, Callable[[ServiceProvider, ConnectedService | None], AnyResponse]] = {}


@blueprint.get("/services/<provider>/connect")
@asks_again
def ask_to_connect(provider: str) -> AnyResponse:
    """`purpose`, several times: what it is for; `connection`: the one that gets more rights, or is opened again; `next`."""
    found, connection = _available(provider), _connection(provider)
    if not found.consent:
        return FORMS[found.key](found, connection)
    return _form(found, connection)


@blueprint.post("/services/<provider>/connect")
@asks_again
def begin_consent(provider: str) -> AnyResponse:
    found, connection = _available(provider), _connection(provider)
    if not found.consent:
        return FORMS[found.key](found, connection)
    purposes = tuple(one for one in _purposes() if one in found.scopes)
    if not purposes:
        return _form(found, connection, _("Choose at least one."))
    attempt = ConsentAttempt(found.key, purposes=purposes, connection=connection.id if connection else 0, next=next_path())
    session[consent_attempts.KEY] = consent_attempts.added(session.get(consent_attempts.KEY, ()), attempt)
    before, login = (connection.scopes, connection.login) if connection else ("", "")
    scopes = " ".join([*found.scopes_for(purposes), *found.own_scopes(before)])
    address = oauth.consent_address(found, attempt, back(found.key), scopes, login)
    return page("auth/lead_on.html", address=address, title=found.title)  # no redirect: `form-action` lets no form lead elsewhere


@blueprint.get("/services/<provider>/back")
def end_consent(provider: str) -> AnyResponse:
    """Where the provider leads back to. Good once, for the session that began it."""
    found = _available(provider)
    rows, state = session.get(consent_attempts.KEY, ()), request.args.get("state", "")
    attempt, session[consent_attempts.KEY] = consent_attempts.taken(rows, found.key, state)
    if attempt is None:
        notify(_("This did not begin here, or too long ago. Connect %(title)s again.", title=found.title), "caution")
        return redirect(url_for("services.index"), 303)
    try:
        with ASKING_OUTSIDE.admit():
            grant = oauth.finish(found, attempt, request.args, back(found.key))
        return _chosen(attempt, _account(grant, found)) if attempt.purposes == (PICKED,) else _keep(found, attempt, grant)
    except (ServiceError, AdmissionRefusedError) as error:
        current_app.logger.warning("connecting %s: %s", found.key, error)
        told = error if isinstance(error, ServiceError) else ServiceAwayError("too many ask other servers")
        notify(_("You have too many connected services. Disconnect one first.")
               if isinstance(told, TooManyServicesError) else error_words(told, found.title), "caution")  # fmt: skip
        return redirect(url_for("services.index"), 303)


@blueprint.get("/services/<int:number>/choose")
def choose_in_google(number: int) -> AnyResponse:
    """To Google's own page where files are chosen, which this installation may then read: without scripts or pixels here.

    It takes the scope of files alone, and gives tokens that say nothing new: those of before stay. `next`: where to go on.
    """
    connection, provider = connections.find(current_user(), number), _available(GOOGLE)
    if connection.provider != GOOGLE:
        abort(404)
    attempt = ConsentAttempt(GOOGLE, purposes=(PICKED,), connection=connection.id, next=next_path())
    session[consent_attempts.KEY] = consent_attempts.added(session.get(consent_attempts.KEY, ()), attempt)
    alone = replace(provider, base=(), extra={"access_type": "online", "prompt": "consent"})
    scopes = " ".join(provider.scopes_for((DRIVE,)))
    asked = {"trigger_onepick": "true", "allow_multiple": "true"}
    address = oauth.consent_address(alone, attempt, back(GOOGLE), scopes, connection.login, **asked)
    return page("auth/lead_on.html", address=address, title=provider.title)


def _account(grant: ServiceGrant, provider: ServiceProvider) -> str:
    return grant.login or google_account.login_of(provider, grant.access, settings())


def _chosen(attempt: ConsentAttempt, login: str) -> AnyResponse:
    """`login`: whose files were chosen, "" if Google did not tell."""
    connection = connections.find(current_user(), attempt.connection)
    if login and login.casefold() != connection.login.casefold():
        words = _("You chose files as %(other)s, but this connection is for %(login)s, so they can’t be used here. Choose again "
                  "as %(login)s, or connect %(other)s too.", other=login, login=connection.login)  # fmt: skip
        notify(words, "caution")
        return redirect(local_path(attempt.next) or url_for("services.one", number=attempt.connection), 303)
    count = len([one for one in request.args.get("picked_file_ids", "").split(",") if one])
    if count:
        notify(ngettext("%(num)d file was chosen in Google Drive.", "%(num)d files were chosen in Google Drive.", count), "done")
    else:
        notify(_("No file was chosen in Google Drive."))
    return redirect(local_path(attempt.next) or url_for("services.one", number=attempt.connection), 303)


def back(provider: str) -> str:
    """Where a provider leads back to, as it is registered there: of `public_url`, never of the request."""
    return public_link("services.end_consent", provider=provider)


def _keep(provider: ServiceProvider, attempt: ConsentAttempt, grant: ServiceGrant) -> AnyResponse:
    """Make or renew the connection of what was granted; say what was not."""
    refused = [one for one in attempt.purposes if not provider.allows(grant.scopes, one)]
    before = _of_attempt(attempt)
    if before is not None and grant.login and grant.login != before.login:
        words = _("You chose %(other)s at %(title)s, and this is the connection of %(login)s. Nothing was changed.",
                  other=grant.login, title=provider.title, login=before.login)  # fmt: skip
        notify(words, "caution")
        return redirect(url_for("services.one", number=before.id), 303)
    if len(refused) == len(attempt.purposes):
        oauth.revoke(provider, "" if before else grant.refresh)
        notify(_("%(title)s did not allow what you asked for. Nothing was connected.", title=provider.title), "caution")
        return redirect(url_for("services.index"), 303)
    made, is_new = _stored(provider, grant, before)
    if is_new:
        tell(current_user(), SecurityNotice.SERVICE_CONNECTED, f"{provider.title} ({made.login})")
    if refused:
        missing = ", ".join(purpose_words(provider.key, one) for one in refused)
        notify(_("%(title)s is connected, but without this: %(missing)s.", title=made.title, missing=missing), "caution")
    else:
        notify(_("%(title)s is connected.", title=made.title), "done")
    return redirect(local_path(attempt.next) or url_for("services.one", number=made.id), 303)


def _stored(provider: ServiceProvider, grant: ServiceGrant, before: ConnectedService | None) -> tuple[ConnectedService, bool]:
    login = grant.login or (before.login if before else provider.title)
    refresh = grant.refresh
    if not refresh:  # none comes where there is one already
        mine = before or next((one for one in connections.of_provider(current_user(), provider.key) if one.login == login), None)
        refresh = connections.secret_of(mine, settings()).get("refresh", "") if mine else ""
    if not refresh:
        raise ServiceAwayError(f"{provider.key} gave no refresh token")
    return connections.make(
        current_user(), provider, login=login, secret={"access": grant.access, "refresh": refresh}, settings=settings(),
        scopes=grant.scopes, expires=grant.expires, network=session.network,  # type: ignore[attr-defined]
    )  # fmt: skip


def _form(provider: ServiceProvider, connection: ConnectedService | None, problem: str = "") -> Response:
    wanted = _purposes()
    fixed = tuple(one for one in (wanted if request.method == "GET" else _purposes_of("fixed")) if one in provider.scopes)
    return page(
        "services/connect.html", 422 if problem else 200, provider=provider, connection=connection, problem=problem,
        wanted=wanted, fixed=fixed, fixed_words=[purpose_words(provider.key, one) for one in fixed],
        choices=choice_words(provider.key), next=next_path(),
    )  # fmt: skip


def _purposes() -> tuple[str, ...]:
    return _purposes_of("purpose")


def _purposes_of(name: str) -> tuple[str, ...]:
    asked = request.values.getlist(name)
    return tuple(one for one in PURPOSES if one in asked)


def _available(key: str) -> ServiceProvider:
    found = next((one for one in policy.available(settings(), current_user()) if one.key == key), None)
    if found is None or not (found.consent or found.key in FORMS):
        abort(404)
    return found


def _connection(provider: str) -> ConnectedService | None:
    number = request.values.get("connection", 0, int)
    if not number:
        return None
    found = connections.find(current_user(), number)
    return found if found.provider == provider else abort(404)


def _of_attempt(attempt: ConsentAttempt) -> ConnectedService | None:
    return connections.find(current_user(), attempt.connection) if attempt.connection else None
