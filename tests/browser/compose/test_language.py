"""Language of the text: what a screen reader takes for it while it is written."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect


@pytest.mark.parametrize("scripts", [True, False])
def test_a_text_whose_language_is_not_said_is_read_in_that_of_the_page(open_browser: Callable[..., Page], scripts: bool) -> None:
    page = open_browser("alice@lycee.example", language="en", at="/compose?body=Bonjour")
    expect(page.locator("#body")).to_have_value("Bonjour")
    assert page.locator("#body").get_attribute("lang") is None
    if scripts:
        page.locator("summary", has_text="Options").click()
        page.select_option("#language", "fr")
        expect(page.locator("#body")).to_have_attribute("lang", "fr")
        page.select_option("#language", "")
        expect(page.locator("#body")).not_to_have_attribute("lang", "fr")
        assert page.locator("#body").get_attribute("lang") is None
