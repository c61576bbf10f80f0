"""Filters views: importing these modules registers their routes."""

from webmail.filters.blueprint import blueprint
from webmail.filters.views import (
    following,
    frame,
    from_message,
    imports,
    moves,
    rule_changes,
    rule_list,
    rules,
    scripts,
    senders,
    tryout,
)
from webmail.filters.views.absence import absence_page
from webmail.filters.views.archiving import archive_form, archive_rules, archive_texts
from webmail.filters.views.forwarding import forwarding_page

__all__ = [
    "absence_page",
    "archive_form",
    "archive_texts",
    "archive_rules",
    "blueprint",
    "following",
    "forwarding_page",
    "frame",
    "from_message",
    "imports",
    "moves",
    "rule_changes",
    "rule_list",
    "rules",
    "scripts",
    "senders",
    "tryout",
]
