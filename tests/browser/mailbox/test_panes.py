"""A list with the message below it or beside it: what scrolls, the one toolbar, what opens next, the separator."""

from __future__ import annotations

import imaplib
import re
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from deploy.demo.services import Services
from tests.support.browsing import styled
from tests.support.messages import message
from tests.support.settings_pages import choose_in_browser

OpenBrowser = Callable[..., Page]
only_with_scripts = pytest.mark.parametrize("scripts", [True])
both_layouts = pytest.mark.parametrize("layout", ["below", "right"])

_TEXT = "\n".join(f"Ligne {number} de la lettre." for number in range(60))
_SCROLLS = "[document.scrollingElement.scrollHeight - innerHeight, document.scrollingElement.scrollWidth - innerWidth]"
_ROWS_IN_SIGHT = """() => {
    const box = document.querySelector(".rows").getBoundingClientRect();
    return [...document.querySelectorAll("[data-row]")].map(row => row.getBoundingClientRect())
        .filter(row => row.top >= box.top - 1 && row.bottom <= box.bottom + 1).length;
}"""
_LINES_IN_SIGHT = """() => {
    const body = document.querySelector("#preview [data-message-body]"), text = body.getBoundingClientRect();
    const end = Math.min(text.bottom, document.querySelector(".answers").getBoundingClientRect().top, innerHeight);
    return Math.floor((end - text.top) / parseFloat(getComputedStyle(body).lineHeight));
}"""
_OVERLAPS = """() => {
    const boxes = [...document.querySelectorAll(".list-bar > *")].filter(part => part.offsetWidth && !part.matches(".push, form, .notice"))
        .map(part => part.getBoundingClientRect()).sort((one, other) => one.left - other.left);
    return boxes.filter((box, at) => at && box.left < boxes[at - 1].right - 0.5).length + new Set(boxes.map(box =>
        Math.round((box.top + box.bottom) / 8))).size - 1;
}"""


def subjects(page: Page) -> list[str]:
    return page.locator("[data-row] .s a[id]").all_text_contents()


def tell(demo: Services, address: str, mailbox: str, letters: dict[str, int], text: str = _TEXT) -> None:
    """Messages with these subjects, each with the minute at which it came."""
    client = imaplib.IMAP4("127.0.0.1", demo.ports.imap)
    client.login(address, demo.password)
    for subject, minute in letters.items():
        client.append(mailbox, "", f'"26-Mar-2026 10:{minute:02d}:00 +0100"', bytes(message(subject, text)))
    client.logout()


def with_html(subject: str, html: str) -> EmailMessage:
    made = message(subject)
    made.add_alternative(html, subtype="html")
    return made


@pytest.fixture
def reader(demo: Services, newcomer: Callable[..., str]) -> str:
    """The address of somebody new with twelve messages, of which "Lettre 11" is the newest."""
    address = newcomer("panes")
    tell(demo, address, "INBOX", {f"Lettre {number}": number for number in range(12)})
    return address


@pytest.fixture
def panes(open_browser: OpenBrowser, reader: str) -> Callable[..., Page]:
    """The inbox in a layout: `panes("below", width=1024)`."""

    def choose(layout: str, **screen: int | bool) -> Page:
        page = open_browser(reader, **screen)
        choose_in_browser(page, "layout", layout)
        page.goto("/mailbox/INBOX")
        styled(page)
        return page

    return choose


def read(page: Page, subject: str) -> None:
    page.get_by_role("link", name=subject, exact=True).click()
    shown(page, subject)


def shown(page: Page, subject: str) -> None:
    expect(page.locator("#preview article h1")).to_have_text(subject)
    expect(page.locator("[data-row][aria-current]")).to_have_count(1)
    expect(page.locator("[data-row][aria-current] .s a[id]")).to_have_text(subject)
    styled(page)


