"""The buttons of the list's and the message's menus that lead to other pages, with and without scripts."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.support.messages import message


def test_the_menus_lead_where_they_say(open_browser: Callable[..., Page], newcomer: Callable[..., str], scripts: bool) -> None:
    outing = message("Sortie au musée", sender="Ottoline Farquhar <ottoline@x.example>")
    wanda = open_browser(newcomer("menus", outing), language="en")
    menus = wanda.locator(".list-bar .menu > summary")

    def press(words: str, menu: int = 0) -> None:
        menus.nth(menu).click()
        entry = wanda.locator(".list-bar .pop button", has_text=words)
        if not entry.is_visible():
            entry.locator("xpath=ancestor::details[@class='sub']/summary").click()
        entry.click()

    press("Group by conversation", 1)
    menus.nth(1).click()
    expect(wanda.locator(".list-bar button", has_text="Ungroup conversations")).to_be_enabled()
    together = wanda.locator(".list-bar button[value=together]")
    expect(together).to_be_disabled() if scripts else expect(together).to_be_enabled()
    wanda.goto("/mailbox/INBOX")
    wanda.check("input[name=uids]")
    press("Forward as attachments")
    expect(wanda.locator("[name=subject]")).to_have_value("Fwd: Sortie au musée")
    wanda.goto("/message/1/INBOX")
    press("Add to contacts")
    expect(wanda.locator("#notices")).to_contain_text("Ottoline Farquhar was added to your contacts.")
    expect(wanda.locator("article h1")).to_have_text("Sortie au musée")
    press("Report phishing")
    expect(wanda.locator("#notices")).to_contain_text("moved to Junk.")
