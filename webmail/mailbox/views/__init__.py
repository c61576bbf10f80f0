"""Mailbox views: importing these modules registers their routes."""

from webmail.mailbox import sorting
from webmail.mailbox.blueprint import blueprint
from webmail.mailbox.search import highlights
from webmail.mailbox.views import (
    actions,
    changes,
    chooser,
    detach,
    export,
    files,
    import_mail,
    listing,
    push,
    rows,
    search,
    search_suggestions,
    snooze,
    tags,
    undo,
)
from webmail.mailbox.views.folders import folder, folder_list, sharing
from webmail.mailbox.views.quota import quota_request, space_page, space_report

__all__ = [
    "actions",
    "blueprint",
    "changes",
    "chooser",
    "detach",
    "export",
    "files",
    "folder",
    "folder_list",
    "highlights",
    "import_mail",
    "listing",
    "push",
    "space_page",
    "space_report",
    "quota_request",
    "rows",
    "search",
    "search_suggestions",
    "sharing",
    "snooze",
    "sorting",
    "tags",
    "undo",
]
