"""First visits: pages that would make something of their own are shown without it while the database can't be written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from flask import current_app, g, request
from flask_babel import gettext as _

from webmail.database import trouble
from webmail.database.connection import DATABASE_AWAY
from webmail.database.trouble import DatabaseTrouble
from webmail.web.responses.errors import database_words

Made = TypeVar("Made")
Given = ParamSpec("Given")
_STILL_READ = (DatabaseTrouble.FULL, DatabaseTrouble.READ_ONLY)


def made_if_writable(make: Callable[Given, Made]) -> Callable[Given, Made | None]:
    """The same, but None on a page that is only read while the database can't be written: the page says so (`unkept_notice`)."""

    def made(*args: Given.args, **named: Given.kwargs) -> Made | None:
        try:
            return make(*args, **named)
        except DATABASE_AWAY as error:
            if request.method not in ("GET", "HEAD") or trouble.trouble_of(error) not in _STILL_READ:
                raise
            current_app.logger.error("the database %s", trouble.advice(error))
            g.unkept = _("Changes can’t be saved at the moment.") + " " + database_words(error)
            return None

    return made


def unkept_notice() -> list[dict[str, Any]]:
    """As `notices` has them."""
    return [{"text": g.unkept, "kind": "caution"}] if "unkept" in g else []
