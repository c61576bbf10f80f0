"""Every menu there is: how many entries it has, what they are called, and that it stays on the screen at any width."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from deploy.demo.services import Services
from tests.support.browsing import styled
from tests.support.every_page import ADMIN, ADMIN_PAGES, ALICE
from tests.support.http_visits import HttpVisitor

OpenBrowser = Callable[..., Page]
MOST = 10
WIDTHS = (320, 360, 480, 760, 761, 900, 1000, 1001, 1100, 1200, 1287, 1320, 1321, 1600, 1920)
PAGES = (
    "inbox", "found", "message-files", "message-list", "nested", "message-links", "draft", "calendar-month", "contacts", "people",
    "directory", "filters", "archiving",
)  # fmt: skip

# opens each menu of the page, and each group in it; tells what is wrong with it
_LOOK = """most => Array.from(document.querySelectorAll("details.menu")).filter(menu => menu.offsetParent).flatMap(menu => {
    const found = [], name = menu.querySelector("summary").innerText.trim() || menu.className, pop = menu.querySelector(".pop");
    const words = one => one.textContent.trim() + "|" + (one.getAttribute("aria-label") || "");
    menu.open = true;
    const inSight = () => Array.from(pop.querySelectorAll("a, button, summary")).filter(
        one => one.offsetParent && (!one.closest(".sub") || one.closest(".sub").open || one.tagName === "SUMMARY"));
    const look = (where, entries) => {
        const box = pop.getBoundingClientRect();
        if (box.left < 0 || box.right > document.documentElement.clientWidth) found.push(`${where}: from ${box.left} to ${box.right}`);
        if (entries.length > most) found.push(`${where}: ${entries.length} entries`);
    };
    const all = Array.from(pop.querySelectorAll("a, button")).map(words), twice = all.filter((one, at) => all.indexOf(one) < at);
    if (twice.length) found.push(`${name}: twice ${twice}`);
    look(name, inSight());
    pop.querySelectorAll(".sub").forEach(group => {
        group.open = true;
        look(`${name}, ${group.firstElementChild.innerText.trim()}`, inSight());
        group.open = false;
    });
    menu.open = false;
    return found;
})"""


@pytest.fixture(scope="module")
def pages(demo: Services, every_page: dict[str, str]) -> dict[str, str]:
    """Alice's pages, once she has more tags than a menu shows."""
    alice = HttpVisitor(demo.address, "", ALICE, demo.password, "fr").sign_in()
    for name in ("À lire", "À classer", "Projets"):
        alice.submit(alice.get("/tags"), "main form:has([value=add])", name=name, action="add")
    return every_page


@pytest.mark.parametrize(("language", "scripts"), [("fr", True), ("en", False)])  # of which neither changes what the other does
def test_every_menu(open_browser: OpenBrowser, pages: dict[str, str], language: str) -> None:
    page = open_browser(ALICE, language=language)
    wrong = {}
    for name in PAGES:
        page.goto(pages[name])
        styled(page)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            if found := page.evaluate(_LOOK, MOST):
                wrong[name, width] = found
    assert wrong == {}


def test_the_menu_of_an_administrator(open_browser: OpenBrowser) -> None:
    page = open_browser(ADMIN, width=360, at=ADMIN_PAGES["reports"])
    assert page.evaluate(_LOOK, MOST) == []


@pytest.mark.parametrize("scripts", [True], ids=["scripts"])
def test_a_menu_by_the_keyboard(open_browser: OpenBrowser, pages: dict[str, str]) -> None:
    page = open_browser(ALICE, language="en", at=pages["message-files"])
    menu = page.locator(".list-bar details.menu")

    def press(*keys: str) -> None:
        for key in keys:
            page.keyboard.press(key)

    menu.locator("> summary").focus()
    press("ArrowDown")
    expect(menu.get_by_text("Mark as unread")).to_be_focused()
    press("c")
    expect(menu.get_by_text("Create event…")).to_be_focused()
    press("ArrowDown")
    expect(menu.get_by_text("Create a filter…")).to_be_focused()
    press("End", "ArrowRight")
    expect(menu.get_by_text("Copy…")).to_be_focused()
    press("s", "h")
    expect(menu.get_by_text("Show conversation")).to_be_focused()
    press("ArrowLeft")
    expect(menu.get_by_text("Other actions")).to_be_focused()
    press("Escape")
    expect(menu.locator("> summary")).to_be_focused()
    expect(menu).not_to_have_attribute("open", "")
