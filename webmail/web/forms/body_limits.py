"""Body limits: a view that takes larger uploads than the rest says so before anything reads the form, or reads it by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import current_app, request

from webmail.config.settings import Settings
from webmail.web.current import settings

View = TypeVar("View", bound=Callable[..., Any])

_LIMIT = "largest_body"
_READS_ITSELF = "reads_its_body"
_REST = 1 << 20  # bytes of the form around the file


def takes_up_to(limit: Callable[[Settings], int]) -> Callable[[View], View]:
    """Decorator: this view takes a file of up to `limit(settings)` bytes. Put it below the route."""

    def mark(view: View) -> View:
        setattr(view, _LIMIT, limit)
        return view

    return mark


def reads_its_body(view: View) -> View:
    """Mark a view that reads its body by itself, as it comes: nothing before it may, such as the check of a form's token."""
    setattr(view, _READS_ITSELF, True)
    return view


def is_read_by_view(view: object) -> bool:
    return bool(getattr(view, _READS_ITSELF, False))


def set_body_limit() -> None:
    """Before each request: after the sign-in check, so that nobody else sends much, and before the CSRF check reads the form."""
    limit = getattr(current_app.view_functions.get(request.endpoint or ""), _LIMIT, None)
    if limit is not None:
        request.max_content_length = limit(settings()) + _REST
