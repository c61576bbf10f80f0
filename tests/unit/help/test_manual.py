"""The manual is true: both languages say the same, every page of the application has help, names on the screen exist, none is long."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.catalogue import french
from tests.support.every_page import NO_PAGES
from webmail import create_app
from webmail.database.connection import db
from webmail.help import manual
from webmail.help.manual import HelpPage, contents, page_named, text_of

LANGUAGES = ("en", "fr")
LINES, WIDTH = 25, 80  # of text: what a screen shows at once
HEAVIEST = 15_000  # bytes of a picture
_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")


def pictures_of(page: HelpPage) -> list[str]:
    return [str(token.attrGet("src")) for token in manual._inside(manual._READER.parse(page.body)) if token.type == "image"]


def pages(language: str) -> list[HelpPage]:
    return [page for chapter in manual.chapters(language) for page in chapter.pages]


def pairs() -> Iterator[tuple[HelpPage, HelpPage]]:
    for page in pages("en"):
        other = page_named(page.name, "fr")
        assert other
        yield page, other


@cache
def names_on_screens(language: str) -> frozenset[str]:
    """All that the screens say in a language; what changes in it as "…"."""
    found: set[str] = set()
    for message in french():
        texts = message.id if language == "en" else message.string
        found |= {_PLACEHOLDER.sub("…", text).replace("'", "’") for text in ((texts,) if isinstance(texts, str) else texts)}
    return frozenset(found)


def test_the_contents_name_every_file_of_both_languages() -> None:
    listed = sorted(name for _chapter, _titles, names in contents().chapters for name in names)
    for language in LANGUAGES:
        assert sorted(path.stem for path in (manual.ROOT / "pages" / language).iterdir()) == listed
    assert len(listed) > 60


def test_both_languages_have_the_same_links_and_pictures() -> None:
    different = [
        english.name for english, french_one in pairs()
        if sorted(manual.links_of(english)) != sorted(manual.links_of(french_one)) or pictures_of(english) != pictures_of(french_one)
    ]  # fmt: skip
    assert different == []


def test_every_link_leads_to_a_page() -> None:
    dead = {
        page.name: gone
        for page in pages("en")
        if (gone := [name for name in manual.links_of(page) if not page_named(name, "en")])
    }
    assert dead == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_on_the_screen_are_said_as_the_screens_say_them(language: str) -> None:
    known = names_on_screens(language)
    unknown = {
        page.name: odd for page in pages(language) if (odd := [name for name in manual.names_of(page) if name not in known])
    }
    assert unknown == {}, "the catalogue has no such words: quote what the screen says, or *Move…* where it is not a name"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_is_longer_than_a_screen(language: str) -> None:
    long = {page.name: lines for page in pages(language) if (lines := lines_of(page)) > LINES}
    assert long == {}, "one page a task: make two of it"


def lines_of(page: HelpPage) -> int:
    return sum(len(textwrap.wrap(line, WIDTH)) for line in text_of(page).splitlines())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_begins_as_the_others(language: str) -> None:
    for page in pages(language):
        assert page.title and page.words and page.about, page.name
        assert len(page.title) <= 60 and not page.title.endswith("."), page.name
    assert len({page.title for page in pages(language)}) == len(pages(language))


def test_french_is_typeset_as_french() -> None:
    text = {page.name: f"{page.title}\n{text_of(page)}" for page in pages("fr")}
    wrong = re.compile(r".{12}(?: [:;!?»]|« |')")
    assert {name: odd for name, words in text.items() if (odd := wrong.findall(_without_code(name, words)))} == {}


def _without_code(name: str, words: str) -> str:
    page = page_named(name, "fr")
    for code in sorted(re.findall(r"`([^`]+)`", page.body if page else ""), key=len, reverse=True):
        words = words.replace(code, "")
    return words


def test_every_page_of_the_application_has_help(tmp_path: Path) -> None:
    """And what the contents say of endpoints is there: a page that is new belongs in webmail/help/contents.toml."""
    before = db.obj
    app = create_app(tmp_path)
    if before is not None:
        db.initialize(before)
    there = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    helped = contents().by_endpoint
    assert {endpoint for endpoint in there - NO_PAGES if not helped.get(endpoint)} == set()
    assert set(helped) <= there
    assert [page for page in helped.values() if not page_named(page, "en")] == []


def test_pictures_are_there_in_both_languages_and_light() -> None:
    for page in [*pages("en"), *pages("fr")]:
        for name in pictures_of(page):
            found = manual.picture(name, page.language)
            assert found, f"make screenshots takes static/help/{page.language}/{name}.webp"
            assert found.width and found.height
            path = manual.PICTURES / page.language / f"{name}.webp"
            assert path.stat().st_size <= HEAVIEST, path


def test_no_picture_is_left_over() -> None:
    for language in LANGUAGES:
        shown = {name for page in pages(language) for name in pictures_of(page)}
        assert {path.stem for path in (manual.PICTURES / language).iterdir()} == shown
