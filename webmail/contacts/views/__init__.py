"""Contacts views: importing these modules registers their routes."""

from webmail.contacts.blueprint import blueprint
from webmail.contacts.views import (
    contacts,
    files,
    from_message,
    groups,
    imports,
    people,
)

__all__ = [
    "blueprint",
    "contacts",
    "files",
    "from_message",
    "groups",
    "imports",
    "people",
]
