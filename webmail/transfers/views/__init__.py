"""Views of large files sent as links: importing these modules registers their routes."""

from webmail.transfers.blueprint import blueprint
from webmail.transfers.texts import refusals
from webmail.transfers.views import (
    adding,
    asking,
    guest_uploads,
    guests,
    mine,
    new,
    protect,
    public,
    public_files,
    public_previews,
    public_report,
    save_to_drive,
    saving,
    transfer_page,
    uploads,
)

CHECK_TOKENS_THEMSELVES = (
    *uploads.CHECK_TOKENS_THEMSELVES,
    *new.CHECK_TOKENS_THEMSELVES,
    *adding.CHECK_TOKENS_THEMSELVES,
    *guest_uploads.CHECK_TOKENS_THEMSELVES,
    *guests.CHECK_TOKENS_THEMSELVES,
)  # their bodies are read as they come
NEED_NO_TOKEN = (public.act_on_link, public_report.send_report)  # for people without an account: a token takes a cookie

__all__ = [
    "CHECK_TOKENS_THEMSELVES",
    "NEED_NO_TOKEN",
    "adding",
    "asking",
    "blueprint",
    "guest_uploads",
    "guests",
    "mine",
    "new",
    "transfer_page",
    "protect",
    "public",
    "public_files",
    "public_previews",
    "public_report",
    "save_to_drive",
    "saving",
    "uploads",
    "refusals",
]
