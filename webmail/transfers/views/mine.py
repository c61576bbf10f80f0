"""The list of one's transfers."""

from __future__ import annotations

from flask import Response, abort

from webmail.models import Transfer
from webmail.transfers.blueprint import blueprint
from webmail.web.current import current_user, settings
from webmail.web.rendering import page


@blueprint.get("/transfers")
def index() -> Response:
    if not settings().transfers.on:
        abort(404)
    rows = Transfer.select().where(Transfer.owner == current_user()).order_by(Transfer.created.desc()).limit(50)
    return page("transfers/index.html", transfers=list(rows))
