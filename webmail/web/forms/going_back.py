"""Going back: on pages with a long text a browser gives back what was typed, after a link, a lost connection or a refused form.

Without scripts only the browser can. It does so for a page that it may keep, at the address where it was, in fields that it may
remember. On a computer that others use it keeps none, and forgets.
"""

from __future__ import annotations

from flask import Response, request, session

CACHED = "private, no-cache"  # with no-store, browsers forget what was typed
_SENT = "sent"


def is_written_in(response: Response) -> bool:
    """Whether somebody may write a long text in this page, so that it has to be there again after "Back"."""
    if response.mimetype != "text/html" or response.is_streamed or request.htmx:  # type: ignore[attr-defined]
        return False
    return b"<textarea" in response.get_data() and not _on_shared()


def autocomplete() -> str:
    """For the fields beside a long text: Chromium gives back nothing of a field where it is off."""
    return "off" if _on_shared() else "on"


def send_to(url: str) -> str:
    """The address for a form with a long text: never the page's own. When the line breaks at that, Chromium puts its page about
    the failure in the place of this one, and "Back" leads past it."""
    if _SENT in request.args:
        return url
    return f"{url}{'&' if '?' in url else '?'}{_SENT}=1"


def without_mark(url: str) -> str:
    """An address without what `send_to` added: where the page is."""
    path, _question, query = url.partition("?")
    kept = [part for part in query.split("&") if part and part != f"{_SENT}=1"]
    return f"{path}?{'&'.join(kept)}" if kept else path


def _on_shared() -> bool:
    return bool(session.on_shared)  # type: ignore[attr-defined]
