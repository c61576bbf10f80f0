"""The directory as a book on devices: below each person's address as DIRECTORY, made when it is asked for, never written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from webmail import preferences
from webmail.collections.store import BOOK, NAME, SHARED, Access
from webmail.config.settings import Settings
from webmail.dav.rows import ItemRow
from webmail.models import Collection, User, now
from webmail.people import directory_cards
from webmail.people.directory_cards import DirectoryBook, DirectoryCard
from webmail.people.visibility import sight_of

DIRECTORY = f"{SHARED}directory"  # nobody can call a collection of their own so
_NAMES = {"": "Directory", "fr": "Annuaire"}  # by language: no request says it here


def access(user: User, settings: Settings) -> Access | None:
    """The book, if the person wants it on their devices and sees anybody. Its collection is no row: it has no `id`."""
    if not preferences.for_user(user).directory_on_devices:
        return None
    sight = sight_of(user, settings)
    if sight.nobody and not sight.addresses:
        return None
    props = {NAME: _NAMES.get(user.language) or _NAMES[""]}
    row = Collection(user=user, name=DIRECTORY, kind=BOOK, props=json.dumps(props), modified=now())
    return Access(row, DIRECTORY, "read", props)


def is_directory(collection: Collection) -> bool:
    return collection.id is None


class DirectoryRows:
    """The cards, as `ObjectRows` tells items."""

    def __init__(self, book: DirectoryBook) -> None:
        self._cards = book.cards

    def all(self, *, texts: bool = False, component: str | None = None) -> Iterator[ItemRow]:
        return (_row(card) for card in self._cards.values())

    def count(self, component: str | None = None) -> int:
        return len(self._cards)

    def named(self, hrefs: Sequence[str], *, texts: bool) -> Iterator[ItemRow]:
        return (_row(self._cards[href]) for href in hrefs if href in self._cards)

    def numbered(self, ids: Iterable[int]) -> Iterator[ItemRow]:
        return iter(())

    def touching(self, start: int, end: int) -> Iterator[ItemRow]:
        return iter(())

    def of_uid(self, uid: str) -> Iterator[ItemRow]:
        return (_row(card) for card in [self._cards.get(f"{uid}.vcf")] if card is not None)


def rows(user: User, settings: Settings) -> tuple[DirectoryBook, DirectoryRows]:
    book = directory_cards.book(user, settings) or DirectoryBook({}, "none")
    return book, DirectoryRows(book)


_SINCE = now()  # when cards were changed is not known


def _row(card: DirectoryCard) -> ItemRow:
    return ItemRow(0, card.href, card.uid, card.etag, card.size, _SINCE, text=card.text)
