"""Remote images policy: whether to load them: only if the user allowed it for this message, sender or kind of sender."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from webmail.config.settings import Settings
from webmail.mail import Message, Role
from webmail.models import User
from webmail.people.correspondents import has_written
from webmail.people.sender_lists import is_allowed
from webmail.preferences import Preferences


class ImageReason(StrEnum):
    """Why images are shown; NOT if they are not."""

    NOT = ""
    ASKED = "asked"
    SENDER = "sender"
    CONTACT = "contact"
    KNOWN = "known"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class ImageDecision:
    """The decision. `sender` is the address that can be allowed permanently, or ""; `possible`: fetching images is enabled."""

    why: ImageReason = ImageReason.NOT
    sender: str = ""
    possible: bool = True
    choice: str = "ask"
    contact: bool = False  # the sender is a contact

    @property
    def is_displayed(self) -> bool:
        return self.why is not ImageReason.NOT

    @property
    def offers_contacts(self) -> bool:
        """Whether to offer allowing the images of all contacts: this sender is one, and they are not allowed yet."""
        return self.choice == "ask" and self.contact

    @property
    def offers_known(self) -> bool:
        """Whether to offer allowing the images of all contacts and correspondents."""
        return self.choice in ("ask", "contacts")


def choice(preferences: Preferences, settings: Settings) -> str:
    """The user's preference, unless the instance says "never": "ask", "contacts", "known", "always" or "never"."""
    return "never" if settings.remote_images == "never" else preferences.images or settings.remote_images


def decide(
    message: Message,
    user: User,
    choice: str,
    *,
    trusted: bool,
    role: Role | None = None,
    is_requested: bool = False,
    slow: bool = False,
    contact: bool = False,
) -> ImageDecision:
    """Whether to show the remote images of a message. At most 2 queries, none for a message without such images.

    `trusted`: authentication did not fail. `contact`: the sender is a contact. `is_requested`: the user requested them now, which
    always works. Nothing loads automatically for untrusted senders, several senders, the junk folder, or a `slow` connection.
    """
    if choice == "never":
        return ImageDecision(possible=False, choice=choice)
    email = message.envelope.sender[0].email.lower() if len(message.envelope.sender) == 1 else ""
    sender = email if trusted and role is not Role.JUNK and "@" in email and len(email) <= 254 else ""
    if is_requested:
        return ImageDecision(ImageReason.ASKED, sender, choice=choice)
    if not sender or slow or not message.remote:
        return ImageDecision(sender=sender, choice=choice)
    if is_allowed(user, sender):
        return ImageDecision(ImageReason.SENDER, sender, choice=choice)
    if choice == "always":
        return ImageDecision(ImageReason.ALWAYS, sender, choice=choice)
    if contact and choice in ("contacts", "known"):
        return ImageDecision(ImageReason.CONTACT, sender, choice=choice, contact=True)
    if choice == "known" and has_written(user, sender):
        return ImageDecision(ImageReason.KNOWN, sender, choice=choice)
    return ImageDecision(sender=sender, choice=choice, contact=contact)


# --- allowed senders -------------------------------------------------------------------------------------------------
