"""Filters views: importing these modules registers their routes."""

from webmail.filters.blueprint import blueprint
from webmail.filters.views import (
    absence,
    archive_form,
    archive_words,
    archiving,
    followed,
    forwarding,
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

__all__ = [
    "absence",
    "archive_form",
    "archive_words",
    "archiving",
    "blueprint",
    "followed",
    "forwarding",
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
