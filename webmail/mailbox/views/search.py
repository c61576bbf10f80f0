"""Search pages: the advanced search form, which needs no operators, and saved searches."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import peewee as pw
from flask import abort, g, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import pgettext
from werkzeug.wrappers import Response

from webmail.errors import NoSuchMailboxError
from webmail.imap.searching.search import SearchRemark
from webmail.mailbox.blueprint import blueprint
from webmail.mailbox.list_request import LONGEST_QUERY, SCOPES, ListRequest
from webmail.mailbox.search import search_query
from webmail.models import SavedSearch
from webmail.web.current import current_user, overview
from webmail.web.formatting import today
from webmail.web.forms.request_values import local_path
from webmail.web.frame.list_buttons import LIST_BUTTONS
from webmail.web.frame.page_rows import add_rows, page_rows
from webmail.web.notices import notify
from webmail.web.rendering import page

_MOST_SAVED = 50
_LONGEST_NAME = 100


@blueprint.get("/search")
def search() -> Response:
    """The form, filled in from the current search (`matching`, `mailbox`, `scope`), whose order (`sort`) it keeps."""
    asked = _search_request()
    found = search_query.understood(asked.query, current_user(), today())
    return _form(asked, search_query.fields_of(found, asked.query, today()))


@blueprint.get("/search/go")
def go() -> Response:
    """Convert the submitted form to a query and redirect to its results."""
    asked = _search_request()
    fields = request.args.to_dict()
    query = search_query.query_of(fields)
    if not query:
        notify(_("Fill in at least one field."), "caution")
        return _form(asked, fields, 422)
    if len(query) > LONGEST_QUERY:
        notify(_("The search is too long. Shorten one of the fields."), "caution")
        return _form(asked, fields, 422)
    found = ListRequest.parse(asked.mailbox, {"query": query, "scope": asked.scope, "sort": asked.sort})
    return redirect(url_for("mailbox.show", **found.arguments()), 303)


@blueprint.post("/search/saved")
def save_search() -> Response:
    """Save the current search under a name."""
    return _save(request.form.get("mailbox", "") or "INBOX")


def _save(mailbox: str) -> Response:
    asked = ListRequest.parse(mailbox, request.form)
    name = _name()
    back = local_path(request.form.get("back", "")) or url_for("mailbox.show", **asked.arguments())
    if not asked.query or not name:
        notify(_("Give the search a name."), "caution")
    elif len(saved_searches()) >= _MOST_SAVED:
        notify(_("You can save at most %(num)d searches. Delete one first.", num=_MOST_SAVED), "caution")
    else:
        try:
            SavedSearch.create(user=current_user(), name=name, query=asked.query, mailbox=asked.mailbox, scope=asked.scope)
            notify(_("Search “%(name)s” saved.", name=name))
        except pw.IntegrityError:
            notify(_("You already have a search with this name. Choose another name."), "caution")
    return redirect(back, 303)


LIST_BUTTONS["save-search"] = lambda mailbox, _argument: _save(mailbox)


@blueprint.post("/search/saved/<int:number>")
def change_search(number: int) -> Response:
    """Rename or delete a saved search; 404 for somebody else's."""
    known = 0 < number < 2**63
    mine = SavedSearch.get_or_none((SavedSearch.id == number) & (SavedSearch.user == current_user())) if known else None
    if mine is None:
        abort(404)
    name = _name()
    if request.form.get("action") == "delete":
        mine.delete_instance()
        notify(_("Search “%(name)s” deleted.", name=mine.name))
    elif not name:
        notify(_("Give the search a name."), "caution")
    else:
        try:
            SavedSearch.update(name=name).where(SavedSearch.id == number).execute()
            notify(_("Search renamed to “%(name)s”.", name=name))
        except pw.IntegrityError:
            notify(_("You already have a search with this name. Choose another name."), "caution")
    return redirect(url_for("mailbox.search"), 303)


add_rows(
    "searches", SavedSearch, (SavedSearch.id, SavedSearch.name, SavedSearch.query, SavedSearch.mailbox, SavedSearch.scope),
    lambda slot: SavedSearch.user == slot("user"),
)  # fmt: skip


class Saved(NamedTuple):
    """A saved search."""

    id: int
    name: str
    query: str
    mailbox: str
    scope: str


