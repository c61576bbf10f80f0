"""Look: theme and size of text, as attributes of the root element, so that a page comes in them from its first moment."""

from __future__ import annotations

from typing import NamedTuple

from flask import Response, request, session
from markupsafe import Markup

from webmail.database.connection import DATABASE_AWAY
from webmail.preferences import CHOICES, Preferences
from webmail.web.current import preferences, settings

_SECONDS = 365 * 86400
_SCHEMES = {"light": "light", "dark": "dark"}  # the others are as the system says


class Look(NamedTuple):
    theme: str = ""
    size: str = ""

    @property
    def attributes(self) -> Markup:
        theme = Markup(' data-theme="{}"').format(self.theme) if self.theme else Markup()
        return theme + Markup(' data-size="{}"').format(self.size) if self.size else theme

    @property
    def scheme(self) -> str:
        """What the canvas is before there is a style sheet."""
        return _SCHEMES.get(self.theme, "light dark")


def look() -> Look:
    """The signed-in person's, else that of the last who signed in with this browser."""
    try:
        if getattr(session, "user", None):
            return look_of(preferences())
    except DATABASE_AWAY:
        pass  # the page that tells of it has the look of the cookie
    theme, _, size = request.cookies.get(_cookie(), "").partition(".")
    known = theme in CHOICES["theme"] and size in CHOICES["text_size"]
    return Look(theme, size) if known else Look()


def look_of(chosen: Preferences) -> Look:
    return Look(chosen.theme, chosen.text_size)


def keep_for_sign_in(response: Response, chosen: Look) -> None:
    """Let the sign-in page look the same in this browser, unless it is a shared computer's."""
    row = session.row  # type: ignore[attr-defined]
    if row is None or not row.shared:
        response.set_cookie(
            _cookie(), f"{chosen.theme}.{chosen.size}", max_age=_SECONDS, secure=settings().secure_cookies, httponly=True,
            samesite="Lax", path="/",
        )  # fmt: skip


def _cookie() -> str:
    return "__Host-traboule-look" if settings().secure_cookies else "traboule-look"
