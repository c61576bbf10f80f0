"""Changing a password in a browser: what is said of it while typing, and that one is in with the new one."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from deploy.demo.services import Services
from tests.support.messages import message

NEW = "cheval pile agrafe nuage"


def test_a_password_is_changed(
    open_browser: Callable[..., Page], newcomer: Callable[..., str], demo: Services, scripts: bool
) -> None:
    page = open_browser(address := newcomer("password", message("Bonjour")), at="/account/password")
    page.locator("[name=new_password]").press_sequentially("motdepasse")
    if scripts:
        expect(page.locator("#strength")).to_contain_text("courant")
    page.fill("[name=new_password_again]", "motdepasse")
    page.fill("[name=password]", demo.password)
    page.click("main form.form button")
    expect(page.locator("#new_password-error")).to_contain_text("courant")
    for name, text in (("password", demo.password), ("new_password", NEW), ("new_password_again", NEW)):
        page.fill(f"[name={name}]", text)
    page.click("main form.form button")
    expect(page.locator("#notices")).to_contain_text("Mot de passe modifié")
    visitor = open_browser()
    visitor.fill("[name=username]", address)
    visitor.fill("[name=password]", NEW)
    visitor.click("main button >> nth=0")
    expect(visitor.locator("[data-row]", has_text="Bonjour")).to_have_count(1)
