"""Tags in rows and beside the list, and a folder made there, in a real browser."""

from __future__ import annotations

import imaplib
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Response, expect

from deploy.demo.services import Services
from tests.support.browsing import overflow, styled
from tests.support.messages import message

OpenBrowser = Callable[..., Page]
ALICE = "alice@lycee.example"


LETTERS = ("Voyage", "Conseil de classe", "Compte rendu de la réunion interdisciplinaire extraordinaire du 3 mars")


@pytest.fixture
def tagged(open_browser: OpenBrowser, newcomer: Callable[..., str]) -> Callable[..., Page]:
    """An inbox, its newest message with the tags Urgent and À relire."""

    def opened(**screen: int | bool) -> Page:
        page = open_browser(newcomer("tags", *map(message, LETTERS)), language="en", **screen, at="/tags")
        for name, colour in (("Urgent", "red"), ("À relire", "blue")):
            page.fill("#new-name", name)
            page.select_option("#new-colour", colour)
            page.click("main button[value=add]")
            expect(page.locator(f"main li a.tag:text-is('{name}')")).to_have_count(1)
        page.goto("/mailbox/INBOX")
        answer = page.evaluate(
            """async () => {
              const form = document.querySelector("form.messages"), names = ["tag:Urgent", "tag:A_relire"];
              for (const name of names) {
                const fields = new URLSearchParams({csrf_token: form.elements.csrf_token.value, v: form.elements.v.value});
                fields.set("uids", form.querySelector("input[name=uids]").value);
                fields.set("action", name);
                await fetch(form.getAttribute("action"), {method: "POST", body: fields});
              }
              return true;
            }"""
        )
        assert answer
        page.goto("/mailbox/INBOX")
        return page

    return opened


@pytest.mark.parametrize("scripts", [True], ids=["scripts"])
@pytest.mark.parametrize(("width", "dark"), [(320, False), (360, True), (1280, False), (1280, True)])
def test_tags_in_rows_are_links_in_one_tidy_line(
    tagged: Callable[..., Page], check_accessibility: Callable[[Page], None], width: int, dark: bool
) -> None:
    page = tagged(width=width, dark=dark)
    row, plain = page.locator("[data-row]:has(a.tag)").first, page.locator("[data-row]:not(:has(a.tag))").first
    heights = [one.bounding_box()["height"] for one in (row, plain)]  # type: ignore[index]
    assert abs(heights[0] - heights[1]) <= 1, heights
    chip, link = row.locator("a.tag").first, row.locator("a[id]")
    assert (chip.bounding_box() or {})["height"] >= 24
    assert overflow(page) <= 0
    assert (link.bounding_box() or {})["x"] < width - 60  # some of the subject is in sight
    check_accessibility(page)
    chip.focus()
    page.keyboard.press("Tab")
    expect(row.locator("a.tag").nth(1)).to_be_focused()
    page.keyboard.press("Tab")
    expect(link).to_be_focused()
    chip.click()
    page.wait_for_url(re.compile(r"query=tag.*scope=all"))
    expect(page.locator("#main h1")).to_contain_text("tag:")
    expect(page.locator("[data-row] a.tag").first).to_be_visible()
    styled(page)
    row = page.locator("[data-row]:has(a.tag)").first
    box = row.locator(".s").bounding_box() or {}
    assert (row.locator("a[id]").bounding_box() or {})["x"] < box["x"] + box["width"] - 10  # after the folder's name too
    page.mouse.click(box["x"] + box["width"] - 10, box["y"] + box["height"] / 2)  # beside the words: the row itself
    page.wait_for_url(re.compile("/message/"))
    check_accessibility(page)


@pytest.mark.parametrize("scripts", [True], ids=["scripts"])
def test_the_tag_that_is_shown_is_marked_in_the_side_bar(tagged: Callable[..., Page]) -> None:
    page = tagged()
    page.click("#folders a:has(.dot.tag-red)")
    expect(page.locator("#folders [aria-current=page]")).to_have_count(1)
    expect(page.locator("#folders [aria-current=page] span")).to_have_text("Urgent")


