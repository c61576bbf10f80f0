"""Audit log page: who did what to whom. Nothing here changes it."""

from __future__ import annotations

from flask import Response, request
from flask_babel import gettext as _

from webmail import audit
from webmail.admin.blueprint import blueprint
from webmail.admin.views.access import administrator
from webmail.admin.watching import audit_query
from webmail.admin.watching.audit_query import AuditQuery
from webmail.admin.watching.audit_texts import act_choices, act_text, detail_text, target_text
from webmail.web.current import settings, time_zone
from webmail.web.rendering import page
from webmail.web.responses.downloads import disposition, whole


@blueprint.get("/audit")
def audit_log() -> Response:
    """One SELECT, two for who administers establishments."""
    scope, query = administrator(), AuditQuery.read(request.args)
    entries, older = query.search(scope, time_zone())
    hidden = audit_query.hidden_people(scope)
    rows = [(entry, audit.details_of(entry), audit_query.network_shown(entry, scope, hidden)) for entry in entries]
    return page(
        "admin/watching/audit.html", rows=rows, older=older, asked=query, choices=act_choices(), days=settings().audit_days,
        act_text=act_text, detail_text=detail_text, target_text=target_text,
    )  # fmt: skip


@blueprint.get("/audit.csv")
def audit_table() -> Response:
    """All that was asked for, not only a page of it."""
    scope, query = administrator(), AuditQuery.read(request.args)
    heads = [_("Time (UTC)"), _("What"), _("Who"), _("To whom or what"), _("From where"), _("Details")]
    response = whole(audit_query.table(query, scope, time_zone(), heads), "text/csv")
    response.headers["Content-Disposition"] = disposition("audit.csv")
    return response
