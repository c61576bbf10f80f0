"""Sources of people: the person's books, and others that have a page of their own: people one writes to, the directory.

A source beside the books is added to SOURCES by the module of its page. The search of the contacts' page asks it too; who is
among the contacts found there already is one row with them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import g, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from webmail.collections import store as collections
from webmail.collections.store import Access
from webmail.contacts import book_access, contact_list
from webmail.contacts.blueprint import blueprint
from webmail.contacts.book_access import BookReadOnlyError
from webmail.contacts.contact_list import ContactPage
from webmail.mime.headers.address_input import address_key
from webmail.models import Collection, Contact, User
from webmail.web.current import current_user
from webmail.web.frame.first_visit import made_if_writable

MOST_FOUND = 10  # of each source, below the contacts that match
_HERE = {
    "contacts.people": "people", "contacts.directory": "directory", "contacts.import_form": "import",
    "contacts.show_duplicates": "duplicates", "collections.show": "collections",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SourcePerson:
    """Somebody whom a source knows. `url`: the page of this person there; "" if there is none."""

    name: str
    email: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class PeopleSource:
    """`find`: the first of those that match the words, at most so many, and how many there are. It must be quick."""

    key: str
    label: Callable[[], str]  # of its tab
    url: Callable[[str], str]  # of its page, with these words searched for
    find: Callable[[User, str, int], tuple[Sequence[SourcePerson], int]]
    is_on: Callable[[], bool] = lambda: True  # whether there is such a page
    searched: Callable[[], bool] = lambda: True  # whether the person wants it in their search
    named: bool = True  # whether the rows of contacts say that they stand there too


SOURCES: list[PeopleSource] = []


@dataclass(frozen=True, slots=True)
class Tab:
    label: str
    url: str
    key: str  # "all", "groups", the `id` of a book, or the key of a source
    kind: str = ""  # "book", "source"
    count: int | None = None


@dataclass(slots=True)
class FoundElsewhere:
    """What a source knows beside the contacts that match. `people`: those who are not among them."""

    label: str
    url: str
    people: list[SourcePerson]
    total: int
    more: bool  # than the search has looked at


def shelf() -> list[Access]:
    """The books of the person who is asking. 1 query, once for a page."""
    if "contact_shelf" not in g:
        g.contact_shelf = book_access.shelf(current_user(), made_if_writable(collections.default_collection))
    found: list[Access] = g.contact_shelf
    return found


@blueprint.app_template_global()
def book_label(access: Access) -> str:
    """What a book is called; others' with whose it is."""
    title = book_access.title(access)
    if access.rights == "own":  # whose row is not read with it
        return title
    owner = access.collection.user
    return _("%(book)s (%(person)s)", book=title, person=owner.name or owner.address)


def asked_book() -> Access | None:
    """The book that the address of the page names (`book`), if the person reads it."""
    number = request.values.get("book", 0, int)
    return next((one for one in shelf() if one.collection.id == number), None) if number else None


def chosen_book() -> Collection | None:
    """The book that a form names, where new contacts go; None for the first one. Raises BookReadOnlyError if it may not be
    changed."""
    if not request.values.get("book", "").strip():
        return None
    found = asked_book()
    if found is None or not found.writes:
        raise BookReadOnlyError(request.values["book"][:20])
    return found.collection if found is not shelf()[0] else None


@blueprint.app_template_global()
def contact_tabs() -> list[Tab]:
    """All contacts, each book where there are several with its people, other sources, groups. Once for a page."""
    if "contact_tabs" not in g:
        g.contact_tabs = _tabs()
    found: list[Tab] = g.contact_tabs
    return found


def _tabs() -> list[Tab]:
    tabs = [Tab(_("All"), url_for("contacts.show"), "all")]
    if len(found := shelf()) > 1:
        groups = contact_list.groups_by_book(found)
        for one in found:
            number = one.collection.id
            people = max(one.collection.count - groups.get(number, 0), 0)
            tabs.append(Tab(book_label(one), url_for("contacts.show", book=number), str(number), "book", people))
    tabs.append(Tab(_("Groups"), url_for("contacts.show", kind="group"), "groups"))
    return tabs + [Tab(one.label(), one.url(""), one.key, "source") for one in SOURCES if one.is_on()]


@blueprint.app_template_global()
def contacts_here() -> str:
    """The tab, or the link beside the page, that leads to it; "" if none does, as for a letter or words in all books."""
    if request.endpoint != "contacts.show":
        return _HERE.get(request.endpoint or "", "")
    if request.args.get("kind") == "group":
        return "groups"
    if book := asked_book():
        return str(book.collection.id)
    return "" if request.args.get("letter") or request.args.get("words") else "all"


@blueprint.app_template_global()
def book_of(row: Contact) -> str:
    """The book of a contact, unless it is the person's first one."""
    found = shelf()
    return next((book_label(one) for one in found[1:] if one.collection.id == row.collection_id), "")


@blueprint.app_template_global()
def any_book_of(row: Contact) -> str:
    """The book of a contact."""
    return book_of(row) or book_label(shelf()[0])


@blueprint.app_template_global()
def several_books() -> bool:
    return len(shelf()) > 1


@blueprint.app_template_global()
def books_to_write() -> list[tuple[int, str]]:
    """(`id`, name) of the books that the person may add to; none if there is only one: nobody needs to choose then."""
    found = [(one.collection.id, book_label(one)) for one in book_access.writable(shelf())]
    return found if len(found) > 1 else []


def elsewhere(text: str, found: ContactPage) -> tuple[list[FoundElsewhere], dict[int, list[str]]]:
    """Who else matches the words, source by source; and in which sources contacts stand too (by `id`)."""
    rest: list[FoundElsewhere] = []
    also: dict[int, list[str]] = {}
    taken: set[str] = set()
    for source in (one for one in SOURCES if text.strip() and one.is_on() and one.searched()):
        people, total = source.find(current_user(), text, MOST_FOUND)
        keys = {address_key(one.email): one for one in people}
        known = contact_list.with_addresses(current_user(), shelf(), text, [key for key in keys if key]) if keys else {}
        heads = {each.id: row.id for row in found.rows for each in (row, *found.twins.get(row.id, ()))}
        for number in known.values() if source.named else ():
            labels = also.setdefault(heads.get(number, number), [])
            if source.label() not in labels:
                labels.append(source.label())
        left = [one for key, one in keys.items() if key not in known and key not in taken]
        taken.update(keys)
        if left or total > len(people):
            rest.append(FoundElsewhere(source.label(), source.url(text), left, total, total > len(people)))
    return rest, also


@blueprint.app_template_global()
def more_words(found_elsewhere: FoundElsewhere) -> str:
    """The link to all that a source has."""
    return ngettext("See %(num)d match", "See all %(num)d matches", found_elsewhere.total)