@blueprint.app_template_global()
def saved_searches() -> list[Saved]:
    """The user's saved searches, sorted by name. 1 query, that of `page_rows`."""
    if "saved_searches" not in g:
        g.saved_searches = sorted((Saved(*row) for row in page_rows("searches")), key=lambda row: row.name.casefold())
    return cast("list[Saved]", g.saved_searches)


class SavedLink(NamedTuple):
    """A saved search in the side bar."""

    name: str
    mailbox: str
    query: str
    scope: str
    current: bool


@blueprint.app_template_global()
def saved_search_links() -> tuple[SavedLink, ...]:
    """The user's saved searches; the one whose results are shown is current."""
    return tuple(SavedLink(row.name, row.mailbox, row.query, row.scope, _is_shown(row)) for row in saved_searches())


def _is_shown(row: Saved) -> bool:
    if request.endpoint != "mailbox.show" or request.args.get("query") != row.query:
        return False
    scope = request.args.get("scope", "")
    return scope == row.scope and (scope == "all" or (request.view_args or {}).get("mailbox") == row.mailbox)


@blueprint.app_template_global()
def ready_search_here(address: str) -> str:
    """The query of the predefined search whose results are shown; "" for none."""
    if request.endpoint != "mailbox.show" or request.args.get("scope") != "all":
        return ""
    query = request.args.get("query", "")
    return query if query in [words for _label, words in ready_searches(address)] else ""


@blueprint.app_template_global()
def ready_searches(address: str) -> list[tuple[str, str]]:
    """Predefined searches in all mailboxes of the person with this address, as (label, query)."""
    return [
        (pgettext("messages", "Unread"), "is:unread"),
        (_("Flagged"), "is:flagged"),
        (_("With attachments"), "has:attachment"),
        (_("Sent directly to me"), f"to:{address}"),
    ]


@blueprint.app_template_global()
def remark_words(remark: SearchRemark) -> str:
    """The message about a part of a search that was not interpreted as the user may have meant it."""
    match remark.kind:
        case "operator":
            return _("“%(words)s” isn’t a search operator, so it was searched for as text.", words=remark.words)
        case "value":
            return " ".join(filter(None, (_value_words(remark), _hint(remark))))
        case "tag":
            return _("“%(words)s”: you have no tag with that name, so it was searched for as text.", words=remark.words)
        case "many":
            return _("Only the first %(num)s words were used.", num=remark.words)
        case "phrase":
            return _(
                "%(words)s: with OR, parentheses or a minus sign, quotes do not keep words together; they count in any order.",
                words=remark.words,
            )


def _value_words(remark: SearchRemark) -> str:
    if remark.words.endswith(":"):
        return _("“%(words)s” needs a word after it, so it was searched for as text.", words=remark.words)
    return _("“%(words)s” wasn’t understood, so it was searched for as text.", words=remark.words)


def _hint(remark: SearchRemark) -> str:
    """What is understood after this operator, in a sentence."""
    match remark.operator:
        case "larger" | "smaller":
            return _("Write sizes like this: 300k, 5M or 1.5G.")
        case "before" | "after" | "on" | "older_than" | "newer_than":
            return _("Write dates like this: 2026-03-01, 2026-03, 2026, yesterday, or 2w for two weeks ago.")
        case "is":
            return _("You can use is:unread, is:read, is:flagged, is:answered, is:forwarded and is:draft.")
        case "has":
            return _("You can use has:attachment.")
        case "in":
            return _("Put the folder to search outside parentheses, without a minus sign.")
    return ""


def _search_request() -> ListRequest:
    """The search that the form refers to; the inbox if it was opened from a page without a list."""
    args = request.args
    scope = args.get("scope", "")
    return ListRequest.parse(
        args.get("mailbox", "") or "INBOX",
        {"query": args.get("matching", ""), "scope": scope if scope in SCOPES else "", "sort": args.get("sort", "")},
    )


def _form(list_request: ListRequest, fields: dict[str, Any], status: int = 200) -> Response:
    folders = overview()
    if folders and not folders.get(list_request.mailbox):
        raise NoSuchMailboxError("no mailbox has such a name")
    return page(
        "mailbox/search.html", status, asked=list_request, mailbox=list_request.mailbox, fields=fields, states=search_query.STATES
    )


def _name() -> str:
    return " ".join(request.form.get("name", "").split())[:_LONGEST_NAME]
