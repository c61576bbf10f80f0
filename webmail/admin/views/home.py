"""Administration's first page: its sections."""

from __future__ import annotations

from flask import Response

from webmail.admin.blueprint import blueprint
from webmail.admin.desk import sight
from webmail.admin.views.access import administrator
from webmail.desk import cases
from webmail.web.current import current_user, settings
from webmail.web.rendering import page


@blueprint.get("")
def home() -> Response:
    """What waits on the desk is counted here, by 1 SELECT, and not on pages that only lead here."""
    scope = administrator()
    within = sight.within(scope, current_user(), settings())
    return page("admin/home.html", waiting={"admin.desk": sum(cases.open_counts(within).values())})
