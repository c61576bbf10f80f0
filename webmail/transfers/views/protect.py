"""More protection for a transfer that is about to be put together: only its link holds the key, or browsers encrypt."""

from __future__ import annotations

from flask import abort, redirect, request
from werkzeug.wrappers import Response

from webmail.transfers.blueprint import blueprint
from webmail.transfers.limits import OverLimitError
from webmail.transfers.protection import NotProtectedError
from webmail.transfers.texts.refusals import refusal_words
from webmail.transfers.views import link_keys
from webmail.web.current import settings
from webmail.web.notices import notify
from webmail.web.templates.addresses import url_for


@blueprint.post("/transfers/new/protection")
def protect() -> Response:
    """Begin an open transfer that is so protected; files are added to it on the page that follows."""
    if not settings().transfers.on:
        abort(404)
    try:
        transfer = link_keys.begin(request.form.get("protection", ""), by_page=True)
    except NotProtectedError:
        abort(422)
    except OverLimitError as error:
        notify(refusal_words(error), "caution")
        return redirect(url_for("transfers.index"), 303)
    return redirect(url_for("transfers.new", of=transfer.id), 303)
