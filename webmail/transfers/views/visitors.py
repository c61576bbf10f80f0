"""Visitors of public links: what every page for people without an account shares, from their language to what they are told."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

from flask import Response, current_app, request, session
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webmail.auth.sessions.sessions import network_of
from webmail.errors import MailError
from webmail.models import Transfer, User
from webmail.rate_limits import TooManyRequestsError
from webmail.storage import FileGoneError
from webmail.transfers import links
from webmail.transfers.content import WrongKeyError
from webmail.transfers.public import access
from webmail.transfers.public.access import Gone, LinkVisit
from webmail.transfers.public.grants import MARK, Grant
from webmail.transfers.uploads.upload_bodies import Sender
from webmail.web.current import settings
from webmail.web.responses.file_host import host_source, is_file_host
from webmail.web.responses.too_many import again_words, told_to_wait
from webmail.web.responses.unavailable import because
from webmail.web.templates.addresses import url_for
from webmail.web.visitors import chosen_language, visitors_page
from webmail.web.visitors import for_visitors as public_pages

P = ParamSpec("P")


class NoVisitError(Exception):
    """The link leads nowhere, or not now: what is answered instead."""

    def __init__(self, response: AnyResponse) -> None:
        super().__init__(response.status)
        self.response = response


def for_visitors(view: Callable[P, AnyResponse]) -> Callable[P, AnyResponse]:
    """As all pages for visitors do; `NoVisitError` is answered by its page."""

    @public_pages
    @wraps(view)
    def answered(*args: P.args, **kwargs: P.kwargs) -> AnyResponse:
        try:
            return view(*args, **kwargs)
        except NoVisitError as none:
            return none.response
        except MailError as error:
            current_app.logger.warning("%s: %s", type(error).__name__, error)
            return _failed(error)

    return answered


def visit(link: str) -> LinkVisit:
    """Who comes by a link. Raises NoVisitError."""
    if not settings().transfers.on:
        raise NoVisitError(unknown())
    found = access.visit(link, settings(), signed_in_user(), request.cookies.get(_pass_cookie(link), ""))
    if isinstance(found, LinkVisit):
        return found
    if found is not None:
        raise NoVisitError(over() if found is Gone.OVER else withdrawn())
    try:
        access.count_unknown(network(), settings())
    except TooManyRequestsError as error:
        raise NoVisitError(wait(error)) from error
    raise NoVisitError(unknown())


def give_pass(response: AnyResponse, visited: LinkVisit, grant: Grant) -> AnyResponse:
    """Keep what was shown with this link in the browser, until that is closed or the grant is over."""
    response.set_cookie(
        _pass_cookie(visited.bare_link), visited.pass_for_cookie(grant, settings()),
        path=url_for("transfers.show", link="-").removesuffix("/-"), secure=settings().secure_cookies,
        httponly=True, samesite="Lax",
    )  # fmt: skip
    return response


def _pass_cookie(link: str) -> str:
    """Each link has one of its own: it is sent to all addresses below /t, since those with a ticket are not below the link's."""
    return f"pass_{links.link_hash(links.parts(link.partition(MARK)[0])[0])[:16]}"


def signed_in_user() -> User | None:
    """Who is signed in, if anybody is: people without an account see these pages too."""
    user = getattr(session, "user", None)
    return user if isinstance(user, User) and user.active else None


def network() -> str:
    return network_of(request.remote_addr)


def sender(transfer: Transfer | None) -> Sender:
    """Who is admitted with an upload: a class behind one address is many. Who has begun nothing yet is somebody of their own."""
    return Sender(f"guest {transfer.id if transfer is not None else secrets.token_hex(8)}", network())


def page_url(visited: LinkVisit, link: str = "", **values: Any) -> str:
    """The page of a link, in the language that was chosen."""
    return url_for("transfers.show", link=link or visited.bare_link, lang=chosen_language() or None, **values)


def page(template: str, status: int = 200, saves: bool = False, **context: Any) -> Response:
    """A page for visitors. `saves`: by a worker (`saving`)."""
    endpoint = _PAGES.get(request.endpoint or "", "")
    response = visitors_page(template, status, endpoint=endpoint, keep=("page", "done"), **context)
    source = host_source()
    if source or saves:
        response.headers["Content-Security-Policy"] = _policy(source, saves)
    return response


_PAGES = {"transfers.act_on_link": "transfers.show", "transfers.send_report": "transfers.report"}  # of forms that are refused


def _policy(source: str, saves: bool) -> str:
    """With the host of files (`source`); what is saved by a worker comes through a frame of its own."""
    worker = "worker-src 'self'; frame-src 'self'; " if saves else ""
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:{source}; connect-src 'self'{source}; "
        f"{worker}form-action 'self'{source}; base-uri 'none'; frame-ancestors 'none'"
    )


def told(title: str, advice: str, status: int, *, link: tuple[str, str] | None = None, retry: int = 0) -> Response:
    """A page that says what is, and what to do. In plain text from the host of files, which has no pages."""
    if status == 503:
        because(title)
    if is_file_host():
        response = Response(f"{title}\n{advice}\n", status, mimetype="text/plain")
    else:
        response = page("_visitors_told.html", status, title=title, advice=advice, link=link)
    if retry:
        response.headers["Retry-After"] = str(retry)
    return response


def _failed(error: MailError) -> Response:
    """What the storage says, in words for somebody who has no inbox here."""
    if isinstance(error, WrongKeyError):
        return unknown()
    if isinstance(error, FileGoneError):
        return over()
    advice = _("Try again in a few minutes. If it happens again, tell the person who sent the files.")
    return told(_("This can’t be downloaded at the moment"), advice, 503 if error.status < 500 else error.status, retry=120)


def unknown() -> Response:
    return told(
        _("There is nothing at this link"),
        _("It may have been cut off in the message. Copy the whole link, or ask the person who sent it to you."),
        404,
    )


def over() -> Response:
    return told(
        _("These files are no longer here"),
        _("Links work for a limited time, and this one has expired. Ask the sender to send the files again."),
        410,
    )


def withdrawn() -> Response:
    return told(
        _("These files were withdrawn"),
        _("This link was closed early. Ask the person who sent it to you what happened to the files."),
        410,
    )


def wait(error: TooManyRequestsError) -> Response:
    return told_to_wait(told(_("Too many attempts"), again_words(error), error.status), error)
