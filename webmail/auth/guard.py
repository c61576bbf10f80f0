"""Guard: every page needs a sign-in unless its view is marked `@public`; redirects to the sign-in page and limits requests."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar

from flask import Flask, Response, abort, current_app, g, redirect, request, url_for
from flask_babel import gettext as _
from flask_login import LoginManager, current_user
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response as AnyResponse

from webmail.admission import Admission, AdmissionRefusedError
from webmail.auth.factors.second_step import Factor
from webmail.auth.forms import SignInForm
from webmail.auth.providers import proxy
from webmail.auth.sessions import interrupted_forms, whereabouts
from webmail.auth.sessions.cookies import visit
from webmail.auth.sessions.interrupted_forms import path_here, path_of_ours
from webmail.auth.sessions.sessions import network_of
from webmail.auth.sessions.user_agent import describe
from webmail.auth.sign_in.first_steps import FirstStep, first_step
from webmail.database.connection import DATABASE_AWAY
from webmail.errors import NotAllowedError
from webmail.models import AuditAct, now
from webmail.people import policies
from webmail.web.audit import audited
from webmail.web.forms.body_limits import is_read_by_view
from webmail.web.forms.origin import refuse_foreign_forms
from webmail.web.forms.request_values import fetched_ahead, guessed_by_browser, local_path
from webmail.web.notices import changes_by_itself, notify
from webmail.web.rendering import fragment, page
from webmail.web.responses.unavailable import because
from webmail.web.security_mail import SecurityNotice, tell

CONFIRMED_FOR = timedelta(minutes=10)
# of the 16 or more threads of a process (deploy/traboule-web.service). Browsers send up to six requests at once: by themselves
# with HTTP/1.1, and limited by deploy/nginx.conf with HTTP/2
VISITS = Admission(of_one=8)
# what scripts fetch ahead, a message and a page of a list, takes no place of what somebody waits for. It is refused while half of
# those are taken: a page that nobody has asked for must not make them slower either
AHEAD = Admission(of_one=2)
_BUSY = VISITS.of_one // 2
# of people who are not signed in, on pages whose forms nginx hands on whole: without it a slow one holds its thread
FORMS = Admission(8, of_one_network=4, waiting=4, patience=1.0)
FACTOR = "factor"  # in the session: what signing in took besides the password, a word of second_step.Factor

View = TypeVar("View", bound=Callable[..., Any])


def public(view: View) -> View:
    """Mark a view as not needing a sign-in."""
    view.needs_sign_in = False  # type: ignore[attr-defined]
    return view


def asked_by_pages(view: View) -> View:
    """Mark a view that open pages request in the background: such requests don't extend the session."""
    view.asked_by_pages = True  # type: ignore[attr-defined]
    return view


def may_come_ahead(view: View) -> View:
    """Mark a view that scripts may fetch before its page is opened (`fetched_ahead`): it then changes nothing."""
    view.may_come_ahead = True  # type: ignore[attr-defined]
    return view


def comes_first(*steps: FirstStep) -> Callable[[View], View]:
    """Mark a view that belongs to these first steps: it may be used before they are done (see auth/sign_in/first_steps.py)."""

    def mark(view: View) -> View:
        view.first_steps = steps  # type: ignore[attr-defined]
        return view

    return mark


def asks_again(view: View) -> View:
    """Mark a view that shows or changes how somebody signs in: it asks for a factor again, once in CONFIRMED_FOR."""
    view.asks_again = True  # type: ignore[attr-defined]
    return view


def is_public(app: Flask, endpoint: str) -> bool:
    """Whether an endpoint needs no sign-in: static files, and views marked `@public`."""
    return endpoint == "static" or not getattr(app.view_functions.get(endpoint), "needs_sign_in", True)


def install(app: Flask) -> None:
    """Guard the application. Install it before CSRFProtect, so that an ended session is reported instead of a stale form."""
    count = app.extensions["settings"].proxies
    if count:  # otherwise all visitors would share the proxy's address, and so one rate limit
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count)  # type: ignore[method-assign]
    people.init_app(app, add_context_processor=False)  # templates have web.current_user()
    app.before_request(refuse_foreign_forms)
    app.before_request(_read_strangers_form)
    app.before_request(_require_sign_in)
    app.after_request(_stream_keeps_place)
    app.teardown_request(_leave_place)


def keeps_text(view: View) -> View:
    """Mark a view whose form contains text that the user wrote, which must survive a lost session."""
    view.keeps_text = True  # type: ignore[attr-defined]
    return view


