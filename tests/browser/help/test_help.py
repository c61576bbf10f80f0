"""Help in a browser, with scripts and without: from the page one is on, by a search; and the cards of a first visit."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from deploy.demo import accounts
from deploy.demo.services import Services
from tests.support.browsing import overflow, wait_for_path
from tests.support.messages import message
from webmail.models import User

OpenBrowser = Callable[..., Page]


@pytest.fixture
def new_here(demo: Services, newcomer: Callable[..., str]) -> str:
    """The address of somebody who comes for the first time."""
    address = newcomer("premier", message("Bonjour"))
    with accounts.tables(demo.database):
        User.update(preferences=None).where(User.address == address).execute()
    return address


def test_help_for_a_page_is_a_key_or_a_link_away(open_browser: OpenBrowser, newcomer: Callable[..., str], scripts: bool) -> None:
    page = open_browser(newcomer("aide", message("Bonjour")), at="/filters")
    if scripts:
        page.keyboard.press("?")
        expect(page.locator("dialog h1")).to_have_text("Aide et raccourcis clavier")
        page.locator("dialog a").first.click()
    else:
        page.locator(".account summary").click()
        page.locator(".account a", has_text="Aide").first.click()
    wait_for_path(page, "/help/filters")
    expect(page.locator("h1")).to_have_text("Filtres")
    page.locator(".help-search input").fill("étiquette")
    page.locator(".help-search button").click()
    wait_for_path(page, "/help")
    page.locator(".help-found a").first.click()
    wait_for_path(page, "/help/tags")
    expect(page.locator("h1")).to_have_text("Étiquettes")
    picture = page.locator(".help-text img")
    picture.scroll_into_view_if_needed()
    if scripts:
        assert picture.evaluate("one => one.decode().then(() => one.naturalWidth)") > 300
    page.locator(".areas a").first.click()
    expect(page.locator("[data-row]")).to_have_count(1)
    expect(page.locator("#folders a[href='/mailbox/INBOX']")).to_have_count(1)


def test_five_cards_at_a_first_visit_and_never_again(open_browser: OpenBrowser, new_here: str) -> None:
    page = open_browser(new_here)
    card = page.locator("#first-card section")
    for number in range(1, 6):
        expect(card).to_contain_text(f"{number} sur 5")
        card.locator("button").first.click()
    expect(card).to_have_count(0)
    page.goto("/mailbox/INBOX")
    expect(page.locator("[data-row]")).to_have_count(1)
    expect(card).to_have_count(0)
    expect(open_browser(new_here, width=360).locator("#first-card section")).to_have_count(0)


def test_the_cards_can_be_put_away_at_once_and_only_stand_above_the_inbox(open_browser: OpenBrowser, new_here: str) -> None:
    page = open_browser(new_here, width=360)
    card = page.locator("#first-card section")
    expect(card).to_contain_text("1 sur 5")
    assert overflow(page) <= 0
    page.locator(".areas a", has_text="Contacts").click()
    wait_for_path(page, "/contacts")
    expect(card).to_have_count(0)
    page.goto("/mailbox/INBOX")
    card.locator("button", has_text="Ne plus afficher").click()
    expect(card).to_have_count(0)
    page.goto("/mailbox/INBOX")
    expect(card).to_have_count(0)


@pytest.mark.parametrize("scripts", [True], ids=["scripts"])
@pytest.mark.parametrize("width", [320, 1280])
def test_everybody_can_read_it(
    open_browser: OpenBrowser, new_here: str, check_accessibility: Callable[[Page], None], width: int
) -> None:
    """What `test_every_page.py` does not come to: help for who is not signed in, and a card."""
    visitor = open_browser(width=width, dark=width == 320)
    for where in ("/help", "/help/sign-in", "/help?query=signature"):
        visitor.goto(where)
        assert overflow(visitor) <= 0, where
        check_accessibility(visitor)
    page = open_browser(new_here, width=width)
    expect(page.locator("#first-card section")).to_be_visible()
    assert overflow(page) <= 0
    check_accessibility(page)
    for where in ("/help", "/help/filters", "/help/keys?of=filters"):
        page.goto(where)
        assert overflow(page) <= 0, where
        check_accessibility(page)
