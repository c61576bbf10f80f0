"""My account: one page for the name, the password, the second step, recovery, devices and what one's account holds."""

from __future__ import annotations

from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.auth.blueprint import blueprint
from webmail.auth.factors import requirement, second_step, trusted_devices
from webmail.auth.guard import comes_first, step_to_do
from webmail.auth.sessions import sessions
from webmail.auth.sessions.cookies import visit
from webmail.auth.sign_in.first_steps import FirstStep
from webmail.models import Authenticator, SecurityKey
from webmail.web.current import current_user, settings
from webmail.web.formatting import day_in_full, local
from webmail.web.forms.request_values import next_path
from webmail.web.rendering import page


@blueprint.get("/account")
@comes_first(FirstStep.SECOND_STEP)
def show_security() -> Response:
    user = current_user()
    if user.second_step_due is not None and not user.second_step:
        requirement.note_at_sign_in(user, settings())  # it may not be required any more, and nothing else is shown then
    return page(
        "auth/security.html",
        factors=second_step.factors_of(user),
        due=user.second_step_due,
        devices=len(sessions.sessions_of(user, settings())),
        trusted=len(trusted_devices.for_user(user)),
    )


@blueprint.app_template_global()
def must_come_first() -> bool:
    """Whether the person has to do something before everything else: their pages have no frame then."""
    return visit().user is not None and step_to_do() is not None


blueprint.add_app_template_global(next_path)


@blueprint.app_template_global()
def days_to_set_up() -> int | None:
    """The days that are left to set up a second factor; None where there is nothing to do."""
    return requirement.days_left(current_user())


@blueprint.app_template_global()
def used_words(factor: Authenticator | SecurityKey) -> str:
    """When a factor was added and used last."""
    added = _("Added: %(when)s", when=day_in_full(local(factor.created).date()))
    if factor.used is None:
        return added
    return f"{added} · " + _("last used: %(when)s", when=day_in_full(local(factor.used).date()))
