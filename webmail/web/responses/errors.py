"""Error pages: for mail errors, an unavailable database, a stale CSRF token and HTTP errors, saying what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, current_app, g, make_response, render_template, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from webmail.database import connection, trouble
from webmail.database.trouble import DatabaseTrouble
from webmail.errors import (
    MailboxChangedError,
    MailError,
    NoSuchMailboxError,
    NoSuchMessageError,
    NotAllowedError,
    OverQuotaError,
    SearchNotReadyError,
    ServerAwayError,
    SignInRefusedError,
    TokenRefusedError,
    UnconfirmedError,
    UnsafeValueError,
)
from webmail.rate_limits import TooManyRequestsError
from webmail.storage import FileGoneError, StorageAwayError, StorageFullError
from webmail.web.formatting import number
from webmail.web.forms.form_reader import MOST_FIELDS, TooManyFields
from webmail.web.frame.quota_notice import nothing_changed, room_link
from webmail.web.rendering import fragment
from webmail.web.responses.too_many import again_words, told_to_wait
from webmail.web.responses.unavailable import because

_SECRETS = ("password", "code", "secret")  # in the names of fields that no page repeats
_LARGEST_SENT = 300_000  # characters
_LARGEST_BODY = 1_000_000  # bytes, of what nobody has read yet
_OF_ADDRESSES = (403, 404, 405)  # nothing else is wrong: one's folders stand beside it


def _sentences(error: MailError) -> tuple[str, str]:
    """(what happened, what to do next), translated."""
    kinds: list[tuple[type[MailError], str, str]] = [
        (
            TokenRefusedError,
            _("The mail server denied access to this service"),
            _("The problem is with the servers, not your password. Your mail is safe. Tell your administrator."),
        ),
        (
            SearchNotReadyError,
            _("The search is not ready yet"),
            _("The mail server is still indexing new messages. Try again in a moment."),
        ),
        (
            UnconfirmedError,
            _("The mail server did not answer in time"),
            _("It may still do what you asked. Check in a moment, before you try again."),
        ),
        (ServerAwayError, _("The mail server is not responding"), _("Your mail is safe. Wait a moment and try again.")),
        (
            MailboxChangedError,
            _("This folder has changed on the server"),
            _("This link no longer works. Open the folder again."),
        ),
        (
            NoSuchMailboxError,
            _("This folder does not exist"),
            _("It may have been renamed or deleted. Choose another one from the list."),
        ),
        (
            NoSuchMessageError,
            _("This message is no longer here"),
            _("It may have been moved or deleted, perhaps from another device."),
        ),
        (
            NotAllowedError,
            _("You don’t have permission to do this here"),
            _("Ask the owner of this folder or your administrator."),
        ),
        (OverQuotaError, _("Your mailbox is full"), nothing_changed()),
        (SignInRefusedError, _("The mail server no longer accepts your sign-in"), _("Sign out, then sign in again.")),
        (StorageAwayError, _("The server can’t reach its files at the moment"), _("Try again in a few minutes.")),
        (StorageFullError, _("The server is out of space for files"), _("Tell your administrator.")),
        (FileGoneError, _("This file is no longer here"), _("It may have been removed in the meantime.")),
        (UnsafeValueError, _("Some of these characters can’t be used in mail"), _("Check what you typed and try again.")),
    ]
    for kind, what, then in kinds:
        if isinstance(error, kind):
            return what, then
    return _("The mail server refused this action"), _("Nothing was changed. If it happens again, tell your administrator.")


def error_page(
    title: str, advice: str, status: int, link: dict[str, Any] | None = None, again: Sequence[tuple[str, str]] = ()
) -> Response:
    """An error page, rendered without the mail server unless only the address was wrong. For HTMX requests a notice instead, and
    the page stays.

    `link` as in `notify`: what helps. `again`: the fields of a form that was sent, to be sent again.
    """
    if request.htmx and not request.htmx.history_restore_request:  # type: ignore[attr-defined]
        notice = {"text": f"{title}. {advice}", "kind": "danger", "link": link}
        response = fragment("_notices.html", status, oob=False, extra=[notice])
        response.headers["HX-Retarget"] = "#notices"
        response.headers["HX-Reswap"] = "innerHTML show:window:top"
        response.headers["HX-Push-Url"] = "false"
        return response
    framed = status in _OF_ADDRESSES and request.method == "GET" and g.get("has_frame")
    template = "error_framed.html" if framed else "error.html"
    return make_response(render_template(template, title=title, advice=advice, status=status, link=link, again=again), status)


def too_many_files() -> Response:
    """The page for a form with files that came while as many others are being read as may be: 503, to be sent again."""
    advice = _("Go back in your browser, where what you typed is still there, and send it again in a minute.")
    because("as many forms with files are being read as may be at once")
    refused = error_page(_("Too many files are being sent at the moment"), advice, 503)
    refused.headers["Retry-After"] = "60"
    return refused


def too_many_fields() -> Response:
    """Nothing of the form was read."""
    advice = _("Nothing was changed. Go back in your browser and choose fewer items at a time.")
    return error_page(_("This form has more than %(number)s fields", number=number(MOST_FIELDS)), advice, 413)


def mail_error(error: MailError) -> Response:
    if isinstance(error, TooManyRequestsError):
        advice = again_words(error) or _("Wait a few minutes, then try again.")
        return told_to_wait(error_page(_("Too many requests"), advice, error.status), error)
    if error.status >= 500:
        because(f"{type(error).__name__}: {error}")
        current_app.logger.warning("%s: %s", type(error).__name__, error)
    title, advice = _sentences(error)
    return error_page(title, advice, error.status, room_link() if isinstance(error, OverQuotaError) else None)


def database_error(error: Exception) -> Response:
    """What was typed stays on the page: a browser that goes back may show an empty form."""
    current_app.logger.error("the database %s", connection.advice(error))
    because("the database can't be used")
    crossed, sent = trouble.trouble_of(error) is DatabaseTrouble.CROSSED, sent_fields()
    title = _("Not saved yet") if crossed else _("The service is not available at the moment")
    advice = database_words(error)
    if sent:
        advice += " " + _("What you typed is kept on this page.")
    return error_page(title, advice, 503, again=sent)


def sent_fields() -> list[tuple[str, str]]:
    """The fields of the form that this request sent, as long as they may stand on a page: no passwords, no files, no novels.

    Uploads that are read as they come are not read for this.
    """
    is_read = "form" in vars(request)
    if request.method != "POST" or not (is_read or 0 < (request.content_length or 0) <= _LARGEST_BODY):
        return []
    if any(file.filename for file in request.files.values()):
        return []
    fields = list(request.form.items(multi=True))
    secret = any(word in name for name, _value in fields for word in _SECRETS)
    return [] if secret or sum(len(name) + len(value) for name, value in fields) > _LARGEST_SENT else fields


def database_words(error: Exception) -> str:
    """What somebody can do while the database can't be used."""
    match trouble.trouble_of(error):
        case DatabaseTrouble.AWAY:
            return _("Wait a moment and try again.")
        case DatabaseTrouble.CROSSED:
            return _("Somebody changed the same thing at this moment. Try again.")
        case DatabaseTrouble.FULL:
            return _("The server is out of space. Tell your administrator, then try again.")
    return _("Tell your administrator: the database needs repair. Your mail is safe on the mail server.")


def csrf_error(error: CSRFError) -> Response:
    return error_page(
        _("This form has expired"), _("Nothing was changed. Go back, reload the page and send the form again."), 400
    )


def _http_error(error: HTTPException) -> Response | HTTPException:
    status = error.code or 500
    if status < 400:
        return error
    if isinstance(error, TooManyFields):
        return too_many_fields()
    titles = {
        404: (_("There is nothing at this address"), _("Check the address, or go back to your mail.")),
        405: (_("This page can’t be opened this way"), _("Go back and use the buttons on the page.")),
        413: (_("Files too large"), _("Choose smaller files and try again.")),
        429: (_("Too many requests"), _("Wait a few minutes, then try again.")),
        503: (_("Too many people are signing in right now"), _("Wait a few seconds, then go back and send the form again.")),
        500: (_("Something went wrong"), _("The problem has been logged. Go back and try again.")),
    }
    title, advice = titles.get(status, (_("This request could not be understood"), _("Go back and try again.")))
    response = error_page(title, advice, status)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))  # RFC 9110 section 15.5.6
    return response
