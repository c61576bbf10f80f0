"""The original below a formatted answer: seen in the form, left out, edited as text; with scripts and without."""

from __future__ import annotations

import re
from collections.abc import Callable
from email.message import EmailMessage

import pytest
from playwright.sync_api import Page, expect

from tests.support.images import picture


@pytest.fixture
def zora(newcomer: Callable[..., str]) -> str:
    """The address of somebody new whose only message has a table and a logo."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Zoé <zoe@x.example>", "bob@lycee.example", "Planning"
    message.set_content("Ce message nécessite un lecteur HTML.\n")
    html = "<p>Le <b>planning</b></p><table border=1><tr><td>Lundi</td><td>9 h</td></tr></table><img src='cid:logo' alt='Logo'>"
    message.add_alternative(html, subtype="html")
    message.get_payload()[1].add_related(picture(), "image", "png", cid="<logo>", filename="logo.png", disposition="inline")
    return newcomer("zora", message)


def test_the_original_goes_below_an_answer(
    open_browser: Callable[..., Page], scripts: bool, zora: str, check_accessibility: Callable[[Page], None]
) -> None:
    page = open_browser(zora, language="en", at="/reply/1/INBOX?format=markdown")
    if scripts:
        page.locator("#editor").click()
        page.keyboard.type("Merci !")
    else:
        page.fill("#body", "Merci !")
    summary = page.locator(".compose-original summary")
    expect(summary).to_have_text("The original message is included below")
    summary.click()
    frame = page.frame_locator(".compose-original iframe")
    expect(frame.locator("td").first).to_have_text("Lundi")
    expect(frame.locator("img")).to_have_attribute("alt", "Logo")
    if scripts:
        expect(frame.locator("img")).to_have_js_property("naturalWidth", 40)
        check_accessibility(page)
    page.click("button[value=preview]")
    shown = page.frame_locator("#rendered iframe")
    expect(shown.locator("p").first).to_contain_text("Merci !")
    expect(shown.locator("blockquote b")).to_have_text("planning")
    page.click("button[value=original-text]")
    expect(page.locator(".compose-original")).to_have_count(0)
    expect(page.locator("#body")).to_have_value(re.compile("Merci !.*> Lundi  9 h", re.DOTALL))
    page.goto("/forward/1/INBOX?format=markdown")
    page.click("button[value=leave-original]")
    expect(page.locator(".compose-original")).to_have_count(0)
    expect(page.locator(".chip")).to_have_count(0)


@pytest.mark.parametrize("scripts", [True])
def test_an_answer_in_another_tab_keeps_the_original_too(open_browser: Callable[..., Page], zora: str) -> None:
    page = open_browser(zora, at="/message/1/INBOX")
    with page.context.expect_page() as opened:
        page.locator(".answers a").first.click(modifiers=["Control"])
    expect(opened.value.locator(".compose-original")).to_have_count(1)
    expect(opened.value.locator("#format")).to_have_value("markdown")
    page.locator(".answers a").first.click()
    expect(page.locator(".compose-original")).to_have_count(1)
