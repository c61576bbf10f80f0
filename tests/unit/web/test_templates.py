"""Templates, styles and scripts: lines that fit an editor, CSS one rule to a line, and at most two style sheets for each page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from jinja2 import Environment, nodes

ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
STYLES = sorted((ROOT / "static").rglob("*.css"))
SCRIPTS = sorted(path for path in (ROOT / "static").rglob("*.js") if "vendor" not in path.parts)
PAGES = [path for path in TEMPLATES if re.search(r"\{% extends|<!doctype", path.read_text())]
LONGEST = 160


def offenders(paths: Iterable[Path], faults: Callable[[str], object]) -> dict[str, object]:
    """What `faults` finds in the text of each of the files, by name; files without are left out."""
    found = {str(path.relative_to(ROOT)): faults(path.read_text()) for path in paths}
    return {name: fault for name, fault in found.items() if fault}


def too_long(text: str) -> list[int]:
    return [number for number, line in enumerate(text.splitlines(), 1) if len(line) > LONGEST]


def test_no_line_is_too_long() -> None:
    assert offenders([*TEMPLATES, *STYLES, *SCRIPTS], too_long) == {}


def test_all_offenders_are_told_and_by_name() -> None:
    assert offenders(TEMPLATES, lambda text: text[:1]).keys() == {str(path.relative_to(ROOT)) for path in TEMPLATES}
    assert too_long("a\n" + "b" * (LONGEST + 1)) == [2]


def is_framed(text: str) -> bool:
    """Whether it is a page in the frame of the application, by whatever templates between them."""
    found = re.search(r'\{% extends "(.*?)"', text)
    return bool(found) and (found[1] == "app.html" or is_framed((ROOT / "templates" / found[1]).read_text()))


def test_every_page_in_the_frame_has_a_main_part_of_its_own() -> None:
    """HTMX is given the page's block alone: one that stands in a template between is not found, and the page would land in itself."""
    pages = [path for path in PAGES if is_framed(path.read_text()) and not path.name.startswith("_")]
    assert len(pages) > 50
    assert offenders(pages, lambda text: not re.search(r"\{% block main\b", text)) == {}


# the buttons whose form knows what they mean, and the field of a date that is sent without one (webmail/web/frame/list_buttons.py)
KNOWN = {
    'form="jump" required><button class="btn" form="jump">',
    'form="save-search"',
    'form="save-search" name="action" value="save-search">',
}


def of_other_forms(text: str) -> list[str]:
    for words in sorted(KNOWN, key=len, reverse=True):
        text = text.replace(words, "")
    return re.findall(r"formaction|formmethod|formenctype|formtarget|\sform=\S+", text)


def test_every_button_works_where_only_its_own_form_is_known() -> None:
    """w3m, lynx and elinks send a field and a button with the form around it, to its `action`, by its `method`."""
    assert offenders(TEMPLATES, of_other_forms) == {}


def crowded(css: str) -> list[int]:
    """The numbers of the lines on which more than one rule begins or goes on."""
    bare = re.sub(r"/\*.*?\*/", lambda found: "\n" * found[0].count("\n"), css, flags=re.S)
    return [number for number, line in enumerate(bare.splitlines(), 1) if line.count("{") > 1 or re.search(r"\}\s*\S", line)]


def test_no_line_of_css_holds_two_rules() -> None:
    assert offenders(STYLES, crowded) == {}


def test_two_rules_on_a_line_are_noticed() -> None:
    assert crowded("a { b: c; }\n/* d { } */\ne { f: g; } h { i: j; }\n@media print { k { l: m; } }\n") == [3, 4]


@cache
def named_in(name: str) -> list[str]:
    """The templates that one extends, includes or imports."""
    tree = Environment(autoescape=True).parse((ROOT / "templates" / name).read_text())
    found = tree.find_all((nodes.Extends, nodes.Include, nodes.FromImport, nodes.Import))
    values = [constant.value for node in found for constant in node.find_all(nodes.Const)]
    return [value for value in values if isinstance(value, str) and value.endswith(".html")]


def used_by(name: str, seen: set[str]) -> None:
    """Collects the templates that one extends, includes or imports, and theirs."""
    if name not in seen:
        seen.add(name)
        for other in named_in(name):
            used_by(other, seen)


def sheets(name: str) -> set[str]:
    """All style sheets that a page may link, whatever it shows."""
    seen: set[str] = set()
    used_by(name, seen)
    text = "".join((ROOT / "templates" / each).read_text() for each in seen)
    return set(re.findall(r"""<link rel="stylesheet" href="\{\{ static_url\('([^']+)'\)""", text))


# in the browser before the page: the frame's, those of who chose high contrast and of letters in the dark theme, those of lists and
# of all pages beside them, of the calendar, of those without an account
_EARLIER = {
    "css/base.css",
    "css/contrast.css",
    "css/frame-dark.css",
    "css/panes.css",
    "css/pages.css",
    "css/calendar.css",
    "css/sent.css",
}


def test_a_page_has_at_most_two_style_sheets_of_its_own() -> None:
    """Each is a request."""
    found = {name: sheets(name) for name in (str(path.relative_to(ROOT / "templates")) for path in PAGES)}
    assert {name: linked for name, linked in found.items() if not len(linked - _EARLIER) <= 1 <= len(linked)} == {}
    assert [name for name in sorted(set().union(*found.values())) if not (ROOT / "static" / name).is_file()] == []
