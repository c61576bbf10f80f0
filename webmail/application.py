"""Application: `make` wires all parts together, for the settings that `create_app` has read."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from babel.numbers import format_decimal
from flask import Flask, Response, abort, redirect, request, session, url_for
from flask_babel import Babel
from flask_wtf import CSRFProtect
from htmx_flask import Htmx

from webmail import health, imap, models, translations
from webmail.admin.watching.request_counts import RequestCounts
from webmail.cli.late_commands import LateCommands
from webmail.collections import store as collection_store
from webmail.config import services
from webmail.config import settings as config
from webmail.config.checks import is_loopback
from webmail.database.connection import DATABASE_AWAY, advice, open_database, reopen_if_moved, thread_connection
from webmail.database.migrate import migrate
from webmail.dav.front import DavFront
from webmail.establishments.live_settings import LiveSettings
from webmail.late_calls import late_call
from webmail.tasks.job_queue import JobQueue
from webmail.transfers import other_server
from webmail.transfers.other_server import OtherServer
from webmail.web import current, late_areas, late_rules, request_log, setup
from webmail.web.formatting import LANGUAGES
from webmail.web.forms import double_submits, form_reader, row_numbers
from webmail.web.forms.body_limits import set_body_limit
from webmail.web.responses import compression, file_host
from webmail.web.responses.unavailable import because
from webmail.web.templates import fragment_cache, template_cache
from webmail.web.templates.template_environment import TemplateEnvironment

_RESERVED = {  # of rooms, aliases, lists: whether an address is one, and all there are
    late_call(f"{module}:{check}"): late_call(f"{module}:all_addresses")
    for module, check in (
        ("webmail.calendar.rooms.resources", "is_room"),
        ("webmail.auth.aliases", "is_alias"),
        ("webmail.people.lists", "is_list"),
    )
}  # fmt: skip
_FILESENDER = OtherServer(
    name="filesender",
    title="FileSender",
    serves=late_call("webmail.filesender.access:serves"),
    find=late_call("webmail.filesender.access:find"),
    take=late_call("webmail.filesender.handover:take"),
    why_not=late_call("webmail.filesender.filesender_texts:why_not"),
)
_metrics_text = late_call("webmail.admin.watching.metrics:text")
_METRICS_TYPE = "text/plain; version=1.0.0; charset=utf-8; escaping=underscores"
_draft_too_large = late_call("webmail.compose.views.conflicts:too_large")
_posting_outside = late_call("webmail.calendar.notifications.guest_letters:posting_outside")
_ROOT = Path(__file__).resolve().parent.parent


class _Application(Flask):
    late_areas: late_areas.LateAreas | None = None

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """No view is a coroutine; Flask would look at each of the thirty functions that a page goes through."""
        return func

    def add_url_rule(self, rule: str, endpoint: str | None = None, view_func: Any = None, *more: Any, **options: Any) -> None:
        """The rules of a late area were there before its views."""
        if self.late_areas is not None and self.late_areas.has(endpoint):
            self.view_functions[str(endpoint)] = view_func
        else:
            super().add_url_rule(rule, endpoint, view_func, *more, **options)

    def log_exception(self, exc_info: Any) -> None:
        """As Flask does, without the address: names of folders, searches and the tokens of links stand there."""
        kind = exc_info[0].__name__ if exc_info[0] else "an error"
        because(kind)
        self.logger.error("%s broke: %s [%s]", request_log.location(), kind, request_log.reference(), exc_info=exc_info)

    def _check_setup_finished(self, f_name: str) -> None:
        """Flask adds nothing once it has answered a request; late areas come whole, or not at all."""


def make(settings: config.Settings, start: str) -> Flask:
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
    live = app.extensions["live_settings"] = LiveSettings(settings, partial(_settings_changed, settings))
    if app.extensions["migrated"]:
        with thread_connection():
            live.look()

    def prepare_database() -> None:
        reopen_if_moved()
        # if the database was unreachable at the start, the first request that reaches it runs the migrations
        if not app.extensions["migrated"]:
            migrate()
            app.extensions["migrated"] = True
        live.look()

    def close_database(_error: BaseException | None = None) -> None:
        # SQLite connections stay open, one per thread: reopening would cost more than most requests
        if not settings.database_url.startswith("sqlite") and not database.is_closed():
            database.close()

    app.before_request(prepare_database)
    app.teardown_request(close_database)
    told = partial(_posting_outside, app, settings), partial(_wake, app)
    # before proxies are trusted
    app.extensions["dav"] = DavFront(app.wsgi_app, settings, prepare_database, close_database, *told)
    app.wsgi_app = app.extensions["dav"]  # type: ignore[method-assign]
    Htmx(app)
    app.request_class = form_reader.BoundedRequest
    compression.install(app)
    Babel(app, locale_selector=language)

    from webmail.auth import guard, reserved_addresses
    from webmail.auth.sessions import cookies

    app.session_interface = cookies.RowSessions(settings)
    file_host.install(app)
    guard.install(app)
    other_server.register(_FILESENDER)
    for check, addresses in _RESERVED.items():
        reserved_addresses.register(check, addresses)
    app.before_request(set_body_limit)
    protection = CSRFProtect(app)
    setup.install(app)
    double_submits.install(app)
    template_cache.install(app)
    app.extensions["request_counts"] = RequestCounts(everything=settings.metrics)
    app.extensions["jobs"] = JobQueue(settings.jobs_file)
    _register_areas(app, protection, start)
    _add_own_pages(app, settings)
    request_log.install(app, settings, app.extensions["request_counts"].count)
    _warm(settings)
    return app


def _register_areas(app: _Application, protection: CSRFProtect, start: str) -> None:
    def register(views: ModuleType) -> None:
        app.register_blueprint(views.blueprint)
        for view in (*getattr(views, "NEED_NO_TOKEN", ()), *getattr(views, "CHECK_TOKENS_THEMSELVES", ())):
            protection.exempt(view)

    app.late_areas = app.extensions["late_areas"] = late_areas.LateAreas(app, register)
    app.late_areas.begin(late_areas.STARTS[start], Path(app.instance_path))


def _add_own_pages(app: Flask, settings: config.Settings) -> None:
    """The pages of no area: the first one, the health of the service, and what nginx shows for a form that is too large."""
    from webmail.auth import guard

    @app.get("/")
    def home() -> Any:
        return redirect(url_for("mailbox.show", mailbox="INBOX"), 303)

    watch = app.extensions["health"] = health.HealthWatch(settings)

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

    @app.get("/metrics")
    @guard.public
    def metrics() -> Response:
        """For Prometheus: 404 unless `metrics` is on and who asks may read it."""
        if not settings.metrics or not _may_read_metrics(settings):
            abort(404)
        app.extensions["request_counts"].write()
        return Response(_metrics_text(watch.latest()), content_type=_METRICS_TYPE)

    @app.get("/too-large")
    @guard.public
    def too_large() -> Any:
        """What nginx shows for a form beyond its own limit (deploy/nginx.conf); `form` is the address it was sent to."""
        if request.args.get("form", "").startswith("/compose/"):
            return _draft_too_large()
        return abort(413)


def _settings_changed(settings: config.Settings) -> None:
    """Pieces of pages show what the settings were, and calendars are named in their language."""
    fragment_cache.forget_all()
    collection_store.configure(language=settings.language)


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


def _wake(app: Flask, sent: models.Outbox) -> None:
    with app.app_context():
        current.wake(sent)


def _may_read_metrics(settings: config.Settings) -> bool:
    """With the token; where there is none, programs on this machine, which come by no proxy."""
    if settings.metrics_token:
        given = request.headers.get("Authorization", "").encode()
        return hmac.compare_digest(given, f"Bearer {settings.metrics_token}".encode())
    return is_loopback(request.remote_addr or "unknown") and not ("X-Forwarded-For" in request.headers and not settings.proxies)


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
    offered = current.settings().presentation.languages or LANGUAGES
    if preferred in offered:
        return preferred
    usual = current.settings().language
    return request.accept_languages.best_match(offered) or (usual if usual in offered else offered[0])
