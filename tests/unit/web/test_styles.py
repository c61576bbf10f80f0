"""Styles and markup: colours that can be read, and only what older browsers and validators take."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.unit.web.test_templates import STYLES, TEMPLATES, relative

ROOT = Path(__file__).resolve().parents[3]
ENOUGH = 4.5  # WCAG 2.2, 1.4.3


def colours(scheme: str) -> dict[str, str]:
    """The named colours of a theme: "light" or "dark"."""
    parts = re.findall(r":root \{(.*?)\}", (ROOT / "static/css/base.css").read_text(), flags=re.S)
    found = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", parts[0] if scheme == "light" else parts[1]))
    return {name: "#" + "".join(2 * c for c in value[1:]) if len(value) == 4 else value for name, value in found.items()}


def brightness(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((brightness(one), brightness(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("behind", ["surface", "paper", "hover", "soft"])
def test_a_star_can_be_seen_on_whatever_a_row_is_drawn(scheme: str, behind: str) -> None:
    found = colours(scheme)
    assert contrast(found["star"], found[behind]) >= ENOUGH


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("behind", ["surface", "paper"])
def test_the_edge_of_a_button_can_be_seen(scheme: str, behind: str) -> None:
    """WCAG 2.2, 1.4.11: at least 3 to 1."""
    button = re.search(r"\n\.btn \{(.*?)\}", (ROOT / "static/css/base.css").read_text(), flags=re.S)
    edge = re.search(r"border: 1px solid var\(--([a-z]+)\)", button[1] if button else "")
    assert edge and contrast(colours(scheme)[edge[1]], colours(scheme)[behind]) >= 3


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
