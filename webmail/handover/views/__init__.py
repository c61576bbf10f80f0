"""The pages of this area. Importing them registers their routes."""

from webmail.handover.blueprint import blueprint
from webmail.handover.views import substitutes

__all__ = ["blueprint", "substitutes"]
