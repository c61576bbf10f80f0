"""The frame in a real browser: menus, the box and the bar of a telephone, the number of keys to the first message."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import settled
from tests.support.messages import message
from tests.support.waiting import eventually

OpenBrowser = Callable[..., Page]
ALICE = "alice@lycee.example"
only_scripts = pytest.mark.parametrize("scripts", [True], ids=["scripts"])
BARS = ".list-bar, .cal-bar, .compose-form > .toolbar"
_CUT = """width => [...document.querySelectorAll("main input, main select, main textarea, main .btn")].filter(
  field => field.checkVisibility() && field.getBoundingClientRect().right > width).map(field => field.name || field.textContent)"""
ACCOUNT, MORE = "details.account", ".list-bar details.menu >> nth=0"


def is_open(page: Page, menu: str) -> bool:
    return bool(page.locator(menu).evaluate("menu => menu.open"))


@only_scripts
def test_a_menu_closes_on_the_way_to_another_page(open_browser: OpenBrowser) -> None:
    page = open_browser(ALICE, language="en")
    page.click(f"{ACCOUNT} > summary")
    page.click(f"{ACCOUNT} a[href='/tasks']")
    expect(page.locator("main h1")).to_have_text("Tasks")
    assert not is_open(page, ACCOUNT)
    page.click(f"{ACCOUNT} > summary")
    expect(page.locator(f"{ACCOUNT} a[aria-current=page]")).to_have_text("Tasks")


@only_scripts
def test_the_first_press_outside_a_menu_only_closes_it(open_browser: OpenBrowser) -> None:
    page = open_browser(ALICE)
    inbox = page.url
    page.click(f"{ACCOUNT} > summary")
    row = page.locator("[data-row] .s").nth(6)
    row.click()
    assert not is_open(page, ACCOUNT) and page.url == inbox
    row.click()
    page.wait_for_url(re.compile("/message/"))


@only_scripts
def test_another_menu_opens_at_once(open_browser: OpenBrowser) -> None:
    page = open_browser(ALICE)
    page.locator(f"{MORE} >> summary >> nth=0").click()
    assert is_open(page, MORE)
    page.click(f"{ACCOUNT} > summary")
    assert is_open(page, ACCOUNT) and not is_open(page, MORE)


@only_scripts
def test_a_menu_closes_as_the_focus_leaves_it_and_with_escape(open_browser: OpenBrowser) -> None:
    page = open_browser(ALICE)
    summary = page.locator(f"{ACCOUNT} > summary")
    summary.focus()
    page.keyboard.press("Enter")
    assert is_open(page, ACCOUNT)
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    assert not is_open(page, ACCOUNT)
    expect(summary).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+Tab")
    assert not is_open(page, ACCOUNT)
    page.keyboard.press("Enter")  # a key after a press that closed a menu is not swallowed: the button of the search box
    page.wait_for_url(re.compile(r"\?query="))


def test_the_language_leads_back(open_browser: OpenBrowser, newcomer: Callable[..., str], scripts: bool) -> None:
    page = open_browser(newcomer("language", message("Bonjour")), language="en")
    page.click("nav.areas a[href='/contacts']")
    expect(page.locator("nav.areas a[aria-current]")).to_have_attribute("href", "/contacts")
    page.click(f"{ACCOUNT} > summary")
    page.click(f"{ACCOUNT} [name=language]")
    page.wait_for_url("**/contacts")
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    page.click(f"{ACCOUNT} > summary")
    page.click(f"{ACCOUNT} [name=language]")
    page.wait_for_url("**/contacts")
    expect(page.locator("html")).to_have_attribute("lang", "en")


@pytest.mark.parametrize("width", [320, 360])
def test_the_bar_of_a_telephone(open_browser: OpenBrowser, width: int, scripts: bool) -> None:
    page = open_browser(ALICE, width=width, height=640, language="en")
    expect(page.locator(".top .place")).to_have_text("Inbox")
    links = page.locator("nav.areas a")
    assert links.all_inner_texts() == ["Mail", "Folders", "Calendar", "Contacts", "Files", "Write"]
    for link in links.all():
        box = link.bounding_box() or {}
        assert box["height"] >= 44 and box["width"] >= 44 and box["y"] + box["height"] <= 640
    links.nth(4).click()
    expect(page.locator("nav.areas a[aria-current=page]")).to_have_text("Files")
    links.nth(5).click()
    page.wait_for_url(re.compile("/compose"))


def test_the_box_of_a_telephone_opens_where_one_types(open_browser: OpenBrowser, scripts: bool) -> None:
    page = open_browser(ALICE, width=360, language="en")
    glass = page.locator("#query")
    assert (glass.bounding_box() or {})["width"] <= 44
    glass.click()
    assert (glass.bounding_box() or {})["width"] > 200
    glass.fill("conseil")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("query=conseil"))
    expect(glass).to_be_visible()
    assert (glass.bounding_box() or {})["width"] > 200 and glass.input_value() == "conseil"


@only_scripts
@pytest.mark.parametrize("address", ["/calendar/subscriptions/new", "/mailbox/INBOX"])
def test_what_gets_the_focus_on_a_telephone_stands_above_the_bar(open_browser: OpenBrowser, address: str) -> None:
    page = open_browser(ALICE, width=360, height=640, at=address)
    bar = (page.locator("nav.areas").bounding_box() or {})["y"]
    ends = "document.activeElement.closest('main') ? document.activeElement.getBoundingClientRect().bottom : 0"
    found = []
    for _key in range(60):
        page.keyboard.press("Tab")
        found.append(page.evaluate(ends))
        if found[-1] == 0 and any(found):
            break
    assert max(found) > bar / 2 and max(found) <= bar


@only_scripts
@pytest.mark.parametrize("width", [360, 1280])
def test_what_gets_the_focus_on_the_way_back_stands_below_the_bar_of_the_list(open_browser: OpenBrowser, width: int) -> None:
    page = open_browser(ALICE, width=width, height=640)
    page.locator("[data-row] a[id] >> nth=18").focus()
    for _key in range(60):
        page.keyboard.press("Shift+Tab")
        bar, focused = page.evaluate(
            "[document.querySelector('.list-bar'), document.activeElement].map(one => one.getBoundingClientRect().bottom)"
        )
        if not page.evaluate("!!document.activeElement.closest('[data-row]')"):
            return
        assert focused > bar
    pytest.fail("the 60th key has not come to the first row yet")


@only_scripts
def test_all_is_reached_at_400_percent(open_browser: OpenBrowser) -> None:
    page = open_browser(ALICE, width=320, height=200)
    page.mouse.wheel(0, 400)
    rows = page.locator("[data-row]")
    tops = "all => all.map(row => row.getBoundingClientRect().top).filter(top => top >= 0 && top <= 150).length"
    eventually(lambda: rows.evaluate_all(tops) >= 2, step=0.1, what="two rows in sight")


@only_scripts
def test_forced_colours_keep_what_is_unread_and_current(open_browser: OpenBrowser) -> None:
    page = open_browser(ALICE)
    page.emulate_media(forced_colors="active")
    edge = "cell => getComputedStyle(cell).borderInlineStartColor"
    unread, read = page.locator("tr.u .c").first.evaluate(edge), page.locator("tr[data-row]:not(.u) .c").first.evaluate(edge)
    assert unread != read
    assert page.locator("#folders [aria-current]").evaluate("link => getComputedStyle(link).outlineStyle") == "solid"
    page.locator("input[name=uids]").first.check()
    assert page.locator("tr[data-row]").first.evaluate("row => getComputedStyle(row).outlineStyle") == "solid"


@only_scripts
def test_a_bar_is_one_row_at_every_width(open_browser: OpenBrowser) -> None:
    """None of its buttons falls below the others, the last ones of a long list and of a French message included."""
    page = open_browser(ALICE)
    message_of_list = page.locator("[data-row] .s a").nth(3).get_attribute("href")
    for width in (768, 1100, 1241):
        page.set_viewport_size({"width": width, "height": 800})
        for address in ("/mailbox/INBOX", message_of_list, "/compose", "/calendar/day/2026-12-08", "/calendar/agenda/2026-12-08"):
            page.goto(address or "")
            settled(page)
            height = page.locator(BARS).first.evaluate("bar => bar.offsetHeight")
            assert height <= 60, (width, address, height)


@only_scripts
@pytest.mark.parametrize("address", ["/calendar/events/new", "/absence", "/filters/new", "/mailbox/INBOX?query=conseil"])
def test_the_narrowest_telephone_cuts_no_field(open_browser: OpenBrowser, address: str) -> None:
    """Nor does a page hide at its edge what it does not scroll to."""
    page = open_browser(ALICE)
    page.set_viewport_size({"width": 320, "height": 600})
    page.goto(address)
    settled(page)
    assert page.evaluate(_CUT, 320) == []


@only_scripts
def test_what_an_invitation_folds_is_as_high_as_a_finger(open_browser: OpenBrowser) -> None:
    page = open_browser(ALICE, width=360, height=740)
    page.goto(page.locator("[data-row] .s a", has_text="Invitation : conseil pédagogique").first.get_attribute("href") or "")
    settled(page)
    for folded in page.locator(".card dd summary").all():
        assert folded.evaluate("summary => summary.offsetHeight") >= 44
