"""Quota notice: how a full mailbox is told, in all areas, with the link to the page that makes room (`mailbox.room`)."""

from __future__ import annotations

from typing import Any

from flask import url_for
from flask_babel import gettext as _


def room_link() -> dict[str, Any]:
    """For `notify(link=...)` and error pages."""
    return {"url": url_for("mailbox.room"), "text": _("Free up space"), "here": True}


def nothing_changed() -> str:
    return _("Nothing was changed. Free up space, then try again.")
