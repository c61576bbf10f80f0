"""Delegation, managing what somebody else owns: who may, and how the owner is told of what was done, on pages and by mail."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NoReturn, cast

from flask import abort, g, redirect, url_for
from flask_babel import gettext as _

from webmail.collection_pages.blueprint import blueprint
from webmail.collection_pages.notifications import owners
from webmail.collection_pages.texts import sentences
from webmail.collection_pages.views.common import is_own, mine, title, title_of, untold_here
from webmail.collections import manager_notes
from webmail.collections.manager_notes import ManagerAct
from webmail.collections.store import Access
from webmail.collections.untold import Untold
from webmail.models import Collection, CollectionNote
from webmail.web.current import current_user
from webmail.web.notices import notify


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


@blueprint.app_template_global()
def collection_changes() -> tuple[list[str], int, int]:
    """What others did with what the current user owns, which they were not told of yet, the latest first; up to which note (its
    `id`, 0: none), and of which collection that is. Read once for a request, 1 to 4 queries if there are any.
    """
    if "collection_changes" not in g:
        notes = manager_notes.unseen(current_user()) if Untold.CHANGED in untold_here() else []
        latest = (notes[0].id, notes[0].collection_id) if notes else (0, 0)
        g.collection_changes = (sentences(notes, current_user()), *latest)
    return cast("tuple[list[str], int, int]", g.collection_changes)


def tell_owner(access: Access, matter: str, notes: Sequence[CollectionNote]) -> None:
    """Tell the owner of a collection by mail what the current user did with it as a manager, if anything was done."""
    if notes and not is_own(access):
        owners.tell_owner(access, matter, notes, current_user())
