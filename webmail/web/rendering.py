"""Rendering: `page()` for a whole page or the block that HTMX asked for, `fragment()` for a piece."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, make_response, render_template, request, session
from markupsafe import escape

from webmail.web.current import settings

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
