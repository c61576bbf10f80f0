"""What all views share: the one render helper, notices, error pages, who is asking, and the template filters."""

from __future__ import annotations

import hashlib
import time
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import flask
from flask import Flask, Response, current_app, g, make_response, render_template, request, session
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError, generate_csrf
from markupsafe import Markup, escape
from werkzeug.exceptions import HTTPException

from webmail import imap, words
from webmail import preferences as preferred
from webmail.account import Account, Password
from webmail.auth import vault
from webmail.config import Settings
from webmail.imap.mailboxes import Overview
from webmail.mail import (
    Mailbox,
    MailboxChanged,
    MailError,
    NoSuchMailbox,
    NoSuchMessage,
    NotAllowed,
    OverQuota,
    Role,
    ServerAway,
    SignInRefused,
    UnsafeValue,
)
from webmail.models import DATABASE_AWAY, Outbox, User
from webmail.preferences import Preferences
from webmail.words import file_size, initials, long_date, number, short_date
from webmail.words import translated_as as pgettext

LANGUAGES = ("fr", "en")

# --- rendering -------------------------------------------------------------------------------------------------------


# what stands around #main and changes with it
_BESIDE_MAIN = ("_folders.html", "_search.html", "compose/_alert.html")


def page(template: str, status: int = 200, **context: Any) -> Response:
    """Render a page, or only the block that HTMX asked to replace (block name = element id), with the page's title.

    A view never asks who is calling: the same context serves both.
    """
    current_app.update_template_context(context)
    if block := _fragment_of(template):
        parts = current_app.jinja_env.get_template(template)
        inner = parts.new_context(context)
        html = "".join(block(inner))
        if request.htmx.target == "main":  # type: ignore[attr-defined]
            title = "".join(parts.blocks["page_title"](parts.new_context(context)))
            html = f"<title>{title} · {escape(settings().name)}</title>{html}"
            html += "".join(render_template(beside, oob=True, **context) for beside in _BESIDE_MAIN)
        if request.htmx.target == "main" or session.get("notices"):  # type: ignore[attr-defined]
            html += render_template("_notices.html", oob=True)
    else:
        html = render_template(template, **context)
    response = make_response(html, status)
    response.vary.update(["HX-Request", "HX-Target"])
    return response


def fragment(template: str, status: int = 200, **context: Any) -> Response:
    """A piece that is no page's block, for HTMX."""
    return make_response(render_template(template, **context), status)


def _fragment_of(template: str) -> Any:
    htmx = request.htmx  # type: ignore[attr-defined]
    if not htmx or not htmx.target or htmx.history_restore_request:
        return None
    return current_app.jinja_env.get_template(template).blocks.get(htmx.target)


def notify(text: str, kind: str = "done", undo: tuple[str, dict[str, Any]] | None = None, keep: float = 0) -> None:
    """Queue a notice for the next page. Kinds: done, caution, danger. `undo`: an address to POST to, and its fields.

    With `keep` it stays on the pages that follow, for so many seconds or until another such notice takes its place.
    """
    before = session.get("notices", [])
    until = time.time() + keep if keep else 0
    if keep:
        before = [notice for notice in before if not notice.get("until")]
    session["notices"] = [*before, {"text": text, "kind": kind, "undo": undo, "until": until}][-5:]


def notices() -> list[dict[str, Any]]:
    """The notices to show now; each is shown once, but for those that stay a while."""
    found = cast("list[dict[str, Any]]", session.get("notices", []))
    kept = [notice for notice in found if notice.get("until", 0) > time.time()]
    if kept != found:
        session["notices"] = kept
    return [notice for notice in found if not notice.get("until") or notice in kept]


def withdraw_notices() -> None:
    """Drop the notices that stay: what they offered was done."""
    session["notices"] = [notice for notice in session.get("notices", []) if not notice.get("until")]


# --- who is asking ---------------------------------------------------------------------------------------------------


def settings() -> Settings:
    return cast(Settings, current_app.extensions["settings"])


def current_user() -> User:
    """The signed-in person. Only for views that need a sign-in."""
    return cast(User, session.user)  # type: ignore[attr-defined]


def current_account() -> Account:
    """The signed-in person's mail account, with the credential of this session."""
    if "account" not in g:
        password = None if settings().token_key_file else session.password  # type: ignore[attr-defined]
        if password is None and not settings().token_key_file:
            raise SignInRefused("this session keeps no mail credential")
        account = settings().account(current_user().address, password=password)
        g.account = preferred.with_roles(account, current_user())
    return cast(Account, g.account)


