"""Search: parses queries from the search box to SEARCH criteria (RFC 3501 section 6.4.4). Every value goes through `quoted`.

    from:ann subject:"class council" is:unread -draft (budget OR facture) larger:5M newer_than:2w in:sent

Adjacent terms must all match; OR (OU) joins its two neighbours; `-` excludes; parentheses group.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from webmail.imap.connections.commands import flag_list, text
from webmail.imap.searching import cut_words
from webmail.imap.searching.phrases import QuotedWords, phrase_of
from webmail.imap.searching.search_keys import (
    DAYS,
    FIELDS,
    HAS_ATTACHMENT,
    SearchNode,
    file_name_key,
    in_field,
    knows_parts,
    of_days,
    plain,
    rendered,
)
from webmail.imap.searching.search_values import day_range, size_in_bytes
from webmail.imap.searching.spellings import folded

_OPERATORS = {
    "from": "from de", "to": "to à pour", "cc": "cc copie", "subject": "subject objet sujet", "body": "body corps texte",
    "has": "has avec contient", "filename": "filename fichier nom_de_fichier", "is": "is est",
    "larger": "larger plus_grand plus_gros", "smaller": "smaller plus_petit",
    "before": "before avant", "after": "after après apres since depuis", "on": "on le",
    "older_than": "older_than plus_vieux plus_ancien plus_vieux_que", "newer_than": "newer_than plus_récent plus_recent",
    "tag": "tag étiquette etiquette label", "list": "list liste", "in": "in dans",
}  # fmt: skip
_NAMES = {word: operator for operator, words in _OPERATORS.items() for word in words.split()}
_STATES = {
    b"UNSEEN": "unread unseen non_lu non_lus non_lue pas_lu", b"SEEN": "read seen lu lus lue",
    b"FLAGGED": "flagged starred suivi suivis marqué important", b"UNFLAGGED": "unflagged unstarred non_suivi",
    b"ANSWERED": "answered replied répondu repondu", b"UNANSWERED": "unanswered non_répondu sans_réponse",
    b"DRAFT": "draft brouillon", b"KEYWORD $Forwarded": "forwarded transféré transfere",
}  # fmt: skip
_STATE_KEYS = {word: key for key, words in _STATES.items() for word in words.split()}
_ATTACHMENT_WORDS = ("attach", "pièce", "piece", "pj", "fichier", "file")

_MOST_WORDS = 40  # each is three keys; further ones are ignored, and a remark says so
_DEEPEST = 8  # nested parentheses; deeper ones count as spaces

Kind = Literal["operator", "value", "tag", "many", "phrase"]


@dataclass(frozen=True, slots=True)
class SearchRemark:
    """A part of the query that was not understood. `kind`: "operator" (unknown) and "value" (of `operator`: not a date, a size
    ...; `words` end with its colon if there is none), both searched as text; "tag" (no such tag); "many" (words beyond the limit
    were ignored); "phrase" (its words are found in any order, since more than them is asked for)."""

    kind: Kind
    words: str
    operator: str = ""


@dataclass(frozen=True, slots=True)
class SearchTerm:
    """One word or operator as typed, to fill a search form. `operator` is "" for plain words."""

    operator: str
    value: str
    minus: bool
    source: str
    named: bool = False  # had a name before a colon, a known operator or not
    phrase: QuotedWords | None = None  # several words between quotes

    @property
    def is_plain_word(self) -> bool:
        return not (self.operator or self.named or self.minus) and cut_words.can_be_cut(self.value)


@dataclass(frozen=True, slots=True)
class Search:
    """A parsed query, false if nothing was asked for (`text` is ""). It is parsed once and carried to whatever looks for it.

    `mailbox` is the value of in:, `rest` the query without it, `terms` the terms of a query without OR and parentheses; `sought`
    those of any query that a result may have. `phrases`: what each result has to have word by word.
    """

    root: SearchNode
    remarks: tuple[SearchRemark, ...] = ()
    mailbox: str = ""
    rest: str = ""
    terms: tuple[SearchTerm, ...] = ()
    by_file_name: bool = False
    sought: tuple[SearchTerm, ...] = ()
    phrases: tuple[QuotedWords, ...] = ()
    text: str = ""  # as it was typed
    cut: Search | None = None  # the same for words that stand in pieces; its `phrases` are these words, each to be looked for

    def __bool__(self) -> bool:
        return bool(self.text)

    @property
    def without_folder(self) -> Search:
        """The same once in: has led to a folder."""
        return replace(self, mailbox="", text=self.rest)

    @property
    def criteria(self) -> bytes:
        """SEARCH keys that any server understands, all of which must match."""
        return rendered(self.root)


def criteria(query: Search, capabilities: frozenset[str] = frozenset()) -> bytes:
    """SEARCH keys for a server with these capabilities."""
    return rendered(query.root, knows_parts(capabilities))


def parse(query: str, *, today: date | None = None, tag: Callable[[str], str | None] | None = None) -> Search:
    """Parse a query. `today` is the base of relative dates; `tag` maps a tag's name to its keyword (None or "": no such tag).

    Raises UnsafeValueError for CR, LF, NUL and invalid Unicode; any other query is valid.
    """
    text(query)
    reader = _Reader(unicodedata.normalize("NFC", query), today or date.today(), tag)
    root = reader.read(0)
    remarks = list(dict.fromkeys(reader.remarks))
    if reader.passed_over:
        remarks.append(SearchRemark("many", str(_MOST_WORDS)))
    terms = () if reader.structured or reader.passed_over else tuple(reader.terms)
    sought = tuple(term for term in reader.terms if not term.minus)
    phrased = [term for term in reader.terms if term.phrase]
    phrases = () if reader.structured else tuple(dict.fromkeys(term.phrase for term in phrased if term.phrase and not term.minus))
    remarks += [SearchRemark("phrase", term.source.lstrip("-")[:100]) for term in phrased if term.phrase not in phrases]
    cut = None
    words = [term.value for term in terms if term.is_plain_word]
    if not phrases and 0 < len(words) <= cut_words.MOST_WORDS:
        others = [node for term, node in zip(terms, reader.nodes, strict=True) if not term.is_plain_word]
        sought_in_pieces = SearchNode("and", children=(*others, *map(cut_words.key, words)))
        cut = Search(sought_in_pieces, phrases=tuple(QuotedWords("", folded(word)) for word in words), text=query)
    return Search(root, tuple(remarks), reader.mailbox, reader.rest, terms, reader.by_file_name, sought, phrases, query, cut)


def state_name(value: str) -> str:
    """The English name of a state as one may type it after is: ("non_lu" is "unread"); "" if it is none."""
    key = _STATE_KEYS.get(_low(value))
    return _STATES[key].split()[0] if key else ""


def means_attachment(value: str) -> bool:
    """Whether has: with this value asks for attachments."""
    return _low(value).startswith(_ATTACHMENT_WORDS)


# --- parsing ---------------------------------------------------------------------------------------------------------

_QUOTES = str.maketrans("“”„«»", '"""""')
_START = re.compile(r"(-?)(?:([^\W\d_][\w-]{0,30}):)?")
_PHRASE = re.compile(r'"([^"]*)"?')
_BARE = re.compile(r'[^\s"]+')
_UNIT_APART = re.compile(r"\s+(?:[kmgKMG]i?[oObB]|octets|bytes)(?![^\s()])")


