"""The rows of a list as HTML. A row is a function of what is handed to its macro, so that the same one is not rendered twice."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import NamedTuple, cast

from flask import current_app, request
from jinja2.utils import url_quote
from markupsafe import Markup

from webmail.imap.listing import Listing
from webmail.mail import Role, Summary
from webmail.mailbox.blueprint import blueprint
from webmail.mailbox.list_request import ListRequest
from webmail.mailbox.views.tags import Chip, row_chips
from webmail.web import formatting
from webmail.web.current import preferences
from webmail.web.labels import mailbox_label

_KEPT = 2000  # rows of about 2 KB


class RowContext(NamedTuple):
    """What the rows of one mailbox share: two of them where a search found messages in two mailboxes."""

    page: str  # "/message/" or "/draft/"
    path: str  # the mailbox in addresses
    uidvalidity: int
    outgoing: bool  # its rows tell to whom, not from whom
    may_flag: bool
    suffix: str = ""  # what tells its messages from those of the list's own mailbox, in the values of fields
    name: str = ""  # shown where a list holds several mailboxes
    label: str = ""


class ListContext(NamedTuple):
    """What all rows of a page share."""

    tail: str  # how to come back to this list, for the links
    snippets: bool
    chosen: str  # "page" or "all": they are ticked
    language: str
    today: date


@blueprint.app_template_global()
def list_rows(listing: Listing, asked: ListRequest, back: str, chosen: str) -> Markup:
    """All rows of a page. `back` is the list's address, or "" where that of its mailbox leads to the same."""
    tail = f"&query={url_quote(asked.query)}" if asked.query else ""
    tail += f"&sort={asked.sort}" if asked.sort != "date" else ""
    tail += f"&back={url_quote(back)}" if back else ""
    here = formatting.here()
    around = ListContext(tail, preferences().snippets, chosen, here.locale, here.today)
    places = {name: _place(listing, asked, name, validity) for name, validity in _mailboxes(listing, asked)}
    render = _rendered if current_app.debug else _remembered
    chips = row_chips(listing.rows)
    return Markup("").join(
        render(row, _id(row, asked, number), places[row.mailbox if asked.wide else asked.mailbox],
               tuple(chips[number]) if chips else (), around)
        for number, row in enumerate(listing.rows)
    )  # fmt: skip


def _mailboxes(listing: Listing, asked: ListRequest) -> Iterable[tuple[str, int]]:
    return {(row.mailbox, row.uidvalidity) for row in listing.rows} if asked.wide else [(asked.mailbox, listing.uidvalidity)]


def _place(listing: Listing, asked: ListRequest, name: str, uidvalidity: int) -> RowContext:
    mailbox = listing.overview.get(name)
    outgoing = mailbox is not None and mailbox.role in (Role.SENT, Role.DRAFTS)
    page = "/draft/" if mailbox and mailbox.role is Role.DRAFTS else "/message/"
    place = RowContext(
        request.script_root + page, url_quote(name), uidvalidity, outgoing, mailbox is None or mailbox.rights.may_flag
    )
    return place._replace(suffix=f".{uidvalidity}.{name}", name=name, label=mailbox_label(name)) if asked.wide else place


def _id(row: Summary, asked: ListRequest, number: int) -> str:
    """Of the row's link on its page: UIDs are told apart where there are several mailboxes."""
    return f"{row.uid}-{number + 1}" if asked.wide and row.mailbox != asked.mailbox else str(row.uid)


def _rendered(row: Summary, id_: str, place: RowContext, chips: tuple[Chip, ...], around: ListContext) -> Markup:
    macro = current_app.jinja_env.get_template("mailbox/_row.html").module.row  # type: ignore[attr-defined]
    return cast(Markup, macro(row, id_, place, chips, around))


_remembered = lru_cache(maxsize=_KEPT)(_rendered)
