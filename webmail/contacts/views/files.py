"""Contact files: contacts saved as a file: one of them, or all, as vCard, CSV or LDIF."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Response, request
from flask_babel import gettext as _

from webmail.contacts import book_access
from webmail.contacts.blueprint import blueprint
from webmail.contacts.imports import card_files
from webmail.contacts.imports.card_files import ExportStyle
from webmail.contacts.views import sources
from webmail.contacts.views.shared import mine
from webmail.mime.headers.filenames import called
from webmail.web.current import current_user
from webmail.web.responses import downloads

_TYPES = {
    ExportStyle.GOOGLE: ("text/csv; charset=utf-8", "csv"), ExportStyle.OUTLOOK: ("text/csv; charset=utf-8", "csv"),
    ExportStyle.LDIF: ("text/plain; charset=utf-8", "ldif"),
}  # fmt: skip
_VCARD = ("text/vcard; charset=utf-8", "vcf")


@blueprint.get("/contacts/export")
def export() -> Response:
    """All of the person's own contacts as a file, or those of one book (`book`); `as`: one of ExportStyle."""
    style, book = _style(), sources.asked_book()
    cards = card_files.of_user(current_user(), book=book.collection if book else None)
    return as_file(
        card_files.saved_as(cards, style), called(book_access.title(book), "contacts") if book else _("contacts"), style
    )


@blueprint.get("/contacts/<uid>/card")
def card(uid: str) -> Response:
    row, style = mine(uid), _style()
    return as_file(card_files.saved_as([row.vcard], style), called(row.name, "contact"), style)


def _style() -> ExportStyle:
    try:
        return ExportStyle(request.args.get("as", ""))
    except ValueError:
        return ExportStyle.AS_KEPT


def as_file(pieces: Iterable[str], name: str, style: ExportStyle) -> Response:
    """Cards to download."""
    kind, ending = _TYPES.get(style, _VCARD)
    response = Response("".join(pieces).encode("utf-8", "replace"), content_type=kind)
    response.headers["Content-Disposition"] = downloads.disposition(f"{name}.{ending}")
    response.headers["Content-Security-Policy"] = downloads.POLICY
    response.headers["Cache-Control"] = "no-store"
    return response
