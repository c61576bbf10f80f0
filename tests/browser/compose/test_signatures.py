"""Choosing a signature while writing: it is swapped at once with scripts, with its button without, and typed words stay."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.images import picture
from tests.support.messages import message

only_with_scripts = pytest.mark.parametrize("scripts", [True])


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


@only_with_scripts
def test_a_formatted_signature_is_written_as_it_will_look(
    open_browser: Callable[..., Page], newcomer: Callable[..., str], check_accessibility: Callable[[Page], None]
) -> None:
    page = open_browser(newcomer("draws", message("Bonjour")), language="en", at="/settings/signatures/new")
    page.locator("#editor").click()
    page.keyboard.press("Control+b")
    page.keyboard.type("Bob")
    page.keyboard.press("Control+b")
    page.keyboard.press("Enter")
    page.keyboard.type("- maths")
    page.set_input_files("[name=picture]", {"name": "logo.png", "mimeType": "image/png", "buffer": picture()})
    expect(page).to_have_url(re.compile(r"/signatures/\d+$"))
    expect(page.locator("#editor .editor-image img")).to_be_visible()
    assert page.evaluate("document.querySelector('#editor .editor-image img').naturalWidth") > 0
    check_accessibility(page)
    page.locator("main .btn-primary").click()
    expect(page.locator(".answer strong")).to_have_text("Bob")
    expect(page.locator(".answer img")).to_be_visible()
    page.goto("/compose")
    expect(page.locator("#editor strong")).to_have_text("Bob")
    expect(page.locator("#editor li")).to_have_text(re.compile("maths"))
    expect(page.locator("#editor .editor-image img")).to_be_visible()
    expect(page.locator("#signature option:checked")).to_have_text(re.compile("."))
    page.select_option("#format", "")  # the way to plain text, and back
    expect(page.locator("#body")).to_have_value(re.compile(r"^\n\n-- \nBob\n\n- maths\s*$"))
    page.select_option("#format", "markdown")
    expect(page.locator("#editor strong")).to_have_text("Bob")
    expect(page.locator("#editor .editor-image img")).to_be_visible()
    assert page.locator("#saved").inner_text().strip() in ("", "Saved automatically as you write")


@only_with_scripts
def test_plain_text_is_one_choice_away(open_browser: Callable[..., Page], newcomer: Callable[..., str]) -> None:
    page = open_browser(newcomer("plain", message("Bonjour")), language="en", at="/settings/signatures/new")
    expect(page.locator("#editor")).to_be_visible()
    page.select_option("#format", "")
    expect(page.locator("#editor")).to_have_count(0)
    expect(page.locator("[name=picture]")).to_be_hidden()
    page.fill("main [name=text]", "2 * 3 * 4")
    page.locator("main .btn-primary").click()
    expect(page.locator("main .ready")).to_have_text("2 * 3 * 4")
