"""Protection: what a person chose for a message, and the preferences that it begins with."""

from __future__ import annotations

from enum import StrEnum


class MessageProtection(StrEnum):
    """What is done to a message as it is sent. The words are stored, and are the values of the form."""

    USUAL = ""  # of people without keys, and of messages that programs write: nothing
    NOTHING = "none"
    SIGNED = "sign"
    ENCRYPTED = "encrypt"  # and not signed
    BOTH = "both"
    WHERE_POSSIBLE = "auto"  # encrypted and signed if that can be done for all recipients, else as messages usually are


CHOICES = tuple(MessageProtection)
_SEALED = (MessageProtection.ENCRYPTED, MessageProtection.BOTH, MessageProtection.WHERE_POSSIBLE)


def checked(value: str) -> str:
    """A value of the form; what is none becomes the usual one."""
    return value if value in CHOICES else MessageProtection.USUAL


def is_sealed(value: str | None) -> bool:
    """Whether a draft with this choice is kept encrypted while it is written."""
    return value in _SEALED


def begun(*, encrypt: str, sign: bool) -> MessageProtection:
    """What a new message of somebody with keys begins with. `encrypt`, `sign`: their preferences."""
    if encrypt == "possible":
        return MessageProtection.WHERE_POSSIBLE
    return MessageProtection.SIGNED if sign else MessageProtection.NOTHING