@dataclass(slots=True)
class _Token:
    kind: Literal["word", "open", "close", "or"]
    minus: bool = False
    name: str = ""  # before the colon, as typed
    value: str = ""
    whole: bool = False  # quoted
    start: int = 0
    end: int = 0


class _Reader:
    """Parses a query in a single pass."""

    def __init__(self, query: str, today: date, tag: Callable[[str], str | None] | None) -> None:
        self.query, self.today, self.tag = query.translate(_QUOTES), today, tag
        self.remarks: list[SearchRemark] = []
        self.terms: list[SearchTerm] = []
        self.nodes: list[SearchNode] = []  # of each term
        self.mailbox = ""
        self._cut: list[tuple[int, int]] = []  # positions of in:
        self.structured = self.by_file_name = self.passed_over = False
        self._open = 0
        self._words = 0
        self._tokens = self._scan()
        self._ignored = 0  # open parentheses that are too deep

    @property
    def rest(self) -> str:
        """The query without in:."""
        kept, at = "", 0
        for start, end in self._cut:
            kept, at = kept + self.query[at:start], end
        return " ".join((kept + self.query[at:]).split())

    def read(self, depth: int) -> SearchNode:
        """Parse up to the closing parenthesis of this level; all of it must match."""
        found: list[SearchNode] = []
        joining = False
        for token in self._tokens:
            if token.kind == "close":
                if self._ignored:
                    self._ignored -= 1
                elif depth:
                    break
                continue
            if token.kind == "or" and found and not joining:
                self.structured = joining = True
                continue
            if token.kind == "open" and depth >= _DEEPEST:
                self._ignored += 1
                continue
            node = self._operand(token, depth)
            if node is None:
                continue
            if joining:
                before = found.pop()
                node = SearchNode("or", children=((*before.children, node) if before.kind == "or" else (before, node)))
            found.append(node)
            joining = False
        return found[0] if len(found) == 1 else SearchNode("and", children=tuple(found))

    def _operand(self, token: _Token, depth: int) -> SearchNode | None:
        if token.kind == "open":
            self.structured = True
            before = len(self.terms)
            node: SearchNode | None = self.read(depth + 1)
            if token.minus:
                self.terms[before:] = [replace(term, minus=True) for term in self.terms[before:]]
            if node and node.kind == "and" and not node.children:
                return None  # ()
            if node and node.kind == "or":
                node = SearchNode("and", children=(node,))  # so that a following OR does not extend it
        else:
            node = self._word(token, depth)
            if node:
                self.nodes.append(SearchNode("not", children=(node,)) if token.minus else node)
        return SearchNode("not", children=(node,)) if node and token.minus else node

    def _word(self, token: _Token, depth: int) -> SearchNode | None:
        operator = _operator(token.name)
        source = self.query[token.start : token.end]
        if operator == "in" and token.value and not depth and not token.minus:
            self.mailbox = token.value
            self._cut.append((token.start, token.end))
            return None
        if not (token.value or token.name):
            return None
        self._words += 1
        if self._words > _MOST_WORDS:
            self.passed_over = True
            return None
        phrase = phrase_of(operator, token.value) if token.whole and bool(operator) == bool(token.name) else None
        self.terms.append(SearchTerm(operator, token.value, token.minus, source, bool(token.name), phrase))
        key = self._key(operator, token.value) if operator and token.value else None
        if key:
            return key
        if operator:
            kind: Kind = "tag" if operator == "tag" and token.value else "value"
            self.remarks.append(SearchRemark(kind, source.lstrip("-")[:100], operator))
        elif token.name and token.value and not token.value.startswith("//"):
            self.remarks.append(SearchRemark("operator", token.name + ":"))
        return plain(f"{token.name}:{token.value}" if token.name else token.value)

    def _key(self, operator: str, value: str) -> SearchNode | None:
        """The key of a known operator; None if its value is invalid."""
        low = _low(value)
        if operator in FIELDS:
            return in_field(operator, value)
        if operator == "is" and low in _STATE_KEYS:
            return SearchNode("key", _STATE_KEYS[low])
        if operator == "has" and means_attachment(value):
            return SearchNode("key", HAS_ATTACHMENT)
        if operator == "filename":
            self.by_file_name = True
            return file_name_key(value)
        if operator in ("larger", "smaller") and (size := size_in_bytes(value)) is not None:
            return SearchNode("key", operator.upper().encode() + b" %d" % size)
        if operator in (*DAYS, "on") and (days := day_range(value, self.today)):
            return SearchNode("key", of_days(operator, *days))
        if operator == "tag" and (keyword := self.tag(value) if self.tag else None):
            return SearchNode("key", b"KEYWORD " + flag_list([keyword])[1:-1])
        return None

    def _scan(self) -> Iterator[_Token]:
        query, at = self.query, 0
        while at < len(query):
            if query[at].isspace():
                at += 1
            elif query.startswith(("(", "-("), at):
                self._open += 1
                yield _Token("open", query[at] == "-")
                at += 2 if query[at] == "-" else 1
            elif query[at] == ")":
                if self._open:
                    self._open -= 1
                    yield _Token("close")
                at += 1
            else:
                token = self._next_word(at)
                at = max(token.end, at + 1)
                yield token

    def _next_word(self, at: int) -> _Token:
        start = _START.match(self.query, at)
        assert start is not None
        token = _Token("word", bool(start[1]), start[2] or "", start=at, end=start.end())
        if _operator(token.name):
            self._value_apart(token)
        if phrase := _PHRASE.match(self.query, token.end):
            token.value, token.whole, token.end = phrase[1].strip(), True, phrase.end()
        elif bare := _BARE.match(self.query, token.end):
            token.value = bare[0]
            while self._open and token.value.endswith(")") and token.value.count(")") > token.value.count("("):
                token.value = token.value[:-1]
            token.end += len(token.value)
        if not token.name and not token.whole and not token.minus and token.value in ("OR", "OU"):
            token.kind = "or"
        if _operator(token.name) in ("larger", "smaller") and (unit := _UNIT_APART.match(self.query, token.end)):
            token.value, token.end = token.value + unit[0].strip(), unit.end()
        return token

    def _value_apart(self, token: _Token) -> None:
        """Skip white space after the colon: `from: ann` means `from:ann`."""
        apart = re.compile(r"\s+").match(self.query, token.end)
        if not apart:
            return
        following = _START.match(self.query, apart.end())
        word = _BARE.match(self.query, apart.end())
        begins_anew = following is not None and (following[1] or _operator(following[2] or ""))
        if self.query[apart.end() : apart.end() + 1] == '"' or (
            word and not begins_anew and word[0] not in ("OR", "OU") and word[0][0] not in "()"
        ):
            token.end = apart.end()


def _operator(name: str) -> str:
    return _NAMES.get(_low(name), "")


def _low(word: str) -> str:
    return word.lower().replace("-", "_")


def narrowed(search: Search, *nodes: SearchNode) -> Search:
    """`search`, restricted further by these nodes."""
    return replace(search, root=SearchNode("and", children=(search.root, *nodes)))


EVERYTHING, UNREAD = parse(""), parse("is:unread")
