"""Filters of another program brought along in Chromium, with scripts and without."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.messages import message

OpenBrowser = Callable[..., Page]
SAMPLES = Path(__file__).parents[2] / "samples" / "filters"


@pytest.fixture
def reader(newcomer: Callable[..., str]) -> str:
    return newcomer("import", message("Conseil de classe", "Bonjour"))


def test_filters_are_looked_at_then_taken(open_browser: OpenBrowser, reader: str, scripts: bool) -> None:
    page = open_browser(reader, language="en", at="/filters/import")
    page.set_input_files("[name=file]", SAMPLES / "msgFilterRules.dat")
    page.click("main form.form .btn-primary")
    expect(page.locator("[data-found]")).to_have_count(3)
    expect(page.locator("[data-left-out]")).to_have_count(1)
    page.uncheck("[data-found='2'] [name=take]")
    page.click("#import .btn-primary")
    expect(page.locator("#notices")).to_contain_text("2 filters imported")
    expect(page.locator("[data-rule]")).to_have_count(2)
