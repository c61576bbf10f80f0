"""What the pages of FileSender share: the server as who is asking may use it."""

from __future__ import annotations

from flask import abort, redirect, url_for

from webmail.filesender import access
from webmail.filesender.client import FileSenderServer
from webmail.web.current import current_user, settings


def server() -> FileSenderServer:
    """404 where FileSender sends nothing for them; a page to connect their account first where that is needed."""
    if not access.serves(current_user(), settings()):
        abort(404)
    found = access.find(current_user(), settings())
    return FileSenderServer(found) if found is not None else abort(redirect(url_for("filesender.connect"), 303))
