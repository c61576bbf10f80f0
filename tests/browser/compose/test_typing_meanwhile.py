"""What is typed while the form's answer is on its way: it stays, and so do the focus and the caret."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.browsing import drawn, wait_for_row
from tests.support.messages import message

OpenBrowser = Callable[..., Page]
pytestmark = pytest.mark.parametrize("scripts", [True])
ALICE = "alice@lycee.example"
FORMS = "**/compose/*"
Held = list[Route]


def hold(page: Page) -> Held:
    """Let no form of this page reach the server until `let_go`."""
    held: Held = []
    page.wait_for_load_state("networkidle")
    page.route(FORMS, lambda route: held.append(route) if route.request.method == "POST" else route.continue_())
    page.evaluate("document.querySelector('form.compose-form').dataset.old = 'y'")
    return held


def let_go(page: Page, held: Held) -> None:
    for route in held:
        route.continue_()
    page.unroute(FORMS)


def begin(page: Page, body: str) -> Held:
    page.goto("/compose?format=")
    page.fill("#subject", f"Entre-temps {time.time_ns()}")
    page.fill("#body", body)
    return hold(page)


def expect_answered(page: Page, held: Held) -> None:
    expect(page.locator("form[data-old]")).to_have_count(1)
    let_go(page, held)
    expect(page.locator("form.compose-form:not([data-old])")).to_be_visible()
    expect(page.locator("#main.htmx-settling, .htmx-request")).to_have_count(0)
    drawn(page)


def test_words_typed_after_save_stay_and_are_saved(open_browser: OpenBrowser) -> None:
    page = open_browser(ALICE)
    held = begin(page, "un ")
    page.click("button[value=save]")
    page.click("#body")
    page.keyboard.press("Control+End")
    page.keyboard.type("deux")
    expect_answered(page, held)
    expect(page.locator("#body")).to_have_value("un deux")
    expect(page.locator("#body")).to_be_focused()
    with page.expect_response(lambda answer: b"autosave" in (answer.request.post_data_buffer or b"")):
        page.keyboard.type(" trois")
        expect(page.locator("#body")).to_have_value("un deux trois")
    page.reload()
    expect(page.locator("#body")).to_have_value("un deux trois")


def test_the_caret_stays_in_the_middle_of_an_address_and_of_the_text(open_browser: OpenBrowser) -> None:
    page = open_browser(ALICE)
    held = begin(page, "premier\nsecond")
    page.click("button[value=save]")
    page.click(".compose-more summary")
    page.fill("#bcc", "bob@")
    page.locator("#bcc").press("ArrowLeft")
    expect_answered(page, held)
    expect(page.locator("#bcc")).to_be_focused()
    page.keyboard.type("b")
    expect(page.locator("#bcc")).to_have_value("bobb@")

    held = hold(page)
    page.click("button[value=save]")
    page.locator("#body").press("Control+Home")
    page.keyboard.type("tout ")
    expect_answered(page, held)
    page.keyboard.type("le ")
    expect(page.locator("#body")).to_have_value("tout le premier\nsecond")


def test_what_is_not_touched_is_as_the_server_says(open_browser: OpenBrowser) -> None:
    page = open_browser(ALICE)
    held = begin(page, "texte")
    page.click(".compose-more summary")
    page.fill("#cc", "  bob@lycee.example ,")
    page.click("button[value=save]")
    page.locator("#subject").press("End")
    page.keyboard.type(" encore")
    expect_answered(page, held)
    expect(page.locator("#subject")).to_have_value(re.compile(r"^Entre-temps \d+ encore$"))
    expect(page.locator("#subject")).to_be_focused()
    expect(page.locator("#body")).to_have_value("texte")


def test_formatted_text_keeps_its_words_and_its_caret(open_browser: OpenBrowser) -> None:
    page = open_browser(ALICE, at="/compose")
    page.locator("#body").focus()
    editor = page.locator("#editor")
    editor.click()
    page.keyboard.type("un trois")
    held = hold(page)
    page.click("button[value=save]")
    editor.click()
    page.keyboard.press("Home")
    for _letter in "un ":
        page.keyboard.press("ArrowRight")
    page.keyboard.type("deux")
    expect_answered(page, held)
    expect(editor).to_be_focused()
    page.keyboard.type(" ")
    expect(editor).to_have_text("un deux trois")
    expect(page.locator("#body")).to_have_value(re.compile(r"^un deux trois\n?$"))


def test_send_pressed_while_save_is_at_work_sends_all_that_was_typed(open_browser: OpenBrowser) -> None:
    page = open_browser(ALICE)
    held = begin(page, "un ")
    page.fill("#to", ALICE)
    subject = page.locator("#subject").input_value()
    page.click("button[value=save]")
    page.locator("#body").press("Control+End")
    page.keyboard.type("deux")
    page.click("button[value=send]")
    let_go(page, held)
    page.wait_for_selector("[data-row]")
    page.goto("/outbox")
    expect(page.locator(".outbox-row", has_text=subject)).to_have_count(1)
    wait_for_row(page, subject)
    page.locator("[data-row]", has_text=subject).locator(".s a").first.click()
    expect(page.locator("[data-message-body]")).to_contain_text("un deux")


@pytest.fixture
def two_identities(open_browser: OpenBrowser, newcomer: Callable[..., str]) -> Page:
    """A browser of somebody with two identities, each with its signature."""
    page = open_browser(address := newcomer("identities", message("Bonjour")))
    for name in ("Un", "Deux"):
        page.goto("/settings/signatures/new")
        page.fill("main [name=name]", name)
        page.fill("main [name=text]", f"Signature {name}")
        page.click("main form button.btn-primary")
        page.wait_for_url(lambda address: not address.endswith("/new"))
        page.goto("/settings/identities/new")
        page.select_option("main [name=address]", address)
        page.select_option("main [name=signature]", label=name)
        page.fill("main [name=organisation]", name)
        page.click("main form button.btn-primary")
        page.wait_for_url(lambda address: not address.endswith("/new"))
    return page


def test_words_typed_while_another_identity_signs_stay(two_identities: Page) -> None:
    page = two_identities
    held = begin(page, "")
    body, others = page.locator("#body"), page.locator("#identity option:not(:checked)")
    body.fill("Bonjour\n\n-- \nSignature Un")
    page.select_option("#identity", others.filter(has_text="Deux").first.get_attribute("value"))
    body.press("Control+Home")
    page.keyboard.press("End")
    page.keyboard.type(" Bob")
    expect_answered(page, held)
    expect(body).to_be_focused()
    page.keyboard.type(",")
    expect(body).to_have_value("Bonjour Bob,\n\n-- \nSignature Deux")


def test_the_choice_of_an_identity_keeps_the_focus(two_identities: Page) -> None:
    page = two_identities
    held = begin(page, "Bonjour")
    other = page.locator("#identity option:not(:checked)").first.get_attribute("value") or ""
    page.locator("#identity").focus()
    page.select_option("#identity", other)
    expect_answered(page, held)
    expect(page.locator("#identity")).to_have_value(other)
    expect(page.locator("#identity")).to_be_focused()
