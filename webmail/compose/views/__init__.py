"""Compose views: importing these modules registers their routes."""

from webmail.compose.blueprint import blueprint
from webmail.compose.views import (
    actions,
    archive_original,
    attach_contacts,
    attach_mail,
    conflicts,
    draft_state,
    editor,
    inline_images,
    original,
    outbox,
    outbox_alert,
    recipients,
    resend,
    script_texts,
    send_later,
    signatures,
)

__all__ = [
    "actions",
    "archive_original",
    "attach_contacts",
    "attach_mail",
    "blueprint",
    "conflicts",
    "draft_state",
    "editor",
    "inline_images",
    "original",
    "outbox",
    "outbox_alert",
    "recipients",
    "resend",
    "script_texts",
    "send_later",
    "signatures",
]
