"""Too many: what pages say to whoever did something too often (webmail/rate_limits.py), and that it is answered 429."""

from __future__ import annotations

import math
from typing import TypeVar

from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail.rate_limits import TooManyRequestsError

R = TypeVar("R", bound=Response)
_LONG = 120  # minutes: what takes longer is told in hours


def again_words(error: TooManyRequestsError) -> str:
    """When to try again, in a sentence; "" where waiting does not help."""
    if not error.seconds:
        return ""
    if error.seconds <= 60:
        return ngettext("Please try again in %(num)d second.", "Please try again in %(num)d seconds.", error.seconds)
    if error.minutes <= _LONG:
        return ngettext("Please try again in %(num)d minute.", "Please try again in %(num)d minutes.", error.minutes)
    hours = math.ceil(error.minutes / 60)
    return ngettext("Please try again in %(num)d hour.", "Please try again in %(num)d hours.", hours)


def too_many_words(error: TooManyRequestsError) -> str:
    """For who tried to sign in, or to show who they are."""
    return with_again(_("Too many attempts."), error)


def with_again(text: str, error: TooManyRequestsError) -> str:
    """What was too much, and when to try again."""
    return f"{text} {again_words(error)}".rstrip()


def told_to_wait(response: R, error: TooManyRequestsError) -> R:
    """The page that says so, as browsers and programs are to understand it."""
    response.status_code = error.status
    if error.seconds:
        response.headers["Retry-After"] = str(error.seconds)
    return response
