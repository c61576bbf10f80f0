"""Filing: Move… with the keyboard, a new folder, tags to tick, dragging to a folder; without scripts by the same buttons."""

from __future__ import annotations

import imaplib
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from deploy.demo.services import Services
from tests.support.browsing import drawn, overflow, until_true
from tests.support.messages import message
from tests.support.settings_pages import choose_in_browser

OpenBrowser = Callable[..., Page]
only_with_scripts = pytest.mark.parametrize("scripts", [True])
only_without = pytest.mark.parametrize("scripts", [False])


@pytest.fixture
def dora(demo: Services) -> str:
    """The address of somebody new, who has four messages and some folders."""
    address = f"dora-{time.time_ns()}@lycee.example"
    demo.add_account(address, "Dora", 10**8)
    client = imaplib.IMAP4("127.0.0.1", demo.ports.imap)
    client.login(address, demo.password)
    for name in ("Projets", "Projets/2026", "Projets/2026/&AMk-t&AOk-", "Parents", "Sorties"):  # the third is Été
        assert client.create(f'"{name}"')[0] == "OK"
        client.subscribe(f'"{name}"')
    for number in range(4):
        client.append("INBOX", "Bleu" if number < 2 else "", None, bytes(message(f"Message {number}")))
    client.logout()
    return address


def rows(page: Page) -> Locator:
    return page.locator("[data-row]")


def row(page: Page, words: str) -> Locator:
    return page.locator("[data-row]", has_text=words)


def tick(page: Page, *words: str) -> None:
    for each in words:
        row(page, each).locator("[name=uids]").check()


def ask(page: Page, value: str = "moveto") -> Locator:
    """Open the chooser."""
    button = page.locator(f".list-bar button[value={value}]")
    if not button.is_visible():
        page.locator(".list-bar details.menu > summary").first.click()
    if not button.is_visible():
        button.locator("xpath=ancestor::details[@class='sub']/summary").click()
    button.click()
    chooser = page.locator("#chooser")
    expect(chooser).to_be_visible()
    return chooser


def shown(chooser: Locator) -> list[str]:
    return [text.strip() for text in chooser.locator(".chooser-list li button:visible").all_inner_texts()]