@only_with_scripts
@both_layouts
@pytest.mark.parametrize(("width", "height", "dark"), [(1280, 800, False), (1024, 700, True)], ids=["light", "dark"])
def test_the_page_never_scrolls_and_list_and_letter_have_room(
    panes: Callable[..., Page], check_accessibility: Callable[[Page], None], screenshots: Path | None,
    layout: str, width: int, height: int, dark: bool,
) -> None:  # fmt: skip
    page = panes(layout, width=width, height=height, dark=dark)
    assert max(page.evaluate(_SCROLLS)) <= 0
    check_accessibility(page)
    read(page, "Lettre 11")
    assert max(page.evaluate(_SCROLLS)) <= 0
    assert page.evaluate(_OVERLAPS) == 0
    if (layout, width) == ("below", 1280):
        assert page.evaluate(_ROWS_IN_SIGHT) >= 6
        assert page.evaluate(_LINES_IN_SIGHT) >= 10
    check_accessibility(page)
    if screenshots:
        page.screenshot(path=screenshots / f"panes-{layout}-{width}-{'dark' if dark else 'light'}.png")
    page.locator("[name=uids]").nth(2).check()
    assert page.evaluate(_OVERLAPS) == 0
    check_accessibility(page)


@only_with_scripts
@both_layouts
def test_one_toolbar_acts_on_what_is_ticked_and_else_on_the_open_message(panes: Callable[..., Page], layout: str) -> None:
    page = panes(layout)
    delete = page.locator("button[value=delete]").locator("visible=true")
    expect(delete).to_have_count(1)
    expect(delete).to_be_disabled()
    read(page, "Lettre 9")
    expect(delete).to_have_count(1)
    expect(delete).to_be_enabled()
    expect(page.locator(".selected")).to_have_text("")
    expect(page.locator(".count")).to_be_visible()
    page.locator("[name=uids]").nth(0).check()
    page.locator("[name=uids]").nth(1).check()
    expect(page.locator(".selected")).to_have_text(re.compile(" 2$"))
    expect(delete).to_have_count(1)
    delete.click()
    expect(page.locator(".notice-done")).to_contain_text("2 messages")
    assert subjects(page)[:2] == ["Lettre 9", "Lettre 8"]
    shown(page, "Lettre 9")  # it stays open
    delete.click()
    expect(page.locator(".notice-done")).to_contain_text("1 message")
    assert subjects(page)[:2] == ["Lettre 8", "Lettre 7"]


@only_with_scripts
@both_layouts
def test_the_next_message_opens_and_undo_puts_the_row_where_it_was(panes: Callable[..., Page], layout: str) -> None:
    page = panes(layout)
    before = subjects(page)
    read(page, "Lettre 6")
    page.locator("#preview button[value=archive]").click()
    shown(page, "Lettre 5")
    expect(page.locator("[data-row][aria-current] .s a[id]")).to_be_focused()
    expect(page.locator("[data-row]")).to_have_count(11)
    assert "Lettre 6" not in subjects(page)
    page.locator(".notice form button").click()
    expect(page.get_by_role("link", name="Lettre 6", exact=True)).to_be_visible()
    assert subjects(page) == before
    shown(page, "Lettre 5")
    read(page, "Lettre 0")  # the last of the list: the one before it opens
    page.locator("#preview button[value=delete]").click()
    shown(page, "Lettre 1")


@only_with_scripts
def test_when_the_last_message_went_nothing_is_open(panes: Callable[..., Page]) -> None:
    page = panes("right")
    page.locator("[data-select-all]").check()
    page.locator("[name=uids]").nth(4).uncheck()
    page.locator("#messages button[value=archive]").click()
    expect(page.locator("[data-row]")).to_have_count(1)
    read(page, "Lettre 7")
    page.locator("#preview button[value=archive]").click()
    expect(page.locator("main .empty")).to_be_visible()
    expect(page.locator("main article")).to_have_count(0)


