"""The pages of this area. Importing them registers their routes."""

from webmail.compose.blueprint import blueprint
from webmail.compose.views import (
    actions,
    archive_original,
    attach_contacts,
    attach_mail,
    editor,
    inline_images,
    outbox,
    recipients,
    resend,
    script_texts,
    send_later,
)

__all__ = [
    "actions",
    "archive_original",
    "attach_contacts",
    "attach_mail",
    "blueprint",
    "editor",
    "inline_images",
    "outbox",
    "recipients",
    "resend",
    "script_texts",
    "send_later",
]
