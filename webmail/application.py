"""Application: `make` wires all parts together, for the settings that `create_app` has read."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from babel.numbers import format_decimal
from flask import Flask, Response, abort, redirect, request, session, url_for
from flask_babel import Babel
from flask_wtf import CSRFProtect
from htmx_flask import Htmx

from webmail import health, imap, models, translations
from webmail.cli.late_commands import LateCommands
from webmail.collections import store as collection_store
from webmail.config import services
from webmail.config import settings as config
from webmail.config.checks import is_loopback
from webmail.database.connection import DATABASE_AWAY, advice, open_database, reopen_if_moved
from webmail.database.migrate import migrate
from webmail.dav.edge import DavEdge
from webmail.tasks.job_queue import JobQueue
from webmail.web import current, late_rules, setup
from webmail.web.formatting import LANGUAGES
from webmail.web.forms import double_submits, form_reader, row_numbers
from webmail.web.forms.body_limits import set_body_limit
from webmail.web.responses import compression, file_host
from webmail.web.templates import template_cache
from webmail.web.templates.template_environment import TemplateEnvironment

_ROOT = Path(__file__).resolve().parent.parent


class _Application(Flask):
    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """No view is a coroutine; Flask would look at each of the thirty functions that a page goes through."""
        return func


def make(settings: config.Settings) -> Flask:
    app = _Application("webmail", root_path=str(_ROOT), instance_path=settings.instance)
    app.jinja_environment = TemplateEnvironment
    app.cli = LateCommands(app)
    row_numbers.install(app)
    late_rules.install(app)
    _configure(app, settings)
    app.extensions["settings"] = settings
    _configure_parts(settings)
    database = open_database(settings.database_url)
    _prepare(app)

    def prepare_database() -> None:
        reopen_if_moved()
        # if the database was unreachable at the start, the first request that reaches it runs the migrations
        if not app.extensions["migrated"]:
            migrate()
            app.extensions["migrated"] = True

    def close_database(_error: BaseException | None = None) -> None:
        # SQLite connections stay open, one per thread: reopening would cost more than most requests
        if not settings.database_url.startswith("sqlite") and not database.is_closed():
            database.close()

    app.before_request(prepare_database)
    app.teardown_request(close_database)
    app.extensions["dav"] = DavEdge(app.wsgi_app, settings, prepare_database, close_database)  # before proxies are trusted
    app.wsgi_app = app.extensions["dav"]  # type: ignore[method-assign]
    Htmx(app)
    app.request_class = form_reader.BoundedRequest
    compression.install(app)
    Babel(app, locale_selector=language)

    from webmail.auth import guard
    from webmail.auth import views as auth
    from webmail.auth.sessions import cookies
    from webmail.compose import views as compose
    from webmail.transfers import views as transfers

    app.session_interface = cookies.RowSessions(settings)
    file_host.install(app)
    guard.install(app)
    app.before_request(set_body_limit)
    protection = CSRFProtect(app)
    themselves = (*transfers.CHECK_TOKENS_THEMSELVES, *compose.CHECK_TOKENS_THEMSELVES)
    for view in (*auth.NEED_NO_TOKEN, *themselves, *transfers.NEED_NO_TOKEN):
        protection.exempt(view)
    setup.install(app)
    double_submits.install(app)
    template_cache.install(app)
    app.extensions["jobs"] = JobQueue(settings.jobs_file)
    _register_areas(app)
    _add_own_pages(app, settings)
    _warm(settings)
    return app


def _register_areas(app: Flask) -> None:
    from webmail.accounts import views as accounts
    from webmail.admin import views as admin
    from webmail.auth import views as auth
    from webmail.calendar import views as calendar
    from webmail.collection_pages import views as collection_pages
    from webmail.compose import views as compose
    from webmail.contacts import views as contacts
    from webmail.dav import views as dav
    from webmail.filters import views as filters
    from webmail.help import views as help_area
    from webmail.mailbox import views as mailbox
    from webmail.message import views as message
    from webmail.settings import views as settings_area
    from webmail.transfers import views as transfers

    for area in (
        auth, accounts, help_area, mailbox, message, compose, contacts, transfers, calendar, collection_pages, dav, filters,
        settings_area, admin,
    ):  # fmt: skip
        app.register_blueprint(area.blueprint)


def _add_own_pages(app: Flask, settings: config.Settings) -> None:
    """The pages of no area: the first one, the health of the service, and what nginx shows for a form that is too large."""
    from webmail.auth import guard
    from webmail.compose.views import conflicts

    @app.get("/")
    def home() -> Any:
        return redirect(url_for("mailbox.show", mailbox="INBOX"), 303)

    watch = health.HealthWatch(settings)

    @app.get("/healthz")
    @guard.public
    def healthz() -> Response:
        """200 if the application and its database work; with `?full`, 503 too if a part behind them does not, one line each.

        What is wrong with it is for administrators, and programs on this machine: it tells of folders and of people's mail.
        """
        models.User.select().limit(1).count()
        if "full" not in request.args:
            return Response("ok\n", mimetype="text/plain", headers={services.HEADER: settings.service})
        found, told = watch.latest(), _may_know_why()
        lines = "".join(check.line(told) for check in found)
        return Response(lines, 200 if all(check.good for check in found) else 503, mimetype="text/plain")

    @app.get("/too-large")
    @guard.public
    def too_large() -> Any:
        """What nginx shows for a form beyond its own limit (deploy/nginx.conf); `form` is the address it was sent to."""
        if request.args.get("form", "").startswith("/compose/"):
            return conflicts.too_large()
        return abort(413)


def _configure_parts(settings: config.Settings) -> None:
    """Tell parts that know nothing of Flask what holds for all of this process."""
    imap.configure(
        most=services.share(settings.service, settings.imap_connections),
        most_per_person=services.share(settings.service, settings.imap_connections_per_person),
        idle_seconds=settings.imap_idle_seconds,
        patience=settings.server_timeout,
    )
    collection_store.configure(language=settings.language)


def _configure(app: Flask, settings: config.Settings) -> None:
    """Configure Flask and its extensions."""
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=4 * settings.message_limit,  # well above the limit, so that the form can say which file is too large
        MAX_FORM_MEMORY_SIZE=4 * 1024 * 1024,
        WTF_CSRF_TIME_LIMIT=None,  # a form is valid as long as its session
        WTF_CSRF_SSL_STRICT=False,  # some proxies drop the Referer; the token and SameSite cookies protect
        BABEL_DEFAULT_LOCALE=settings.language,
        BABEL_TRANSLATION_DIRECTORIES=_translations(settings),
    )


def _warm(settings: config.Settings) -> None:
    """Have what the first page takes, before anybody waits for it: Babel and the signing of tokens read it when first asked."""
    format_decimal(0, locale=settings.language)
    if settings.token_key_file:
        import_module("joserfc.jwt")


def _translations(settings: config.Settings) -> str:
    """The folder of catalogues. Raises ConfigError: without them, all pages would be in English and nothing would say so."""
    try:
        return str(translations.ready(Path(settings.instance)))
    except OSError as error:
        raise config.ConfigError(
            f"translations can't be built in {settings.instance} ({error.strerror}): build them with {translations.COMMAND}"
        ) from error


def _prepare(app: Flask) -> None:
    """Run the migrations. An unreachable database is only logged, so that `flask doctor` can still report it."""
    app.extensions["migrated"] = False
    try:
        app.extensions["applied"] = migrate(app.logger.warning)  # each may take minutes: whoever waits sees it
        app.extensions["migrated"] = True
    except DATABASE_AWAY as error:
        app.logger.critical("the database %s", advice(error))


def _may_know_why() -> bool:
    user = getattr(session, "user", None)
    return is_loopback(request.remote_addr or "unknown") or (user is not None and user.role == "admin")


def language() -> str:
    """The user's or session's preferred language, else what the browser accepts, else the instance's."""
    try:
        user = getattr(session, "user", None)
        preferred = (user.language if user else "") or session.get("language", "")
    except DATABASE_AWAY:
        preferred = ""  # the error page uses the browser's language
    if preferred in LANGUAGES:
        return preferred
    return request.accept_languages.best_match(LANGUAGES) or current.settings().language
