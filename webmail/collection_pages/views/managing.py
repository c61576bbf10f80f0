"""Managing what somebody else owns: who may, and how the owner is told of what was done, on pages and by mail."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NoReturn, cast

from flask import abort, g, redirect, url_for
from flask_babel import gettext as _

from webmail import system_mail
from webmail.collection_pages.blueprint import blueprint
from webmail.collection_pages.views.common import is_own, mine, person, rights_words, title, title_of
from webmail.collections import manager_notes
from webmail.collections.manager_notes import ManagerAct
from webmail.collections.store import Access
from webmail.errors import BadAddress, UnsafeValue
from webmail.models import Collection, CollectionNote, User
from webmail.people import account_rows
from webmail.people.visibility import sight_of
from webmail.web.current import current_user, settings, wake_system_mail
from webmail.web.formatting import today, written_in
from webmail.web.notices import notify
from webmail.web.public_links import public_link

_LONGEST_SUBJECT = 300


def managed(number: int) -> Access:
    """The collection that the current user owns or manages. Who only has it comes to its page, and reads why nothing happened."""
    access = mine(number)
    if not access.manages:
        refuse(access)
    return access


def lost(number: int) -> NoReturn:
    """What to answer where a right, or the collection, went away between look-up and lock."""
    refuse(mine(number))


def refuse(access: Access) -> NoReturn:
    if is_own(access):  # and derived
        abort(404)
    notify(_("You can’t manage “%(name)s”. Nothing was changed.", name=title_of(access)), "caution")
    abort(redirect(url_for("collections.one", number=access.collection.id), 303))


def title_for_all(collection: Collection) -> str:
    """What it is called, whatever the current user calls it for themselves."""
    return title(collection.kind, json.loads(collection.props))


def owner_in_audit(access: Access) -> str | None:
    """The detail `address` of an entry about what is somebody else's."""
    return None if is_own(access) else access.collection.user.address


# --- what the owner is told ------------------------------------------------------------------------------------------


def note(access: Access, act: ManagerAct, about: str = "", rights: str = "") -> CollectionNote:
    """What the current user did, in order to write of it; `manager_notes.add` has stored it."""
    return CollectionNote(collection=access.collection, by=current_user().address, act=act.value, about=about, rights=rights)


def names_of(addresses: Sequence[str], reader: User) -> dict[str, str]:
    """The names of people, by address, as far as somebody sees them in the directory. 1 to 3 queries."""
    sight = sight_of(reader, settings()) if addresses else None
    return account_rows.checked(sight, addresses) if sight is not None and not sight.nobody else {}


def sentences(notes: Sequence[CollectionNote], reader: User) -> list[str]:
    """What managers did, in words for somebody. 3 queries at most."""
    names = names_of(manager_notes.addresses_in(notes), reader)
    return [_sentence(one, names) for one in notes]


def _sentence(one: CollectionNote, names: dict[str, str]) -> str:
    told = {
        "who": names.get(one.by) or one.by, "whom": names.get(one.about) or one.about, "name": title_for_all(one.collection),
        "rights": rights_words(one.rights),
    }  # fmt: skip
    match one.act:
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


@blueprint.app_template_global()
def collection_changes() -> tuple[list[str], int, int]:
    """What others did with what the current user owns, which they were not told of yet, the latest first; up to which note (its
    `id`, 0: none), and of which collection that is. Read once for a request, 1 to 4 queries.
    """
    if "collection_changes" not in g:
        notes = manager_notes.unseen(current_user())
        latest = (notes[0].id, notes[0].collection_id) if notes else (0, 0)
        g.collection_changes = (sentences(notes, current_user()), *latest)
    return cast("tuple[list[str], int, int]", g.collection_changes)


def tell_owner(access: Access, matter: str, notes: Sequence[CollectionNote]) -> None:
    """Tell the owner of a collection by mail what a manager did with it, once a day for each `matter`: the first of it.

    Pages tell all (`collection_changes`).
    """
    if is_own(access) or not notes or settings().system_sender is None:
        return
    owner, number = access.collection.user, access.collection.id
    language = system_mail.in_language_of(owner, settings())
    with written_in(language):
        words = sentences(notes, owner)
        subject = _("“%(name)s”: changed by %(who)s", name=title_for_all(access.collection), who=person(current_user()))
        more = _("Whatever else others change there today is listed on its page:")
        body = "\n".join([*words, "", more, public_link("collections.one", number=number, changes=1)])
    dedup = f"{number} {matter} {today().isoformat()}"
    try:
        row = system_mail.send(owner.address, "collection-managed", subject[:_LONGEST_SUBJECT], body, language, dedup)
    except (BadAddress, UnsafeValue):
        return
    if row is not None:
        wake_system_mail(row)
