"""Compose views: importing these modules registers their routes."""

from webmail.compose import script_texts
from webmail.compose.blueprint import blueprint
from webmail.compose.views import (
    actions,
    archive_original,
    awaited,
    conflicts,
    drafts_folder,
    editor,
    original,
    recipients,
    signatures,
)
from webmail.compose.views.attachments import (
    attach_contacts,
    attach_drive,
    attach_mail,
    inline_images,
    large_drive,
    large_files,
    large_page,
    link_drive,
)
from webmail.compose.views.encryption import near_keys, open_draft, protecting
from webmail.compose.views.outbox import outbox_alert, outbox_page, resend, send_later

CHECK_TOKENS_THEMSELVES = large_page.CHECK_TOKENS_THEMSELVES  # of forms whose bodies are read as they come

__all__ = [
    "CHECK_TOKENS_THEMSELVES",
    "actions",
    "archive_original",
    "awaited",
    "attach_contacts",
    "attach_drive",
    "attach_mail",
    "blueprint",
    "conflicts",
    "drafts_folder",
    "editor",
    "inline_images",
    "large_drive",
    "large_files",
    "large_page",
    "link_drive",
    "near_keys",
    "open_draft",
    "original",
    "outbox_page",
    "outbox_alert",
    "protecting",
    "recipients",
    "resend",
    "script_texts",
    "send_later",
    "signatures",
]
