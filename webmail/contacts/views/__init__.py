"""Contacts views: importing these modules registers their routes."""

from webmail.contacts.blueprint import blueprint
from webmail.contacts.views import (
    card_parts,
    categories,
    contacts,
    directory,
    duplicates,
    files,
    from_message,
    from_people,
    groups,
    history,
    imports,
    keys,
    moves,
    people,
    selection,
    sources,
)

__all__ = [
    "blueprint",
    "card_parts",
    "categories",
    "selection",
    "contacts",
    "directory",
    "duplicates",
    "files",
    "from_message",
    "from_people",
    "groups",
    "history",
    "imports",
    "keys",
    "moves",
    "people",
    "sources",
]
