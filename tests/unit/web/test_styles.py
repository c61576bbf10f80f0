"""Styles and markup: colours that can be read, and only what older browsers and validators take."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.unit.web.test_templates import STYLES, TEMPLATES, relative

ROOT = Path(__file__).resolve().parents[3]
ENOUGH = 4.5  # WCAG 2.2, 1.4.3


THEMES = ("light", "dark", "chosen dark", "contrast", "dark contrast")


def rules(text: str) -> list[tuple[bool, str, str]]:
    """The blocks of custom properties: whether only in a dark system, the selector, what it holds."""
    dark = [found.span() for found in re.finditer(r"@media \(prefers-color-scheme: dark\) \{.*?\n\}", text, flags=re.S)]
    blocks = re.finditer(r"(:root[^ ]*) \{(.*?)\}", text, flags=re.S)
    return [(any(start < block.start() < end for start, end in dark), block[1], block[2]) for block in blocks]


def colours(theme: str) -> dict[str, str]:
    """The named colours of a theme, as the cascade mixes them."""
    system, chosen = theme.startswith("dark"), {"chosen dark": "dark", "light": "", "dark": ""}.get(theme, "contrast")
    found: dict[str, str] = {}
    for only_dark, selector, body in rules((ROOT / "static/css/base.css").read_text()):
        wanted = selector in (":root", f":root[data-theme={chosen}]") or ":not([data-theme=light])" in selector
        if wanted and (system or not only_dark):
            found |= dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6}|var\(--light, [^;]+|initial|);", body))
    assert sorted((found["light"], found["dark"])) == ["", "initial"]
    place = ("light", "dark").index("light" if found["light"] == "initial" else "dark")  # the empty switch leaves its colour out
    found = {name: (re.findall(r"#\w+", value) * 2)[place] for name, value in found.items() if "#" in value}
    return {name: "#" + "".join(2 * c for c in value[1:]) if len(value) == 4 else value for name, value in found.items()}


def brightness(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((brightness(one), brightness(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", THEMES)
@pytest.mark.parametrize("behind", ["surface", "paper", "hover", "soft"])
def test_a_star_can_be_seen_on_whatever_a_row_is_drawn(scheme: str, behind: str) -> None:
    found = colours(scheme)
    assert contrast(found["star"], found[behind]) >= ENOUGH


@pytest.mark.parametrize("scheme", THEMES)
@pytest.mark.parametrize("behind", ["surface", "paper"])
def test_the_edge_of_a_button_can_be_seen(scheme: str, behind: str) -> None:
    """WCAG 2.2, 1.4.11: at least 3 to 1."""
    button = re.search(r"\n\.btn \{(.*?)\}", (ROOT / "static/css/base.css").read_text(), flags=re.S)
    edge = re.search(r"border: 1px solid var\(--([a-z]+)\)", button[1] if button else "")
    assert edge and contrast(colours(scheme)[edge[1]], colours(scheme)[behind]) >= 3


PAIRS = [
    ("ink", "paper"), ("ink", "surface"), ("ink", "hover"), ("ink", "soft"), ("muted", "paper"), ("muted", "surface"),
    ("muted", "soft"), ("accent", "paper"), ("accent", "surface"), ("accent", "soft"), ("on-accent", "accent"), ("good", "paper"),
    ("good", "good-soft"), ("caution", "caution-soft"), ("danger", "paper"), ("danger", "surface"), ("danger", "danger-soft"),
    ("paper", "danger"),
]  # fmt: skip


@pytest.mark.parametrize("scheme", THEMES)
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_all_text_can_be_read_in_each_theme(scheme: str, text: str, ground: str) -> None:
    """High contrast is 7 to 1 (WCAG 2.2, 1.4.6)."""
    found = colours(scheme)
    assert contrast(found[text], found[ground]) >= (7 if "contrast" in scheme else ENOUGH)


def test_a_chosen_dark_theme_is_that_of_a_dark_system() -> None:
    assert colours("chosen dark") == colours("dark") != colours("light")


@pytest.mark.parametrize("scheme", THEMES)
def test_focus_can_be_seen_in_each_theme(scheme: str) -> None:
    assert all(contrast(colours(scheme)["focus"], colours(scheme)[ground]) >= 3 for ground in ("paper", "surface", "soft"))


def test_what_moves_asks_whether_it_may() -> None:
    for path in STYLES:
        still = re.sub(r"@media \(prefers-reduced-motion: no-preference\) \{.*?\n\}", "", path.read_text(), flags=re.S)
        assert not re.search(r"\b(?:transition|animation)\s*:|scroll-behavior: smooth", still), path


@pytest.mark.parametrize("path", STYLES, ids=relative)
def test_text_grows_with_the_size_that_a_person_chose(path: Path) -> None:
    """Sizes of text are in rem: what is in px stays as small as it was."""
    assert not re.findall(r"font(?:-size)?:[^;}]*?\d+px[^;}]*", path.read_text())


@pytest.mark.parametrize("path", STYLES, ids=relative)
def test_no_style_needs_inset(path: Path) -> None:
    """Browsers older than 2021 ignore `inset`, and what it places ends up elsewhere."""
    assert not re.findall(r"(?<!box-shadow: )\binset(?:-[a-z-]+)?\s*:", path.read_text())


@pytest.mark.parametrize("path", TEMPLATES, ids=relative)
def test_no_element_has_an_attribute_that_it_may_not_have(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"<i [^>]*aria-label", text), "a generic element has no label"
    assert not re.search(r'type="(?:date|time)"[^>]*placeholder', text), "date and time fields show no placeholder"