def ask_to_sign_in() -> AnyResponse:
    """Redirect to the sign-in page, which redirects back: HX-Redirect for HTMX, 302 for a page, 303 with a notice for a form.

    Text being written is never lost: with HTMX the page stays and a notice says what to do; otherwise the sign-in page carries
    the text along.
    """
    if request.method == "POST" and _mark(request.endpoint or "", "keeps_text", False):
        return _keep_text()
    if request.method not in ("GET", "HEAD"):
        notify(_("You were signed out, so nothing was changed. Sign in and try again."), "caution")
    if request.headers.get("HX-Request") == "true":
        boosted = "HX-Boosted" in request.headers and request.method == "GET"
        back = path_here() if boosted else path_of_ours(request.headers.get("HX-Current-URL", ""))
        return Response(status=401, headers={"HX-Redirect": _sign_in_page(back)})
    if request.method in ("GET", "HEAD"):
        return redirect(_sign_in_page(path_here()), 302)
    return redirect(_sign_in_page(path_of_ours(request.referrer or "")), 303)


def _keep_text() -> AnyResponse:
    if request.headers.get("HX-Request") == "true":
        sign_in = {"url": url_for("auth.login"), "text": _("Sign in in a new tab")}
        words = _(
            "You were signed out. Your text is still on this page: "
            "sign in in a new tab, then come back and press the button again."
        )
        response = fragment("_notices.html", 401, oob=False, extra=[{"text": words, "kind": "caution", "link": sign_in}])
        response.headers.update({"HX-Retarget": "#notices", "HX-Reswap": "innerHTML"})
        return response
    problem = _("You were signed out. Your text is safe: sign in to continue.")
    if any(file.filename for file in request.files.values()):
        problem += " " + _("You will need to choose your files again.")
    form = SignInForm(formdata=None, next=path_here(), shared=visit().on_shared)
    return page("auth/login.html", 401, form=form, problem=problem, kept=interrupted_forms.text())


class _People(LoginManager):
    """flask-login, used for the current user and the redirect to sign-in. The user comes with the session row: no extra query."""

    def _load_user(self) -> None:
        self._update_request_context_with_user(visit().user)

    def _update_remember_cookie(self, response: AnyResponse) -> AnyResponse:
        return response  # no such cookie is used, and checking would load the session even for static files


people = _People()
people.unauthorized_handler(ask_to_sign_in)
people.session_protection = None  # it would end sessions when the IP address changes


def _read_strangers_form() -> None:
    """Read the form of somebody who is not signed in, where the page needs it, once it is admitted.

    Who is signed in is counted by themselves, but on pages for everybody.
    """
    if request.method != "POST" or request.endpoint is None:
        return
    if is_read_by_view(current_app.view_functions.get(request.endpoint)):
        return
    for_everybody = is_public(current_app, request.endpoint)
    if not for_everybody and (current_user.is_authenticated or not _mark(request.endpoint, "keeps_text", False)):
        return
    try:
        with FORMS.admit(network=network_of(request.remote_addr)):
            request.form  # noqa: B018 - reads and keeps it
    except AdmissionRefusedError as error:
        because(error)
        abort(503)


def _require_sign_in() -> AnyResponse | None:
    if request.endpoint is None:
        with suppress(*DATABASE_AWAY):
            g.has_frame = current_user.is_authenticated and step_to_do() is None
        return None
    if is_public(current_app, request.endpoint):
        return None
    if not current_user.is_authenticated or _is_somebody_else():
        return people.unauthorized()
    if elsewhere := _first_step(request.endpoint) or _confirm_first(request.endpoint):
        return elsewhere
    if request.blueprint in policies.hidden(visit().user):
        raise NotAllowedError(f"{request.blueprint} is hidden from {visit().user.address}")  # type: ignore[union-attr]
    g.has_frame = True  # what answers instead of the page may show the folders beside it
    _watch_whereabouts()
    if guessed_by_browser():  # a real visit could not be told from it: opening a message marks it as read
        return Response(status=503)
    if fetched_ahead():
        return None if _comes_ahead() and _is_admitted(AHEAD) else Response(status=204)
    return None if _is_admitted(VISITS) else abort(429)


def _is_admitted(among: Admission) -> bool:
    if among is AHEAD and VISITS.held(current_user.id) >= _BUSY:
        return False
    try:
        g.place = among.enter(current_user.id)
    except AdmissionRefusedError:
        return False
    return True


