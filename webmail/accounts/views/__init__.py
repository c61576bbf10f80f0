"""The pages of this area. Importing them registers their routes."""

from webmail.accounts import support_texts
from webmail.accounts.blueprint import blueprint
from webmail.accounts.views import data_export, deletion, establishment, links, own_name, requests, support, tasks

__all__ = [
    "blueprint", "deletion", "establishment", "links", "data_export", "own_name", "requests", "support", "support_texts", "tasks",
]  # fmt: skip
