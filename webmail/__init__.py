"""Traboule: `create_app()` makes the application; each area of the user interface is a subpackage."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Flask

_ROOT = Path(__file__).resolve().parent.parent


def create_app(instance: str | Path | None = None, *, start: str = "all", **overrides: Any) -> Flask:
    """The Flask application. `instance` is the folder for settings and data (default: WEBMAIL_INSTANCE, else `instance/`).

    `start`: which views come at once (`STARTS` in webmail/web/late_areas.py); the others do when they are asked for.
    """
    from webmail.config import settings as config

    settings = config.load(instance or os.environ.get("WEBMAIL_INSTANCE") or _ROOT / "instance", **overrides)
    if "peewee" not in sys.modules and not settings.database_url.startswith("postgres"):
        sys.modules["psycopg"] = None  # type: ignore[assignment] # peewee imports what drivers there are: a tenth of the memory
    from webmail import application

    return application.make(settings, start)
