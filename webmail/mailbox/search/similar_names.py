"""Similar names: what a search without results offers: the folder that is named in it, folders and people of such names."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, TypeVar

from webmail.imap.mailbox_list.mailboxes import Overview
from webmail.imap.searching.search import Search
from webmail.mail import Address, Mailbox
from webmail.models import Correspondent, User

_MOST = 3  # of each kind
_LOOKED_AT = 500  # the people one wrote to lately
_SHORTEST = 3  # letters of a word
_NEAR = 0.75  # ratio of equal letters; 1 is the same word
_MOST_WORDS = 5


@dataclass(frozen=True, slots=True)
class SimilarNames:
    """`folders` may be what was meant; `people` may be who was meant."""

    folders: tuple[Mailbox, ...] = ()
    people: tuple[Address, ...] = ()


def similar_names(found: Search, user: User, overview: Overview) -> SimilarNames:
    """For a search of plain words. One SELECT."""
    words = [_plain(term.value) for term in found.sought if term.operator in ("", "from", "to")]
    words = [word for word in words if len(word) >= _SHORTEST][:_MOST_WORDS]
    if not words:
        return SimilarNames()
    folders = _nearest(words, ((mailbox, mailbox.label) for mailbox in overview.mailboxes if mailbox.selectable))
    return SimilarNames(tuple(folders), tuple(_nearest(words, _people(user))))


def named_folders(found: Search, overview: Overview) -> list[tuple[Mailbox, str]]:
    """The ordinary folders all of whose name's words are among the plain words of a search, each with the rest of the query.

    Of one folder and those inside it that are called so, only the first; at most three. None for a query with OR or parentheses.
    """
    plain = [(term, _plain(term.value)) for term in found.terms if not (term.operator or term.named or term.minus)]
    words = {part for _term, value in plain for part in value.split()}
    named: list[tuple[Mailbox, str]] = []
    for mailbox in overview.mailboxes if words else ():
        parts = set(_plain(mailbox.label).split())
        inside = any(outer.holds(mailbox.name) for outer, _rest in named)
        if mailbox.role or not mailbox.selectable or not parts or parts - words or inside:
            continue
        used = {id(term) for term, value in plain if set(value.split()) <= parts}
        named.append((mailbox, " ".join(term.source for term in found.terms if id(term) not in used)))
    return named[:_MOST]


def _people(user: User) -> list[tuple[Address, str]]:
    rows = Correspondent.select(Correspondent.name, Correspondent.address).where(Correspondent.user == user)
    lately: Any = rows.order_by(Correspondent.last.desc()).limit(_LOOKED_AT).tuples()
    return [(Address(name, email), f"{name} {email.partition('@')[0]}") for name, email in lately]


Thing = TypeVar("Thing")


def _nearest(texts: Sequence[str], named: Iterable[tuple[Thing, str]]) -> list[Thing]:
    """The things one of whose name's words is near one of these, the nearest first."""
    rated = [(_best(texts, name), thing) for thing, name in named]
    near = sorted((pair for pair in rated if pair[0] >= _NEAR), key=lambda pair: -pair[0])
    return [thing for _rate, thing in near[:_MOST]]


def _best(texts: Sequence[str], name: str) -> float:
    return max((_likeness(word, part) for word in texts for part in _parts(name)), default=0.0)


def _likeness(word: str, part: str) -> float:
    if word == part:
        return 1.0
    if part.startswith(word) or word.startswith(part):
        return 0.9
    if abs(len(word) - len(part)) > 2:
        return 0.0
    return SequenceMatcher(None, word, part, autojunk=False).ratio()


def _parts(name: str) -> list[str]:
    return [part for part in _plain(name[:200]).split() if len(part) >= _SHORTEST]


def _plain(text: str) -> str:
    """Without accents and punctuation, in lower case."""
    decomposed = unicodedata.normalize("NFKD", text[:200]).casefold()
    return "".join(c if c.isalnum() else " " for c in decomposed if not unicodedata.combining(c)).strip()
