"""The search box as one types: what it offers, the keys for it, and what comes beside the results."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from deploy.demo.services import Services
from tests.support.maries_mail import new_marie

OpenBrowser = Callable[..., Page]
only_with_scripts = pytest.mark.parametrize("scripts", [True])


@pytest.fixture
def page(open_browser: OpenBrowser, demo: Services) -> Page:
    """The inbox of Marie, who has a folder Projets/Erasmus."""
    return open_browser(new_marie(demo))


def options(page: Page) -> Locator:
    return page.locator("#suggestion-list [role=option]")


@only_with_scripts
def test_a_folder_is_offered_while_its_name_is_typed_and_the_words_stay(page: Page) -> None:
    box = page.locator("#query")
    assert page.locator("#suggestions").count() == 0
    box.click()
    expect(box).to_have_attribute("role", "combobox")
    page.keyboard.type("eras")
    expect(options(page)).to_have_text(["Projets/Erasmus Dossier"])
    expect(box).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    expect(options(page).first).to_have_attribute("aria-selected", "true")
    assert box.get_attribute("aria-activedescendant") == options(page).first.get_attribute("id")
    page.keyboard.press("Enter")
    expect(page.locator("h1.list-title")).to_have_text("Erasmus")
    expect(page).to_have_url(re.compile(r"/mailbox/Projets/Erasmus\?searched=eras$"))
    expect(box).to_have_value("eras")
    box.click()  # and again on a page that htmx brought
    page.keyboard.press("End")
    page.keyboard.type("m")
    expect(options(page)).to_have_count(1)


@only_with_scripts
def test_escape_closes_what_is_offered_and_enter_searches(page: Page) -> None:
    box = page.locator("#query")
    box.click()
    expect(box).to_have_attribute("role", "combobox")
    page.keyboard.type("erasmus")
    expect(options(page)).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")  # past the last: what was typed
    assert box.get_attribute("aria-activedescendant") is None
    page.keyboard.press("Escape")
    expect(page.locator("#suggestions")).to_be_hidden()
    expect(box).to_have_value("erasmus")
    expect(box).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Escape")
    expect(box).to_have_value("")
    page.keyboard.type("erasmus")
    page.keyboard.press("Enter")
    expect(page.locator(".meant")).to_contain_text("voici le dossier Projets/Erasmus")
    expect(page.locator("#query")).to_have_value("erasmus")


@only_with_scripts
def test_what_was_typed_before_is_offered_at_once_and_the_rest_of_the_page_keeps_the_focus(page: Page, demo: Services) -> None:
    page.fill("#query", "Convention")
    page.keyboard.press("Enter")
    expect(page.locator("[data-row]")).to_have_count(1)
    page.goto(f"{demo.address}/mailbox/INBOX")
    page.click("#query")
    expect(options(page)).to_have_text(["Convention Recherche récente"])
    page.locator("[data-row] .s a[id]").first.focus()
    expect(page.locator("#suggestions")).to_be_hidden()
    page.click("#query")
    options(page).first.click()
    expect(page.locator("#query")).to_have_value("Convention")
    expect(page.locator("[data-row]")).to_have_count(1)


@only_with_scripts
def test_events_contacts_and_files_come_beside_the_messages_and_move_nothing(open_browser: OpenBrowser, demo: Services) -> None:
    page = open_browser(new_marie(demo))
    page.set_viewport_size({"width": 1280, "height": 800})
    held = []
    page.route(re.compile(r"/(calendar/search/first|contacts/found|files/first)"), lambda route: held.append(route))
    page.goto(f"{demo.address}/mailbox/INBOX?query=gros&scope=all")
    first = page.locator("[data-row], .empty").first
    before = first.bounding_box()
    while len(held) < 3:
        page.wait_for_timeout(20)
    for route in held:
        route.continue_()
    expect(page.locator("#found-files")).to_contain_text("gros.pdf")
    expect(page.locator("#found-events")).to_contain_text("Aucun événement trouvé.")
    expect(page.locator("#count-files")).to_have_text("1")
    assert first.bounding_box() == before
    assert page.locator("#found-files a").bounding_box()["x"] > 900


def test_the_bar_above_the_results_is_one_row_that_a_thumb_can_hit(open_browser: OpenBrowser, demo: Services) -> None:
    page = open_browser(new_marie(demo), language="fr")
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{demo.address}/mailbox/INBOX?query=message&scope=all")
    boxes = [one.bounding_box() for one in page.locator(".found-bar .btn:visible").all()]
    assert len(boxes) == 3 and len({box["y"] for box in boxes if box}) == 1
    kinds = [one.bounding_box() for one in page.locator(".kinds a").all()]
    assert len({box["y"] for box in kinds if box}) == 1 and kinds[-1] and kinds[-1]["x"] + kinds[-1]["width"] <= 360
    assert all(box and box["height"] >= 44 for box in [*boxes, *kinds])
