"""The keyboard alone: a poll is answered, an appointment booked, a task added and done; one sees where one is, all the way."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from deploy.demo.services import Services
from tests.support.appointment_pages import appointment_pages
from tests.support.messages import message
from tests.support.poll_pages import poll_pages

OpenBrowser = Callable[..., Page]
ALICE = "alice@lycee.example"
# the focus is drawn, within the window: an outline, or a shadow around a field; of a day and an hour the browser draws which part
_DRAWN = """() => {
    const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect();
    const parts = one.matches('input[type=date], input[type=time]');
    const seen = parts || style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== 'none';
    return box.width > 0 && box.top < innerHeight && box.bottom > 0 && seen ? '' : `${one.outerHTML.slice(0, 120)} ${style.outline}`;
}"""
_PLACE = "() => { const box = document.activeElement.getBoundingClientRect(); return box.top + scrollY }"


@pytest.fixture
def scripts() -> bool:
    return True


def tab_to(page: Page, selector: str) -> None:
    """Go on by the Tab key until the focus is there: it is to be seen at each step in the page's own part, and never goes up."""
    last = -1.0
    for _pressed in range(120):
        page.keyboard.press("Tab")
        if not page.evaluate("document.activeElement.matches('main *, .sent-card *')"):
            continue
        assert page.evaluate(_DRAWN) == ""
        place = page.evaluate(_PLACE)
        assert place >= last - 60, f"{selector}: the focus goes up"
        last = place
        if page.evaluate("one => document.activeElement.matches(one)", selector):
            return
    pytest.fail(f"{selector}: not within 120 keys")


def test_a_poll_is_answered_by_the_keyboard(open_browser: OpenBrowser, demo: Services) -> None:
    page = open_browser(language="en", at=poll_pages(demo, ALICE)["poll-public-hidden"])
    tab_to(page, "#name")
    page.keyboard.type("Zoé Petit")
    tab_to(page, "button[value=vote]")
    page.keyboard.press("Enter")
    expect(page.locator("[role=alert]")).to_be_visible()
    expect(page.locator("[data-vote]").first).to_be_focused()
    page.keyboard.press("Space")
    tab_to(page, "button[value=vote]")
    page.keyboard.press("Enter")
    expect(page.locator("[data-private-link]")).to_be_visible()
    expect(page.locator("[data-vote]").first).to_be_checked()


def test_an_appointment_is_booked_by_the_keyboard(open_browser: OpenBrowser, demo: Services) -> None:
    page = open_browser(language="en", at=appointment_pages(demo, ALICE)["appointments-public"])
    tab_to(page, "#name")
    page.keyboard.type("Zoé Petit")
    for name, words in (("address", "zoe@elsewhere.example"), ("child", "Léo"), ("class", "5e B")):
        tab_to(page, f"#{name}")
        page.keyboard.type(words)
    tab_to(page, "#booking button")
    page.keyboard.press("Enter")
    expect(page.locator("[role=alert]")).to_be_visible()
    expect(page.locator("[name=slot]").first).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator("#name")).to_have_value("Zoé Petit")
    tab_to(page, "#booking button")
    page.keyboard.press("Enter")
    expect(page.locator("[role=status]")).to_contain_text("held for you")


def test_a_task_is_added_and_done_by_the_keyboard(open_browser: OpenBrowser, newcomer: Callable[..., str]) -> None:
    page = open_browser(newcomer("tasks", message("Bonjour")), language="en", at="/todo")
    tab_to(page, "#todo-words")
    page.keyboard.type("Mark the essays Friday !high")
    page.keyboard.press("Enter")
    expect(page.locator("[data-todo]")).to_have_count(1)
    tab_to(page, "[data-todo] .todo-box")
    page.keyboard.press("Enter")
    expect(page.locator("[data-todo]:not(.todo-done)")).to_have_count(0)
    page.goto("/todo/new")
    tab_to(page, "#todo-due")
    tab_to(page, "main form.form button.btn-primary")
    page.keyboard.press("Enter")
    expect(page.locator("#todo-title")).to_be_focused()
