"""A group: its name and address, who is in it and who looks after it; deleted with undo."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from webmail.admin.blueprint import blueprint
from webmail.admin.groups import group_changes
from webmail.admin.views.access import administrator
from webmail.admin.views.groups.group_list import domains_here, name_problem
from webmail.auth import account_management, address_owners
from webmail.auth.recovery import deputies
from webmail.collections import group_collections
from webmail.database.connection import db
from webmail.models import AuditAct, PeopleGroup, User
from webmail.people import groups, lists
from webmail.people.listing import group_pages
from webmail.people.listing.group_pages import GroupChangedElsewhereError
from webmail.web.audit import audited
from webmail.web.current import current_user
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.security_mail import SecurityNotice, tell

_MOST_ENTRIES = 200  # of the audit log, for one paste
_SHOWN = 10  # names in a notice


def group_or_404(number: int) -> PeopleGroup:
    group = group_pages.found(number, domains_here())
    if group is None:
        abort(404)
    return group


@blueprint.get("/groups/<int:number>")
def show_group(number: int) -> Response:
    return _group_page(group_or_404(number))


def _group_page(group: PeopleGroup, status: int = 200, **more: Any) -> Response:
    words = request.args.get("words", "")[:100]
    found = group_pages.members(group, words, request.args.get("page", 1, int))
    owners = "\n".join(one.address for one in lists.owners_of(group))
    helpers = "\n".join(one.address for one in deputies.of_group(group))
    shown = {"name": group.name, "address": group.address or "", "writers": group.writers or "members", "owners": owners,
             "deputies": helpers}  # fmt: skip
    values = {"errors": {}, "typed": shown, "text": "", "version": group.version or 0, **more}
    return page("admin/groups/group.html", status, group=group, found=found, words=words, **values)


@blueprint.post("/groups/<int:number>")
def change_group(number: int) -> AnyResponse:
    """Its `name`, `address`, `writers`, `owners` and `deputies`, as the form at this `version` has them."""
    group = group_or_404(number)
    typed = {name: request.form.get(name, "").strip()[:5000] for name in ("name", "address", "writers", "owners", "deputies")}
    before, errors = group.name, dict[str, str]()
    named = {field: group_changes.pasted(typed[field], group.domain) for field in ("owners", "deputies")}
    for field, one in named.items():
        if one.unknown:
            errors[field] = _("Nobody here is called %(name)s.", name=one.unknown[0][:80])
    changed: tuple[list[User], list[User]] = [], []
    if not errors:
        try:
            with db.atomic():
                group_pages.begin_change(group, request.form.get("version", 0, int))
                groups.rename(group, typed["name"])
                group_changes.give_address(group, typed["address"], typed["writers"])
                lists.set_owners(group, named["owners"].people)
                changed = deputies.set_for(group, named["deputies"].people)
        except GroupChangedElsewhereError:
            fresh = group_or_404(number)
            return _group_page(fresh, 409, typed=typed, elsewhere=True)
        except groups.UnusableGroupNameError:
            errors["name"] = name_problem()
        except groups.GroupNameTakenError:
            errors["name"] = _("There is already a group with this name, or nearly so.")
        except lists.UnusableListAddressError:
            errors["address"] = _("Enter an address that ends with @%(domain)s.", domain=group.domain)
        except group_changes.AddressInUseError:
            errors["address"] = _("This address is in use: it belongs to an account, a room or another group.")
    if errors:
        return _group_page(group_or_404(number), 422, typed=typed, errors=errors)
    audited(AuditAct.GROUP_CHANGED, group.name, change="renamed" if before != group.name else "changed", before=before)
    _tell_deputies(group, *changed)
    notify(_("“%(name)s” was saved.", name=group.name))
    return redirect(url_for("admin.show_group", number=number), 303)


def _tell_deputies(group: PeopleGroup, added: list[User], removed: list[User]) -> None:
    for notice, change, people in (
        (SecurityNotice.DEPUTY_ADDED, "added", added),
        (SecurityNotice.DEPUTY_REMOVED, "removed", removed),
    ):
        for one in people:
            audited(AuditAct.DEPUTY_CHANGED, one.address, change=change, group=group.name)
            tell(one, notice, group.name)


@blueprint.post("/groups/<int:number>/people")
def change_group_people(number: int) -> AnyResponse:
    """`action` add: those that the text `people` names; remove: those ticked (`person`, by number), with undo."""
    group = group_or_404(number)
    if request.form.get("action") == "remove":
        _remove(group)
        return redirect(url_for("admin.show_group", number=number), 303)
    text = request.form.get("people", "")[:500_000]
    found = group_changes.pasted(text, group.domain, administrator().includes)
    if not found.people:
        problem = _("Nobody was added: no account here has one of these addresses or user names.")
        return _group_page(group, 422, errors={"people": problem}, text=text)
    added = groups.add(group, found.people)
    _record(group, "added", found.people)
    words = ngettext("%(num)d person was added.", "%(num)d people were added.", added)
    if found.unknown:
        words += " " + _(
            "Not in %(domain)s: %(names)s",
            domain=group.domain, names=", ".join(found.unknown[:_SHOWN]) + ("…" if found.unknown[_SHOWN:] else ""),
        )  # fmt: skip
    notify(words, "caution" if found.unknown else "done")
    return redirect(url_for("admin.show_group", number=number), 303)


def _remove(group: PeopleGroup) -> None:
    ticked = {int(one) for one in request.form.getlist("person") if one.isdecimal() and len(one) < 12}
    scope, there = administrator(), address_owners.accounts_numbered(group_pages.by_hand(group, ticked))
    people = [one for one in there if one.domain == group.domain and scope.includes(one)]
    if not people:
        notify(_("Tick who is to leave the group first."), "caution")
        return
    kept = group_changes.remove(current_user(), group, people)
    _record(group, "removed", people)
    words = ngettext("%(num)d person was taken out of the group.", "%(num)d people were taken out of the group.", len(people))
    notify(words, undo=(url_for("admin.undo_group"), {"undo": kept}))


def _record(group: PeopleGroup, change: str, people: list[User]) -> None:
    for user in people[:_MOST_ENTRIES]:
        audited(AuditAct.GROUP_CHANGED, user.address, change=change, group=group.name)
    if people[_MOST_ENTRIES:]:
        audited(AuditAct.GROUP_CHANGED, group.name, change=change, messages=len(people) - _MOST_ENTRIES)


@blueprint.post("/groups/<int:number>/delete")
def delete_group(number: int) -> AnyResponse:
    group = group_or_404(number)
    kept = group_changes.delete(current_user(), group)
    audited(AuditAct.GROUP_CHANGED, group.name, change="deleted")
    notify(_("“%(name)s” was deleted. Its people stay.", name=group.name), undo=(url_for("admin.undo_group"), {"undo": kept}))
    return redirect(url_for("admin.show_groups"), 303)


@blueprint.post("/groups/undo")
def undo_group() -> AnyResponse:
    group = group_changes.undo(current_user(), request.form.get("undo", ""), domains_here())
    if group is None:
        notify(_("This can no longer be undone."), "caution")
        return redirect(url_for("admin.show_groups"), 303)
    group_collections.adopt(group, account_management.existing_group_account(group.identifier))
    audited(AuditAct.GROUP_CHANGED, group.name, change="made", undo=1)
    notify(_("Undone."))
    return redirect(url_for("admin.show_group", number=group.id), 303)
