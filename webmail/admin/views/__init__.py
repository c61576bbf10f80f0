"""Admin views: importing these modules registers their routes."""

from webmail.admin.blueprint import blueprint
from webmail.admin.views import (
    access,
    departures,
    desk,
    group_collections,
    handovers,
    home,
    phishing_report,
    phishing_reports,
    refused_senders,
    restores,
    rooms,
    services,
    transfers,
    version_page,
)
from webmail.admin.views.establishment import policy, register, settings
from webmail.admin.views.groups import group_list, group_page, policy_page
from webmail.admin.views.imports import password_sheets, people_export, people_import, school_year, waiting_imports
from webmail.admin.views.people import (
    bulk,
    creation,
    domains_page,
    establishments_page,
    limits_page,
    listing,
    one_person,
    renaming,
)
from webmail.admin.views.watching import audit_page, checks_page, dns_page, lists_page, overview_page

__all__ = [
    "password_sheets", "people_export", "people_import", "school_year", "waiting_imports",
    "access", "audit_page", "blueprint", "bulk", "creation", "departures", "desk", "group_collections", "handovers", "home",
    "group_list", "group_page", "listing", "one_person", "policy", "policy_page",
    "phishing_report", "phishing_reports", "refused_senders",
    "restores", "version_page", "register", "rooms", "services", "settings", "transfers",
    "checks_page",
    "dns_page",
    "overview_page",
    "establishments_page", "renaming",
    "lists_page", "limits_page", "domains_page",
]  # fmt: skip
