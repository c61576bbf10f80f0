"""The pages of this area. Importing them registers their routes."""

from webmail.help.blueprint import blueprint
from webmail.help.views import cards, pages

__all__ = ["blueprint", "cards", "pages"]
