"""Same people: those who stand in several books, by a shared address, or by name and telephone number.

Nothing is written: lists show such a person once and name the books. What may be two people is left as two: who shares an
address must not have names that contradict each other, since families and offices share some.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from threading import Lock
from typing import Any

from webmail.collections.store import Access
from webmail.database.connection import db
from webmail.mime.headers.encoded_words import words_in
from webmail.models import Contact, ContactAddress

_SHORTEST_PHONE = 6  # digits
_MOST_SHARING = 50  # contacts with one address or name: beyond, it tells nothing
_CHUNK = 500
_MOST_KEPT = 64  # people whose twins a process remembers
_MOST_TOGETHER = 20_000  # contacts that have twins, of all of them

Twins = Mapping[int, tuple[int, ...]]  # a contact's `id`: the `id`s of all that are this person, the first book's first
_kept: OrderedDict[Any, Twins] = OrderedDict()
_lock = Lock()


def find(shelf: Sequence[Access]) -> Twins:
    """Of these books. No query as long as none of them changes; else 1, and 2 per 500 addresses of all but the largest book."""
    mark = (str(db.obj.database), *((one.collection.id, one.collection.seq) for one in shelf))
    with _lock:
        if (known := _kept.get(mark)) is not None:
            _kept.move_to_end(mark)
            return known
    found = _found(shelf)
    with _lock:
        for old in [one for one in _kept if [each[0] for each in one[1:]] == [each[0] for each in mark[1:]]]:
            del _kept[old]
        _kept[mark] = found
        while len(_kept) > _MOST_KEPT or (len(_kept) > 1 and sum(map(len, _kept.values())) > _MOST_TOGETHER):
            _kept.popitem(last=False)
    return found


def _found(shelf: Sequence[Access]) -> Twins:
    rank = {one.collection.id: at for at, one in enumerate(shelf)}
    largest = max((one.collection for one in shelf), key=lambda one: one.count)
    rows = _rows(Contact.collection.in_([number for number in rank if number != largest.id]))
    here = [ContactAddress.user == largest.user_id, Contact.collection == largest.id]
    for column in (ContactAddress.address, ContactAddress.key):
        values = sorted({row[1] if column is ContactAddress.address else row[2] for row in rows} - {""})
        for at in range(0, len(values), _CHUNK):
            rows |= _rows(*here, column.in_(values[at : at + _CHUNK]))
    return _together(rows, rank)


_Row = tuple[int, str, str, int, str, str]  # contact, address, key of the name, book, name, words


def _rows(*conditions: Any) -> set[_Row]:
    found: Any = ContactAddress.select(
        ContactAddress.contact, ContactAddress.address, ContactAddress.key, Contact.collection, Contact.name, Contact.words
    )
    return set(db.execute(found.join(Contact).where(Contact.kind == "individual", *conditions)).fetchall())


class _Person:
    """A contact with what tells who it is."""

    def __init__(self, number: int, book: int, name: str) -> None:
        self.number, self.book = number, book
        self.words = words_in(name) if "@" not in name else []  # an address for a name contradicts none
        self.keys: dict[str, None] = {}


def _together(rows: Iterable[_Row], rank: Mapping[int, int]) -> Twins:
    people: dict[int, _Person] = {}
    for number, address, key, book, name, words in sorted(rows):
        person = people.setdefault(number, _Person(number, book, name))
        if address:
            person.keys[f"@{address}"] = None
        if key:
            phones = (word for word in words.split() if word.isdigit() and len(word) >= _SHORTEST_PHONE)
            person.keys.update((f"{key} {phone}", None) for phone in phones)
    met: dict[str, list[list[_Person]]] = {}
    for person in sorted(people.values(), key=lambda one: (rank[one.book], one.number)):
        known = (cluster for key in person.keys for cluster in met.get(key, ()))
        cluster = next((one for one in known if _belongs(person, one)), [])
        cluster.append(person)
        for key in person.keys:
            if len(waiting := met.setdefault(key, [])) < _MOST_SHARING and not any(one is cluster for one in waiting):
                waiting.append(cluster)
    found: dict[int, tuple[int, ...]] = {}
    for cluster in (one for clusters in met.values() for one in clusters):
        if len(cluster) > 1:
            together = tuple(person.number for person in cluster)
            found |= dict.fromkeys(together, together)
    return found


def _belongs(person: _Person, cluster: Sequence[_Person]) -> bool:
    """Two in the same book are duplicates, which the person decides on: they are both shown."""
    return all(one.book != person.book and (one.words == person.words or _agree(one.words, person.words)) for one in cluster)


def _agree(item: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two names may be one person's: each word of the shorter one is in the other, or is its initial."""
    short, long = sorted((item, other), key=len)
    return all(any(word == each or (min(len(word), len(each)) == 1 and word[0] == each[0]) for each in long) for word in short)
