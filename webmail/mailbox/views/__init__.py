"""Mailbox views: importing these modules registers their routes."""

from webmail.mailbox.blueprint import blueprint
from webmail.mailbox.views import (
    actions,
    changes,
    export,
    files,
    folder,
    folders,
    found_words,
    import_mail,
    listing,
    push,
    rows,
    search,
    sharing,
    snooze,
    tags,
    sorting,
    undo,
)

__all__ = [
    "actions",
    "blueprint",
    "changes",
    "export",
    "files",
    "folder",
    "folders",
    "found_words",
    "import_mail",
    "listing",
    "push",
    "rows",
    "search",
    "sharing",
    "snooze",
    "tags",
    "undo",
    "sorting",
]
