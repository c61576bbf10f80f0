"""Near keys: those on cards of the person's own book and in the establishment's directory, asked for as soon as it is known whom
an encrypted message is for: after the page has been shown, or with the next form where there are no scripts.

Nobody outside is asked. Whom a process has just asked about it does not ask about again; the button *Look for the keys* does.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from flask import current_app
from werkzeug.wrappers import Response

from webmail.compose.blueprint import blueprint
from webmail.compose.encryption import protection
from webmail.compose.forms import ComposeForm
from webmail.compose.views.encryption.protecting import ProtectionRow, protection_row
from webmail.late_calls import late_call
from webmail.web.current import current_user
from webmail.web.rendering import fragment

MOST = 20  # addresses of one question
_LASTS = 120.0  # seconds in which the same question has the same answer
_MOST_KEPT = 10_000
_asked_at: dict[tuple[int, int, str], float] = {}  # by application, person and address, in this process

_found_near = late_call("webmail.compose.views.encryption.key_search:found_near")


@blueprint.app_template_global()
def asks_near(guard: ProtectionRow) -> bool:
    """Whether the row of the form asks once it is shown. No query."""
    return bool(_unasked(guard.keyless))


@blueprint.post("/compose/keys/near")
def look_near() -> Response:
    """What the row says once the book and the directory were asked; 204 where it still says the same. Stores no draft."""
    form = ComposeForm()
    if not ask(form):
        return Response(status=204)
    return fragment("compose/_protection_plan.html", form=form, guard=protection_row(form))


def ask(form: ComposeForm) -> bool:
    """Ask for the keys of the recipients of a message that is to be encrypted; whether there are some now.

    No query where it isn't to be. Three SELECTs, then one for each address without a key, and one question to the directory.
    """
    if not protection.is_sealed(form.protection.data):
        return False
    row = protection_row(form)
    unasked = _unasked(row.keyless) if row is not None else []
    if not unasked:
        return False
    if len(_asked_at) >= _MOST_KEPT:
        _asked_at.clear()
    _asked_at.update({_question(address): time.monotonic() for address in unasked})
    return bool(_found_near(unasked))


def _unasked(addresses: Sequence[str]) -> list[str]:
    at = time.monotonic()
    return [one for one in addresses if at - _asked_at.get(_question(one), -_LASTS) >= _LASTS][:MOST]


def _question(address: str) -> tuple[int, int, str]:
    return id(current_app._get_current_object()), current_user().id, address  # type: ignore[attr-defined]
