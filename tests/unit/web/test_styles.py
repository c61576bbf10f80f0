"""Styles and markup: colours that can be read, and only what older browsers and validators take."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from tests.unit.web.test_templates import STYLES, TEMPLATES, offenders

ROOT = Path(__file__).resolve().parents[3]
ENOUGH = 4.5  # WCAG 2.2, 1.4.3


SHEETS = ("base.css", "contrast.css")
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
    for only_dark, selector, body in rules("".join((ROOT / "static/css" / name).read_text() for name in SHEETS)):
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


def unreadable(pairs: Iterable[tuple[str, str]], enough: float = ENOUGH, high: float = 0) -> list[tuple[str, str, str, float]]:
    """Which of the pairs have less contrast, in which theme, and how much; `high`: what high contrast asks for."""
    mixed = {theme: colours(theme) for theme in THEMES}
    told = [
        (theme, *pair, round(contrast(mixed[theme][pair[0]], mixed[theme][pair[1]]), 2)) for theme in THEMES for pair in pairs
    ]
    return [one for one in told if one[3] < (high if high and "contrast" in one[0] else enough)]


def test_a_star_can_be_seen_on_whatever_a_row_is_drawn() -> None:
    assert unreadable(("star", behind) for behind in ("surface", "paper", "hover", "soft")) == []


def test_the_edge_of_a_button_can_be_seen() -> None:
    """WCAG 2.2, 1.4.11: at least 3 to 1."""
    button = re.search(r"\n\.btn \{(.*?)\}", (ROOT / "static/css/base.css").read_text(), flags=re.S)
    edge = re.search(r"border: 1px solid var\(--([a-z]+)\)", button[1] if button else "")
    assert edge and unreadable([(edge[1], "surface"), (edge[1], "paper")], enough=3) == []


PAIRS = [
    ("ink", "paper"), ("ink", "surface"), ("ink", "hover"), ("ink", "soft"), ("muted", "paper"), ("muted", "surface"),
    ("muted", "soft"), ("accent", "paper"), ("accent", "surface"), ("accent", "soft"), ("on-accent", "accent"), ("good", "paper"),
    ("good", "good-soft"), ("caution", "caution-soft"), ("danger", "paper"), ("danger", "surface"), ("danger", "danger-soft"),
    ("paper", "danger"),
]  # fmt: skip


def test_all_text_can_be_read_in_each_theme() -> None:
    """High contrast is 7 to 1 (WCAG 2.2, 1.4.6)."""
    assert unreadable(PAIRS, high=7) == []


def test_what_cannot_be_read_is_told() -> None:
    assert {theme for theme, *_rest in unreadable([("muted", "accent")])} == set(THEMES)


def test_a_chosen_dark_theme_is_that_of_a_dark_system() -> None:
    assert colours("chosen dark") == colours("dark") != colours("light")


def test_focus_can_be_seen_in_each_theme() -> None:
    assert unreadable((("focus", ground) for ground in ("paper", "surface", "soft")), enough=3) == []


def test_what_moves_asks_whether_it_may() -> None:
    def restless(text: str) -> list[str]:
        still = re.sub(r"@media \(prefers-reduced-motion: no-preference\) \{.*?\n\}", "", text, flags=re.S)
        return re.findall(r"\b(?:transition|animation)\s*:|scroll-behavior: smooth", still)

    assert offenders(STYLES, restless) == {}


def test_text_grows_with_the_size_that_a_person_chose() -> None:
    """Sizes of text are in rem: what is in px stays as small as it was."""
    assert offenders(STYLES, lambda text: re.findall(r"font(?:-size)?:[^;}]*?\d+px[^;}]*", text)) == {}


def test_no_style_needs_inset() -> None:
    """Browsers older than 2021 ignore `inset`, and what it places ends up elsewhere."""
    assert offenders(STYLES, lambda text: re.findall(r"(?<!box-shadow: )\binset(?:-[a-z-]+)?\s*:", text)) == {}


def test_no_element_has_an_attribute_that_it_may_not_have() -> None:
    """A generic element has no label, and fields of dates and times show no placeholder."""
    wrong = r'<i [^>]*aria-label|type="(?:date|time)"[^>]*placeholder'
    assert offenders(TEMPLATES, lambda text: re.findall(wrong, text)) == {}


def test_today_can_be_read_as_a_day_of_the_month_beside_it() -> None:
    """No rule for days of other months outweighs that of today: it would draw muted text on the accent's ground."""
    text = (ROOT / "static/css/calendar.css").read_text()
    assert re.search(r"\[aria-current\] \.n \{[^}]*var\(--on-accent\)", text)
    assert [
        rule
        for rule in re.findall(r"\.out[^{,]*(?= \{[^}]*color: )", text)
        if ".n" in rule and ":not([aria-current])" not in rule
    ] == []


def test_no_string_of_a_sheet_looks_like_a_comment() -> None:
    """They are taken out as a sheet is compressed (webmail/web/responses/compression.py), without reading it as a browser does."""
    outside = {path.name: re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S) for path in STYLES}
    assert [name for name, text in outside.items() if "/*" in text or "*/" in text] == []
    in_strings = {path.name: re.findall(r"""(["'])[^"'\n]*/\*[^"'\n]*\1""", path.read_text()) for path in STYLES}
    assert [name for name, found in in_strings.items() if found] == []