@only_with_scripts
def test_marks_leave_the_message_open_and_unread_closes_it(panes: Callable[..., Page]) -> None:
    page = panes("below")
    read(page, "Lettre 8")
    page.locator("[data-row]", has_text="Lettre 3").locator(".f button").click()
    expect(page.locator("[data-row]", has_text="Lettre 3").locator(".f .on")).to_have_count(1)
    shown(page, "Lettre 8")
    page.locator("#preview summary.btn").last.click()
    page.locator("#preview button[value=flag]").click()
    expect(page.locator("#preview h1 .star")).to_have_count(1)
    expect(page.locator("[data-row]", has_text="Lettre 8").locator(".f .on")).to_have_count(1)
    page.locator("#preview summary.btn").last.click()
    page.locator("#preview button[value=unread]").click()
    expect(page.locator("[data-row].u", has_text="Lettre 8")).to_have_count(1)
    expect(page.locator("#preview article")).to_have_count(0)
    expect(page.locator("#preview")).to_contain_text("Choisissez un message")


@only_with_scripts
@both_layouts
def test_the_separator_is_moved_by_mouse_and_keys_and_stays_where_it_was_put(panes: Callable[..., Page], layout: str) -> None:
    page = panes(layout)
    separator = page.get_by_role("separator")
    side = "height" if layout == "below" else "width"

    def size() -> float:
        return float(page.locator(".rows").evaluate(f"rows => rows.getBoundingClientRect().{side}"))

    expect(separator).to_have_attribute("aria-valuenow", re.compile(r"\d"))
    before = size()
    assert 25 <= int(separator.get_attribute("aria-valuenow") or "") <= 70
    separator.focus()
    page.keyboard.press("ArrowDown" if layout == "below" else "ArrowRight")
    assert size() > before
    page.keyboard.press("Home")
    least = size()
    assert least < before and separator.get_attribute("aria-valuenow") == separator.get_attribute("aria-valuemin")
    box = separator.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 + 150, box["y"] + box["height"] / 2 + 150, steps=4)
    page.mouse.up()
    moved = size()
    assert abs(moved - least - 150) <= 8
    page.reload()
    expect(separator).to_have_attribute("aria-valuenow", re.compile(r"\d"))
    assert abs(size() - moved) <= 8
    page.locator("#folders a[href$='/mailbox/Archive']").click()
    expect(page).to_have_url(re.compile("Archive"))
    page.go_back()
    expect(separator).to_have_attribute("aria-valuenow", re.compile(r"\d"))
    assert abs(size() - moved) <= 8
    separator.dblclick()
    assert abs(size() - before) <= 2


@only_with_scripts
@both_layouts
def test_a_whole_page_that_is_ticked_offers_all_and_does_not_scroll(
    panes: Callable[..., Page], demo: Services, reader: str, layout: str
) -> None:
    tell(demo, reader, "INBOX", {f"Lettre {number}": number for number in range(12, 30)})
    page = panes(layout, width=1024, height=700)
    choose_in_browser(page, "page_size", "25")
    page.goto("/mailbox/INBOX")
    page.locator("[data-select-all]").check()
    expect(page.locator("[data-all-matching] a")).to_be_visible()
    assert max(page.evaluate(_SCROLLS)) <= 0
    assert page.evaluate(_OVERLAPS) == 0
    page.locator("[data-all-matching] a").click()
    expect(page.locator(".rows [name=all]")).to_have_count(1)
    assert max(page.evaluate(_SCROLLS)) <= 0
    page.locator("#messages button[value=archive]").click()
    expect(page.locator(".notice-done")).to_contain_text("30 messages")


@only_with_scripts
def test_where_the_screen_is_too_small_messages_open_on_their_page(panes: Callable[..., Page]) -> None:
    page = panes("right", width=900)
    expect(page.get_by_role("separator")).to_be_hidden()
    page.get_by_role("link", name="Lettre 4", exact=True).click()
    expect(page).to_have_url(re.compile("/message/"))
    expect(page.locator("main article h1")).to_have_text("Lettre 4")
    page.goto("/mailbox/INBOX")
    page.set_viewport_size({"width": 1280, "height": 800})
    expect(page.get_by_role("separator")).to_be_visible()
    read(page, "Lettre 4")
    page.set_viewport_size({"width": 900, "height": 800})
    expect(page.locator("#messages button[value=delete]")).to_be_visible()


