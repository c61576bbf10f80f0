"""Cut words: words that a server's index knows in pieces, since a tag stands in them (`<b>ren</b>trée`).

Only where nothing else was found: the server is asked for messages that have both pieces, and their texts are read.
"""

from __future__ import annotations

import re

from webmail.imap.connections.commands import quoted
from webmail.imap.searching.search_keys import SearchNode, any_of, plain
from webmail.imap.searching.spellings import folded

QUICK = 0.5  # seconds: a server without an index, which takes longer, is not asked for pieces
MOST_READ = 50  # messages
MOST_WORDS = 3  # of a search: each is some forty keys
_SHORTEST, _LONGEST = 5, 24  # letters
_LETTERS = re.compile(r"[^\W\d_]+")


def can_be_cut(word: str) -> bool:
    return _SHORTEST <= len(word) <= _LONGEST and bool(_LETTERS.fullmatch(word))


def key(word: str) -> SearchNode:
    """The word, or both its pieces in one message, wherever it is cut."""
    low = folded(word)
    cuts = (b"(TEXT %b TEXT %b)" % (quoted(low[:at]), quoted(low[at:])) for at in range(1, len(low)))
    return any_of(plain(word), *(SearchNode("key", cut) for cut in cuts))
