"""The list of one's transfers: sent, received, being put together."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import peewee as pw
from flask import Response, abort, g, redirect, request
from flask_babel import gettext as _
from flask_babel.speaklater import LazyString
from werkzeug.wrappers import Response as AnyResponse

from webmail.models import StoredContent, Transfer, TransferAllowance
from webmail.transfers import limits, listing, other_server
from webmail.transfers.blueprint import blueprint
from webmail.transfers.listing import Order, Shelf
from webmail.transfers.requests import requests
from webmail.transfers.texts import transfer_texts
from webmail.transfers.uploads import promises
from webmail.web.current import current_user, settings
from webmail.web.formatting import file_size
from webmail.web.formatting import lazy_text as _l
from webmail.web.frame.page_rows import add_rows, page_rows
from webmail.web.rendering import page
from webmail.web.templates.addresses import url_for

_LONGEST = 100
_SHELVES = {Shelf.SENT: _l("Sent"), Shelf.RECEIVED: _l("Received"), Shelf.UNFINISHED: _l("Unfinished")}
_ORDERS = {
    Order.DATE: _l("Newest first"), Order.END: _l("Ending soonest"), Order.NAME: _l("Name"), Order.SIZE: _l("Largest first"),
}  # fmt: skip


for _shelf in Shelf:
    add_rows(
        f"{_shelf} transfers", Transfer, (pw.fn.COUNT(Transfer.id),), partial(listing.of_person, shelf=_shelf), group="transfers"
    )
add_rows("allowance", TransferAllowance, (TransferAllowance.limit_bytes,), limits.of_allowance, group="transfers")
add_rows("stored bytes", StoredContent, (promises.BYTES,), promises.of_stored, group="transfers")


@blueprint.get("/transfers")
def index() -> AnyResponse:
    """Three SELECTs, four more for the transfers on it."""
    if not settings().transfers.on:
        abort(404)
    shown, sort = request.args.get("show", ""), request.args.get("sort", "")
    shelf = Shelf(shown) if shown in list(Shelf) else Shelf.SENT
    order = Order(sort) if sort in list(Order) else Order.DATE
    words = request.args.get("words", "")[:_LONGEST].strip()
    number = min(max(request.args.get("page", 1, int), 1), 10_000)
    rows, total = listing.listed(current_user(), shelf, words, order, number, _counts()[shelf])
    last = max((total - 1) // listing.SIZE, 0) + 1
    if number > last:
        kept = {"show": _given(shelf, Shelf.SENT), "sort": _given(order, Order.DATE), "words": words or None}
        return redirect(url_for("transfers.index", **kept, page=last), 303)
    return _list_page(shelf, order, words, number, last, rows, total)


def _list_page(
    shelf: Shelf, order: Order, text: str, number: int, last: int, rows: list[listing.ListedTransfer], total: int
) -> Response:  # fmt: skip
    given = {"show": _given(shelf, Shelf.SENT), "sort": _given(order, Order.DATE), "words": text or None}
    return page(
        "transfers/index.html", rows=rows, total=total, shelf=shelf, order=order, orders=_ORDERS, words=text, number=number,
        last=last, given=given, texts=transfer_texts,
        may_ask=requests.is_offered(settings()),
    )  # fmt: skip


def _counts() -> dict[Shelf, int]:
    """No query of its own."""
    return {shelf: page_rows(f"{shelf} transfers")[0].number for shelf in Shelf}


def _given(value: str, usual: str) -> str | None:
    return None if value == usual else str(value)


class TransferRoom(NamedTuple):
    """What one's large files take. `allowed`: 0 for no limit; `promised`: kept for uploads that have begun."""

    used: int
    allowed: int
    promised: int

    @property
    def percent(self) -> int:
        return min(100 * self.used // self.allowed, 100) if self.allowed else 0

    @property
    def text(self) -> str:
        if self.allowed:
            return _("%(used)s of %(allowed)s used.", used=file_size(self.used), allowed=file_size(self.allowed))
        return _("%(used)s used.", used=file_size(self.used))


@blueprint.app_template_global()
def transfer_room() -> TransferRoom:
    """Once for a page."""
    if "transfer_room" not in g:
        own = current_user()
        given = [row.number for row in page_rows("allowance")]
        allowed, stored = limits.allowed(given, settings()), int(page_rows("stored bytes")[0].number or 0)
        g.transfer_room = TransferRoom(stored, allowed, promises.of_person(own, allowed - stored))
    found: TransferRoom = g.transfer_room
    return found


@blueprint.app_template_global()
def transfer_shelves() -> list[tuple[str, LazyString, int, str]]:
    """Name, label, count and address of each part of the list."""
    return [
        (str(shelf), label, _counts()[shelf], url_for("transfers.index", show=_given(shelf, Shelf.SENT)))
        for shelf, label in _SHELVES.items()
    ]


@blueprint.app_template_global()
def files_elsewhere() -> tuple[str, str] | None:
    """The other server that gives out this person's files: its name, and what it is called; None where we do."""
    server = other_server.for_user(current_user(), settings())
    return (server.name, server.title) if server is not None else None


@blueprint.app_template_global()
def files_here() -> str:
    """The link beside the page that leads to it: "mail", "requests", or the shelf; "" if none does."""
    endpoint = request.endpoint or ""
    if (server := files_elsewhere()) and endpoint.startswith(f"{server[0]}."):
        return "elsewhere-guests" if endpoint.endswith("guests") else "elsewhere"
    if endpoint != "transfers.index":
        return {"mailbox.files": "mail", "transfers.requests": "requests"}.get(endpoint, "")
    shown = request.args.get("show", "")
    return shown if shown in list(Shelf) else str(Shelf.SENT)
