"""What a group gives its people: room, sizes, sending, forwarding, a second factor, hidden areas, and whom they may write to."""

from __future__ import annotations

from typing import Any

from flask import Response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from webmail.admin import people_texts
from webmail.admin.blueprint import blueprint
from webmail.admin.groups import policy_texts
from webmail.admin.groups.group_forms import PolicyForm
from webmail.admin.views.access import most_given
from webmail.admin.views.groups.group_list import domains_here
from webmail.admin.views.groups.group_page import group_or_404
from webmail.auth import aliases
from webmail.auth.aliases import CatchAllTargetError
from webmail.database.connection import db
from webmail.models import AuditAct, Establishment, PeopleGroup
from webmail.people import groups, policies, reach
from webmail.people.listing import group_pages
from webmail.people.listing.group_pages import GroupChangedElsewhereError
from webmail.web.audit import audited
from webmail.web.notices import notify
from webmail.web.rendering import page


@blueprint.get("/groups/<int:number>/policy")
def show_group_policy(number: int) -> Response:
    group = group_or_404(number)
    return _policy_page(group, PolicyForm.showing(policies.of_group(group)))


@blueprint.post("/groups/<int:number>/policy")
def change_group_policy(number: int) -> AnyResponse:
    """What was typed, if nobody changed the group since the form's `version`."""
    group, form = group_or_404(number), PolicyForm.sent(request.form)
    said = form.read(domains_here(), policies.of_group(group), most_given())
    if said is None:
        return _policy_page(group, form, 422, version=request.form.get("version", 0, int))
    try:
        with db.atomic():
            group_pages.begin_change(group, request.form.get("version", 0, int))
            changed = policies.set_group(group, said)
            if said.written_by == reach.INSIDE:
                aliases.keep_catch_alls({user.id for user in groups.members(group)})
    except GroupChangedElsewhereError:
        return _policy_page(group_or_404(number), form, 409, elsewhere=True)
    except CatchAllTargetError as error:
        form.errors["written_by"] = people_texts.catch_all_words(error.alias)
        return _policy_page(group_or_404(number), form, 422, version=request.form.get("version", 0, int))
    audited(AuditAct.GROUP_CHANGED, group.name, change="policy")
    notify(saved_words(changed))
    return redirect(url_for("admin.show_group", number=number), 303)


def saved_words(changed: int) -> str:
    """`changed`: for how many people it is another one."""
    words = ngettext(
        "Saved. It changes something for %(num)d person.", "Saved. It changes something for %(num)d people.", changed
    )
    return words if changed else _("Saved.")


def _policy_page(
    group: PeopleGroup, form: PolicyForm, status: int = 200, *, elsewhere: bool = False, version: int | None = None
) -> Response:
    return policy_page(
        group, form, status, elsewhere=elsewhere, version=version, group=group,
        back=url_for("admin.show_group", number=group.id), action=url_for("admin.change_group_policy", number=group.id),
    )  # fmt: skip


def policy_page(
    whose: PeopleGroup | Establishment, form: PolicyForm, status: int, *,
    elsewhere: bool, version: int | None, **more: Any,
) -> Response:  # fmt: skip
    """The form of what a group or an establishment gives. `elsewhere`: somebody else changed it meanwhile."""
    return page(
        "admin/groups/policy.html", status, whose=whose, form=form, elsewhere=elsewhere,
        hideable=policy_texts.hideable(), labels=policy_texts.labels(), service_titles=policy_texts.service_titles(),
        version=(whose.version or 0) if version is None else version,
        now=PolicyForm.showing(policies.loads(whose.policy)) if elsewhere else None, **more,
    )  # fmt: skip
