"""How many clicks a person needs: eight things that everybody does, with scripts and without, each with its limit.

The numbers stand in docs/benchmarks.md, "Clicks".
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from deploy.demo.services import Services
from tests.support.browsing import Hand
from tests.support.maries_mail import new_marie

OpenBrowser = Callable[..., Page]


@pytest.fixture
def marie(demo: Services) -> str:
    """The address of somebody new, with mail to do all this with."""
    return new_marie(demo)


@pytest.fixture
def page(open_browser: OpenBrowser, marie: str) -> Page:
    """Marie's inbox."""
    return open_browser(marie)


def row(page: Page, words: str) -> Locator:
    return page.locator("[data-row]", has_text=words)


def tick(hand: Hand, words: str) -> None:
    hand.click(row(hand.page, words).locator("[name=uids]"))


def test_signing_in_takes_one(open_browser: OpenBrowser, demo: Services, marie: str) -> None:
    hand = Hand(page := open_browser())
    expect(page.locator("[name=username]")).to_be_focused()
    page.keyboard.type(marie)
    page.keyboard.press("Tab")
    page.keyboard.type(demo.password)
    hand.enter()
    expect(page.locator("[data-row]").first).to_be_visible()
    assert hand.clicks <= 1


def test_finding_last_years_message_about_erasmus_takes_two(page: Page, scripts: bool) -> None:
    """Three without scripts, where no key leads to the search box."""
    hand = Hand(page)
    if scripts:
        page.keyboard.press("/")
        expect(page.locator("#query")).to_be_focused()
    else:
        hand.click(page.locator("#query"))
    page.keyboard.type("Erasmus")
    hand.enter()
    expect(page.locator(".meant")).to_contain_text("Erasmus")
    hand.click(page.locator(".meant a", has_text="Convention"))
    expect(page.locator("article h1")).to_have_text("Convention de subvention")
    assert hand.clicks <= (2 if scripts else 3)


def test_a_reply_to_all_with_a_file_takes_four(page: Page, tmp_path: Path, scripts: bool) -> None:
    row(page, "Réunion").locator(".s a[id]").click()
    file = tmp_path / "note.txt"
    file.write_text("à lire\n")
    hand = Hand(page)
    hand.click(page.locator(".answers a[href*='all=1']"))
    expect(page.locator("[name=body]")).to_be_attached()
    page.keyboard.type("Voici la note.")
    hand.choose_file(page.locator("[name=attachments]"), file)
    if scripts:
        expect(page.locator("#attachments li")).to_contain_text("note.txt")
    hand.click(page.locator("button[value=send]").first)
    expect(page.locator("#notices [role=status]").first).to_be_visible()
    expect(page.locator("main.compose")).to_have_count(0)
    page.goto("/outbox")
    expect(page.locator("main")).to_contain_text("Réunion")
    assert hand.clicks <= 4


def test_a_new_folder_with_three_messages_takes_six(page: Page, scripts: bool) -> None:
    hand = Hand(page)
    for number in (1, 2, 3):
        tick(hand, f"Message {number}")
    hand.click(page.locator(".list-bar button[value=moveto]"))
    field = page.locator("#chooser [name=find]")
    if scripts:
        expect(field).to_be_focused()
        page.keyboard.type("Sorties 2027")
    else:
        field.fill("Sorties 2027")
    hand.click(page.locator(".chooser-new button"))
    expect(page.locator("#folders")).to_contain_text("Sorties 2027")
    expect(row(page, "Message 2")).to_have_count(0)
    page.locator("#folders a", has_text="Sorties 2027").click()
    expect(page.locator("[data-row]")).to_have_count(3)
    assert hand.clicks <= 6


def test_a_tag_takes_three(page: Page) -> None:
    page.goto("/tags")
    page.fill("#new-name", "À relire")
    page.click("main button[value=add]")
    expect(page.locator("main form:not(.card) [name=name]")).to_have_value("À relire")
    page.goto("/mailbox/INBOX")
    hand = Hand(page)
    tick(hand, "Message 4")
    hand.click(page.locator(".list-bar details.menu > summary").first)
    hand.click(page.locator(".list-bar .pop button[value^='tag:']"))
    expect(row(page, "Message 4").locator(".tag")).to_have_text("À relire")
    assert hand.clicks <= 3


def test_undoing_a_deletion_takes_one(page: Page) -> None:
    row(page, "Message 5").locator("[name=uids]").check()
    page.locator(".list-bar button[value=delete]").click()
    expect(row(page, "Message 5")).to_have_count(0)
    hand = Hand(page)
    hand.click(page.locator("#notices .notice form button"))
    expect(row(page, "Message 5")).to_have_count(1)
    assert hand.clicks <= 1


def test_another_signature_takes_four(page: Page) -> None:
    page.goto("/settings/signatures/new")
    page.fill("[name=name]", "Lycée")
    page.fill("[name=text]", "Marie")
    page.locator("main .btn-primary").click()
    expect(page.locator("main h2")).to_have_text("Lycée")
    page.goto("/mailbox/INBOX")
    hand = Hand(page)
    hand.click(page.locator(".account > summary"))
    hand.click(page.locator(".account a[href='/settings']"))
    signature = page.locator(".settings-list a", has_text="Lycée")
    expect(signature).to_be_in_viewport()  # nobody has to look for it
    hand.click(signature)
    expect(page.locator("[name=text]")).to_have_value("Marie")
    page.locator("[name=text]").fill("Marie, mathématiques")
    hand.click(page.locator("main .btn-primary"))
    expect(page.locator("main li.card")).to_contain_text("Marie, mathématiques")
    assert hand.clicks <= 4


def test_a_first_signature_takes_four(page: Page) -> None:
    hand = Hand(page)
    hand.click(page.locator(".account > summary"))
    hand.click(page.locator(".account a[href='/settings']"))
    hand.click(page.locator(".settings-list a[href='/settings/signatures/new']"))
    expect(page.locator("[name=name]")).not_to_have_value("")  # one's own name: nothing to think of
    page.locator("[name=text]").fill("Marie, mathématiques")
    hand.click(page.locator("main .btn-primary"))
    expect(page.locator("main li.card")).to_contain_text("Marie, mathématiques")
    assert hand.clicks <= 4


def test_forwarding_takes_five_to_the_code(page: Page, demo: Services) -> None:
    hand = Hand(page)
    hand.click(page.locator(".account > summary"))
    hand.click(page.locator(".account a[href='/settings']"))
    hand.click(page.locator(".settings-list a[href='/forwarding']"))
    page.locator("#address").fill("marie.home@world.test")
    hand.click(page.locator("#new form button").last)
    page.locator("[name=password]").fill(demo.password)
    hand.click(page.locator("main button.btn-primary"))
    expect(page.locator("#code")).to_be_visible()
    assert hand.clicks <= 5


def test_finding_large_attachments_takes_three(page: Page) -> None:
    hand = Hand(page)
    hand.click(page.locator(".areas a[href='/files']"))
    hand.click(page.locator("main a[href*='sort=size']"))
    expect(page.locator("main tbody tr").first).to_contain_text("gros.pdf")
    assert hand.clicks <= 3
