"""Message views: importing these modules registers their routes."""

from webmail.message import card_texts
from webmail.message.blueprint import blueprint
from webmail.message.views import (
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
    sender,
    unsubscribe,
    winmail,
)

__all__ = [
    "attachments",
    "blueprint",
    "card_texts",
    "conversation",
    "html_frame",
    "invitations",
    "link_warning",
    "message",
    "phishing",
    "receipts",
    "recipients",
    "remote_images",
    "sender",
    "unsubscribe",
    "winmail",
]
