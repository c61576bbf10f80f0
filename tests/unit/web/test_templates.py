"""Templates, styles and scripts: lines that fit an editor, CSS one rule to a line, and at most two style sheets for each page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
STYLES = sorted((ROOT / "static").rglob("*.css"))
SCRIPTS = sorted(path for path in (ROOT / "static").rglob("*.js") if "vendor" not in path.parts)
PAGES = [path for path in TEMPLATES if re.search(r"\{% extends|<!doctype", path.read_text())]
LONGEST = 160


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", [*TEMPLATES, *STYLES, *SCRIPTS], ids=relative)
def test_no_line_is_too_long(path: Path) -> None:
    long = [number for number, line in enumerate(path.read_text().splitlines(), 1) if len(line) > LONGEST]
    assert long == []


# the buttons whose form knows what they mean, and the field of a date that is sent without one (webmail/web/list_buttons.py)
KNOWN = {
    'form="jump" required><button class="btn" form="jump">',
    'form="save-search"',
    'form="save-search" name="action" value="save-search">',
}


@pytest.mark.parametrize("path", TEMPLATES, ids=relative)
def test_every_button_works_where_only_its_own_form_is_known(path: Path) -> None:
    """w3m, lynx and elinks send a field and a button with the form around it, to its `action`, by its `method`."""
    text = path.read_text()
    assert re.findall(r"formaction|formmethod|formenctype|formtarget", text) == []
    for words in sorted(KNOWN, key=len, reverse=True):
        text = text.replace(words, "")
    assert re.findall(r"\sform=\S+", text) == []


def crowded(css: str) -> list[int]:
    """The numbers of the lines on which more than one rule begins or goes on."""
    bare = re.sub(r"/\*.*?\*/", lambda found: "\n" * found[0].count("\n"), css, flags=re.S)
    return [number for number, line in enumerate(bare.splitlines(), 1) if line.count("{") > 1 or re.search(r"\}\s*\S", line)]


@pytest.mark.parametrize("path", STYLES, ids=relative)
def test_no_line_of_css_holds_two_rules(path: Path) -> None:
    assert crowded(path.read_text()) == []


def test_two_rules_on_a_line_are_noticed() -> None:
    assert crowded("a { b: c; }\n/* d { } */\ne { f: g; } h { i: j; }\n@media print { k { l: m; } }\n") == [3, 4]


def used_by(name: str, seen: set[str]) -> None:
    """Collects the templates that one extends, includes or imports."""
    if name in seen:
        return
    seen.add(name)
    tree = Environment(autoescape=True).parse((ROOT / "templates" / name).read_text())
    for node in tree.find_all((nodes.Extends, nodes.Include, nodes.FromImport, nodes.Import)):
        for constant in node.find_all(nodes.Const):
            if isinstance(constant.value, str) and constant.value.endswith(".html"):
                used_by(constant.value, seen)


def sheets(name: str) -> set[str]:
    """All style sheets that a page may link, whatever it shows."""
    seen: set[str] = set()
    used_by(name, seen)
    text = "".join((ROOT / "templates" / each).read_text() for each in seen)
    return set(re.findall(r"""<link rel="stylesheet" href="\{\{ static_url\('([^']+)'\)""", text))


# in the browser before the page: the frame's, that of all pages beside the list, of the calendar, of those without an account
_EARLIER = {"css/base.css", "css/pages.css", "css/calendar.css", "css/sent.css"}


@pytest.mark.parametrize("path", PAGES, ids=relative)
def test_a_page_has_at_most_two_style_sheets_of_its_own(path: Path) -> None:
    """Each is a request."""
    found = sheets(str(path.relative_to(ROOT / "templates")))
    assert len(found - _EARLIER) <= 1 <= len(found)
    assert all((ROOT / "static" / name).is_file() for name in found)
