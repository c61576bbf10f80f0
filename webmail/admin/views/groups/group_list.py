"""List of groups: those that an administrator looks after, searched, a page at a time; new ones."""

from __future__ import annotations

from flask import Response, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webmail.admin.blueprint import blueprint
from webmail.admin.views.access import administrator
from webmail.auth import address_owners
from webmail.models import AuditAct
from webmail.people import groups
from webmail.people.listing import group_pages
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.notices import notify
from webmail.web.rendering import page


def domains_here() -> frozenset[str] | None:
    """Those of the groups that the person looks after; None: all."""
    scope = administrator()
    return None if scope.everything else scope.domains


@blueprint.get("/groups")
def show_groups() -> Response:
    """Four queries."""
    return _list_page()


def _list_page(status: int = 200, problem: str = "") -> Response:
    domains, words = domains_here(), request.args.get("words", "")[:100]
    found = group_pages.listed(domains, words, request.args.get("page", 1, int))
    choices = address_owners.domains_of_accounts() if domains is None else sorted(domains)
    return page(
        "admin/groups/list.html", status, found=found, words=words, domains=choices, problem=problem,
        usual=settings().domain.lower() or current_user().domain, typed=request.form.get("name", "")[:200],
    )  # fmt: skip


@blueprint.post("/groups")
def add_group() -> AnyResponse:
    """Make a group called `name`, in a `domain`."""
    name, scope = request.form.get("name", ""), administrator()
    domain = request.form.get("domain", "").lower() or settings().domain.lower() or current_user().domain
    if not scope.has_domain(domain):
        return _list_page(422, _("Choose a domain."))
    try:
        group = groups.create(domain, name)
    except groups.UnusableGroupNameError:
        return _list_page(422, name_problem())
    except groups.GroupNameTakenError:
        return _list_page(422, _("There is already a group with this name, or nearly so."))
    audited(AuditAct.GROUP_CHANGED, group.name, change="made")
    notify(_("“%(name)s” was made. Now add people to it.", name=group.name))
    return redirect(url_for("admin.show_group", number=group.id), 303)


def name_problem() -> str:
    return _('Enter a name of at most %(count)d characters, without @ , ; : " < > \\.', count=groups.LONGEST_NAME)
