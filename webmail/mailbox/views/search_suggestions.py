"""Search suggestions: what the box suggests as one types, what stands above results, and the searches typed lately."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import partial
from typing import Literal, NamedTuple

from flask import Flask, current_app, redirect, request, session, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail.database.connection import DATABASE_AWAY, thread_connection
from webmail.imap.mailbox_list.mailboxes import Overview
from webmail.imap.searching.search import Search
from webmail.mailbox import tags
from webmail.mailbox.blueprint import blueprint
from webmail.mailbox.search import recent_searches
from webmail.mailbox.search.search_suggestions import LONGEST, NamedFolder, SearchSuggestions, suggestions
from webmail.mailbox.search.similar_names import named_folders
from webmail.mailbox.views.search import ready_searches, saved_searches
from webmail.models import User
from webmail.web.current import after_the_answer, current_user, overview_known
from webmail.web.forms.request_values import fetched_ahead
from webmail.web.labels import mailbox_path
from webmail.web.notices import notify
from webmail.web.rendering import fragment

log = logging.getLogger(__name__)


class SuggestionLink(NamedTuple):
    """`icon`: "" for a tag, which has its `colour`; `what` it is, and both in `words`."""

    name: str
    what: str
    words: str
    url: str
    icon: Literal["folder", "people", "snoozed", ""]
    colour: str = ""


@blueprint.get("/search/suggestions")
def suggest_searches() -> Response:
    """What the box offers for what is in it (`words`), for its script. The mail server is not asked."""
    typed = request.args.get("words", "")[:LONGEST]
    found = suggestions(current_user(), typed, _named(overview_known()), with_recent=not _is_shared())
    return fragment(
        "mailbox/_suggestions.html", suggestions=[*_links(found, typed), *_recent_links(found)], asked="words" in request.args
    )


@blueprint.post("/search/recent")
def forget_searches() -> Response:
    """Forget what was searched for lately."""
    count = recent_searches.clear(current_user())
    notify(ngettext("%(num)d recent search forgotten.", "%(num)d recent searches forgotten.", count))
    return redirect(url_for("mailbox.search"), 303)


@blueprint.app_template_global()
def recent_search_queries() -> list[str]:
    return [] if _is_shared() else recent_searches.latest(current_user())


@blueprint.app_template_global()
def offered_above(search: Search, query: str, found_in: Overview) -> list[SuggestionLink]:
    """What stands above the results of a search: folders that its words name, people and tags of that name. At most 3 queries."""
    folders = list(_named(found_in))
    found = suggestions(current_user(), query, folders, with_recent=False)
    known = {mailbox.name for mailbox, _path in found.folders}
    meant = [mailbox.name for mailbox, _rest in named_folders(search, found_in) if mailbox.name not in known]
    also = [one for one in folders if one[0].name in meant]
    return _links(SearchSuggestions([*found.folders, *also], found.people, found.tags), query)


def note_search(search: Search) -> None:
    """Keep a search that found something among the recent ones, once this answer has gone."""
    query = search.text
    if _is_shared() or fetched_ahead() or not recent_searches.is_typed(search) or "auto" in request.args:
        return
    if query in [words for _label, words in ready_searches(current_user().address)] + [one.query for one in saved_searches()]:
        return
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    after_the_answer(partial(_note, app, current_user(), query))


def _note(app: Flask, user: User, query: str) -> None:
    try:
        with app.app_context(), thread_connection():
            recent_searches.note(user, query)
    except DATABASE_AWAY as error:  # nobody misses it
        log.info("a search is not noted: %s", error)


def _is_shared() -> bool:
    row = session.row  # type: ignore[attr-defined]
    return bool(row and row.shared)


def _named(found: Overview | None) -> Iterable[NamedFolder]:
    return ((mailbox, mailbox_path(mailbox)) for mailbox in found.mailboxes) if found else ()


def _links(found: SearchSuggestions, typed: str) -> list[SuggestionLink]:
    """The words that were typed stay in the box of a folder that they led to."""
    mine = tags.for_user(current_user()) if found.tags else []
    return [
        *(
            SuggestionLink(
                path, _("Folder"), _("Folder %(folder)s", folder=path),
                url_for("mailbox.show", mailbox=mailbox.name, searched=" ".join(typed.split()) or None), "folder",
            )
            for mailbox, path in found.folders
        ),
        *(
            SuggestionLink(
                one.label, _("Person"), _("Messages from %(person)s", person=one.label),
                _everywhere(f"from:{one.email}"), "people",
            )
            for one in found.people
        ),
        *(
            SuggestionLink(
                tag.name, _("Tag"), _("Tag %(tag)s", tag=tag.name),
                _everywhere(tags.search_words(tag.keyword, mine)), "", tag.colour,
            )
            for tag in found.tags
        ),
    ]  # fmt: skip


def _recent_links(found: SearchSuggestions) -> list[SuggestionLink]:
    return [SuggestionLink(query, _("Recent search"), query, _everywhere(query), "snoozed") for query in found.recent]


def _everywhere(query: str) -> str:
    return url_for("mailbox.show", mailbox="INBOX", query=query, scope="all")
