"""The pages of this area. Importing them registers their routes."""

from webmail.accounts import support_texts
from webmail.accounts.blueprint import blueprint
from webmail.accounts.views import data_export, deletion, links, own_name, support, tasks

__all__ = ["blueprint", "deletion", "links", "data_export", "own_name", "support", "support_texts", "tasks"]
