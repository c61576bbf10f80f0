"""Search in the manual: pages by words of either language, in any order, with or without accents and endings."""

from __future__ import annotations

from functools import cache

from webmail.help.manual import HelpPage, chapters, contents, page_named, text_of
from webmail.mime.headers.encoded_words import words_in

LONGEST = 200  # characters of a query
_MOST = 8  # words that are looked for
_TITLE, _WORDS, _TEXT = 6, 4, 1
_SHORTEST = 2  # letters of a word that is looked for
_LETTERS = 4  # by which words are taken to be alike, if they begin with so many
_FAR = 6  # pages that are so many times less about it are left out
# what people write around what they look for
_EMPTY = frozenset(
    words_in("""
    a an and as at by can do does for from get how i in is it make me my need not of on or put set the to up use want
    what when where why with au aux avec ce cette comment dans de des du en est et faire il je la le les ma me mes
    mettre mon ou par pas peux pour quand que qui sa se ses son sur un une utiliser veux vous y
    """)
)


def find(query: str, language: str) -> list[HelpPage]:
    """The pages that are about these words, best first: one with all of them comes before one with a few."""
    asked = list(dict.fromkeys(word for word in words_in(query[:LONGEST]) if len(word) >= _SHORTEST))
    wanted = [_stem(word) for word in asked if word not in _EMPTY][:_MOST]
    scores: dict[str, int] = {}
    for name, weights in _index().items():
        if hits := [hit for word in wanted if (hit := _weight(word, weights))]:
            scores[name] = len(hits) * sum(hits)
    enough = max(scores.values(), default=0) / _FAR
    names = sorted((name for name, score in scores.items() if score >= enough), key=lambda name: -scores[name])
    return [page for name in names if (page := page_named(name, language))]


def _weight(word: str, weights: dict[str, int]) -> int:
    """How much a page is about a word: half as much where it only has one like it."""
    return 2 * weights[word] if word in weights else max((of for one, of in weights.items() if _alike(word, one)), default=0)


def _alike(word: str, other: str) -> bool:
    """Whether one begins like the other: what is not typed to its end, or "sharing" and "share"."""
    least = max(_LETTERS, min(len(word), len(other)) - 1)
    return other.startswith(word) if len(word) < _LETTERS else word[:least] == other[:least] and 2 * least > len(word)


def _stem(word: str) -> str:
    """Without the ending of a plural, in both languages."""
    return word.rstrip("sx") if len(word) > _LETTERS else word


@cache
def _index() -> dict[str, dict[str, int]]:
    """By the name of a page, how much each of its words weighs, in whatever language it was read."""
    index: dict[str, dict[str, int]] = {}
    for language in contents().chapters[0][1]:
        for chapter in chapters(language):
            for page in chapter.pages:
                weights = index.setdefault(page.name, {})
                for text, weight in ((text_of(page), _TEXT), (page.words, _WORDS), (page.title, _TITLE)):
                    weights |= {word: max(weight, weights.get(word, 0)) for word in map(_stem, words_in(text))}
    return index
