"""Texts for books and calendars: what one is called, what somebody can do with it, and what others did with one's own."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import ngettext, pgettext

from webmail.collection_pages.blueprint import blueprint
from webmail.collections import look, manager_notes, store
from webmail.collections.manager_notes import ManagerAct
from webmail.collections.store import BOOK
from webmail.models import Collection, CollectionNote, User
from webmail.people.suggestions import account_rows
from webmail.people.visibility import sight_of
from webmail.web.current import settings


def title_for(collection: Collection, reader: User) -> str:
    """What it is called for somebody else than who asks, whatever these call it for themselves."""
    return look.title_of(store.props_for(collection, reader))


def person(user: User) -> str:
    return user.name or user.address


@blueprint.app_template_global()
def rights_words(rights: str) -> str:
    """What somebody can do with a collection, as on a form."""
    words = {
        "busy": _("Busy times only"), "read": pgettext("right", "Read"), "write": _("Read and edit"),
        "manage": _("Manage"),
    }  # fmt: skip
    return words.get(rights, "")


@blueprint.app_template_global()
def own_rights_words(rights: str) -> str:
    """What the reader can do with something that is shared with them."""
    words = {
        "busy": _("you see busy times only"), "read": _("you can read it"), "write": _("you can read and edit it"),
        "manage": _("you manage it"),
    }  # fmt: skip
    return words.get(rights, "")


@blueprint.app_template_global()
def count_words(kind: str, count: int) -> str:
    if kind == BOOK:
        return ngettext("%(num)d contact", "%(num)d contacts", count)
    return ngettext("%(num)d event", "%(num)d events", count)


def names_of(addresses: Sequence[str], reader: User) -> dict[str, str]:
    """The names of people, by address, as far as somebody sees them in the directory. 1 to 3 queries."""
    sight = sight_of(reader, settings()) if addresses else None
    return account_rows.checked(sight, addresses) if sight is not None and not sight.nobody else {}


def sentences(notes: Sequence[CollectionNote], reader: User) -> list[str]:
    """What managers did, in words for somebody. 3 queries at most."""
    names = names_of(manager_notes.addresses_in(notes), reader)
    return [_sentence(one, names, reader) for one in notes]


def _sentence(note: CollectionNote, names: dict[str, str], reader: User) -> str:
    told = {
        "who": names.get(note.by) or note.by, "whom": names.get(note.about) or note.about, "name": title_for(note.collection,
        reader), "rights": rights_words(note.rights),
    }  # fmt: skip
    match note.act:
        case ManagerAct.GIVEN:
            return _("%(who)s shared “%(name)s” with %(whom)s (%(rights)s).", **told)
        case ManagerAct.CHANGED:
            return _("%(who)s changed what %(whom)s can do with “%(name)s” (%(rights)s).", **told)
        case ManagerAct.REVOKED:
            return _("%(who)s stopped sharing “%(name)s” with %(whom)s.", **told)
        case ManagerAct.LINK_MADE:
            return _("%(who)s made an address where anyone can read “%(name)s” without signing in.", **told)
        case ManagerAct.GROUP_GONE:
            return _("“%(name)s” is no longer shared with %(whom)s: this group was deleted.", **told)
        case ManagerAct.LINK_ENDED:
            return _("%(who)s ended an address of “%(name)s”.", **told)
    return _("%(who)s changed the name, colour or description of “%(name)s”.", **told)
