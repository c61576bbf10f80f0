"""Phrases: of the hits of a search for words between quotes, those that have these words side by side.

A full-text index knows words and not where they stand, so the newest hits are read here. What was found out is remembered: the
same search is asked for again with each page, each message that is opened, and each action on all results.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from webmail.imap.bulk import match_data
from webmail.imap.bulk.match_data import EvidenceKind, MessageEvidence
from webmail.imap.connections.connection import Connection
from webmail.imap.searching.spellings import folded
from webmail.mime.headers import headers

MOST_CHECKED = 200  # newest hits of a search
_MOST_TEXT = 8_000_000  # bytes of texts that are fetched for one look
_EVERYWHERE = ("subject", "from", "to", "cc")
_HEADERS: dict[str, tuple[str, ...]] = {"": _EVERYWHERE, "body": (), **{name: (name,) for name in _EVERYWHERE}}
_WORD = re.compile(r"[^\W_]+")
_MOST_KNOWN = 20_000


@dataclass(frozen=True, slots=True)
class QuotedWords:
    """Words side by side, and where: an operator of `search`, or "" for everywhere."""

    operator: str
    words: str

    @property
    def reads_texts(self) -> bool:
        return self.operator in ("", "body")


@dataclass(slots=True)
class PhraseCheck:
    """What became of hits: `present` ones have the phrases, `absent` ones do not; of `unchecked` ones it is not known."""

    present: set[int]
    absent: set[int]
    unchecked: int = 0


_Key = tuple[object, ...]
_known: dict[_Key, bool] = {}
_lock = threading.Lock()


def phrase_of(operator: str, value: str) -> QuotedWords | None:
    """None for a single word, and where quotes only hold a value together."""
    words = _WORD.findall(folded(value))
    return QuotedWords(operator, " ".join(words)) if operator in _HEADERS and len(words) > 1 else None


def check(
    connection: Connection, mailbox: str, uids: Sequence[int], phrases: Iterable[QuotedWords], most: int = MOST_CHECKED
) -> PhraseCheck:
    """Look for the phrases in the first `most` of these messages: SELECT; 1 round trip for their headers and structure, and 1
    for each 4 MB of their texts, none for those that were looked at before."""
    wanted = tuple(phrases)
    connection.select(mailbox)
    place = (connection.account.imap, connection.account.address, mailbox, connection.uidvalidity, wanted)
    looked_at = list(uids[:most])
    fresh = [uid for uid in looked_at if (*place, uid) not in _known]
    if fresh:
        kind = EvidenceKind(frozenset(_EVERYWHERE), texts=any(one.reads_texts for one in wanted))
        _remember(place, _look(connection, match_data.of_messages(connection, fresh, kind), wanted))
    verdicts = {uid: _known.get((*place, uid)) for uid in looked_at}
    unchecked = len(uids) - len(looked_at) + sum(verdict is None for verdict in verdicts.values())
    present = {uid for uid, verdict in verdicts.items() if verdict}
    return PhraseCheck(present, {uid for uid, verdict in verdicts.items() if verdict is False}, unchecked)


def having(connection: Connection, mailbox: str, uids: Sequence[int], phrases: Iterable[QuotedWords]) -> list[int]:
    """Those of these messages that have the phrases for certain: round trips of `check`, none for no messages."""
    present = check(connection, mailbox, uids, phrases).present if uids else ()
    return [uid for uid in uids if uid in present]


def _remember(key: _Key, verdicts: dict[int, bool]) -> None:
    with _lock:
        if len(_known) + len(verdicts) > _MOST_KNOWN:
            _known.clear()
        _known.update({(*key, uid): verdict for uid, verdict in verdicts.items()})


def _look(connection: Connection, found: Sequence[MessageEvidence], phrases: Sequence[QuotedWords]) -> dict[int, bool]:
    """Whether each message has all the phrases; those of which nobody can tell are left out."""
    left = {one.uid: [phrase for phrase in phrases if not _in_headers(one, phrase)] for one in found}
    verdicts = {uid: not missing for uid, missing in left.items() if not any(phrase.reads_texts for phrase in missing)}
    open_ones = [one for one in found if one.uid not in verdicts]
    open_ones.sort(key=lambda one: one.uid, reverse=True)
    match_data.add_texts(connection, open_ones, _MOST_TEXT, words_apart=True)
    for one in open_ones:
        if one.texts is not None and one.parts:
            texts = [_spaced(text) for text in one.texts]
            has_all = all(phrase.reads_texts and any(f" {phrase.words} " in text for text in texts) for phrase in left[one.uid])
            if has_all or not match_data.is_cut(one):
                verdicts[one.uid] = has_all
    return verdicts


def _in_headers(message_evidence: MessageEvidence, phrase: QuotedWords) -> bool:
    values = (headers.decode(value) for name in _HEADERS[phrase.operator] for value in message_evidence.fields.get(name, []))
    return any(f" {phrase.words} " in _spaced(value) for value in values)


@lru_cache(8)
def _spaced(text: str) -> str:
    return f" {' '.join(_WORD.findall(folded(text)))} "