@only_with_scripts
def test_a_draft_opens_as_a_page_and_a_message_that_went_is_told(panes: Callable[..., Page], demo: Services, reader: str) -> None:
    page = panes("below")
    tell(demo, reader, "Drafts", {"Brouillon": 1})
    page.goto("/mailbox/Drafts")
    page.get_by_role("link", name="Brouillon", exact=True).click()
    expect(page.locator("[name=subject]")).to_have_value("Brouillon")
    expect(page.locator("header.top")).to_have_count(1)
    page.goto("/mailbox/INBOX")
    page.route("**/message/5/*", lambda route: route.continue_(url=route.request.url.replace("/message/5/", "/message/999/")))
    page.get_by_role("link", name="Lettre 4", exact=True).click()
    expect(page.locator(".notice-danger")).to_be_visible()
    expect(page.locator("[data-row]")).to_have_count(12)
    expect(page.locator("header.top")).to_have_count(1)


@pytest.mark.parametrize("layout", ["right"])
def test_without_scripts_each_page_has_its_toolbar_and_its_buttons_work(
    panes: Callable[..., Page], layout: str, scripts: bool
) -> None:
    page = panes(layout)
    if scripts:
        expect(page.locator("#messages button[value=delete]")).to_be_disabled()
        expect(page.locator("#messages button[value=readall]")).to_be_enabled()
        page.locator("[name=uids]").first.check()
        expect(page.locator("#messages button[value=delete]")).to_be_enabled()
        return
    expect(page.locator("#preview")).to_be_hidden()
    expect(page.locator("button[value=delete]")).to_have_count(1)
    expect(page.locator("button[value=delete]")).to_be_enabled()
    page.get_by_role("link", name="Lettre 4", exact=True).click()
    expect(page.locator("main article h1")).to_have_text("Lettre 4")
    expect(page.locator("button[value=delete]")).to_have_count(1)
    page.locator("button[value=delete]").click()
    expect(page.locator(".notice-done")).to_contain_text("corbeille")
    expect(page.locator("[data-row]")).to_have_count(11)
    assert "Lettre 4" not in subjects(page)


@only_with_scripts
def test_opening_a_message_lowers_the_count_of_its_folder(panes: Callable[..., Page]) -> None:
    page = panes("below")
    inbox = page.locator("#folders a[href='/mailbox/INBOX']")
    expect(inbox.locator("b")).to_have_text("12")
    read(page, "Lettre 11")
    expect(inbox.locator("b")).to_have_text("11")
    expect(inbox).to_have_attribute("aria-label", re.compile(r"\b11\b"))
    read(page, "Lettre 9")
    read(page, "Lettre 11")
    expect(inbox.locator("b")).to_have_text("10")
    page.locator("#folders a[href='/mailbox/Junk']").click()
    expect(page.locator("#folders a[href='/mailbox/Junk'][aria-current]")).to_be_visible()
    expect(inbox.locator("b")).to_have_text("10")  # so does the server count


@only_with_scripts
def test_forms_and_links_of_an_open_message_stay_in_its_pane(panes: Callable[..., Page], demo: Services, reader: str) -> None:
    asking = message("Reçu ?", _TEXT, Disposition_Notification_To="bob@lycee.example")
    client = imaplib.IMAP4("127.0.0.1", demo.ports.imap)
    client.login(reader, demo.password)
    client.append("INBOX", "", None, bytes(asking))
    client.append(
        "INBOX", "", None, bytes(with_html("Image", "<p>Voyez</p><img src='https://x.example/a.png' width=200 height=99>"))
    )
    client.logout()
    page = panes("right")
    read(page, "Reçu ?")
    page.click("#preview button[name=answer][value=no]")
    expect(page.locator("#preview button[name=answer]")).to_have_count(0)
    shown(page, "Reçu ?")
    read(page, "Image")
    page.click("#preview .images a")
    expect(page.locator("#preview .images button")).to_have_count(0)
    shown(page, "Image")
    assert page.url.endswith("/mailbox/INBOX") and page.locator("[data-row]").count() == 14
