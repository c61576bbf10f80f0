"""Pages of help: their list, a search, and each of them. Everybody may read them, also who can't sign in."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from flask import Response, abort, current_app, request
from flask_babel import get_locale
from markupsafe import Markup

from webmail.auth.guard import public
from webmail.help import manual, search
from webmail.help.blueprint import blueprint
from webmail.web.rendering import page
from webmail.web.templates.addresses import url_for


@blueprint.get("/help")
@public
def show_contents() -> Response:
    query = " ".join(request.args.get("query", "")[: search.LONGEST].split())
    found = search.find(query, _language()) if query else []
    return page("help/contents.html", asked=query, found=found)  # `query` is the search of mail


@blueprint.get("/help/<name>")
@public
def show_page(name: str) -> Response:
    shown = manual.page_named(name, _language()) or abort(404)
    static_url = cast("Callable[[str], str]", current_app.jinja_env.globals["static_url"])
    html = Markup(manual.to_html(shown, _address, static_url))  # noqa: S704 - of our own files
    return page("help/page.html", shown=shown, html=html)


@blueprint.app_template_global()
def help_chapters() -> tuple[manual.HelpChapter, ...]:
    return manual.chapters(_language())


@blueprint.app_template_global()
def help_page(name: str) -> manual.HelpPage | None:
    return manual.page_named(name, _language())


@blueprint.app_template_global()
def help_here(endpoint: str) -> str:
    """The name of the page that helps at an endpoint; "" where none does."""
    return manual.page_for(endpoint)


def _address(name: str) -> str:
    return url_for("help.show_page", name=name)


def _language() -> str:
    return str(get_locale().language)
