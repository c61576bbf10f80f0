"""Filters views: importing these modules registers their routes."""

from webmail.filters.blueprint import blueprint
from webmail.filters.views import (
    absence,
    followed,
    frame,
    imports,
    rule_changes,
    rule_list,
    rules,
    from_message,
    scripts,
    moves,
)

__all__ = [
    "absence",
    senders,
    "blueprint",
    "followed",
    "frame",
    "imports",
    "rule_changes",
    "rule_list",
    "rules",
    "scripts",
]
    "from_message",
    "moves",
    "senders",
