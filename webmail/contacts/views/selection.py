"""Selection of contacts: written to, printed or saved as a file; printing all that are listed; one contact as a QR code."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from webmail.contacts import contact_list, membership, store
from webmail.contacts.blueprint import blueprint
from webmail.contacts.imports import card_files
from webmail.contacts.imports.card_files import ExportStyle
from webmail.contacts.views import sources
from webmail.contacts.views.files import as_file
from webmail.contacts.views.shared import mine
from webmail.mail import Address
from webmail.mime.formats.address_books.entry import BookEntry, card_of, entry_of
from webmail.mime.headers.address_input import address_key
from webmail.mime.headers.address_text import address_text
from webmail.web.current import current_user
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.responses.qr_code import qr_code

MOST_PRINTED = 2_000
_MOST_CHOSEN = 500
_LONGEST_QR = 700  # bytes: a telephone reads it from a screen at once
_LONGEST_WORDS = 100


@blueprint.get("/contacts/chosen")
def act_on_chosen() -> Answer:
    """`action`: write, move, print or export those with these `uid`s."""
    uids = list(dict.fromkeys(request.args.getlist("uid")))[:_MOST_CHOSEN]
    action = request.args.get("action", "")
    if not uids:
        notify(_("Tick the contacts first."), "caution")
        return redirect(url_for("contacts.show"), 303)
    if action == "write":
        return _write(uids)
    if action == "move":
        return redirect(url_for("contacts.ask_book", uid=uids), 303)
    cards = card_files.of_user(current_user(), uids)
    if action == "export":
        return as_file(card_files.saved_as(cards, ExportStyle.AS_KEPT), _("contacts"), ExportStyle.AS_KEPT)
    return _print(cards, len(cards))


def _write(uids: list[str]) -> Answer:
    """The people's addresses; a group stands there by its name, and becomes its members when the message is sent."""
    rows = [row for row in store.chosen(current_user(), uids) if row.email or row.kind == store.GROUP]
    if not rows:
        notify(_("None of these contacts has an address."), "caution")
        return redirect(url_for("contacts.show"), 303)
    inside = membership.people_of(current_user(), [row.id for row in rows if row.kind == store.GROUP])
    there = {key for people in inside.values() for key in people}
    rows = [row for row in rows if row.kind == store.GROUP or address_key(row.email) not in there]
    words = [f'"{row.name}"' if row.kind == store.GROUP else address_text([Address(row.name, row.email)]) for row in rows]
    return redirect(url_for("compose.new", to=", ".join(words)), 303)


@blueprint.get("/contacts/print")
def print_contacts() -> Response:
    """All contacts, or those that the list shows: `words`, `letter`, `kind`, `book` as there."""
    words, letter = request.args.get("words", "")[:_LONGEST_WORDS], request.args.get("letter", "")[:1]
    kind = store.GROUP if request.args.get("kind") == store.GROUP else ""
    book = sources.asked_book()
    found = contact_list.listed(
        current_user(), text=words, letter=letter, kind=kind, size=MOST_PRINTED, book=book.collection.id if book else None
    )
    rows = store.rows(current_user(), [row.id for row in found.rows])
    return _print([rows[row.id].vcard for row in found.rows if row.id in rows], found.total)


def _print(cards: list[str], total: int) -> Response:
    return page("contacts/print.html", entries=[entry_of(card) for card in cards], total=total)


@blueprint.get("/contacts/<uid>/qr")
def show_qr(uid: str) -> Response:
    """The card as a picture for a telephone: what fits into it, without photo and note."""
    row = mine(uid)
    if row.kind == store.GROUP:
        abort(404)
    return page("contacts/qr.html", row=row, picture=qr_code(_small_card(entry_of(row.vcard))))


def _small_card(entry: BookEntry) -> str:
    """The most of a card that a telephone's camera reads: the longer it is, the less of it."""
    small = BookEntry(
        name=entry.name[:100], family=entry.family[:60], given=entry.given[:60], organisation=entry.organisation[:60]
    )
    lists: tuple[tuple[list[Any], list[Any]], ...] = (
        (small.emails, entry.emails), (small.phones, entry.phones), (small.postals, entry.postals), (small.sites, entry.sites),
    )  # fmt: skip
    for into, points in lists:
        for point in points[:3]:
            into.append(point)
            if len(card_of(small).encode()) > _LONGEST_QR:
                into.pop()
                break
    return card_of(small)
