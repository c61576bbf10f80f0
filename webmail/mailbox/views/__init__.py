"""The pages of this area. Importing them registers their routes."""

from webmail.mailbox.blueprint import blueprint
from webmail.mailbox.views import (
    actions,
    changes,
    files,
    folder,
    folders,
    listing,
    push,
    rows,
    search,
    sharing,
    snooze,
    tags,
)

__all__ = [
    "actions",
    "blueprint",
    "changes",
    "files",
    "folder",
    "folders",
    "listing",
    "push",
    "rows",
    "search",
    "sharing",
    "snooze",
    "tags",
]
