"""Search rows: what is searched at every keystroke, in the memory of this process; and how words are found in them.

A row is a name with an address, and both for searching. Lists of rows are kept under a name with a version, which
tells whether they still hold, and are bounded together: those that were used longest ago go first.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Container, Hashable, Iterator, Sequence
from typing import NamedTuple

from webmail.database.connection import db
from webmail.mime.headers.encoded_words import fold
from webmail.mime.headers.shown_address import readable_address

MOST_ROWS = 60_000  # of all lists together; each takes about 600 bytes
MARK, NEXT = "\x1f", "\n"  # before what a word may begin; between the name and the address
NAMED, ELSEWHERE, INSIDE = range(3)  # how well a row fits: by its name or the beginning of its address, by the rest, in the midst
_FEWEST_INSIDE = 3  # letters that are also looked for in the midst of an address
_MOST_WORDS = 10
_BOUNDARY = re.compile(r"(?<=[\s\"'’.,_+@(-])")


class PersonRow(NamedTuple):
    """`named`: the name, each word behind a MARK, NEXT, and the address behind one. `rest`: what else a word may begin."""

    named: str
    rest: str
    name: str
    address: str  # lower case, as in our tables
    shown: str  # with a Unicode domain
    weight: float = 0.0
    times: int = 0  # how often the person wrote to them


def row_of(name: str, address: str, weight: float = 0.0, times: int = 0) -> PersonRow:
    shown = readable_address(address)
    folded = fold(shown)
    return PersonRow(f"{_marked(fold(name))}{NEXT}{MARK}{folded}", _marked(folded), name, address, shown, weight, times)


def _marked(text: str) -> str:
    return MARK + _BOUNDARY.sub(MARK, text)


def typed_words(text: str) -> list[str]:
    """What is looked for, folded; none for no letters."""
    return [word for word in re.split(r"[\s\"<>,;()]+", fold(text)) if word][:_MOST_WORDS]


def fitting(
    rows: Collection[PersonRow],
    texts: Sequence[str],
    enough: int = 0,
    always: Container[str] = (),
    never: Callable[[str], bool] | None = None,
) -> Iterator[tuple[int, PersonRow]]:
    """The rows in which each word begins a part of the name or address, and how well (NAMED ...); or stands inside the address.

    For no words all of them. Unless `enough` is 0: once so many fit well, no others but those with an address in `always`, and no
    worse ones. `never`: whether an address is not wanted. Lists are gone through as a whole, which is many times as quick as row
    by row.
    """
    left: Collection[PersonRow] = rows
    for fit in (NAMED, ELSEWHERE, INSIDE):
        if fit == INSIDE and not (texts and all(len(word) >= _FEWEST_INSIDE for word in texts)):
            return
        found = left
        for word in texts:
            found = _with(found, word, fit)
        if never:
            found = [row for row in found if not never(row.address)]
        if enough and len(found) > enough:
            some = list(found)
            found = some[:enough] + [row for row in some[enough:] if row.address in always]
        yield from ((fit, row) for row in found)
        if not texts or (enough and len(found) >= enough):
            return
        taken = {id(row) for row in found}
        left = [row for row in left if id(row) not in taken] if taken else left


def _with(rows: Collection[PersonRow], word: str, fit: int) -> list[PersonRow]:
    start, whole = MARK + _BOUNDARY.sub(MARK, word), MARK + word  # of a name; of an address, which has no marks in it
    if fit == INSIDE:
        return [row for row in rows if word in row.named and word in row.named.rpartition(NEXT)[2]]
    if fit == NAMED:
        if start == whole:
            return [row for row in rows if start in row.named]
        return [row for row in rows if start in row.named or whole in row.named]
    return [row for row in rows if start in row.named or whole in row.named or start in row.rest]


class KeptRows:
    """`most`: rows of all lists together."""

    def __init__(self, most: int = MOST_ROWS) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._lists: OrderedDict[Hashable, tuple[Hashable, Sequence[PersonRow]]] = OrderedDict()

    def rows(self, name: Hashable, version: Hashable, read: Callable[[], Sequence[PersonRow]]) -> Sequence[PersonRow]:
        """The rows of this name and version; read if they are not kept."""
        key = (str(db.obj.database), name)
        with self._lock:
            kept = self._lists.get(key)
            if kept is not None and kept[0] == version:
                self._lists.move_to_end(key)
                return kept[1]
        found = read()
        with self._lock:
            self._lists[key] = (version, found)
            self._lists.move_to_end(key)
            total = sum(len(rows) for _version, rows in self._lists.values())
            while total > self._most:
                _key, (_version, rows) = self._lists.popitem(last=False)
                total -= len(rows)
        return found


kept = KeptRows()
