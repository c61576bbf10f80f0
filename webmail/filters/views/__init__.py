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
    scripts,
)

__all__ = [
    "absence",
    "blueprint",
    "followed",
    "frame",
    "imports",
    "rule_changes",
    "rule_list",
    "rules",
    "scripts",
]
