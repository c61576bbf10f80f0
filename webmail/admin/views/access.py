"""Access: who may open the pages of this area. Each is for administrators; which of them, its view says with a function here.

A page asks for the password again once in CONFIRMED_FOR: a copied cookie opens none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar, cast

from flask import abort, current_app, g, request
from werkzeug.wrappers import Response as AnyResponse

from webmail.admin.blueprint import blueprint
from webmail.admin.people.record import ChangedBy
from webmail.admin.sections import Section, sections
from webmail.auth import account_management
from webmail.auth.guard import confirm_first
from webmail.auth.sessions.cookies import visit
from webmail.errors import NotAllowedError
from webmail.establishments import establishments
from webmail.establishments import scope as scopes
from webmail.establishments.scope import Scope
from webmail.models import User
from webmail.web.current import current_user, settings

CONFIRMED_FOR = timedelta(hours=8)  # a day's work

View = TypeVar("View", bound=Callable[..., Any])


def for_deputies_too(view: View) -> View:
    """Mark a view that decides by itself who may open it, deputies for example: here it needs a sign-in alone."""
    view.judges_itself = True  # type: ignore[attr-defined]
    return view


@blueprint.before_request
def only_administrators() -> AnyResponse | None:
    """Raises NotAllowedError (403) for everybody else. `auth/guard.py` has checked the sign-in before."""
    g.scope = scopes.for_user(current_user())
    if g.scope is None and not getattr(current_app.view_functions.get(request.endpoint or ""), "judges_itself", False):
        raise NotAllowedError(f"{current_user().address} is no administrator")
    return confirm_first(within=CONFIRMED_FOR)


def scope_here() -> Scope | None:
    """What the person administers; None on pages `for_deputies_too` alone."""
    return cast("Scope | None", g.scope)


def administrator() -> Scope:
    """What the person administers: all, or establishments. Raises NotAllowedError for who administers nothing."""
    if g.scope is None:
        raise NotAllowedError(f"{current_user().address} is no administrator")
    return cast(Scope, g.scope)


def whole_installation() -> None:
    """For pages of the administrators of all. Raises NotAllowedError."""
    if not administrator().everything:
        raise NotAllowedError(f"{current_user().address} does not administer the whole installation")


def changed_by() -> ChangedBy:
    """The person, for the audit log: what pages pass to `webmail/admin/people`."""
    return ChangedBy(current_user(), visit().network)


def domains_here() -> list[str]:
    """The domains in which the person may give addresses, the usual one first. One SELECT, two for administrators of all."""
    scope = administrator()
    if not scope.everything:
        return sorted(scope.domains)
    own = settings().own_domains(settings().domain or current_user().domain)
    return list(dict.fromkeys([*own, *establishments.all_domains(), *account_management.domains()]))


def most_given() -> dict[str, int]:
    """The most that the person may give of what the whole installation shares, by the name of the setting: an establishment's
    administrator no more recipients than the settings say."""
    if administrator().everything:
        return {}
    usual = {name: int(getattr(settings(), name)) for name in ("recipients_per_hour", "recipients_per_day")}
    return {name: most for name, most in usual.items() if most}


def account_or_404(scope: Scope, number: int) -> User:
    """The account of this number, if it is in the scope. One SELECT."""
    found = account_management.of_number(number, scope.condition())
    if found is None:
        abort(404)
    return found


@blueprint.app_template_global()
def admin_sections() -> list[Section]:
    """Those of the person who is asking, for the side bar of these pages."""
    scope = g.get("scope")
    return sections(settings(), everything=scope.everything) if scope is not None else []