def sealed_credential() -> bytes | None:
    """What a worker will sign in with when nobody is there; None where the servers take our tokens."""
    credential = current_account().credential
    if not isinstance(credential, Password):
        return None
    return vault.seal_for_outbox(credential.password, settings().secret_key, current_user().id)


def wake(sent: Outbox) -> None:
    """Tell the worker. Without it the message leaves at the next sweep."""
    if jobs := current_app.extensions.get("jobs"):
        jobs.schedule(sent.id, sent.due)


def preferences() -> Preferences:
    """The signed-in person's preferences."""
    if "preferences" not in g:
        g.preferences = preferred.of(current_user())
    return cast(Preferences, g.preferences)


def remember_overview(overview: Overview | None) -> None:
    """Tell the folder list what a view fetched already, or that the server is away, so that it asks the server nothing."""
    g.overview = overview


def overview() -> Overview | None:
    """The folders and the quota of the side bar: 1 round trip, 0 when the view had them. None when the server is away:
    a page that is of use without the side bar (compose) is shown all the same."""
    if "overview" not in g:
        try:
            with imap.connect(current_account()) as connection:
                g.overview = imap.mailboxes.overview(connection)
        except (ServerAway, SignInRefused):
            g.overview = None
    return cast("Overview | None", g.overview)


def local_path(target: str) -> str:
    """`target` if a browser would stay on this site with it, else "".

    Browsers read a backslash as a slash and drop tabs and line ends, so a backslash after the first slash, or a tab
    between two slashes, leaves the site as "//host" does (WHATWG URL, section 4.4).
    """
    if not target.startswith("/") or target.startswith("//") or len(target) > 2000:
        return ""
    return target if "\\" not in target and target.isprintable() else ""


def uidvalidity() -> int | None:
    """The UIDVALIDITY that a link was made under, where it says so. Raises MailboxChanged for what can be none (RFC 3501
    section 9)."""
    number = request.args.get("v", None, int)
    if number is not None and not 0 < number < 2**32:
        raise MailboxChanged(f"{number} is no UIDVALIDITY")
    return number


def mailbox_label(name: str) -> str:
    """What a person calls a mailbox: the usual word for the special ones, else the last part of its name."""
    found = g.get("overview")
    mailbox = found.get(name) if found else None
    if mailbox is None:
        return role_label(Role.INBOX) if name == "INBOX" else name.rsplit("/", 1)[-1]
    if mailbox.owner:
        label = role_label(Role.INBOX) if mailbox.label == "INBOX" else mailbox.label
        return f"{label} ({owner_label(mailbox.owner)})"
    return role_label(mailbox.role) if mailbox.role else mailbox.label


def owner_label(owner: str) -> str:
    """Who shares a mailbox: a colleague's address without the domain that one has oneself."""
    return owner.removesuffix("@" + current_user().address.rpartition("@")[2])


def mailbox_path(mailbox: Mailbox) -> str:
    """A mailbox with those it lies in, as a list to choose from tells it: "Archives/2025"."""
    if mailbox.role or mailbox.owner:
        return mailbox_label(mailbox.name)
    top, delimiter, below = mailbox.name.partition(mailbox.delimiter or "/")
    return mailbox_label(top) + delimiter + below


def role_label(role: Role) -> str:
    """The usual word for a special mailbox."""
    match role:
        case Role.INBOX:
            return pgettext("folder", "Inbox")
        case Role.SNOOZED:
            return pgettext("folder", "Snoozed")
        case Role.DRAFTS:
            return pgettext("folder", "Drafts")
        case Role.SENT:
            return pgettext("folder", "Sent")
        case Role.ARCHIVE:
            return pgettext("folder", "Archive")
        case Role.JUNK:
            return pgettext("folder", "Junk")
        case Role.TRASH:
            return pgettext("folder", "Trash")


# --- errors ----------------------------------------------------------------------------------------------------------


