"""A quick look at the beginning of some HTML, before it is cleaned for its frame: what a message's page has to say about it."""

from __future__ import annotations

import html as entities
import re
from dataclasses import dataclass

import nh3

from webmail.mime.charsets import without_surrogates
from webmail.mime.html.input_limits import bounded
from webmail.mime.html.link_claims import lies

_REMOTE = re.compile(r"""//[^\s"'<>()]{1,4000}""")
_COMMENT = re.compile(r"<!--(?:-?>|.*?(?:--!?>|\Z))", re.S)
_OF_LINKS = ('href="https:', 'href="http:', "href='https:", "href='http:")
_NO_PICTURE = re.compile(r"(?:src\s*:|@import|[,)])\s*url\(\Z")  # a font, another sheet
_DROPPED = "script style title head textarea select button object iframe noframes svg math template"
_BLOCKS = "blockquote br dd div dt h1 h2 h3 h4 h5 h6 hr li p pre td th tr"
_TEXT = nh3.Cleaner(
    tags=set(_BLOCKS.split()), clean_content_tags=set(_DROPPED.split()), attributes={}, link_rel=None, url_schemes=set()
)
_TAG = re.compile(r"<[^>]*>")  # as nh3 writes it


@dataclass(frozen=True, slots=True)
class HtmlScan:
    """`remote`: about how many different images and the like it would fetch. `lies`: links whose text names another site than
    they lead to, address -> the site that is named (as `claims.claim`)."""

    remote: int = 0
    lies: tuple[tuple[str, str], ...] = ()


def scan(html: str) -> HtmlScan:
    """Linear, without a parser: it reads what a sender wrote, so that a script's "src" counts as well. Never raises."""
    return HtmlScan(_remote(html), tuple(lies(html).items()))


def words(html: str) -> str:
    """The words of some HTML, for programs to read: a space for each element, no lines or links as `html_to_text` gives them,
    in a tenth of its time. Never raises."""
    return entities.unescape(_TAG.sub(" ", _TEXT.clean(bounded(without_surrogates(html)))))


def _remote(html: str) -> int:
    found = set()
    if "<!--" in html:
        html = _COMMENT.sub("", html)  # Outlook's own part of a letter
    for match in _REMOTE.finditer(html):
        start = match.start()
        if html[start - 13 : start].endswith(_OF_LINKS):
            continue
        before = html[max(start - 40, 0) : start].lower().removesuffix("https:").removesuffix("http:").rstrip("\"' \t\r\n")
        if before.endswith("url("):
            if not _NO_PICTURE.search(before):
                found.add(match[0])
        elif before.endswith("=") and before[:-1].rstrip().endswith(("src", "srcset", "background")):
            found.add(match[0])
    return len(found)
