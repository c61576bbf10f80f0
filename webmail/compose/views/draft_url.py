"""Draft URL: a message that is begun gets its draft's address before there is a row, so that a browser can come back to it.

Without scripts it is the browser alone that knows what was typed, and it gives that back at the same address to the same form. So
an address that begins a message leads to one with an id drawn for it; a GET makes no row, whoever asks for it, and however often.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlencode

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from webmail.compose.drafts import drafts
from webmail.web.current import current_user, settings

NEW = "new"  # in the query of a draft's address: there may be no row yet
_OWN = (NEW, "back")
_LONGEST = 2000  # characters of a query: a proxy takes 4 KB of headers from us, and a mailto link has no bounds


class DrawnAddress(NamedTuple):
    """The id drawn for an answer, or the answer that leads to its address."""

    draft_id: str
    elsewhere: Response | None = None


def lead_to_new(back: str) -> Response | None:
    """Redirect to the address of a new draft, with all that was asked for; None if that is too long for an address."""
    query = _query(NEW, "1", back)
    if len(query) > _LONGEST:
        return None
    return redirect(f"{url_for('compose.show', draft_id=_drawn())}?{query}", 303)


def is_unwritten(draft_id: str) -> bool:
    """Whether this is the address of a draft that nothing was written in yet. One SELECT, where the address says so."""
    return NEW in request.args and _is_drawn(draft_id) and not drafts.is_begun(draft_id)


def of_answer(draft_id: str, back: str) -> DrawnAddress:
    """The id that the path of a reply or forward carries; one that carries none leads to one that does.

    In the path: w3m takes another query of the same path for a circle.
    """
    if not _is_drawn(draft_id):
        here = url_for(request.endpoint or "", **{**(request.view_args or {}), "draft_id": _drawn()})
        query = _query("", "", request.args.get("back", ""))
        return DrawnAddress("", redirect(f"{here}?{query}" if query else here, 303))
    if drafts.is_begun(draft_id):
        return DrawnAddress("", redirect(url_for("compose.show", draft_id=draft_id, back=back), 303))
    return DrawnAddress(draft_id)


def _query(name: str, value: str, back: str) -> str:
    asked = [one for one in request.args.items(multi=True) if one[0] not in _OWN]
    return urlencode([*asked, *([("back", back)] if back else []), *([(name, value)] if name else [])])


def _drawn() -> str:
    return drafts.drawn_id(current_user(), settings().secret_key)


def _is_drawn(draft_id: str) -> bool:
    return drafts.is_drawn(current_user(), draft_id, settings().secret_key)
