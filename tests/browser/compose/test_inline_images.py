"""A picture goes where the cursor is, seen in the editor and by who reads it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.support.browsing import until_true
from tests.support.images import picture


@pytest.mark.parametrize("scripts", [True])
def test_a_picture_goes_where_the_cursor_is(open_browser):
    page = open_browser("alice@lycee.example", language="en", at="/compose?format=")
    page.fill("#body", "Voici le plan.")
    page.set_input_files("#attachments-field", {"name": "plan d'été.png", "mimeType": "image/png", "buffer": picture()})
    button = page.get_by_role("button", name="Insert plan d'été.png in the text")
    expect(button).to_be_visible()
    until_true(page, "window.pictures")
    page.evaluate("document.activeElement.blur()")
    page.focus("#body")
    page.evaluate("document.getElementById('body').setSelectionRange(5, 5)")
    button.click()
    mark = "![plan d'été](plan%20d%27%C3%A9t%C3%A9.png)"
    expect(page.locator("#body")).to_have_value(f"Voici{mark} le plan.")
    expect(page.locator("#format")).to_have_value("markdown")
    expect(page.locator(".editor-image img")).to_have_js_property("naturalWidth", 40)
    page.click("#options summary")
    page.get_by_role("button", name="Text", exact=True).click()
    page.keyboard.press("Escape")
    page.focus("#body")
    page.evaluate("document.getElementById('body').setSelectionRange(0, 0)")
    button.click()
    expect(page.locator("#body")).to_have_value(f"{mark}Voici{mark} le plan.")
    page.click("button[value=preview]")
    frame = page.frame_locator("#rendered iframe")
    expect(frame.locator("img")).to_have_count(2)
    expect(frame.locator("img").first).to_have_js_property("naturalWidth", 40)
