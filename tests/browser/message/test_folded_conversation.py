"""A conversation below a message: its heads come after the page, a text when it is unfolded, by keyboard and on a telephone too."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Request, expect

from tests.support.browsing import overflow, until_true
from tests.support.messages import message

OpenBrowser = Callable[..., Page]
# the frame is as high as what it holds
_FITS = """() => { const frame = document.querySelector(".unfolded iframe");
    return Math.abs(frame.clientHeight - frame.contentDocument.documentElement.scrollHeight) < 6 && frame.clientHeight > 600; }"""
# what of the window is not the message: from the top to its text, and from the buttons that answer it to the end
_ABOVE = """text => { const box = text.getBoundingClientRect(), end = document.querySelector(".answers").getBoundingClientRect();
    return (Math.max(box.top, 0) + (end.bottom >= innerHeight - 1 ? end.height : 0)) / innerHeight; }"""
only_scripts = pytest.mark.parametrize("scripts", [True], ids=["scripts"])


@pytest.fixture
def talk(newcomer: Callable[..., str]) -> str:
    """Somebody new with a conversation of four, one of them in HTML, and a message that belongs to none."""
    made = []
    for number in range(4):
        one = message(f"{'Re: ' if number else ''}Sortie au musée", f"Réponse numéro {number}, pour la classe de 2de.")
        del one["Message-ID"]
        one["Message-ID"] = f"<talk{number}@lycee.example>"
        if number:
            one["References"] = " ".join(f"<talk{n}@lycee.example>" for n in range(number))
        if number == 1:
            one.add_alternative("<p>Réponse <b>en couleurs</b></p>" * 20, subtype="html")
        made.append(one)
    return newcomer("talk", *made, message("Autre chose"))


@only_scripts
@pytest.mark.parametrize("width", [360, 1280])
def test_the_others_are_there_folded_and_one_unfolds(
    open_browser: OpenBrowser, talk: str, width: int, check_accessibility: Callable[[Page], None]
) -> None:
    page = open_browser(talk, width=width, height=740)
    asked: list[str] = []

    def heard(request: Request) -> None:
        asked.append(request.url)

    page.on("request", heard)
    page.goto("/message/4/INBOX")
    link = page.locator("#talk-link")
    expect(link).to_have_text("4 messages dans cette conversation")
    expect(page.locator(".talk h2")).to_have_text("4 messages dans cette conversation")
    if width == 360:  # three quarters of a telephone are the message, with that line too
        assert page.locator("[data-message-body]").evaluate(_ABOVE) <= 0.25
    assert not any("/unfolded/" in url for url in asked)
    second = page.locator(".talk details").nth(1)
    summary = second.locator("summary").first
    summary.focus()
    page.keyboard.press("Enter")
    frame = second.frame_locator("iframe")
    expect(frame.locator("b").first).to_have_text("en couleurs")
    until_true(page, _FITS)
    assert len([url for url in asked if "/unfolded/" in url]) == 1
    page.keyboard.press("Enter")
    expect(second.locator("iframe")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(second.locator("iframe")).to_be_visible()
    assert len([url for url in asked if "/unfolded/" in url]) == 1
    assert overflow(page) <= 0
    check_accessibility(page)
    page.emulate_media(media="print")
    expect(page.locator(".talk")).to_be_hidden()


@only_scripts
def test_alone_nothing_is_said_and_nothing_moves(open_browser: OpenBrowser, talk: str) -> None:
    page = open_browser(talk, width=360, height=740, at="/message/5/INBOX")
    expect(page.locator("#others")).to_have_count(0)
    expect(page.locator("#talk-link")).to_have_count(0)


@pytest.mark.parametrize("scripts", [False], ids=["no-scripts"])
def test_without_scripts_a_link_near_the_head_shows_them(open_browser: OpenBrowser, talk: str) -> None:
    page = open_browser(talk, width=360, height=740, at="/message/4/INBOX")
    link = page.locator("#talk-link")
    expect(link).to_be_in_viewport()
    link.click()
    expect(page.locator("details.turn")).to_have_count(4)


@only_scripts
def test_few_keys_lead_to_reply_whatever_the_letter_holds(open_browser: OpenBrowser, newcomer: Callable[..., str]) -> None:
    letter = message("Soldes")
    letter.add_alternative("".join(f'<p><a href="https://x.example/{n}">Offre {n}</a></p>' for n in range(40)), subtype="html")
    page = open_browser(newcomer("keys", letter), at="/message/1/INBOX")
    keys = []
    for key in ["Tab", "Enter", *["Tab"] * 8]:  # to the content, past what is told above it, to the buttons, to the first of them
        page.keyboard.press(key)
        keys.append(page.evaluate("document.activeElement.outerHTML.slice(0, 160)"))
        if 'href="#answers"' in keys[-1]:
            page.keyboard.press("Enter")
            page.keyboard.press("Tab")
            break
    expect(page.locator("#answers a").first, str(keys)).to_be_focused()
    assert len([key for key in keys if key]) <= 6
    expect(page.locator("[data-message-body] iframe")).to_have_attribute("title", "Texte du message")
    expect(page.locator("[data-message-body] iframe")).to_have_attribute("name", "Texte du message")  # for lynx


@only_scripts
def test_they_do_not_come_into_the_page_that_one_went_on_to(open_browser: OpenBrowser, talk: str) -> None:
    page = open_browser(talk)  # which fails on what htmx says of an answer without its place
    page.route("**/others/**", lambda route: None)  # not yet
    with page.expect_request("**/others/**") as asked:
        page.goto("/message/4/INBOX")
    with page.expect_event("requestfailed", lambda request: request == asked.value):
        page.locator(".answers a").first.click()
    expect(page.locator("#editor")).to_be_visible()