def _words(error: MailError) -> tuple[str, str]:
    """What happened, and what to do next."""
    kinds: list[tuple[type[MailError], str, str]] = [
        (ServerAway, _("The mail server does not answer"), _("Your mail is safe. Wait a moment and try again.")),
        (
            MailboxChanged,
            _("This folder was rebuilt on the server"),
            _("The link you followed is no longer valid. Open the folder again."),
        ),
        (NoSuchMailbox, _("There is no such folder"), _("It may have been renamed or deleted. Choose one in the list.")),
        (
            NoSuchMessage,
            _("This message is no longer here"),
            _("It may have been moved or deleted, perhaps from another device."),
        ),
        (NotAllowed, _("You may not do this here"), _("The owner of this folder or the administrator did not allow it.")),
        (OverQuota, _("There is no room left in this mailbox"), _("Delete messages or empty the trash, then try again.")),
        (SignInRefused, _("The mail server no longer accepts this sign-in"), _("Sign out, then sign in again.")),
        (UnsafeValue, _("This request holds characters that mail does not allow"), _("Check what you typed and try again.")),
    ]
    for kind, what, then in kinds:
        if isinstance(error, kind):
            return what, then
    return _("The mail server refused"), _("Nothing was changed. If it happens again, tell your administrator.")


def error_page(title: str, advice: str, status: int) -> Response:
    """A page that needs no mail server. Under HTMX the same sentences come as a notice, and the page stays."""
    if request.htmx and not request.htmx.history_restore_request:  # type: ignore[attr-defined]
        notice = {"text": f"{title}. {advice}", "kind": "danger"}
        response = fragment("_notices.html", status, oob=False, extra=[notice])
        response.headers["HX-Retarget"] = "#notices"
        response.headers["HX-Reswap"] = "innerHTML show:window:top"
        response.headers["HX-Push-Url"] = "false"
        return response
    return make_response(render_template("error.html", title=title, advice=advice, status=status), status)


def mail_error(error: MailError) -> Response:
    if error.status >= 500:
        current_app.logger.warning("%s: %s", type(error).__name__, error)
    title, advice = _words(error)
    return error_page(title, advice, error.status)


def database_error(error: Exception) -> Response:
    current_app.logger.error("the database can't be used: %s", error)
    return error_page(_("The service is not available at the moment"), _("Wait a moment and try again."), 503)


def csrf_error(error: CSRFError) -> Response:
    return error_page(
        _("This form is out of date"), _("Nothing was changed. Go back, reload the page and send the form again."), 400
    )


def _http_error(error: HTTPException) -> Response | HTTPException:
    status = error.code or 500
    if status < 400:
        return error
    titles = {
        404: (_("There is nothing at this address"), _("Check the address, or go back to your mail.")),
        405: (_("This address can't be opened like this"), _("Go back and use the buttons of the page.")),
        413: (_("This is too large"), _("Choose smaller files and try again.")),
        429: (_("Too many requests"), _("Wait a few minutes, then try again.")),
        500: (_("Something went wrong here"), _("It has been recorded. Go back and try again.")),
    }
    title, advice = titles.get(status, (_("This request could not be understood"), _("Go back and try again.")))
    return error_page(title, advice, status)


# --- set-up ----------------------------------------------------------------------------------------------------------


def _versions(folder: str) -> dict[str, str]:
    """A short checksum of each static file: addresses change with the content, so browsers may keep them for ever."""
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
    app.url_value_preprocessor(_one_inbox)
    versions = _versions(app.static_folder or "static")

    def static_url(name: str) -> str:
        return f"{request.script_root}/static/{name}?v={versions.get(name, '0')}"

    def icon(name: str) -> Markup:
        """A picture of the sprite, for those who see; what it means stands beside it or in a label."""
        return _icon(static_url("icons.svg"), name)

    def csrf_field() -> Markup:
        return _csrf_field(generate_csrf())

    app.jinja_env.filters.update(short_date=short_date, long_date=long_date, file_size=file_size, number=number)
    app.jinja_env.globals.update(
        static_url=static_url,
        icon=icon,
        csrf_field=csrf_field,
        notices=notices,
        overview=overview,
        settings=settings,
        preferences=preferences,
        current_user=current_user,
        mailbox_label=mailbox_label,
        mailbox_path=mailbox_path,
        initials=initials,
        get_locale=get_locale,
    )
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        words.translated, words.translated_number, newstyle=True, pgettext=words.translated_as
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def _one_inbox(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    """INBOX is one mailbox in whatever letters an address has it (RFC 3501 section 5.1); other names are taken as they are."""
    if values and str(values.get("mailbox", "")).lower() == "inbox":
        values["mailbox"] = "INBOX"


_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def _security_headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", _CSP)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
    if flask.request.endpoint == "static":
        headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response
    headers.setdefault("Cache-Control", "no-store")
    headers["X-DNS-Prefetch-Control"] = "off"  # looking a link's host up would tell its owner that the message was opened
    return response
