"""HTML mail in the dark theme: dark paper, nothing unreadable, the colours as they were sent one click away."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from deploy.demo.services import Services
from tests.bench.newsletters import MAILBOX, READER, fill
from tests.support.browsing import until_true
from tests.support.messages import message
from tests.support.settings_pages import choose_in_browser

OpenBrowser = Callable[..., Page]

# Asked of the page around the frame: of each piece of text that is in sight its contrast with what is behind it.
_TEXTS = """() => {
  const frame = document.querySelector("[data-message-body] iframe"), page = frame.contentDocument, win = frame.contentWindow;
  const parts = c => { const n = c.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
  const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b + .05; };
  const over = (top, below) => [0, 1, 2].map(n => top[n] * top[3] + below[n] * (1 - top[3]));
  const ground = e => {
    const layers = [];
    for (; e; e = e.parentElement) layers.push(parts(win.getComputedStyle(e).backgroundColor));
    return layers.reduceRight((below, layer) => over(layer, below), [255, 255, 255]);
  };
  const found = [], walker = page.createTreeWalker(page.querySelector(".mail"), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || element.localName === "style" || !element.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
    const behind = ground(element), colour = over(parts(win.getComputedStyle(element).color), behind), sides = [light(colour), light(behind)].sort((a, b) => a - b);
    found.push(sides[1] / sides[0]);
  }
  return found;
}"""
_THERE = """() => { const frame = document.querySelector("[data-message-body] iframe"), letter = frame && frame.contentDocument;
    return letter && letter.readyState === "complete" && !!letter.querySelector(".mail"); }"""
_ADAPTED = """() => !!document.querySelector("[data-message-body] iframe").contentDocument.querySelector("[href*=frame-dark]")"""
_DARK = """() => { const page = document.querySelector("[data-message-body] iframe").contentDocument;
    return page.readyState === "complete" && getComputedStyle(page.body).backgroundColor !== "rgb(255, 255, 255)"; }"""


def texts(page: Page, dark: bool) -> list[float]:
    """The contrasts of a letter that is adapted, once its paper is that of the theme."""
    page.emulate_media(color_scheme="dark" if dark else "light")
    until_true(page, _DARK if dark else _DARK.replace("!==", "==="))
    found: list[float] = page.evaluate(_TEXTS)
    return found


@pytest.mark.parametrize("scripts", [True], ids=["scripts"])
def test_what_can_be_read_on_white_can_be_read_on_dark(demo: Services, open_browser: OpenBrowser) -> None:
    uids, validity = fill(demo)
    page = open_browser(READER)
    adapted = []
    for name, uid in uids.items():
        page.goto(f"/message/{uid}/{MAILBOX}?v={validity}")
        until_true(page, _THERE)
        if not page.evaluate(_ADAPTED):
            continue
        adapted.append(name)
        light, dark = texts(page, dark=False), texts(page, dark=True)
        assert len(dark) == len(light) > 3, name
        for number, (one, other) in enumerate(zip(dark, light, strict=True)):
            assert one >= min(other, 4.5) - 0.05 or one >= other**0.8, (name, number, one, other)
    assert sorted(set(uids) - set(adapted)) == ["fluide-hybride"]  # with a picture behind its text


@pytest.fixture
def written(newcomer: Callable[..., str]) -> str:
    """Somebody new with a letter in HTML that has hardly a colour."""
    one = message("Bonjour")
    one.add_alternative(
        '<p>Un <span style="color:#1f4e79">mot</span> et <a href="https://x.example/">un lien</a></p>', subtype="html"
    )
    return newcomer("dark", one)


def test_its_own_colours_are_a_click_away_and_back(open_browser: OpenBrowser, written: str, scripts: bool) -> None:
    page = open_browser(written, width=360, dark=True, at="/message/1/INBOX")
    frame = page.frame_locator("[data-message-body] iframe")
    expect(frame.locator("body")).to_have_css("background-color", "rgb(33, 30, 27)")
    expect(frame.locator("span")).not_to_have_css("color", "rgb(31, 78, 121)")
    frame.get_by_text("Couleurs d’origine", exact=True).click()
    expect(frame.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
    expect(frame.locator("span")).to_have_css("color", "rgb(31, 78, 121)")
    frame.get_by_text("Couleurs sombres").click()
    expect(frame.locator("body")).to_have_css("background-color", "rgb(33, 30, 27)")


def test_in_the_light_theme_nothing_of_it_is_seen(open_browser: OpenBrowser, written: str, scripts: bool) -> None:
    page = open_browser(written, at="/message/1/INBOX")
    frame = page.frame_locator("[data-message-body] iframe")
    expect(frame.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
    expect(frame.locator("span")).to_have_css("color", "rgb(31, 78, 121)")
    expect(frame.locator(".scheme")).to_be_hidden()


def test_the_settings_decide_for_all(open_browser: OpenBrowser, written: str, scripts: bool) -> None:
    page = open_browser(written)
    frame = page.frame_locator("[data-message-body] iframe")
    choose_in_browser(page, "theme", "dark")  # against the system
    page.goto("/message/1/INBOX")
    expect(frame.locator("body")).to_have_css("background-color", "rgb(33, 30, 27)")
    choose_in_browser(page, "dark_mail", False)
    page.goto("/message/1/INBOX")
    expect(frame.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
    choose_in_browser(page, "dark_mail", True)
    choose_in_browser(page, "theme", "light")
    page.emulate_media(color_scheme="dark")
    page.goto("/message/1/INBOX")
    expect(frame.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
    assert "scheme" not in str(page.locator("[data-message-body] iframe").get_attribute("src"))


@pytest.mark.parametrize("scripts", [True], ids=["scripts"])
def test_the_frame_that_was_asked_for_at_the_click_is_the_one_that_is_shown(open_browser: OpenBrowser, written: str) -> None:
    page = open_browser(written, dark=True)
    bodies: list[str] = []
    page.on("request", lambda request: bodies.append(request.url) if "/body/" in request.url else None)
    page.locator("[data-row] a[href*='/message/']").first.click()
    expect(page.locator("h1")).to_have_text("Bonjour")
    until_true(page, _DARK)
    assert len(set(bodies)) == 1, bodies
