"""Pictures in formatted text: `![words](name)` stands for the file of that name which the message itself carries, for no other.

The name is the file's own, percent-encoded as in addresses, so that neither Markdown nor an editor changes it. Names are compared
as mail carries them (`filenames.safe_name`), so that a draft that went through a mailbox still finds its pictures.
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
from webmail.mime.filenames import safe_name

TYPES = frozenset(("image/png", "image/jpeg", "image/gif", "image/webp"))  # what all mail programs show; never SVG, a document
LONGEST_WORDS = 200  # characters that stand for a picture

_MARK = re.compile(r"!\[((?:[^\[\]\\\n]|\\[^\n]){0,1000})\]\(([^\s()<>\[\]]{1,2000})\)")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


class ImageReferences(TypedDict):
    """What the reader of a text is given (`env`): the addresses of pictures by the key of their name; it notes those it used."""

    pictures: Mapping[str, str]
    used: set[str]


def key(name: str) -> str:
    """By which a picture is found: two names with one key are one name to a mail program."""
    return safe_name(without_surrogates(name))


def _named(address: str) -> str:
    """The key of the file that a mark names; "" for an address with a path, for no file has one."""
    name = unquote(address)
    return "" if "/" in name or "\\" in name else key(name)


def mark(words: str, name: str) -> str:
    """The Markdown for a picture: `words` is what is read where it can't be seen, `name` that of its file."""
    words = re.sub(r"[\[\]\\]", " ", words)
    return f"![{' '.join(words.split())[:LONGEST_WORDS].strip()}]({quote(without_surrogates(name), safe='')})"


def words_for(name: str) -> str:
    """What stands for a picture of which only the name of its file is known: that name without its extension."""
    return " ".join(re.sub(r"[\[\]\\()<>_]+", " ", _split(name)[0]).split())


def distinct(name: str, taken: Container[str]) -> str:
    """This name, or one made of it whose key is not `taken`: "photo.png", "photo-2.png"."""
    stem, extension = _split(name)
    numbered = (f"{stem[:140]}-{number}{extension}" for number in count(2))
    return next(one for one in chain([name], numbered) if key(one) not in taken)


def may_be(name: str, asked: str) -> bool:
    """Whether `distinct` may have given this name to a file that was called `asked`."""
    stem, extension = _split(asked)
    return name == asked or re.fullmatch(rf"{re.escape(stem[:140])}-\d+{re.escape(extension)}", name) is not None


def _split(name: str) -> tuple[str, str]:
    """A file's name without its extension, and that with its dot."""
    stem, dot, extension = name.rpartition(".")
    return (stem, f".{extension}") if dot and stem else (name, "")


def replaced(text: str, change: Callable[[str, str], str | None]) -> str:
    """The text with each mark replaced by what `change` makes of its words and its file's key; None leaves it as it is."""

    def one(found: re.Match[str]) -> str:
        made = change(_ESCAPED.sub(r"\1", found[1]), _named(found[2]))
        return found[0] if made is None else made

    return _MARK.sub(one, text)


def plain(text: str, used: Container[str]) -> str:
    """The text for readers without pictures: `[words]` for those in `used` (keys), the file's name where there are no words."""
    return replaced(text, lambda words, name: f"[{words.strip() or name}]" if name in used else None)


def marks(text: str) -> list[tuple[str, str]]:
    """The words and the key of each mark of a text."""
    found: list[tuple[str, str]] = []
    replaced(text, lambda words, name: found.append((words, name)))
    return found


def woven(text: str, seen: list[tuple[str, str]]) -> str:
    """A text with `[words]` for its pictures, as `plain` makes it, with the marks in their places again; `seen` are the words
    and the file names of the pictures, in order. "" where one of them has no place in it.
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
    """For markdown-it, in the place of its own rule for images: a mark that names no picture of the message is none."""
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
