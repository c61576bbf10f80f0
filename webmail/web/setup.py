"""Web setup: installs error handlers, security headers, template filters and globals in the application."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

import flask
from flask import Flask, Response, g, request
from flask_babel import get_locale
from flask_wtf.csrf import CSRFError, generate_csrf
from markupsafe import Markup
from werkzeug.exceptions import HTTPException

from webmail.database.connection import DATABASE_AWAY
from webmail.errors import (
    MailError,
)
from webmail.mime.headers.shown_address import readable_address
from webmail.web import formatting
from webmail.web.current import current_user, overview, overview_beside, overview_known, preferences, settings
from webmail.web.formatting import clock_time, file_size, html_datetime, initials, long_date, number, short_date
from webmail.web.forms import field_attributes, going_back
from webmail.web.forms.link_errand import errand
from webmail.web.frame import establishment
from webmail.web.frame.areas import (
    address_here,
    area_here,
    areas,
    page_location,
    shows,
    to_side_bar,
)
from webmail.web.frame.banners import banner_pieces
from webmail.web.frame.critical_css import allowed_style, inline_styles
from webmail.web.frame.first_visit import unkept_notice
from webmail.web.frame.help_link import help_link
from webmail.web.frame.look import look
from webmail.web.frame.side_bar import is_shown, version
from webmail.web.labels import mailbox_label, mailbox_path, moment_label
from webmail.web.message_links import message_url
from webmail.web.notices import notices
from webmail.web.request_log import reference
from webmail.web.responses import unavailable
from webmail.web.responses.errors import _http_error, csrf_error, database_error, mail_error
from webmail.web.templates.addresses import url_for
from webmail.web.templates.fragment_cache import gap, remembered


def _versions(folder: str) -> dict[str, str]:
    """A short checksum of each static file for its URL, so that browsers can cache it forever."""
    root = Path(folder)
    return {str(f.relative_to(root)): hashlib.sha256(f.read_bytes()).hexdigest()[:8] for f in root.rglob("*") if f.is_file()}


@lru_cache(maxsize=256)
def _icon(sprite: str, name: str) -> Markup:
    return Markup('<svg class="i" aria-hidden="true"><use href="{}#{}"/></svg>').format(sprite, name)


@lru_cache(maxsize=256)
def _csrf_field(token: str) -> Markup:
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(token)


def install(app: Flask) -> None:
    """Error pages, security headers, filters and globals."""
    app.register_error_handler(MailError, mail_error)
    app.register_error_handler(CSRFError, csrf_error)
    for kind in DATABASE_AWAY:
        app.register_error_handler(kind, database_error)
    app.register_error_handler(HTTPException, _http_error)
    app.after_request(_security_headers)
    unavailable.install(app)
    field_attributes.install()
    app.url_value_preprocessor(_one_inbox)
    versions = _versions(app.static_folder or "static")

    def static_url(name: str) -> str:
        return f"{request.script_root}/static/{name}?v={versions.get(name, '0')}"

    def icon(name: str) -> Markup:
        """An icon of the sprite, hidden from screen readers: its meaning is in text beside it or a label."""
        return _icon(static_url("icons.svg"), name)

    def csrf_field() -> Markup:
        return _csrf_field(g.get("csrf_token") or generate_csrf())  # that is where Flask-WTF keeps a request's

    app.jinja_env.filters.update(
        readable_address=readable_address,
        short_date=short_date,
        long_date=long_date,
        html_datetime=html_datetime,
        clock_time=clock_time,
        file_size=file_size,
        number=number,
    )
    app.jinja_env.globals.update(
        static_url=static_url,
        icon=icon,
        csrf_field=csrf_field,
        areas=areas,
        shows=shows,
        autocomplete=going_back.autocomplete,
        send_to=going_back.send_to,
        area_here=area_here,
        location_here=page_location,
        to_side_bar=to_side_bar,
        folders_shown=is_shown,
        folders_version=version,
        address_here=address_here,
        banner_pieces=banner_pieces,
        link_errand=errand,
        notices=notices,
        unkept_notice=unkept_notice,
        overview=overview,
        overview_beside=overview_beside,
        overview_known=overview_known,
        settings=settings,
        preferences=preferences,
        current_user=current_user,
        mailbox_label=mailbox_label,
        mailbox_path=mailbox_path,
        message_url=message_url,
        moment_label=moment_label,
        initials=initials,
        gap=gap,
        remembered=remembered,
        url_for=url_for,
        look=look,
        help_link=help_link,
        reference=reference,
        inline_styles=inline_styles,
        get_locale=get_locale,
        **establishment.WORDS,
    )
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        formatting.translated, formatting.translated_number, newstyle=True, pgettext=formatting.translated_as
    )
    app.jinja_env.globals["_"] = formatting.template_text
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def _one_inbox(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Normalise INBOX in URLs, whose name is case-insensitive (RFC 3501 section 5.1); other names are not."""
    if values and str(values.get("mailbox", "")).lower() == "inbox":
        values["mailbox"] = "INBOX"


_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
_PAGE_HEADERS = {
    "Content-Security-Policy": _CSP,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_PARTS = ("text/css", "text/javascript")  # static files that are parts of pages, whose policies apply to them: 320 bytes less


def _security_headers(response: Response) -> Response:
    headers, wanted = response.headers, dict(_HEADERS)
    if flask.request.endpoint != "static" or response.mimetype not in _PARTS:
        own = allowed_style()
        wanted |= _PAGE_HEADERS
        wanted["Content-Security-Policy"] = _CSP.replace("style-src 'self'", f"style-src 'self' {own}") if own else _CSP
    there = {name.lower() for name, _value in headers}  # the view's own stay
    headers.extend([(name, value) for name, value in wanted.items() if name.lower() not in there])
    if flask.request.endpoint == "static" and response.status_code < 400:  # a file that is missing may be there tomorrow
        headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response
    if "Cache-Control" not in headers and going_back.is_written_in(response):
        headers["Cache-Control"] = going_back.CACHED
    if headers.get("Cache-Control", "no-store") == "no-store":
        headers["Cache-Control"] = "no-store, no-cache"  # links2 and elinks do not know no-store by itself
    headers["X-DNS-Prefetch-Control"] = "off"  # resolving a link's host could reveal that the message was opened
    return response
