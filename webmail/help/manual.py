"""The manual: the pages of help, in the chapters of `contents.toml`, one Markdown file a task in each language.

A file begins with `words:`, by which a page is found too; then its title, a sentence that says what it is for, and the rest. In
it, `*Move…*` is a name on the screen, `[words](name)` leads to another page, and `![words](name)` is a picture of static/help.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from webmail.mime.formats import image_info

ROOT = Path(__file__).resolve().parent
PICTURES = ROOT.parents[1] / "static" / "help"
_HEAD = "words:"
_READER = MarkdownIt("commonmark", {"html": False, "xhtmlOut": False})
_READ = {"softbreak": " ", "image": ""}  # what is read of tokens, where it is not what they contain


@dataclass(frozen=True, slots=True)
class HelpPicture:
    """A picture of the screen in one language, as wide and high as its file is."""

    file: str  # below the static files
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class HelpPage:
    """A page in one language. `words`: what it is found by beside its title and text; `about`: its first sentence."""

    name: str
    chapter: str
    language: str
    title: str
    about: str
    words: str
    body: str  # Markdown, without the title


@dataclass(frozen=True, slots=True)
class HelpChapter:
    name: str
    title: str
    pages: tuple[HelpPage, ...]


@dataclass(frozen=True, slots=True)
class HelpContents:
    """The table of contents: chapters, with titles by language and names of pages; which page helps at an endpoint."""

    chapters: tuple[tuple[str, dict[str, str], tuple[str, ...]], ...]
    by_endpoint: dict[str, str]


@cache
def contents() -> HelpContents:
    read = tomllib.loads((ROOT / "contents.toml").read_text(encoding="utf-8"))
    chapters = []
    by_endpoint: dict[str, str] = {}
    for name, chapter in read.items():
        chapters.append((name, chapter["title"], tuple(chapter["pages"])))
        by_endpoint |= {endpoint: page for page, endpoints in chapter["pages"].items() for endpoint in endpoints}
    return HelpContents(tuple(chapters), by_endpoint)


@cache
def chapters(language: str) -> tuple[HelpChapter, ...]:
    """The whole manual in a language, in its order."""
    return tuple(
        HelpChapter(name, titles[language], tuple(_read(page, name, language) for page in pages))
        for name, titles, pages in contents().chapters
    )


@cache
def _by_name(language: str) -> dict[str, HelpPage]:
    return {page.name: page for chapter in chapters(language) for page in chapter.pages}


def page_named(name: str, language: str) -> HelpPage | None:
    return _by_name(language).get(name)


def page_for(endpoint: str) -> str:
    """The name of the page that helps where this endpoint answers; "" where none does."""
    return contents().by_endpoint.get(endpoint, "")


@cache
def picture(name: str, language: str) -> HelpPicture | None:
    """None before `make screenshots` has taken it."""
    path = PICTURES / language / f"{name}.webp"
    if not path.is_file():
        return None
    width, height = image_info.size_of(path.read_bytes())
    return HelpPicture(f"help/{language}/{path.name}", width, height)


def to_html(page: HelpPage, link: Callable[[str], str], static: Callable[[str], str]) -> str:
    """The body as HTML. `link` gives the address of a page by its name, `static` that of a static file."""
    tokens = _READER.parse(page.body)
    for token in _inside(tokens):
        if token.type == "link_open" and "/" not in (name := str(token.attrGet("href"))):
            token.attrSet("href", link(name))
        elif token.type == "image":
            _show(token, page.language, static)
        elif token.type in ("em_open", "em_close"):
            token.tag = "b"  # a name on the screen; text browsers show it too
    return str(_READER.renderer.render(tokens, _READER.options, {}))


def _show(token: Token, language: str, static: Callable[[str], str]) -> None:
    found = picture(str(token.attrGet("src")), language)
    if found is None:
        token.type, token.tag = "text", ""  # its words stand for it
    else:
        token.attrs = {
            "src": static(found.file), "alt": "", "width": found.width, "height": found.height, "loading": "lazy",
        }  # fmt: skip


def links_of(page: HelpPage) -> list[str]:
    """The pages that a page leads to."""
    return [str(token.attrGet("href")) for token in _inside(_READER.parse(page.body)) if token.type == "link_open"]


def names_of(page: HelpPage) -> list[str]:
    """The names on the screen that a page quotes."""
    found: list[str] = []
    inside = False
    for token in _inside(_READER.parse(page.body)):
        if token.type in ("em_open", "em_close"):
            inside = token.type == "em_open"
            found += [""] if inside else []
        elif inside:
            found[-1] += _READ.get(token.type, token.content)
    return found


def text_of(page: HelpPage) -> str:
    """The words that a person reads, a paragraph a line."""
    return _text(page.body)


def _text(body: str) -> str:
    inline = [token.children or [] for token in _READER.parse(body) if token.type == "inline"]
    lines = ("".join(_READ.get(token.type, token.content) for token in tokens).strip() for tokens in inline)
    return "\n".join(line for line in lines if line)


def _inside(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield from token.children or ()


def _read(name: str, chapter: str, language: str) -> HelpPage:
    text = (ROOT / "pages" / language / f"{name}.md").read_text(encoding="utf-8")
    words, _end, rest = text.removeprefix(_HEAD).partition("\n")
    title, _end, body = rest.strip().removeprefix("# ").partition("\n")
    about = _text(body).partition("\n")[0]
    return HelpPage(name, chapter, language, title.strip(), about, words.strip(), body.strip())
