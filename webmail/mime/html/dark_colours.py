"""Dark colours: the colours of HTML mail, made for white paper, each with its counterpart on the paper of the dark theme.

What is light becomes dark and the other way round, hues stay. The logarithm of the luminance (WCAG 2.2, relative luminance plus
0.05) is turned about and a little compressed, with a step in the middle: two colours whose contrast is 4.4 or more lie on both
sides of the step, which gives back what the compression takes. So they have 4.5, whichever text stands on whichever ground.
"""

from __future__ import annotations

import colorsys
import math
from functools import lru_cache

import tinycss2
from tinycss2 import ast, color4

PAPER, INK = (33, 30, 27), (255, 255, 255)  # what white and black become
READABLE = 4.4  # contrast that is 4.5 then; the grey of most letters' small print, #777 on white, has 4.48
MOST_ATTRIBUTES = 300  # distinct colours of attributes

_COLOURED = ("color", "background", "border", "text-decoration", "box-shadow", "text-shadow")
_SYSTEM = {"windowtext": (0, 0, 0), "window": (255, 255, 255)}
_TINT = 30 / 360  # the hue of the paper, for dark greys
_FLARE = 0.05

Rgb = tuple[int, int, int]


def luminance(colour: Rgb) -> float:
    """Relative luminance plus 0.05: the contrast of two colours is the quotient."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (c / 255 for c in colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue + _FLARE


_DARKEST, _LIGHTEST = _FLARE, 1 + _FLARE
_LOWEST = luminance(PAPER)
# the step is where white can no longer be read on a colour: from there on black can
_STEP = _LIGHTEST / READABLE
_WIDTH, _ROOM = math.log(_LIGHTEST / _DARKEST), math.log(_LIGHTEST / _LOWEST)
_GAIN = 0.28  # of the step
_SLOPE = (_ROOM - _GAIN) / _WIDTH
# on these both black and white can be read, which no colour of the dark theme allows: as a ground they are not adapted
_EITHER = (READABLE * _DARKEST, _STEP)


def _turned(light: float) -> float:
    """The luminance of the counterpart."""
    if light > _STEP:
        return _LOWEST * (_LIGHTEST / light) ** _SLOPE
    return _LIGHTEST * (_DARKEST / light) ** _SLOPE


@lru_cache(maxsize=4096)
def counterpart(colour: Rgb) -> Rgb:
    """The colour for the dark theme: of the same hue, as light as this one was dark."""
    wanted = _turned(luminance(colour))
    hue, _lightness, saturation = colorsys.rgb_to_hls(*(part / 255 for part in colour))
    if saturation < 0.1 and wanted < 0.2:
        hue, saturation = _TINT, 0.1
    low, high = 0.0, 1.0
    for _ in range(12):
        middle = (low + high) / 2
        if luminance(_rgb(hue, middle, saturation)) < wanted:
            low = middle
        else:
            high = middle
    return _rgb(hue, high if wanted > _STEP else low, saturation)


def _rgb(hue: float, lightness: float, saturation: float) -> Rgb:
    red, green, blue = colorsys.hls_to_rgb(hue, lightness, saturation)
    return round(red * 255), round(green * 255), round(blue * 255)


class DarkColours:
    """Collects what of a message can't be adapted, and the colours of its attributes, while it is sanitized."""

    def __init__(self) -> None:
        self.has_pictures = False  # behind text whose colour was chosen for them
        self._is_unknown = False
        self._marks: set[str] = set()
        self._attributes: dict[tuple[str, str], Rgb] = {}

    @property
    def is_safe(self) -> bool:
        """Whether no text that can be read becomes one that can't."""
        unreadable = "either ground" in self._marks or {"either text", "black ground"} <= self._marks
        return not (self.has_pictures or self._is_unknown or unreadable or len(self._attributes) > MOST_ATTRIBUTES)

    def declarations(self, text: str) -> str:
        """Sanitized declarations, each colour with its counterpart."""
        adapted = _adapted(text)
        if adapted is None:
            self._is_unknown = True
            return text
        self._marks |= adapted[1]
        return adapted[0]

    def attribute(self, name: str, value: str) -> None:
        """Note the colour of an attribute ("color", "bgcolor"), which is overridden in `sheet`."""
        colour = legacy_colour(value)
        if colour is None:
            return
        self._attributes[name, value] = colour
        self._marks.add(_mark(colour, name == "bgcolor"))

    def sheet(self) -> str:
        """What the sheet of the message begins with: which of two colours is shown, and the colours of attributes."""
        properties = {"bgcolor": "background-color", "color": "color"}
        rules = (
            f'[{name}="{value}"]{{{properties[name]}:{_both(_hexadecimal(colour), colour, 1)}}}'
            for (name, value), colour in self._attributes.items()
        )
        return f"<style>html{{--light:initial;--dark: }}{''.join(rules)}</style>"


