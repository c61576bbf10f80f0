"""Limits of one person: what they have of their own, in place of what their groups say."""

from __future__ import annotations

from flask import Response, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webmail.admin import people_texts
from webmail.admin.blueprint import blueprint
from webmail.admin.groups import policy_texts
from webmail.admin.groups.group_forms import PolicyForm
from webmail.admin.people import limits
from webmail.admin.people.changes import gives_quota
from webmail.admin.people.editing import AccountChangedError
from webmail.admin.views.access import account_or_404, administrator, changed_by, most_given
from webmail.admin.views.groups.group_list import domains_here
from webmail.auth import account_management
from webmail.auth.aliases import CatchAllTargetError
from webmail.models import User
from webmail.people import policies
from webmail.web.current import settings
from webmail.web.notices import notify, undone
from webmail.web.rendering import page


@blueprint.get("/people/<int:number>/limits")
def show_limits(number: int) -> Response:
    user = account_or_404(administrator(), number)
    return _limits_page(user, PolicyForm.showing(limits.own_values(user)))


@blueprint.post("/people/<int:number>/limits")
def change_limits(number: int) -> AnyResponse:
    """What was typed, if nobody changed the account since the form's `version`."""
    user, form = account_or_404(administrator(), number), PolicyForm.sent(request.form)
    version = request.form.get("version", 0, int)
    wanted = form.read(domains_here(), limits.own_values(user), most_given())
    if wanted is None:
        return _limits_page(user, form, 422, version=version)
    try:
        undo = limits.save(user, wanted, version, changed_by())
    except AccountChangedError:
        return _limits_page(account_or_404(administrator(), number), form, 409, elsewhere=True)
    except CatchAllTargetError as error:
        form.errors["written_by"] = people_texts.catch_all_words(error.alias)
        return _limits_page(account_or_404(administrator(), number), form, 422, version=version)
    if undo:
        notify(_("Saved."), undo=(url_for("admin.undo_limits"), {"undo": undo}))
    else:
        notify(_("Nothing changed: it was so already."), "plain")
    return redirect(url_for("admin.person", number=number), 303)


@blueprint.post("/people/<int:number>/limits/room")
def give_room_back(number: int) -> AnyResponse:
    """Let the groups say again how much room for mail somebody has."""
    user = account_or_404(administrator(), number)
    if not _has_own_room(user):
        return redirect(url_for("admin.show_limits", number=number), 303)
    try:
        undo = limits.give_room_back(user, request.form.get("version", 0, int), changed_by())
    except AccountChangedError:
        form = PolicyForm.showing(limits.own_values(user))
        return _limits_page(account_or_404(administrator(), number), form, 409, elsewhere=True)
    notify(_("The groups decide how much room there is again."), undo=(url_for("admin.undo_limits"), {"undo": undo}))
    return redirect(url_for("admin.person", number=number), 303)


def _has_own_room(user: User) -> bool:
    """Whether it was given to them, by hand."""
    ours = settings().sign_in == "accounts" and not gives_quota(user, settings())
    return ours and policies.own_quota(user) is not None


@blueprint.post("/people/limits/undo")
def undo_limits() -> AnyResponse:
    user = limits.undo(request.form.get("undo", "")[:64], changed_by(), administrator().condition())
    if user is None:
        undone(_("This can no longer be undone."), "caution")
        return redirect(url_for("admin.people"), 303)
    undone()
    return redirect(url_for("admin.person", number=user.id), 303)


def _limits_page(
    user: User, form: PolicyForm, status: int = 200, *, elsewhere: bool = False, version: int | None = None
) -> Response:
    return page(
        "admin/people/limits.html", status, user=user, form=form, elsewhere=elsewhere,
        labels=policy_texts.labels(), hideable=policy_texts.hideable(), service_titles=policy_texts.service_titles(),
        limits=limits.described(user, settings()),
        limit_labels=policy_texts.limit_labels(), value_words=policy_texts.value_words, origin_words=policy_texts.origin_words,
        own_room=_has_own_room(user), version=account_management.version_of(user) if version is None else version,
    )  # fmt: skip
