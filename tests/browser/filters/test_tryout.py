"""Trying a filter out in Chromium, with scripts and without: what it would touch, back to the form, and applied to old mail."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.messages import message

OpenBrowser = Callable[..., Page]


@pytest.fixture
def reader(newcomer: Callable[..., str]) -> str:
    return newcomer("tryout", *(message(subject, "Bonjour") for subject in ("Conseil de classe", "Devis", "Conseil de vie")))


def test_a_filter_is_tried_changed_and_applied(open_browser: OpenBrowser, reader: str, scripts: bool) -> None:
    page = open_browser(reader, language="en", at="/filters/new?field=subject&match=contains&value=devis&action=move&to=Archive")
    page.click("main button[value=try]")
    expect(page.locator("[data-tried-row] a")).to_have_text(["Devis"])
    expect(page.locator("[data-reasons]")).to_have_text("The subject contains “devis”")
    page.click("main button[value=edit]")
    page.fill("[name='conditions-0-values']", "conseil")
    page.click("main button[value=try]")
    expect(page.locator("[data-tried-row] a")).to_have_text(["Conseil de vie", "Conseil de classe"])
    page.click("main button[value=apply]")
    expect(page.locator("[data-rule]")).to_have_count(1)
    expect(page.locator("#notices")).to_contain_text("Applying the filter")
    if scripts:
        expect(page.locator("#notices")).to_contain_text("It was applied to 2 messages.")
        page.goto("/mailbox/Archive")
        expect(page.locator("[data-row]")).to_have_count(2)
