"""Warm suggestions: this process reads whom one may write to before a name is typed; it takes as long as ten pages."""

from __future__ import annotations

import logging
from functools import partial

from flask import Flask, current_app

from webmail.compose.recipients import suggestions
from webmail.config.settings import Settings
from webmail.database.connection import DATABASE_AWAY, thread_connection
from webmail.models import User
from webmail.web.current import after_the_answer, current_user, settings

log = logging.getLogger(__name__)


def warm_up() -> None:
    """Read them once this answer has gone, where they are not kept. Called for a page on which addresses are typed."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    after_the_answer(partial(_read, app, current_user().id, settings()))


def _read(app: Flask, user_id: int, at: Settings) -> None:
    try:
        with app.app_context(), thread_connection():
            if user := User.get_or_none(User.id == user_id):
                suggestions.warm_up(user, at)
    except DATABASE_AWAY as error:  # the first letter reads them then
        log.info("suggestions are not ready: %s", error)
