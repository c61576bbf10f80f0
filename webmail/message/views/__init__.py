"""Message views: importing these modules registers their routes."""

from webmail.message import card_texts
from webmail.message.blueprint import blueprint
from webmail.message.views import (
    arrivals,
    attachments,
    conversation,
    html_frame,
    invitations,
    link_warning,
    message,
    phishing,
    receipts,
    recipients,
    remote_images,
    save_to_drive,
    sender,
    unsubscribe,
    winmail,
)
from webmail.message.views.encryption import kept_messages, opened_parts

NEED_NO_TOKEN = (arrivals.take_report,)  # no browser sends it

__all__ = [
    "NEED_NO_TOKEN",
    "arrivals",
    "attachments",
    "blueprint",
    "card_texts",
    "conversation",
    "html_frame",
    "invitations",
    "kept_messages",
    "link_warning",
    "message",
    "opened_parts",
    "phishing",
    "receipts",
    "recipients",
    "remote_images",
    "save_to_drive",
    "sender",
    "unsubscribe",
    "winmail",
]
