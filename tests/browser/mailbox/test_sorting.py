"""The Sort menu and the order of files, with and without scripts, on wide and narrow screens."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import overflow

OpenBrowser = Callable[..., Page]
BOB = "bob@lycee.example"
WIDTHS = pytest.mark.parametrize("width", [1280, 360])


def order_by(page: Page, label: str) -> None:
    page.locator(".list-bar summary", has_text="Sort").click()
    page.locator(".list-bar .pop").get_by_role("link", name=label, exact=True).click()
    shown = "Sort" if label == "Newest first" else f"Sort: {label.lower()}"
    whole = re.compile(rf"^\s*{shown}\s*$")  # every order's button begins with Sort: rows of the one before may still stand there
    expect(page.locator(".list-bar summary", has_text=whole)).to_be_visible()
    page.wait_for_load_state()  # without scripts the rows come after it


def uids(page: Page) -> list[int]:
    return [int(str(row.get_attribute("data-uid"))) for row in page.locator("[data-row]").all()]


@WIDTHS
def test_the_menu_orders_a_folder_and_its_button_names_the_order(open_browser: OpenBrowser, width: int) -> None:
    page = open_browser(BOB, width=width, language="en")
    newest = uids(page)
    order_by(page, "Oldest first")
    assert page.url.endswith("sort=oldest") and uids(page) != newest
    assert page.locator("[data-row] td.m .small").count() == 0
    order_by(page, "Largest first")
    expect(page.locator("[data-row] td.m .small").first).to_be_visible()
    order_by(page, "Newest first")
    assert uids(page) == newest and overflow(page) <= 0


@WIDTHS
def test_results_of_all_folders_are_ordered_by_the_same_menu(open_browser: OpenBrowser, width: int) -> None:
    page = open_browser("alice@lycee.example", width=width, language="en", at="/mailbox/INBOX?query=from:bob&scope=all")
    found = page.locator("[role=status]", has_text="found in all folders").text_content()
    order_by(page, "Oldest first")
    assert "scope=all" in page.url and "sort=oldest" in page.url
    expect(page.locator("[role=status]", has_text="found in all folders")).to_have_text(str(found))
    dates = [str(one.get_attribute("datetime")) for one in page.locator("[data-row] time").all()]
    assert len(dates) > 1 and dates == sorted(dates)


def test_nothing_found_leaves_a_toolbar_only_where_it_is_of_use(open_browser: OpenBrowser, scripts: bool) -> None:
    page = open_browser(BOB, language="en", at="/mailbox/INBOX?query=nirgendwo&scope=all")
    expect(page.locator(".empty")).to_be_visible()
    expect(page.locator("#messages .list-bar")).to_have_count(0 if scripts else 1)
    if not scripts:
        expect(page.locator("#messages .list-bar")).to_have_text("Refresh")


@WIDTHS
def test_files_are_ordered_by_links_above_them(open_browser: OpenBrowser, width: int) -> None:
    page = open_browser("alice@lycee.example", width=width, language="en", at="/files")
    page.get_by_role("link", name="Name", exact=True).click()
    expect(page.locator("main b[aria-current]")).to_have_text("Name")
    page.wait_for_load_state()
    names = [str(one.text_content()).strip().casefold() for one in page.locator(".file-table td:first-child a").all()]
    assert len(names) > 1 and names == sorted(names)
    page.get_by_role("link", name="Largest first", exact=True).click()
    expect(page.locator("main b[aria-current]")).to_have_text("Largest first")
    assert overflow(page) <= 0


def test_the_columns_of_a_list_keep_their_widths(open_browser: OpenBrowser) -> None:
    """The headings are for who listens: they give the columns no width."""
    page = open_browser(BOB, width=1280)
    cells = page.locator("[data-row]").first.locator("td").all()
    tick, star, who, subject, *_rest = (box["width"] for cell in cells if (box := cell.bounding_box()))
    assert tick <= 60 and star <= 44 and who <= 220 and subject >= 400
