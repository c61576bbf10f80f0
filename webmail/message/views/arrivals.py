"""Arrivals: Dovecot tells into which mailbox something came. The worker reads it: nobody waits for that here.

Where the worker can read nothing, for want of a token, a look at the calendar has the inbox read, after the answer.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from functools import partial

from flask import Response, current_app, jsonify, request

from webmail.auth.address_owners import account_of
from webmail.auth.guard import public
from webmail.auth.sign_in.names import normalise
from webmail.database.connection import DATABASE_AWAY
from webmail.errors import SignInRefusedError
from webmail.message.arrivals import missed_mail, searched_mailboxes, visits
from webmail.message.blueprint import blueprint
from webmail.web.current import current_account, current_user, settings
from webmail.web.from_dovecot import refuse_others

log = logging.getLogger(__name__)

_LOOKS = ("calendar.show", "calendar.show_period", "calendar.event")  # at the calendar, where replies are seen


@blueprint.post("/dovecot/arrivals")
@public
def take_report() -> Response:
    """404 for everybody but Dovecot. 3 queries for people whom nothing concerns; 2 to 4 more for others."""
    refuse_others()
    address = normalise(request.form.get("user", "")[:254], settings().domain)
    try:
        missed_mail.note_told()
        user = account_of(address)
        if user is not None and settings().token_key_file and searched_mailboxes.is_concerned(user):
            searched_mailboxes.note_arrival(user, request.form.get("mailbox", ""))
    except DATABASE_AWAY as error:
        log.warning("an arrival is not noted: %s", error)
    return jsonify(status=0)


@blueprint.after_app_request
def look_for_replies(response: Response) -> Response:
    if request.endpoint in _LOOKS and response.status_code == 200 and not settings().token_key_file:
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        with suppress(SignInRefusedError):  # of a session without the password: replies are noted when they are opened
            response.call_on_close(partial(visits.look_soon, current_user(), current_account(), settings(), app.app_context))
    return response
