"""Mail links: addresses in messages, plain or formatted: a click opens the form, addressed."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage

import pytest
from playwright.sync_api import Page, expect

from tests.support.messages import message


@pytest.fixture
def dora(newcomer: Callable[..., str]) -> str:
    """The address of somebody new, with a plain message and a formatted one."""
    formatted = EmailMessage()
    formatted["Subject"], formatted["From"], formatted["To"] = "Formatted", "ann@far.example", "dora@lycee.example"
    formatted.set_content('<p>Ask <a href="mailto:bob@far.example?subject=Class%20trip">Bob</a>.</p>', subtype="html")
    return newcomer("dora", message("Plain", "Ask (ann@far.example)."), formatted)


def test_a_click_on_an_address_opens_the_form(dora: str, open_browser: Callable[..., Page]) -> None:
    page = open_browser(dora, language="en")
    page.get_by_role("link", name="Plain").click()
    page.get_by_role("link", name="ann@far.example", exact=True).click()
    expect(page.locator("[name=to]")).to_have_value("ann@far.example")


def test_a_click_on_a_mailto_link_in_a_formatted_message_too(dora: str, open_browser: Callable[..., Page]) -> None:
    page = open_browser(dora, language="en")
    page.get_by_role("link", name="Formatted").click()
    with page.context.expect_page() as opened:
        page.frame_locator("[data-message-body] iframe").get_by_role("link", name="Bob").click()
    expect(opened.value.locator("[name=to]")).to_have_value("bob@far.example")
    expect(opened.value.locator("[name=subject]")).to_have_value("Class trip")
