"""Visitors: pages for people without an account, in their browser's language or the one that they chose (`?lang=`).

No notices, and no forms with tokens: so that no cookie is needed. A form of theirs does nothing in the name of whose browser
sends it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

from flask import Response, render_template, request
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webmail import rate_limits
from webmail.rate_limits import Bounded, TooManyRequestsError
from webmail.web.current import settings
from webmail.web.formatting import written_in
from webmail.web.frame.establishment import offered_languages, other_language
from webmail.web.responses.too_many import again_words, told_to_wait
from webmail.web.templates.addresses import url_for

P = ParamSpec("P")


def chosen_language() -> str:
    language = request.args.get("lang", "")
    return language if language in offered_languages() else ""


def visitors_page(
    template: str, status: int = 200, *, endpoint: str = "", keep: tuple[str, ...] = (), **context: Any
) -> Response:
    """A page with a link to itself in the other language, and to its help. `endpoint`: where that leads, if not here: a form that
    was refused has no page of its own; `keep`: the fields of the query that stay."""
    endpoint = endpoint or request.endpoint or ""
    other, other_url = other_language(), ""
    if other and endpoint and request.view_args is not None:
        query = {name: value for name, value in request.args.items() if name in keep}
        other_url = url_for(endpoint, **request.view_args, **query, lang=other)
    return Response(render_template(template, other=other, other_url=other_url, page_of=endpoint, **context), status)


def for_visitors(view: Callable[P, AnyResponse]) -> Callable[P, AnyResponse]:
    """Answer in the visitor's language. No search engine shows what only those are to see who have the link."""

    @wraps(view)
    def answered(*args: P.args, **kwargs: P.kwargs) -> AnyResponse:
        with written_in(chosen_language() or str(get_locale())):
            response = view(*args, **kwargs)
            response.headers["X-Robots-Tag"] = "noindex, nofollow"
            return response

    return answered


def told(title: str, advice: str, status: int, link: tuple[str, str] | None = None) -> Response:
    """A page that says what is, and what to do; `link`: where that is done, and its words."""
    return visitors_page("_visitors_told.html", status, title=title, advice=advice, link=link)


def leads_nowhere(guessed: Bounded) -> Response:
    """There is nothing at this link. Links that lead somewhere are never counted; `guessed`: the limit of those that don't."""
    try:
        rate_limits.take(settings(), guessed)
    except TooManyRequestsError as error:
        return too_often(error)
    advice = _("It may have been cut off in the message. Copy the whole link, or ask the person who sent it to you.")
    return told(_("There is nothing at this link"), advice, 404)


def too_often(error: TooManyRequestsError) -> Response:
    return told_to_wait(told(_("Too many attempts"), again_words(error), error.status), error)
