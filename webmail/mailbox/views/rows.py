"""List rows: renders the rows of a message list. A row is a pure function of its macro's arguments, so that it can be cached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import NamedTuple, cast

from flask import current_app, request
from jinja2.utils import url_quote
from markupsafe import Markup

from webmail.imap.lists.listing import Listing
from webmail.mail import Address, Role, Summary
from webmail.mailbox.blueprint import blueprint
from webmail.mailbox.list_request import ListRequest
from webmail.mailbox.views.tags import Chip, row_chips
from webmail.people import impostors
from webmail.people.impostors import Appearance
from webmail.web import formatting
from webmail.web.current import current_user, preferences, settings
from webmail.web.labels import mailbox_label

_KEPT = 2000  # cached rows, about 2 KB each
_KEPT_PAGES = 100  # and pages of them, about 40 KB each


class RowContext(NamedTuple):
    """What the rows of one mailbox share; a list of several mailboxes has one for each."""

    page: str  # "/message/" or "/draft/"
    path: str  # the mailbox, quoted for URLs
    uidvalidity: int
    outgoing: bool  # rows show the recipients instead of the sender
    may_flag: bool
    suffix: str = ""  # appended to checkbox values in lists of several mailboxes, see selection.of_rows
    name: str = ""  # shown in lists of several mailboxes
    label: str = ""


class ListContext(NamedTuple):
    """What all rows of a page share."""

    tail: str  # query arguments of links, which lead back to this list
    snippets: bool
    chosen: str  # "page" or "all" if the rows are ticked
    words: tuple[str, ...]  # of a search, to be marked
    language: str
    today: date
    zone: str
    sizes: bool = False  # rows say how large the message is


_ROOM = 20  # characters of an address beside a doubtful name


@blueprint.app_template_filter()
def short_address(email: str) -> str:
    """The end of an address, which tells whose it is: with its whole domain if there is room for that."""
    domain = f"@{email.rpartition('@')[2]}"
    if len(email) <= _ROOM:
        return email
    return domain if len(domain) <= _ROOM else f"…{email[1 - _ROOM :]}"


@blueprint.app_template_global()
def list_rows(listing: Listing, list_request: ListRequest, back: str, chosen: str, texts: tuple[str, ...]) -> Markup:
    """All rows of a page. `back` is the list's URL, or "" if it is the mailbox's default one; `texts` are marked."""
    tail = f"&query={url_quote(list_request.query)}" if list_request.query else ""
    tail += f"&sort={list_request.sort}" if list_request.sort != "date" else ""
    tail += f"&back={url_quote(back)}" if back else ""
    at, snippets, sizes = formatting.here(), preferences().snippets, list_request.sort == "size"
    around = ListContext(tail, snippets, chosen, texts, at.locale, at.today, at.zone.key, sizes)
    places = {name: _row_context(listing, list_request, name, validity) for name, validity in _mailboxes(listing, list_request)}
    render = _rendered_page if current_app.debug else _remembered_page
    junk = listing.overview.with_role(Role.JUNK)
    chips = row_chips(listing.rows, list_request.mailbox, junk.name if junk else "")
    senders = {one for row in listing.rows for one in row.sender}
    seen = impostors.appearances(current_user(), senders, settings())
    doubtful = frozenset(_called(one, seen) for one in senders if one in seen and seen[one].doubtful)
    return render(
        _with_names(listing.rows, seen),
        list_request.mailbox if list_request.wide else None,
        tuple(places.items()),
        tuple(map(tuple, chips)),
        around,
        doubtful,
    )


def _called(sender: Address, seen: Mapping[Address, Appearance]) -> Address:
    return replace(sender, name=seen[sender].name) if sender in seen else sender


def _with_names(rows: tuple[Summary, ...], seen: Mapping[Address, Appearance]) -> tuple[Summary, ...]:
    """The rows with senders under the names that they are shown by."""
    renamed = {one for one, found in seen.items() if found.name != one.name}
    if not renamed:
        return rows
    return tuple(
        replace(row, sender=tuple(_called(one, seen) for one in row.sender)) if renamed.intersection(row.sender) else row
        for row in rows
    )


def _mailboxes(listing: Listing, list_request: ListRequest) -> Iterable[tuple[str, int]]:
    return (
        {(row.mailbox, row.uidvalidity) for row in listing.rows}
        if list_request.wide
        else [(list_request.mailbox, listing.uidvalidity)]
    )


def _row_context(listing: Listing, list_request: ListRequest, name: str, uidvalidity: int) -> RowContext:
    mailbox = listing.overview.get(name)
    outgoing = mailbox is not None and mailbox.role in (Role.SENT, Role.DRAFTS)
    page = "/draft/" if mailbox and mailbox.role is Role.DRAFTS else "/message/"
    place = RowContext(
        request.script_root + page, url_quote(name), uidvalidity, outgoing, mailbox is None or mailbox.rights.may_flag
    )
    return place._replace(suffix=f".{uidvalidity}.{name}", name=name, label=mailbox_label(name)) if list_request.wide else place


def _rendered_page(
    rows: tuple[Summary, ...], from_mailbox: str | None, places: tuple[tuple[str, RowContext], ...],
    chips: tuple[tuple[Chip, ...], ...], around: ListContext, doubtful: frozenset[Address],
) -> Markup:  # fmt: skip
    """All rows. `from_mailbox`: where a list of several mailboxes was asked for, None for that of one; `places` by mailbox."""
    render = _rendered if current_app.debug else _remembered
    where = dict(places)
    only = None if from_mailbox is not None else next(iter(where.values()))
    return Markup("").join(
        render(row, _id(row, from_mailbox, number), only or where[row.mailbox], chips[number] if chips else (), around,
               doubtful.intersection(row.sender) or None)
        for number, row in enumerate(rows)
    )  # fmt: skip


def _id(row: Summary, from_mailbox: str | None, number: int) -> str:
    """The id of the row's link, unique on the page even if several mailboxes share a UID."""
    return str(row.uid) if from_mailbox in (None, row.mailbox) else f"{row.uid}-{number + 1}"


def _rendered(
    row: Summary, id_: str, context: RowContext, chips: tuple[Chip, ...], around: ListContext, doubtful: frozenset[Address] | None
) -> Markup:
    """One row. `doubtful` are its senders whose address stands beside the name."""
    macro = current_app.jinja_env.get_template("mailbox/_row.html").module.row  # type: ignore[attr-defined]
    return cast(Markup, macro(row, id_, context, chips, around, doubtful or ()))


_remembered = lru_cache(maxsize=_KEPT)(_rendered)
_remembered_page = lru_cache(maxsize=_KEPT_PAGES)(_rendered_page)