@only_with_scripts
def test_move_with_the_keyboard_alone(open_browser: OpenBrowser, dora: str) -> None:
    page = open_browser(dora, language="en")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    tick(page, "Message 1", "Message 2")
    assert not any("chooser" in url for url in requests)
    page.keyboard.press("v")
    field = page.locator("#chooser-find")
    expect(field).to_be_focused()
    expect(page.locator("#chooser-title")).to_have_text("Move 2 messages to")
    page.keyboard.press("Escape")
    expect(page.locator("#chooser")).to_have_count(0)
    expect(page.locator(".list-bar button[value=moveto]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(field).to_be_focused()
    page.keyboard.type("ete")
    expect(page.locator(".chooser-count")).to_have_text("1 folder")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#chooser li button:focus")).to_have_text("Projets/2026/Été")
    page.keyboard.press("ArrowUp")
    expect(field).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#notices")).to_contain_text("2 messages moved to Été.")
    expect(rows(page)).to_have_count(2)
    expect(page.locator("#chooser")).to_have_count(0)
    page.locator("#notices button").click()
    expect(rows(page)).to_have_count(4)
    page.keyboard.press("j")
    page.keyboard.press("v")  # the row itself, and where one moved to lately stands first
    expect(field).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-recent] button:focus")).to_have_text("Projets/2026/Été")
    page.keyboard.press("s")  # a letter goes into the field, and is no key of the list
    expect(field).to_have_value("s")
    page.keyboard.press("Escape")
    expect(rows(page)).to_have_count(4)


@only_with_scripts
def test_a_new_folder_in_place(open_browser: OpenBrowser, dora: str) -> None:
    page = open_browser(dora, language="en")
    tick(page, "Message 0")
    chooser = ask(page)
    new = chooser.locator(".chooser-new button")
    expect(new).to_have_text("New folder…")
    new.click()
    expect(page.locator("#chooser-find")).to_be_focused()
    page.keyboard.type("Erasmus//2027")
    expect(new).to_have_text("Create “Erasmus//2027” and move there")
    expect(page.locator(".chooser-count")).to_contain_text("no folder with this name yet")
    page.keyboard.press("Enter")
    expect(new).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#chooser-error")).to_contain_text("before or after a separator")
    field = page.locator("#chooser-find")
    expect(field).to_be_focused()
    expect(field).to_have_value("Erasmus//2027")
    expect(page.locator(".chooser-pop")).to_be_visible()
    expect(rows(page)).to_have_count(4)
    field.fill("Erasmus/2027")
    new.dblclick()
    expect(page.locator("#notices")).to_contain_text("1 message moved to 2027.")
    expect(page.locator("#folders")).to_contain_text("Erasmus")
    expect(rows(page)).to_have_count(3)


@only_with_scripts
def test_a_click_outside_closes(open_browser: OpenBrowser, dora: str) -> None:
    page = open_browser(dora, language="en")
    tick(page, "Message 0")
    ask(page)
    page.locator("h1, .top").first.click(force=True, position={"x": 3, "y": 3})
    expect(page.locator("#chooser")).to_have_count(0)
    expect(row(page, "Message 0").locator("[name=uids]")).to_be_checked()


@only_with_scripts
def test_from_a_message_with_copy_in_the_menu(open_browser: OpenBrowser, dora: str) -> None:
    page = open_browser(dora, language="en")
    row(page, "Message 3").locator("a[id]").click()
    expect(page.locator("article h1")).to_be_visible()
    chooser = ask(page, "copyto")
    expect(chooser.locator("h2")).to_have_text("Copy 1 message to")
    chooser.locator("a[data-close]").click()
    expect(chooser).to_have_count(0)
    expect(page.locator("article h1")).to_be_visible()
    ask(page).get_by_role("button", name="Parents").click()
    expect(page.locator("#notices")).to_contain_text("1 message moved to Parents.")


@only_with_scripts
def test_beside_the_list_the_open_message_is_moved(open_browser: OpenBrowser, dora: str) -> None:
    page = open_browser(dora, width=1400, language="en")
    choose_in_browser(page, "layout", "right")
    page.goto("/mailbox/INBOX")
    row(page, "Message 2").locator("a[id]").click()
    expect(page.locator("#preview article")).to_be_visible()
    page.locator("#preview .list-bar button[value=moveto]").click()
    page.locator("#chooser").get_by_role("button", name="Parents").click()
    expect(page.locator("#notices")).to_contain_text("1 message moved to Parents.")
    expect(rows(page)).to_have_count(3)
    expect(row(page, "Message 2")).to_have_count(0)


@only_with_scripts
def test_tags_are_ticked_in_three_states(open_browser: OpenBrowser, dora: str) -> None:
    page = open_browser(dora, language="en")
    tick(page, "Message 1", "Message 2")
    chooser = ask(page, "tags")
    box = chooser.get_by_role("checkbox", name="Bleu")
    expect(box).to_be_focused()
    assert box.evaluate("box => box.indeterminate")
    for state in ("true,false", "false,false", "false,true"):
        page.keyboard.press("Space")
        look = "want => { const b = document.querySelector('.ticks [type=checkbox]'); return `${b.checked},${b.indeterminate}` === want }"
        until_true(page, look, state)
    chooser.get_by_role("button", name="Apply").click()
    expect(page.locator("#notices")).to_contain_text("Nothing to change.")
    tick(page, "Message 1", "Message 2")
    chooser = ask(page, "tags")
    chooser.get_by_role("checkbox", name="Bleu").click()
    chooser.locator("summary").click()
    chooser.get_by_label("Name").fill("Voyage")
    page.keyboard.press("Enter")
    expect(page.locator("#notices")).to_contain_text("Tags changed on 2 messages.")
    expect(row(page, "Message 2").locator(".tag")).to_have_text(["Voyage", "Bleu"])
    expect(page.locator(".tag", has_text="Voyage")).to_have_count(2)
    page.locator("#notices button").click()
    expect(row(page, "Message 2").locator(".tag")).to_have_count(0)


def point_at_a_row(page: Page) -> None:
    """The script for dragging comes with it."""
    page.mouse.move(1, 1)
    with page.expect_event("requestfinished", lambda request: "drag.js" in request.url):
        row(page, "Message 0").hover()
    drawn(page)


@only_with_scripts
def test_rows_are_dragged_to_a_folder(open_browser: OpenBrowser, dora: str) -> None:
    page = open_browser(dora, language="en")
    target = page.locator("#folders a", has_text="Parents")
    point_at_a_row(page)
    row(page, "Message 0").locator("a[id]").drag_to(target)  # not ticked: the row alone
    expect(page.locator("#notices")).to_contain_text("1 message moved to Parents.")
    expect(rows(page)).to_have_count(3)
    tick(page, "Message 1", "Message 2")
    row(page, "Message 2").locator(".w").drag_to(target)
    expect(page.locator("#notices")).to_contain_text("2 messages moved to Parents.")
    page.locator("#notices button").click()
    expect(rows(page)).to_have_count(3)
    for closed in ("Drafts", "Inbox"):
        row(page, "Message 3").locator("a[id]").drag_to(page.locator("#folders a", has_text=closed).first)
        expect(rows(page)).to_have_count(3)
    page.keyboard.down("Control")
    row(page, "Message 3").locator(".d").drag_to(target)
    page.keyboard.up("Control")
    expect(page.locator("#notices")).to_contain_text("1 message copied to Parents.")
    expect(rows(page)).to_have_count(3)


@only_with_scripts
def test_escape_cancels_dragging_and_the_folder_under_the_pointer_is_marked(open_browser: OpenBrowser, dora: str) -> None:
    page = open_browser(dora, language="en")
    point_at_a_row(page)
    row(page, "Message 0").locator(".w").hover()
    page.mouse.down()
    target = page.locator("#folders a", has_text="Parents")
    box = target.bounding_box()
    assert box
    page.mouse.move(box["x"] + 40, box["y"] + 10, steps=8)
    page.mouse.move(box["x"] + 42, box["y"] + 11)
    expect(target).to_have_css("outline-style", "solid")
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(target).not_to_have_css("outline-width", "2px")
    page.goto("/mailbox/INBOX")
    expect(rows(page)).to_have_count(4)


def test_a_finger_gets_no_script_for_dragging(chromium: Browser, demo: Services, dora: str) -> None:
    context = chromium.new_context(base_url=demo.address, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto("/login")
    page.fill("[name=username]", dora)
    page.fill("[name=password]", demo.password)
    page.click("main button >> nth=0")
    page.wait_for_selector("[data-row]")
    page.wait_for_load_state()  # with the scripts
    page.locator("[name=uids]").first.tap()
    page.locator(".list-bar button[value=moveto]").tap()
    expect(page.locator("#chooser-find")).to_be_visible()
    assert page.locator("script[src*='drag.js']").count() == 0
    small = page.locator("#chooser button:visible, #chooser a:visible").evaluate_all(
        "all => all.map(e => [e.textContent, e.getBoundingClientRect().height]).filter(each => each[1] < 44)"
    )
    assert small == []
    context.close()


@only_without
def test_without_scripts_the_same_button_leads_to_a_page(open_browser: OpenBrowser, dora: str) -> None:
    page = open_browser(dora, language="en")
    page.click("button[value=moveto]")
    expect(page.locator("#notices")).to_contain_text("Select messages first")
    tick(page, "Message 0", "Message 1")
    page.click("button[value=moveto]")
    expect(page.locator("h1")).to_have_text("Move 2 messages to")
    page.fill("[name=find]", "2026")
    page.keyboard.press("Enter")
    expect(page.locator("#chooser .chooser-list button")).to_have_count(2)
    page.fill("[name=find]", "Neu/Ordner")
    page.click("button[value='make:move']")
    expect(page.locator("#notices")).to_contain_text("2 messages moved to Ordner.")
    page.click("#notices button")
    expect(rows(page)).to_have_count(4)
    tick(page, "Message 1", "Message 2")
    page.locator(".list-bar details.menu > summary").first.click()
    page.click("button[value=tags]")
    page.locator("select[name=some]").select_option("Add to all")
    page.click("button[value=retag]")
    expect(page.locator("#notices")).to_contain_text("1 message tagged Bleu.")


@only_with_scripts
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (360, False), (360, True)])
def test_open_choosers_are_accessible_and_fit(
    open_browser: OpenBrowser,
    dora: str,
    check_accessibility: Callable[[Page], None],
    screenshots: Path | None,
    width: int,
    dark: bool,
) -> None:
    page = open_browser(dora, width=width, height=800 if width > 760 else 740, dark=dark, language="fr" if dark else "en")

    def look(name: str) -> None:
        if screenshots:
            page.screenshot(path=screenshots / f"chooser-{name}-{width}-{'dark' if dark else 'light'}.png")
        assert overflow(page) <= 0
        box = page.locator(".chooser-pop").bounding_box()
        assert box and box["y"] >= 0 and box["y"] + box["height"] <= page.viewport_size["height"]
        check_accessibility(page)

    tick(page, "Message 0", "Message 2")
    ask(page).get_by_role("button", name=re.compile("Parents")).click()
    page.wait_for_selector("#notices form")
    tick(page, "Message 1", "Message 3")
    ask(page)
    look("folders")
    page.keyboard.type("Erasmus")
    look("new")
    page.locator("#chooser-find").fill("20")
    look("found")
    page.locator("[data-close]").click()
    ask(page, "tags")
    look("tags")
