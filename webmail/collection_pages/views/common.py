"""Common parts of the pages for books and calendars: what one is called, its colour, and rights in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import abort, g, url_for

from webmail.collection_pages.blueprint import blueprint
from webmail.collection_pages.texts import person
from webmail.collections import look, shares, store
from webmail.collections.store import BOOK, CALENDAR, Access
from webmail.collections.untold import Untold, untold
from webmail.models import CollectionShare, PeopleGroup, User
from webmail.people.suggestions import account_rows
from webmail.people.visibility import sight_of
from webmail.web.current import current_user, settings
from webmail.web.frame.areas import area_here, belong_to, shows

AREA_OF = {CALENDAR: "calendar", BOOK: "contacts"}  # whose pages those of a collection are


def untold_here() -> set[Untold]:
    """What the current user may have to be told. 1 query, once for a page."""
    if "untold" not in g:
        g.untold = untold(current_user())
    found: set[Untold] = g.untold
    return found


@dataclass(frozen=True, slots=True)
class ShownCollection:
    """A book or calendar as pages show it. `owner`: whose it is, "" for one's own; `rights`: one of `store.RIGHTS`, or "own"."""

    number: int
    kind: str
    title: str
    colour: str
    description: str
    rights: str
    owner: str
    owner_address: str
    count: int
    size: int
    derived: bool
    hidden: bool
    new: bool
    subscribed: bool = False  # to an address elsewhere
    hides_private: bool = False  # from who may write, too


def mine(number: int) -> Access:
    """The collection that the current user owns, or has by a share. Anything else is not there for them."""
    access = store.get(current_user(), number) if number < 2**63 else None
    if access is None:
        abort(404)
    set_area(access.collection.kind)
    return access


def set_area(kind: str) -> None:
    """The pages of a calendar are of the calendar, those of a book of the contacts. Raises NotAllowedError if they are hidden."""
    if kind in AREA_OF:
        belong_to(AREA_OF[kind])


def shown_kinds() -> tuple[str, ...]:
    """The kinds of collections whose pages are not hidden from who asks."""
    return tuple(kind for kind, area in AREA_OF.items() if shows(area))


@blueprint.app_template_global()
def collections_list(anchor: str | None = None) -> str:
    """The address of the list, which stays in the area that one is in."""
    values: dict[str, Any] = {"from": "calendar"} if area_here() == "calendar" else {}
    return url_for("collections.show", _anchor=anchor, **values)


def is_own(access: Access) -> bool:
    return access.collection.user_id == current_user().id


def shown_collection(access: Access) -> ShownCollection:
    row, own = access.collection, is_own(access)
    return ShownCollection(
        row.id, row.kind, title_of(access), look.colour_of(row.kind, access.props, row.id),
        look.description_of(row.kind, access.props) if access.reads else "", access.rights, "" if own else person(row.user),
        "" if own else row.user.address, row.count, row.size, bool(row.derived), access.hidden, access.new,
        row.derived == "subscription", bool(row.hides_private),
    )  # fmt: skip


def title_of(access: Access) -> str:
    return title(access.collection.kind, access.props)


def title(kind: str, props: dict[str, Any]) -> str:
    return titled(kind, look.title_of(props))


def titled(kind: str, name: str) -> str:
    """This name, or what is without one."""
    return name or store.nameless(kind, current_user())


def sharees(given: Sequence[CollectionShare]) -> list[str]:
    """What those are called with whom something is shared. At most 3 queries."""
    return called([shares.of_row(share) for share in given])


def called(people: Sequence[shares.Sharee]) -> list[str]:
    """Names; of somebody who is not in the directory for the person who is asking, the address, which is all that they know."""
    addresses = [one.address for one in people if isinstance(one, User)]
    sight = sight_of(current_user(), settings()) if addresses else None
    names = account_rows.checked(sight, addresses) if sight is not None and not sight.nobody else {}
    return [one.name if isinstance(one, PeopleGroup) else names.get(one.address) or one.address for one in people]


def who_words(who: shares.Sharee) -> str:
    return called([who])[0]
