"""Rendering: `page()` for a whole page or the block that HTMX requested, `fragment()` for a partial template."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, make_response, render_template, request, session
from markupsafe import escape

from webmail.web.current import settings
from webmail.web.frame import side_bar

# templates outside #main that are updated with it
_BESIDE_MAIN = ("_folders.html", "_top.html", "_banners.html")


def page(template: str, status: int = 200, **context: Any) -> Response:
    """Render a page, or only the block that HTMX wants to replace (block name = element id), with the page's title.

    Views need not distinguish the two: they pass the same context.
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
    side_bar.tell_current(response)
    return response


def fragment(template: str, status: int = 200, **context: Any) -> Response:
    """Render a partial template that is not a block of a page, for HTMX."""
    return make_response(render_template(template, **context), status)


def _fragment_of(template: str) -> Any:
    htmx = request.htmx  # type: ignore[attr-defined]
    if not htmx or not htmx.target or htmx.history_restore_request:
        return None
    return current_app.jinja_env.get_template(template).blocks.get(htmx.target)
