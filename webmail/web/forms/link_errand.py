"""Link errand: a page, such as the form of an event, waits until its visitor has sent a file and comes back with the link to it.

Large files are sent on pages of their own, in several steps, so the session remembers where to go back to.
"""

from __future__ import annotations

import time

from flask import session

from webmail.web.forms.request_values import local_path
from webmail.web.templates.addresses import url_for

_KEY = "link errand"
_KEPT = 3 * 86_400  # seconds


def remember_return(back: str) -> str:
    """Remember the address that takes the link (POST `link`), and shows the form again (GET); returns where files are sent."""
    session[_KEY] = [back, int(time.time())]
    return url_for("transfers.new")


def errand() -> str:
    """That address; "" where nobody waits for a link. For templates."""
    back, since = session.get(_KEY) or ("", 0)
    return local_path(back) if since > time.time() - _KEPT else ""


def end() -> None:
    session.pop(_KEY, None)
