"""Warm suggestions: this process reads whom one may write to before a name is typed; it takes as long as ten pages."""

from __future__ import annotations

import logging
import time
from functools import partial

from flask import Flask, current_app

from webmail.compose.recipients import suggestions
from webmail.config.settings import Settings
from webmail.database.connection import DATABASE_AWAY, thread_connection
from webmail.models import User
from webmail.web.current import after_the_answer, current_user, settings

log = logging.getLogger(__name__)

_LASTS = 300.0  # seconds in which they are taken to be there still
_MOST_KEPT = 10_000
_read_at: dict[tuple[int, int], float] = {}  # by application and person, in this process


def warm_up() -> None:
    """Read them once this answer has gone, unless that was done a moment ago. Called for a page on which addresses are typed."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    if time.monotonic() - _read_at.get((id(app), current_user().id), -_LASTS) < _LASTS:
        return
    after_the_answer(partial(_read, app, current_user().id, settings()))


def _read(app: Flask, user_id: int, at: Settings) -> None:
    try:
        with app.app_context(), thread_connection():
            if user := User.get_or_none(User.id == user_id):
                suggestions.warm_up(user, at)
                if len(_read_at) >= _MOST_KEPT:
                    _read_at.clear()
                _read_at[id(app), user_id] = time.monotonic()
    except DATABASE_AWAY as error:  # the first letter reads them then
        log.info("suggestions are not ready: %s", error)
