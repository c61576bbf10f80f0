"""DNS page: each record that belongs there, ready to paste, and what was found of it; *Check now* has the worker look again."""

from __future__ import annotations

from flask import Response, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webmail.admin.blueprint import blueprint
from webmail.admin.views.access import whole_installation
from webmail.admin.watching import check_requests, dns_notes, dns_texts
from webmail.tasks import heartbeat
from webmail.web.notices import notify
from webmail.web.rendering import page


@blueprint.get("/dns")
def dns_page() -> Response:
    """3 SELECTs; nothing is asked of DNS."""
    whole_installation()
    found = dns_notes.latest()
    domains = {domain: [dns_texts.card(one) for one in records] for domain, records in found.domains.items()}
    return page(
        "admin/watching/dns.html",
        found=found,
        domains=domains,
        zone={domain: "\n".join(_lines(records)) for domain, records in found.domains.items()},
        checking=check_requests.is_open(check_requests.DNS),
        worker=heartbeat.is_alive(heartbeat.last_seen()),
    )


@blueprint.post("/dns")
def check_dns() -> AnyResponse:
    """Twice is once."""
    whole_installation()
    check_requests.ask(check_requests.DNS)
    notify(_("DNS is being checked. Reload this page in a minute."))
    return redirect(url_for("admin.dns_page"), 303)


def _lines(records: list[dns_notes.DnsFinding]) -> list[str]:
    """What is still to be added or put right."""
    lines = [one.line for one in records if one.state in (*dns_notes.WRONG, dns_notes.ADVISED) and one.kind != "PTR"]
    return list(dict.fromkeys(filter(None, lines)))
