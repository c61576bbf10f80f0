"""The calendars and address books of a group: made, written by whom the group says, deleted."""

from __future__ import annotations

from flask import Response, abort, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webmail.admin.blueprint import blueprint
from webmail.admin.views.access import administrator
from webmail.auth import account_management
from webmail.collections import group_collections, store
from webmail.collections.group_collections import Writers
from webmail.collections.look import title_of
from webmail.models import AuditAct, GroupCollection, PeopleGroup, User
from webmail.people import groups, lists
from webmail.web.audit import audited
from webmail.web.notices import notify
from webmail.web.rendering import page


@blueprint.get("/groups/<int:number>/collections")
def show_group_collections(number: int) -> Response:
    return _page(_group(number))


@blueprint.post("/groups/<int:number>/collections")
def make_group_collection(number: int) -> AnyResponse:
    """`kind` and `name`; all members write in it until it is said otherwise."""
    group, form = _group(number), request.form
    name, kind = form.get("name", "").strip()[:190], form.get("kind", "")
    if kind not in (store.CALENDAR, store.BOOK) or not name:
        return _page(group, 422, _("Enter a name."))
    owner = account_management.group_account(group.identifier, group.name)
    group_collections.make(group, owner, kind, name, f"group-{form.get('form', '')[:32] or store.new_name()}")
    audited(AuditAct.GROUP_CHANGED, group.name, change="collection made", collection=name)
    notify(_("“%(name)s” is there: everybody in the group sees it, on phones too.", name=name))
    return _back(group)


@blueprint.post("/groups/<int:number>/collections/<int:row>")
def change_group_collection(number: int, row: int) -> AnyResponse:
    """`action`: save who writes in it (`writers`, and `people` by address), or delete it, where `sure` is ticked."""
    group, form = _group(number), request.form
    found = group_collections.find(group, row)
    if found is None:
        abort(404)
    title = group_collection_title(found)
    if form.get("action") == "delete":
        if not form.get("sure"):
            notify(_("Nothing was deleted: tick the box first."), "caution")
            return _back(group)
        group_collections.remove(found)
        audited(AuditAct.GROUP_CHANGED, group.name, change="collection deleted", collection=title)
        notify(_("“%(name)s” was deleted, with all that was in it.", name=title))
        return _back(group)
    writers = Writers(form["writers"]) if form.get("writers") in list(Writers) else Writers.MEMBERS
    people, stranger = _named(group, writers, form.get("people", "")[:10_000])
    if stranger:
        return _page(group, 422, _("%(name)s is not in this group.", name=stranger))
    group_collections.let_write(found, writers, people)
    audited(AuditAct.GROUP_CHANGED, group.name, change="collection writers", collection=title, level=writers)
    notify(_("Saved."))
    return _back(group)


def _named(group: PeopleGroup, writers: Writers, text: str) -> tuple[list[User], str]:
    """Who writes in it by name, and the first typed who is not in the group."""
    if writers is Writers.OWNERS:
        return lists.owners_of(group), ""
    if writers is Writers.MEMBERS:
        return [], ""
    members = {one.address: one for one in groups.members(group)}
    typed = [one if "@" in one else f"{one}@{group.domain}" for one in text.lower().replace(",", " ").split()]
    stranger = next((one for one in typed if one not in members), "")
    return [members[one] for one in typed[: group_collections.MOST_NAMED] if one in members], stranger


def _group(number: int) -> PeopleGroup:
    scope = administrator()
    group = groups.of_number(number, None if scope.everything else scope.domains)
    if group is None:
        abort(404)
    return group


def _back(group: PeopleGroup) -> AnyResponse:
    return redirect(url_for("admin.show_group_collections", number=group.id), 303)


def _page(group: PeopleGroup, status: int = 200, problem: str = "") -> Response:
    group_collections.adopt(group, account_management.existing_group_account(group.identifier))
    return page("admin/groups/collections.html", status, group=group, problem=problem)


@blueprint.app_template_global()
def group_collections_of(group: PeopleGroup) -> list[GroupCollection]:
    return group_collections.listed(group)


@blueprint.app_template_filter()
def group_collection_title(row: GroupCollection) -> str:
    return title_of(store.props_for(row.collection, row.collection.user))


@blueprint.app_template_filter()
def group_writers(row: GroupCollection) -> str:
    """By address, one a line."""
    return "\n".join(one.address for one in group_collections.writers_of(row))
