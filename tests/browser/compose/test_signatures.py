"""Choosing a signature while writing: it is swapped at once with scripts, with its button without, and typed words stay."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.support.messages import message


def add_signature(page: Page, name: str, text: str) -> None:
    page.goto("/settings/signatures/new")
    page.fill("main [name=name]", name)
    page.fill("main [name=text]", text)
    page.click("main form button.btn-primary")
    page.wait_for_url(lambda address: not address.endswith("/new"))


def test_a_signature_is_chosen_while_writing(
    open_browser: Callable[..., Page],
    newcomer: Callable[..., str],
    scripts: bool,
    check_accessibility: Callable[[Page], None],
) -> None:
    page = open_browser(newcomer("signs", message("Bonjour")), language="en")
    add_signature(page, "Long", "Bob Girard\nLycée Ampère")
    add_signature(page, "Short", "C.")
    page.goto("/compose")
    expect(page.locator("#body")).to_have_value(f"{'' if scripts else ' '}\n\n-- \nBob Girard\nLycée Ampère\n")
    page.fill("#body", "Bonjour\n\n-- \nBob Girard\nLycée Ampère\n")
    for choice, text in (("Short", "Bonjour\n\n-- \nC.\n"), ("None", "Bonjour\n"), ("Short", "Bonjour\n\n-- \nC.\n")):
        page.select_option("#signature", label=choice)
        if not scripts:
            page.click("button[value=sign]")
        expect(page.locator("#body")).to_have_value(text)
        expect(page.locator("#signature option:checked")).to_have_text(choice)
    if scripts:
        check_accessibility(page)
