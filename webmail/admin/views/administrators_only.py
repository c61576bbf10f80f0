"""Admin access: restricts all views of this area to administrators."""

from __future__ import annotations

from webmail.admin.blueprint import blueprint
from webmail.errors import NotAllowedError
from webmail.web.current import current_user


@blueprint.before_request
def only_administrators() -> None:
    """Raises NotAllowedError (403) for everybody else. `auth/guard.py` has checked the sign-in before."""
    if current_user().role != "admin":
        raise NotAllowedError(f"{current_user().address} is no administrator")
