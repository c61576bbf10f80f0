"""Colours: makes one colour readable in the light and the dark theme (WCAG 2.2, 1.4.3 and 1.4.11), by calculation.

What is chosen keeps its hue; it becomes darker or lighter until text in it, and text on it, has a contrast of 4.5 to 1.
"""

from __future__ import annotations

import colorsys
import re
from dataclasses import dataclass

ENOUGH = 4.5
_MARGIN = 4.6  # what is aimed at: a hundredth lost in rounding would be below it
# the surfaces of static/css/base.css that the accent stands on, and that stand on it
_LIGHT = ("#faf8f5", "#ffffff", "#f4f0ea")
_DARK = ("#181614", "#211e1b", "#2a2622")
_MUTED = {"#ffffff": "#6a645b", "#181614": "#a79f93"}  # grey text on what lies softly behind it, by the paper below
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_STEPS = 200


@dataclass(frozen=True, slots=True)
class Accent:
    """A colour in both themes: itself, what lies softly behind it, and text on it."""

    light: str
    light_soft: str
    light_on: str
    dark: str
    dark_soft: str
    dark_on: str


def is_colour(text: str) -> bool:
    return bool(_COLOUR.fullmatch(text))


def contrast(colour: str, other: str) -> float:
    """From 1 to 21."""
    bright, dim = sorted((_luminance(colour), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def readable(chosen: str) -> Accent:
    """The colour as it is used. `chosen`: "#9c3f1c"."""
    light_soft, dark_soft = _soft(chosen, "#ffffff"), _soft(chosen, "#181614")
    light = _moved(chosen, (*_LIGHT, light_soft), -1)
    dark = _moved(chosen, (*_DARK, dark_soft), 1)
    return Accent(light, light_soft, _text_on(light), dark, dark_soft, _text_on(dark))


def sheet(chosen: str) -> str:
    """A style sheet that sets the accent of base.css."""
    found = readable(chosen)
    pairs = {
        "--accent": (found.light, found.dark), "--soft": (found.light_soft, found.dark_soft),
        "--on-accent": (found.light_on, found.dark_on),
    }  # fmt: skip
    rules = "".join(f"{name}:var(--light,{light})var(--dark,{dark});" for name, (light, dark) in pairs.items())
    return f":root:not([data-theme=contrast]){{{rules}}}\n"


def _moved(chosen: str, grounds: tuple[str, ...], direction: int) -> str:
    """The nearest to it, darker (-1) or lighter (1), that is readable on all of these."""
    hue, light, full = colorsys.rgb_to_hls(*_parts(chosen))
    for step in range(_STEPS + 1):
        found = _written(colorsys.hls_to_rgb(hue, min(max(light + direction * step / _STEPS, 0.0), 1.0), full))
        if min(contrast(found, ground) for ground in grounds) >= _MARGIN:
            return found
    return "#000000" if direction < 0 else "#ffffff"


def _text_on(ground: str) -> str:
    return max(("#ffffff", "#14110f"), key=lambda one: contrast(one, ground))


def _soft(chosen: str, paper: str) -> str:
    """A breath of the colour on this paper, on which grey text stays readable."""
    shares = (0.14, 0.12, 0.1, 0.08, 0.06, 0.04)
    found = (_mixed(chosen, paper, share) for share in shares)
    return next((one for one in found if contrast(one, _MUTED[paper]) >= _MARGIN), paper)


def _mixed(colour: str, other: str, share: float) -> str:
    pairs = zip(_parts(colour), _parts(other), strict=True)
    return _written(tuple(share * first + (1 - share) * second for first, second in pairs))


def _parts(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))


def _written(parts: tuple[float, ...]) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)


def _luminance(colour: str) -> float:
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
