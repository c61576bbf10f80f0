"""Asking for help from the door on a telephone, and by who is signed in, with scripts and without."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.support.browsing import overflow
from tests.support.messages import message


def test_from_the_door(open_browser: Callable[..., Page], scripts: bool, check_accessibility: Callable[[Page], None]) -> None:
    page = open_browser(width=360, at="/support")
    expect(page.locator("main")).to_contain_text("04 56 78 90 12")
    assert page.locator("a[href='tel:0456789012']").count() == 1
    if scripts:
        check_accessibility(page)
        assert overflow(page) <= 0
    page.fill("[name=username]", f"perdu-{'avec' if scripts else 'sans'}")
    page.check("[name=kind][value=password]")
    page.fill("[name=text]", "Bonjour, mon mot de passe : Soleil12. Merci")
    page.fill("[name=contact]", "salle 12")
    page.click("form[action^='/support'] button")
    expect(page.locator("#text-error")).to_contain_text("retiré")
    if scripts:
        check_accessibility(page)
    assert page.input_value("[name=text]") == "Bonjour, mon mot de passe : […] Merci"
    assert page.input_value("[name=contact]") == "salle 12"
    assert page.is_checked("[name=kind][value=password]")
    page.click("form[action^='/support'] button")
    reference = page.locator("[data-reference]")
    expect(reference).to_have_text(re.compile(r"^[0-9A-Z]{3}-[0-9A-Z]{3}$"))
    said = reference.inner_text()
    if scripts:
        check_accessibility(page)
    page.reload()
    expect(page.locator("[data-reference]")).to_have_text(said)


def test_in_the_other_language(open_browser: Callable[..., Page]) -> None:
    page = open_browser(language="en", dark=True, at="/support")
    expect(page.locator("h1")).to_have_text("Help")
    page.click("button[name=language][value=fr]")
    expect(page.locator("h1")).to_have_text("Aide")


def test_who_is_signed_in_need_not_say_who_they_are(open_browser: Callable[..., Page], newcomer: Callable[..., str]) -> None:
    page = open_browser(address := newcomer("lost", message("Bonjour")), at="/support")
    assert page.locator("[name=username]").count() == 0
    expect(page.locator("main")).to_contain_text(address)
    page.check("[name=kind][value=mail]")
    page.click("form[action^='/support'] button")
    expect(page.locator("main")).to_contain_text("copie")