def _watch_whereabouts() -> None:
    """Tell a person of a session whose cookie seems to be copied. No query where it is where it was; never in a page's way."""
    row, agent = visit().row, request.headers.get("User-Agent", "")
    with suppress(*DATABASE_AWAY):  # the page itself says so
        if row is not None and whereabouts.note(row, agent, visit().network):
            browser = describe(agent)
            audited(AuditAct.SESSION_ELSEWHERE, browser)
            tell(row.user, SecurityNotice.SESSION_ELSEWHERE, browser=browser)


def _is_somebody_else() -> bool:
    """End a session that a trusted proxy began, where it names another person by now. Costs nothing in other sessions."""
    row = visit().row
    if row is None or row.provider != proxy.PROVIDER:
        return False
    if not proxy.names_somebody_else(request.environ, row.provider_session, current_app.extensions["settings"]):
        return False
    visit().end()
    return True


def _comes_ahead() -> bool:
    """Whether the page may be held by a script for a while: never on a shared computer, nor where it would be wrong by then."""
    row = visit().row
    return (
        _mark(request.endpoint or "", "may_come_ahead", False) and row is not None and not row.shared and not changes_by_itself()
    )


def step_to_do() -> FirstStep | None:
    """What a signed-in person has to do before anything else in this session; None where nothing is left. No query.

    A recovery address is not asked for where a colleague vouched: giving it takes a factor, which is not at hand.
    """
    row = visit().row
    by_provider = row is not None and bool(row.provider)
    step = first_step(visit().user, current_app.extensions["settings"], by_provider=by_provider)  # type: ignore[arg-type]
    return None if step is FirstStep.RECOVERY and visit().get(FACTOR) == Factor.VOUCHER else step


def _first_step(endpoint: str) -> AnyResponse | None:
    """Lead to the page of what comes before everything else; None where nothing does, and on the pages of that step."""
    step = step_to_do()
    if step is None or step in _mark(endpoint, "first_steps", ()):
        return None
    return _lead_to(
        step, request.path if _mark(endpoint, "keeps_text", False) and interrupted_forms.keep_text_for_later() else ""
    )


def _confirm_first(endpoint: str) -> AnyResponse | None:
    """Lead to the page that asks for a factor again, before views marked `@asks_again`."""
    return confirm_first() if _mark(endpoint, "asks_again", False) else None


def confirm_first(*, back: str = "", resumes: bool = False, within: timedelta = CONFIRMED_FOR) -> AnyResponse | None:
    """The way to the page that asks for a factor again, None where one was given `within` this time.

    Having signed in just before is not enough: whoever copies the cookie then may be in the same network.

    `back`: the page to go on to, where it is not the one that was asked for, such as beside a file. `resumes`: that page does by
    itself what was asked for, so that the form is not sent again.
    """
    if visit().row is None or is_confirmed(within):
        return None
    if resumes:
        interrupted_forms.drop_interrupted()
    else:
        interrupted_forms.keep_interrupted()
    return _lead_to("auth.show_confirm", back)


def is_confirmed(within: timedelta = CONFIRMED_FOR) -> bool:
    """Whether a factor was asked for again `within` this time. Only for views that need a sign-in."""
    row = visit().row
    return row is not None and row.confirmed is not None and row.confirmed > now() - within


def _mark(endpoint: str, name: str, default: Any) -> Any:
    return getattr(current_app.view_functions.get(endpoint), name, default)


def _lead_to(endpoint: str, back: str = "") -> AnyResponse:
    """To a page that leads on to `back`, or to the page that was wanted, or on which the form was."""
    reads = request.method in ("GET", "HEAD")
    back = back or local_path(path_here() if reads else path_of_ours(request.referrer or ""))
    target = url_for(endpoint, next=back or None)
    if request.headers.get("HX-Request") == "true":
        return Response(status=403, headers={"HX-Redirect": target})
    return redirect(target, 302 if reads else 303)


def _stream_keeps_place(response: Response) -> Response:
    """Keep the place of a streamed response, which occupies its thread, until it is closed; otherwise until the view is done."""
    if (place := g.get("place")) and response.is_streamed:
        g.place_of_stream = response
        response.call_on_close(place.leave)
        weakref.finalize(response, place.leave)  # for a response that is never closed because the client disconnected
    else:
        g.pop("place_of_stream", None)  # an error page replaced the stream
    return response


def _leave_place(_error: BaseException | None) -> None:
    if (place := g.get("place")) and "place_of_stream" not in g:
        place.leave()


def _sign_in_page(back: str) -> str:
    """Where signing in goes on: at the code, for somebody whose password was right a moment ago."""
    back, step = local_path(back), "auth.show_second_step" if visit().pending_user is not None else "auth.login"
    return url_for(step, next=back) if back not in ("", "/") else url_for(step)
