"""Keys of encryption opened by a passkey, in Chromium with a virtual authenticator that has the extension PRF, and one without."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.auth.test_security_keys import Desk, look, open_desk
from tests.support.browsing import wait_for_path

__all__ = ["look", "open_desk"]
pytestmark = pytest.mark.skipif(not shutil.which("sqop"), reason="sqop is not installed")
PASSPHRASE = "douze girafes lisent au lit"
CHOOSE, OPEN, OPENED = "Choisir une clé d’accès", "Ouvrir avec une clé d’accès", "Ouvertes"


def with_keys(desk: Desk) -> Page:
    """To somebody who has a passkey in their account, and keys of encryption that are open."""
    desk.add_key("Mon téléphone")
    page = desk.page
    page.goto("/encryption/begin")
    page.fill("[name=passphrase]", PASSPHRASE)
    page.fill("[name=passphrase_again]", PASSPHRASE)
    page.click("main form .btn-primary")
    wait_for_path(page, "/encryption/sheet")
    page.goto("/encryption/passkeys")
    return page


def test_a_passkey_opens_the_keys(open_desk: Callable[..., Desk], look: Callable[[Page, str], None]) -> None:
    desk = open_desk()
    desk.plug_in(hasPrf=True, ctap2Version="ctap2_1")
    page = with_keys(desk)
    look(page, "passkeys")
    page.click(f"text={CHOOSE}")
    expect(page.locator("#notices")).to_contain_text("Mon téléphone")
    expect(page.get_by_text(CHOOSE)).to_have_count(0)
    page.goto("/encryption")
    page.click("form[action='/encryption/close'] button")
    expect(page.locator("form[action='/encryption/close']")).to_have_count(0)
    page.goto("/encryption/open")
    expect(page.locator("#passphrase")).to_be_visible()
    look(page, "open-by-passkey")
    page.get_by_role("button", name=OPEN).focus()
    page.keyboard.press("Enter")
    wait_for_path(page, "/encryption")
    expect(page.locator("form[action='/encryption/close']")).to_be_visible()


def test_one_that_can_t_says_so_and_the_passphrase_is_there(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk()
    desk.plug_in()
    page = with_keys(desk)
    page.click(f"text={CHOOSE}")
    expect(page.locator("main [role=alert]")).to_contain_text("phrase secrète")
    page.goto("/encryption/open")
    expect(page.get_by_role("button", name=OPEN)).to_have_count(0)
    expect(page.locator("#passphrase")).to_be_visible()