@pytest.mark.parametrize("scripts", [True], ids=["scripts"])
def test_a_tag_is_found_on_a_telephone(tagged: Callable[..., Page]) -> None:
    page = tagged(width=360)
    page.click(".areas a[href='/folders']")
    page.locator("main .folder-table a.tag:text-is('Urgent')").click()
    page.wait_for_url(re.compile(r"query=tag.*scope=all"))


def test_a_folder_is_made_beside_the_list(
    open_browser: OpenBrowser, newcomer: Callable[..., str], check_accessibility: Callable[[Page], None], scripts: bool
) -> None:
    page = open_browser(newcomer("folders", message("Bonjour")), language="en")
    name = "Sorties"
    page.click("#folders a[title='New folder']")
    if scripts:
        expect(page.locator("#making-name")).to_be_focused()
        check_accessibility(page)
        page.keyboard.type(name)
        page.keyboard.press("Enter")
        expect(page.locator("#folders li", has_text=name)).to_have_count(1)
        assert "/mailbox/INBOX" in page.url
        return
    page.fill("#new-folder #name", name)
    page.click("#new-folder button")
    expect(page.locator("#folders li", has_text=name)).to_have_count(1)


@pytest.mark.parametrize("scripts", [True], ids=["scripts"])
def test_answers_bring_the_folders_only_where_they_changed_and_the_mark_moves(
    open_browser: OpenBrowser, newcomer: Callable[..., str], demo: Services
) -> None:
    address = newcomer("ida", message("Lu"), message("Non lu"))
    client = imaplib.IMAP4("127.0.0.1", demo.ports.imap)
    client.login(address, demo.password)
    client.select()
    client.store("1", "+FLAGS", "\\Seen")
    client.logout()
    page = open_browser(address)
    page.goto("/mailbox/INBOX")
    brought: list[str] = []  # the addresses whose answers brought the folders

    def note(response: Response) -> None:
        if response.request.headers.get("hx-target") == "main" and "x-traboule-prefetch" not in response.request.headers:
            brought.extend([response.url] if 'id="folders"' in response.text() else [])

    page.on("response", note)
    page.evaluate("document.querySelector('#folders').setAttribute('data-same', '')")
    page.locator("[data-row]", has_text=re.compile("(?<!Non )Lu")).locator(".s a[id]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("article h1")).to_have_text("Lu")
    page.locator("a.back").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-row]")).to_have_count(2)
    expect(page.locator("#folders [aria-current]")).to_have_text(re.compile("réception"))
    page.locator("#folders a[href='/mailbox/Junk']").click()
    expect(page.locator("#folders [aria-current]")).to_have_attribute("href", "/mailbox/Junk")
    page.locator("#folders a[href='/folders']").click()
    expect(page.locator("main .folder-table").first).to_be_visible()
    expect(page.locator("#folders [aria-current]")).to_have_attribute("href", "/folders")
    assert brought == []
    expect(page.locator("#folders[data-same]")).to_have_count(1)
    page.locator("#folders a[href='/mailbox/INBOX']").click()
    expect(page.locator("#folders a[href='/mailbox/INBOX'] b")).to_have_text("1")
    page.locator("[data-row]", has_text="Non lu").locator(".s a[id]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("article h1")).to_have_text("Non lu")
    page.locator("a.back").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#folders a[href='/mailbox/INBOX'] b")).to_have_count(0)
    expect(page.locator("#folders [aria-current]")).to_have_attribute("href", "/mailbox/INBOX")
    assert brought


@pytest.mark.parametrize("scripts", [True], ids=["scripts"])
def test_a_folder_that_is_not_made_after_all_leaves_no_form_behind(open_browser: OpenBrowser) -> None:
    page = open_browser(ALICE)
    page.locator("#folders .part a").click()
    expect(page.locator("#making form")).to_be_visible()
    page.locator("#making a.btn").click()
    expect(page.locator("#making form")).to_have_count(0)