@lru_cache(maxsize=4096)
def _adapted(text: str) -> tuple[str, frozenset[str]] | None:
    """With both colours, and their marks; None if something is not understood, or is a picture."""
    out: list[str] = []
    marks: set[str] = set()
    for item in tinycss2.parse_blocks_contents(text, skip_comments=True, skip_whitespace=True):
        if item.type != "declaration":
            return None
        name = item.lower_name
        value = tinycss2.serialize(item.value).strip()
        if name.startswith(_COLOURED):
            tokens = [_token(token, name.startswith("background"), marks) for token in item.value]
            if any(token is None for token in tokens):
                return None
            value = "".join(token for token in tokens if token is not None).strip()
        out.append(f"{name}:{value}{'!important' if item.important else ''}")
    return ";".join(out), frozenset(marks)


def _token(token: ast.Node, ground: bool, marks: set[str]) -> str | None:
    """A token as text, a colour with its counterpart; None for one that is not understood, or a picture."""
    if token.type == "url" or (token.type == "function" and token.lower_name == "url"):
        return None
    text = token.serialize()
    if token.type not in ("hash", "ident", "function"):
        return str(text)
    if token.type == "ident" and token.lower_value in _SYSTEM:
        return _both(text, _SYSTEM[token.lower_value], 1)
    colour = color4.parse_color(token)
    if colour is None or isinstance(colour, str):
        return str(text) if token.type == "ident" else None  # "solid", "currentcolor"
    if colour.alpha == 0:
        return str(text)
    red, green, blue = (round(min(max(part or 0, 0), 1) * 255) for part in colour.to("srgb").coordinates)
    if colour.alpha == 1:
        marks.add(_mark((red, green, blue), ground))
    return _both(text, (red, green, blue), colour.alpha)


def _mark(colour: Rgb, ground: bool) -> str:
    """What can't stand with what: see `_EITHER`."""
    light = luminance(colour)
    if _EITHER[0] <= light <= _EITHER[1]:
        return "either ground" if ground else "either text"
    return "black ground" if ground and light < _EITHER[1] / READABLE + 0.001 else ""


def _both(text: str, colour: Rgb, alpha: float) -> str:
    """One of the two properties is empty, the other invalid, so that its second value counts: as in static/css/base.css."""
    red, green, blue = counterpart(colour)
    dark = _hexadecimal((red, green, blue)) if alpha == 1 else f"rgba({red},{green},{blue},{round(alpha, 3):g})"
    return f"var(--light,{text}) var(--dark,{dark})"


def _hexadecimal(colour: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def legacy_colour(value: str) -> Rgb | None:
    """The colour of an attribute, as browsers read it (HTML, "rules for parsing a legacy color value")."""
    value = value.strip().lower()
    if value in ("", "transparent"):
        return None
    named = color4.parse_color(value)
    if named is not None and not isinstance(named, str) and value[0] != "#":
        red, green, blue = named.to("srgb").coordinates
        return round(red * 255), round(green * 255), round(blue * 255)
    digits = value.removeprefix("#")
    if value[0] == "#" and len(digits) == 3 and all(c in "0123456789abcdef" for c in digits):
        red, green, blue = (int(c, 16) * 17 for c in digits)
        return red, green, blue
    digits = "".join(c if c in "0123456789abcdef" else "0" for c in digits[:128]) or "0"
    digits += "0" * (-len(digits) % 3)
    size = len(digits) // 3
    parts = [digits[n * size : (n + 1) * size][-8:] for n in range(3)]
    while len(parts[0]) > 2 and all(part[0] == "0" for part in parts):
        parts = [part[1:] for part in parts]
    red, green, blue = (int(part[:2], 16) for part in parts)
    return red, green, blue
