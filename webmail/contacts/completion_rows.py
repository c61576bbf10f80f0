"""Completion rows: the contacts of the books that a person reads, to be searched while a name is typed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from webmail.collections.store import Access
from webmail.contacts.card_index import INDIVIDUAL
from webmail.database.plain_rows import plain_rows
from webmail.mime.headers.shown_address import readable_address
from webmail.models import Contact, ContactAddress
from webmail.people.suggestions.search_rows import MARK, NEXT, PersonRow, kept


def rows(shelf: Sequence[Access]) -> Iterator[Sequence[PersonRow]]:
    """Contacts with an address in these books, one row for each address, sorted by name; a list for each book.

    1 query for each book that was changed since.
    """
    for access in shelf:
        book = access.collection
        if book.count:
            yield kept.rows(("book", book.id), book.seq, lambda number=book.id: _read(number))  # type: ignore[misc]


def _read(book: int) -> list[PersonRow]:
    """What is searched is folded in the table already: the name; and names, organisation, addresses and telephones."""
    found: Any = (
        ContactAddress.select(Contact.name, Contact.sort, Contact.words, ContactAddress.address)
        .join(Contact)
        .where(Contact.collection == book, Contact.kind == INDIVIDUAL, ContactAddress.address != "")
        .order_by(Contact.sort, ContactAddress.id)
    )
    return [
        PersonRow(f"{MARK}{sort.replace(' ', MARK)}{NEXT}{MARK}{address}", words.replace(" ", MARK), name, address,
            readable_address(address) if "xn--" in address else address)
        for name, sort, words, address in plain_rows(found)
    ]  # fmt: skip
