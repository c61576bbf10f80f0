"""Message list: shows a page of a mailbox or search, as messages or conversations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from flask import redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import imap
from webmail.auth.guard import may_come_ahead
from webmail.imap.connections.connection import Connection
from webmail.imap.searching.search import Search
from webmail.imap.searching.search_keys import knows_parts
from webmail.mail import Summary
from webmail.mailbox import day_mark
from webmail.mailbox.blueprint import blueprint
from webmail.mailbox.list_request import ListRequest
from webmail.mailbox.search import search_query
from webmail.mailbox.search.highlights import words_of
from webmail.mailbox.search.similar_names import named_folders, similar_names
from webmail.mailbox.views.search_suggestions import note_search
from webmail.web.current import current_account, current_user, preferences, remember_overview, settings
from webmail.web.formatting import today
from webmail.web.labels import mailbox_path
from webmail.web.notices import notify
from webmail.web.rendering import page

_FIRST = 5  # messages of a folder that a search without results names


@blueprint.get("/mailbox/<path:mailbox>")
@may_come_ahead
def show(mailbox: str) -> Response:
    asked = ListRequest.parse(mailbox, request.args)
    account = current_account()
    if request.cache_control.max_age == 0 or request.cache_control.no_cache:  # a browser reload refreshes the counts
        imap.mailboxes.forget(account, sizes=False)
    size = preferences().page_size or settings().page_size
    grouped = preferences().in_conversations(mailbox)
    search = search_query.understood(asked.query, current_user(), today())
    with imap.connect(account, mailbox) as connection:
        if search.mailbox and (elsewhere := search_query.led_to(asked, search, imap.mailboxes.overview(connection))):
            return redirect(url_for("mailbox.show", **elsewhere.arguments()), 303)
        if day := _day(request.args.get("date", "")):
            number = imap.listing.page_of_date(connection, mailbox, day, size=size, query=search, conversations=grouped)
            arguments = asked.arguments(sort="date", page=number)
            return redirect(url_for("mailbox.show", day=day.isoformat(), _anchor="day", **arguments), 303)
        if asked.wide:
            listing: imap.listing.Listing = imap.multi_search.search(
                connection, mailbox, query=search, below=asked.scope == "below", page=asked.page, size=size, sort=asked.sort
            )
        else:
            listing = imap.listing.page(
                connection, mailbox, page=asked.page, size=size, query=search, sort=asked.sort,
                conversations=grouped, scattered=mailbox in preferences().scattered_folders,
            )  # fmt: skip
        meant = _folder_meant(connection, asked, search) if asked.scope == "all" and asked.query and not listing.total else None
        exact_names = knows_parts(connection.capabilities)
        sorts = (imap.multi_search if asked.wide else imap.listing).sorts(connection)
        threads = imap.threads.algorithm(connection)
        pushed = bool(settings().push_connections) and connection.has("IDLE")
    if request.args.get("date"):
        notify(_("This date isn’t recognised. Type it like this: %(date)s.", date=today().isoformat()), "caution")
    remember_overview(listing.overview)
    current = listing.overview.get(mailbox)
    found_nothing = bool(asked.query) and not listing.total
    if asked.query and asked.page == 1 and not found_nothing:
        note_search(search)
    return page(
        "mailbox/show.html", listing=listing, mailbox=mailbox, asked=asked, query=asked.query, current=current, sorts=sorts,
        meant=meant, kind_words=search_query.plain_words(search),
        search=search, found_words=words_of(search) if asked.query else (), wide=asked.wide, exact_names=exact_names,
        inside=asked.query and len(imap.multi_search.within(listing.overview, mailbox, below=True).names) > 1,
        day=_marked(listing, asked),
        similar=similar_names(search, current_user(), listing.overview) if found_nothing else None,
        elsewhere=_found_everywhere(asked, search) if found_nothing and asked.scope != "all" else 0,
        role=current.role if current else None, chosen=request.args.get("select", ""),
        grouped=grouped if threads else None, pushed=pushed,
        state="" if asked.wide or not current
        else imap.new_mail.MailboxState(listing.uidvalidity, listing.uidnext, current.messages, current.unseen),
    )  # fmt: skip


class FolderMeant(NamedTuple):
    """A folder that a search without results names, how many messages there have the other words, and the first of them."""

    request: ListRequest
    path: str
    total: int
    rows: Sequence[Summary]


def _folder_meant(connection: Connection, list_request: ListRequest, search: Search) -> FolderMeant | None:
    """Where no text has the words, the folder that one of them names, if it has what else is sought; None if not just one has.
    Round trips of a search in each folder that is named, usually one."""
    overview = imap.mailboxes.overview(connection)
    meant = []
    for folder, rest in named_folders(search, overview):
        names = imap.multi_search.within(overview, folder.name, below=True).names if rest else (folder.name,)
        query = search_query.understood(rest, current_user(), today())
        total, rows = imap.multi_search.first(connection, names, query, _FIRST)
        there = ListRequest(folder.name, rest, "below" if len(names) > 1 else "", searched="" if rest else list_request.query)
        meant += [FolderMeant(there, mailbox_path(folder), total, rows)] if total else []
    return meant[0] if len(meant) == 1 else None


def _found_everywhere(list_request: ListRequest, search: Search) -> int:
    """How many messages the same search finds everywhere; 0 also where that is not known in time."""
    return imap.optional(
        current_account(), "", lambda connection: imap.multi_search.count(connection, list_request.mailbox, query=search), 0
    )


def _marked(listing: imap.listing.Listing, list_request: ListRequest) -> day_mark.DayMark | None:
    day = _day(request.args.get("day", ""))
    return day_mark.mark(listing, day) if day and list_request.sort == "date" and not list_request.wide else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
