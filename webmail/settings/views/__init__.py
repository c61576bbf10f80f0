"""Settings views: importing these modules registers their routes."""

from webmail.settings import catalogue
from webmail.settings.blueprint import blueprint
from webmail.settings.views import identities, preferences, removals, signatures, templates, working_hours

__all__ = [
    "blueprint",
    "catalogue",
    "identities",
    "preferences",
    "removals",
    "signatures",
    "templates",
    "working_hours",
]
