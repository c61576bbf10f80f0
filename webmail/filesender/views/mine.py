"""The list of one's transfers at FileSender, those that were not sent from here too."""

from __future__ import annotations

from flask import Response, request

from webmail.errors import MailError
from webmail.filesender.blueprint import blueprint
from webmail.filesender.client import RemoteTransfer
from webmail.filesender.filesender_texts import error_words
from webmail.filesender.views.common import server
from webmail.transfers.texts import transfer_texts
from webmail.web.rendering import page

_SIZE = 50  # of a page
_NAMES = 3


@blueprint.get("/transfers/filesender")
def index() -> Response:
    """One request to FileSender."""
    there = server()
    try:
        found, trouble = there.transfers(), ""
    except MailError as error:
        found, trouble = [], error_words(error)
    last = max((len(found) - 1) // _SIZE, 0) + 1
    number = min(max(request.args.get("page", 1, int), 1), last)
    rows = found[(number - 1) * _SIZE : number * _SIZE]
    return page("filesender/index.html", rows=rows, trouble=trouble, number=number, last=last, title_of=title_of)


def title_of(found: RemoteTransfer) -> str:
    """Its subject, or its first files."""
    names = [one.name.rpartition("/")[2] for one in found.files[:_NAMES]]
    return found.subject or transfer_texts.names_words(names, len(found.files))
