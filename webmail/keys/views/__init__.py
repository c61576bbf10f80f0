"""Views of keys: importing these modules registers their routes."""

from webmail.keys.blueprint import blueprint
from webmail.keys.views import (
    from_message,
    importing,
    opening,
    others,
    overview,
    own_key,
    passkeys,
    recovery_sheet,
    taking,
    web_key_directory,
)

__all__ = [
    "blueprint",
    "from_message",
    "importing",
    "opening",
    "others",
    "overview",
    "own_key",
    "passkeys",
    "recovery_sheet",
    "taking",
    "web_key_directory",
]
