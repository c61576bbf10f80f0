"""The pages of this area. Importing them registers their routes."""

from webmail.accounts import support_words
from webmail.accounts.blueprint import blueprint
from webmail.accounts.views import deletion, links, own_data, own_name, support, tasks

__all__ = ["blueprint", "deletion", "links", "own_data", "own_name", "support", "support_words", "tasks"]
