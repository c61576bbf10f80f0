"""Markdown images: `![alt text](name)` refers to an attachment of the message by its file name, never to a remote image.

The name is percent-encoded as in URLs, so that neither Markdown nor an editor changes it. Names are compared as mail carries
them (`filenames.safe_name`), so that a draft that was stored in a mailbox still finds its images.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from itertools import chain, count
from typing import TypedDict, cast
from urllib.parse import quote, unquote

from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from webmail.mime.charsets import without_surrogates
from webmail.mime.headers.filenames import safe_name

TYPES = frozenset(("image/png", "image/jpeg", "image/gif", "image/webp"))  # what all mail clients show; not SVG, a document
LONGEST_WORDS = 200  # characters of alt text

_MARK = re.compile(r"!\[((?:[^\[\]\\\n]|\\[^\n]){0,1000})\]\(([^\s()<>\[\]]{1,2000})\)")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


class ImageReferences(TypedDict):
    """The markdown-it `env`: URLs of the images by the key of their name, and the keys of those that were used."""

    pictures: Mapping[str, str]
    used: set[str]


def key(name: str) -> str:
    """The lookup key of an image: names with the same key are the same name to mail clients."""
    return safe_name(without_surrogates(name))


def _named(address: str) -> str:
    """The key of the file that a reference names; "" for a URL with a path, which is never one of ours."""
    name = unquote(address)
    return "" if "/" in name or "\\" in name else key(name)


def mark(text: str, name: str) -> str:
    """The Markdown for an image: `text` is its alt text, `name` its file name."""
    text = re.sub(r"[\[\]\\]", " ", text)
    return f"![{' '.join(text.split())[:LONGEST_WORDS].strip()}]({quote(without_surrogates(name), safe='')})"


def words_for(name: str) -> str:
    """A default alt text for an image: its file name without the extension."""
    return " ".join(re.sub(r"[\[\]\\()<>_]+", " ", _split(name)[0]).split())


def distinct(name: str, taken: Container[str]) -> str:
    """This name, numbered if its key is already in `taken`: "photo.png", "photo-2.png"."""
    stem, extension = _split(name)
    numbered = (f"{stem[:140]}-{number}{extension}" for number in count(2))
    return next(one for one in chain([name], numbered) if key(one) not in taken)


def may_be(name: str, requested: str) -> bool:
    """Whether `distinct` could have made this name from `requested`."""
    stem, extension = _split(requested)
    return name == requested or re.fullmatch(rf"{re.escape(stem[:140])}-\d+{re.escape(extension)}", name) is not None


def _split(name: str) -> tuple[str, str]:
    """A file name split into its stem and its extension with the dot."""
    stem, dot, extension = name.rpartition(".")
    return (stem, f".{extension}") if dot and stem else (name, "")


def replaced(text: str, change: Callable[[str, str], str | None]) -> str:
    """The text with each image reference replaced by `change(alt text, key)`; None leaves it unchanged."""

    def one(found: re.Match[str]) -> str:
        made = change(_ESCAPED.sub(r"\1", found[1]), _named(found[2]))
        return found[0] if made is None else made

    return _MARK.sub(one, text)


def plain(text: str, used: Container[str]) -> str:
    """The text for plain text readers: `[alt text]` for the images in `used` (keys), or the file name without alt text."""
    return replaced(text, lambda words, name: f"[{words.strip() or name}]" if name in used else None)


def marks(text: str) -> list[tuple[str, str]]:
    """(alt text, key) of each image reference in a text."""
    found: list[tuple[str, str]] = []
    replaced(text, lambda words, name: found.append((words, name)))
    return found


def woven(text: str, seen: list[tuple[str, str]]) -> str:
    """The inverse of `plain`: a text with `[alt text]` placeholders, with the image references put back. `seen` are the alt
    texts and file names of the images, in order. Returns "" if a placeholder is missing.
    """
    pieces: list[str] = []
    at = 0
    for words, name in seen:
        places = [(text.find(f"[{said}]", at), said) for said in (words.strip(), name) if said]
        place, said = min((one for one in places if one[0] >= 0), default=(-1, ""))
        if place < 0:
            return ""
        pieces += [text[at:place], mark(words, name)]
        at = place + len(said) + 2
    return "".join([*pieces, text[at:]])


def rule(state: StateInline, silent: bool) -> bool:
    """The markdown-it rule that replaces its own for images: a reference to no image of the message remains text."""
    wanted = cast(ImageReferences, state.env)
    if state.src[state.pos] != "!" or not wanted.get("pictures"):
        return False
    found = _MARK.match(state.src, state.pos, state.posMax)
    name = _named(found[2]) if found else ""
    if not found or not name or name not in wanted["pictures"]:
        return False
    if not silent:
        token = state.push("image", "img", 0)
        words = _ESCAPED.sub(r"\1", found[1])
        token.attrs = {"src": wanted["pictures"][name], "alt": ""}
        token.children, token.content = [Token("text", "", 0, content=words)], words
        wanted["used"].add(name)
    state.pos = found.end()
    return True
