"""The pages of this area. Importing them registers their routes."""

from webmail.accounts.blueprint import blueprint
from webmail.accounts.views import links, tasks

__all__ = ["blueprint", "links", "tasks"]
