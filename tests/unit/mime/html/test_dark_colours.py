"""Colours for the dark theme: what could be read still can be, and what can't be adapted stays as it was sent."""

from __future__ import annotations

import itertools
import random
import re

import pytest

from webmail.mime.html import sanitizer
from webmail.mime.html.dark_colours import INK, PAPER, READABLE, DarkColours, Rgb, counterpart, legacy_colour, luminance


def contrast(one: Rgb, other: Rgb) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return high / low


def clean(html: str, dark: bool = True) -> sanitizer.Cleaned:
    return sanitizer.clean(html, lambda cid: f"/part/{cid}", dark=dark)


def seen(html: str, dark: bool) -> str:
    """What a browser makes of it in one of the themes."""
    shown = html.split("</style>", 1)[1] if html.startswith("<style>html{--light") else html
    return re.sub(
        r"var\(--light,([^()]*(?:\([^()]*\))?)\) var\(--dark,([^()]*(?:\([^()]*\))?)\)", r"\2" if dark else r"\1", shown
    )


def test_what_could_be_read_still_can_be() -> None:
    made = random.Random(1)
    colours: list[Rgb] = [(made.randrange(256), made.randrange(256), made.randrange(256)) for _ in range(150)]
    colours += [(grey, grey, grey) for grey in range(0, 256, 5)] + [(0, 0, 238), (118, 118, 118), (255, 255, 0)]
    for text, ground in itertools.permutations(colours, 2):
        before, after = contrast(text, ground), contrast(counterpart(text), counterpart(ground))
        if before < READABLE:
            continue
        page = f'<p style="color:rgb{text};background-color:rgb{ground}">x</p>'
        assert after >= 4.5 or not clean(page).dark, (text, ground, before, after)


def test_small_print_in_the_usual_grey_stays_readable() -> None:
    """It had 4.48 on white."""
    assert luminance(counterpart((0x77, 0x77, 0x77))) / luminance(counterpart((255, 255, 255))) >= 4.5


def test_paper_becomes_dark_and_ink_light() -> None:
    assert contrast(counterpart((255, 255, 255)), PAPER) < 1.01 and counterpart((0, 0, 0)) == INK
    red = counterpart((200, 30, 30))
    assert red[0] > red[1] == red[2]


def test_each_colour_has_its_counterpart_and_the_first_is_as_it_was() -> None:
    html = (
        "<style>td{background:#EEE}p{border:1px solid rgb(0, 0, 0)}@media (max-width:400px){p{color:red!important}}</style>"
        '<body bgcolor="#ffffff" text="black"><p style="color:#333;font-family:Red;text-shadow:0 1px 0 rgba(255,255,255,.5)">a</p>'
        '<table bgcolor="ffffff"><tr><td style="color:windowtext;background-color:transparent">b<font color="navy">c</font></td></tr></table>'
    )
    dark, plain = clean(html), clean(html, dark=False)
    assert dark.dark and not plain.dark and "var(" not in plain.html
    assert seen(dark.html, dark=False) == plain.html
    assert dark.html.startswith("<style>html{--light:initial;--dark: }")
    assert '[bgcolor="ffffff"]{background-color:var(--light,#ffffff) var(--dark,#' in dark.html
    assert '[color="navy"]{color:var(--light,#000080) var(--dark,#' in dark.html
    assert "color:var(--light,red) var(--dark,#" in dark.html and "!important" in dark.html
    assert "font-family:Red;" in dark.html and "background-color:transparent" in dark.html
    assert "color:var(--light,windowtext) var(--dark,#ffffff)" in dark.html


@pytest.mark.parametrize(
    "html",
    [
        '<table background="https://x.example/a.png"><tr><td>x</td></tr></table>',
        '<p style="background-image:url(cid:a)">x</p>',
        "<style>p{background:#000 url(https://x.example/a.png)}</style><p>x</p>",
        '<body background="https://x.example/a.png">x',
        '<p style="background:#767676;color:#000">x</p>',
        '<p style="background:#000"><font color="#767676">x</font></p>',
        "".join(f'<font color="#{n:06x}">x</font>' for n in range(400)),
    ],
)
def test_what_can_not_be_adapted_safely_stays_as_it_was_sent(html: str) -> None:
    assert clean(html) == clean(html, dark=False)


def test_letters_without_colours_take_dark_paper() -> None:
    found = clean("<p>Bonjour <b>à tous</b></p>")
    assert found.dark and found.html.endswith("</style><p>Bonjour <b>à tous</b></p>")


@pytest.mark.parametrize(
    ("value", "colour"),
    [("#fff", (255, 255, 255)), ("FFF", (15, 15, 15)), ("red", (255, 0, 0)), ("#112233", (17, 34, 51)), ("chucknorris", (192, 0, 0)),
     ("transparent", None), ("", None), ("#1", (1, 0, 0)), ("z", (0, 0, 0))],
)  # fmt: skip
def test_colours_of_attributes_are_read_as_browsers_do(value: str, colour: Rgb | None) -> None:
    assert legacy_colour(value) == colour


def test_hostile_values_stay_harmless() -> None:
    for style in ("color:var(--light,red)", "color:rgb(1e999,0,0)", "color:hsl(1e5,900%,50%)", "background:light-dark(#000,#fff)",
                  "color:#12", "color:rgba(0,0,0,0)", "color:" + "#fff " * 900):  # fmt: skip
        html = clean(f'<p style="{style}">x</p>').html
        assert "light-dark" not in html and html.count("<p") == 1
    colours = DarkColours()
    colours.attribute("bgcolor", "x" * 30)
    assert colours.sheet().count("<") == 2
