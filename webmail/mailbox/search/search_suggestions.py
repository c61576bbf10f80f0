"""Search suggestions: the folders, people, tags and recent searches that typed words may mean. All from what is known already."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from webmail import preferences
from webmail.mail import Address, Mailbox
from webmail.mailbox import tags
from webmail.mailbox.search import recent_searches
from webmail.mime.headers.encoded_words import words_in
from webmail.models import Tag, User
from webmail.people.suggestions import met_rows
from webmail.people.suggestions.search_rows import fitting, typed_words

LONGEST = 100  # characters that are looked at
_MOST = 3  # of each kind
_MOST_RECENT = 6  # before anything is typed
_OPERATOR = ":"  # what is looked for then is no name

NamedFolder = tuple[Mailbox, str]  # with its path as people read it


@dataclass(frozen=True, slots=True)
class SearchSuggestions:
    """`folders` with their paths."""

    folders: Sequence[NamedFolder] = ()
    people: Sequence[Address] = ()
    tags: Sequence[Tag] = ()
    recent: Sequence[str] = ()

    @property
    def count(self) -> int:
        return len(self.folders) + len(self.people) + len(self.tags) + len(self.recent)


def suggestions(user: User, typed: str, folders: Iterable[NamedFolder], *, with_recent: bool = True) -> SearchSuggestions:
    """At most 3 of each kind in whose names all words that were typed begin a word. At most 4 queries, 1 for no words."""
    typed = typed[:LONGEST]
    recent = recent_searches.latest(user) if with_recent else []
    if not (words := words_in(typed)):
        return SearchSuggestions(recent=[] if typed.strip() else recent[:_MOST_RECENT])
    again = [query for query in recent if query != typed.strip() and _begins(words, query)][:_MOST]
    if _OPERATOR in typed:
        return SearchSuggestions(recent=again)
    named = [(mailbox, path) for mailbox, path in folders if mailbox.selectable and _begins(words, path)]
    named.sort(key=lambda one: not _begins(words, one[1].rpartition(one[0].delimiter or "/")[2]))  # inside it, after it
    return SearchSuggestions(
        named[:_MOST], _people(user, typed), [tag for tag in tags.for_user(user) if _begins(words, tag.name)][:_MOST], again
    )


def _people(user: User, typed: str) -> list[Address]:
    """Those one had mail with. 2 queries, 4 if some changed."""
    if not preferences.for_user(user).suggest_met:
        return []
    fits = fitting(met_rows.rows(user), typed_words(typed))
    best = heapq.nsmallest(_MOST, fits, key=lambda one: (one[0], -one[1].weight, one[1].named))
    return [Address(row.name, row.shown) for _fit, row in best]


def _begins(typed: Sequence[str], name: str) -> bool:
    parts = words_in(name[:200])
    return all(any(part.startswith(word) for part in parts) for word in typed)
