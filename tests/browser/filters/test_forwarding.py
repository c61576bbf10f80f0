"""Forwarding with scripts and without: an address is added after a factor, mail is forwarded, and the banner ends it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from deploy.demo.services import Services
from tests.support.browsing import overflow
from tests.support.messages import message

OpenBrowser = Callable[..., Page]
BOB = "bob@lycee.example"


@pytest.fixture
def person(newcomer: Callable[..., str]) -> str:
    return newcomer("forwards", message("Conseil de classe", "Bonjour"))


def test_mail_is_forwarded_and_no_longer(open_browser: OpenBrowser, demo: Services, person: str, scripts: bool) -> None:
    page = open_browser(person, language="en", at="/settings")
    page.get_by_role("link", name="Forwarding").first.click()
    expect(page.locator("h1")).to_have_text("Forwarding")
    page.fill("#address", BOB)
    page.click(".new-target button")
    page.fill("main [name=password]", demo.password)
    page.click("main form.form button >> nth=0")
    page.click("main form button.btn-primary")  # what was interrupted is sent again
    expect(page.locator("[name=to]")).to_be_checked()
    expect(page.locator("[name=on]")).to_be_checked()
    page.click("[data-forwarding] .toolbar button")
    expect(page.locator("#notices")).to_contain_text(f"now forwarded to {BOB}")
    page.set_viewport_size({"width": 320, "height": 700})
    assert overflow(page) <= 0
    page.goto("/contacts")
    expect(page.locator("#forwarded")).to_contain_text(f"Your mail is forwarded to {BOB}.")
    page.click("#forwarded button")
    expect(page.locator("#notices")).to_contain_text("no longer forwarded")
    expect(page.locator("#forwarded form")).to_have_count(0)
