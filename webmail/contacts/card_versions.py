"""Card versions: a contact as it was before a change, which is what undoes the change."""

from __future__ import annotations

from dataclasses import dataclass

from webmail.models import Contact


@dataclass(frozen=True, slots=True)
class CardVersion:
    """A contact before a change: its card ("" if it was added or moved), and the `revision` after the change ("" if it was
    removed). `book` (its `id`), `href`: where a contact was that was removed or moved.
    """

    uid: str
    card: str = ""
    revision: str = ""
    book: int = 0
    href: str = ""

    @classmethod
    def removed(cls, row: Contact) -> CardVersion:
        """Of a contact that is about to be removed."""
        return cls(row.uid, row.vcard, "", row.collection_id or 0, row.href)
