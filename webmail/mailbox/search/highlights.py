"""Highlights: marks the words of a search in the rows of its results."""

from __future__ import annotations

import re
import unicodedata

from markupsafe import Markup, escape

from webmail.imap.searching.search import Search
from webmail.mailbox.blueprint import blueprint

_WORD = re.compile(r"\w+")
_MOST = 10
_WHERE = ("", "subject", "from", "to", "cc", "body")
_STEM = 5  # letters after which an ending may differ: the index finds "réunions" by "réunion"


def words_of(found: Search) -> tuple[str, ...]:
    """The words that a search looks for, as `marked_words` compares them."""
    texts = [term.value for term in found.sought if term.operator in _WHERE]
    words = (_plain(word) for text in texts for word in _WORD.findall(text))
    return tuple(dict.fromkeys(word for word in words if word))[:_MOST]


@blueprint.app_template_filter()
def marked_words(text: str, texts: tuple[str, ...]) -> str | Markup:
    """The text with `<mark>` around the words that begin like one of these, whatever their accents; safe in HTML."""
    if not texts:
        return text
    marked, at = Markup(""), 0
    for match in _WORD.finditer(text):
        if any(_resembles(_plain(match[0]), word) for word in texts):
            marked += escape(text[at : match.start()]) + Markup("<mark>{}</mark>").format(match[0])
            at = match.end()
    return marked + escape(text[at:])


def _resembles(plain: str, word: str) -> bool:
    if len(word) == 1:
        return plain == word
    return plain.startswith(word) or (len(plain) >= _STEM and word.startswith(plain) and len(word) - len(plain) <= 2)


def _plain(word: str) -> str:
    """Without accents, in lower case; œ is oe, as in the index."""
    low = word.casefold().replace("œ", "oe").replace("æ", "ae")
    if low.isascii():
        return low
    return "".join(c for c in unicodedata.normalize("NFKD", low) if not unicodedata.combining(c))
