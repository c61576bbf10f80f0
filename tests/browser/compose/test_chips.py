"""Recipients as people: by keyboard, pasted, marked where they are no address, folded on telephones; the field holds the text."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import overflow

OpenBrowser = Callable[..., Page]
ALICE = "alice@lycee.example"
THREE = "Bob Girard <bob@lycee.example>, Zoé Martin-Desrosiers <zoe@x.example>, admin@lycee.example"
pytestmark = pytest.mark.parametrize("scripts", [True])


def write(page: Page, query: str = "") -> None:
    page.goto(f"/compose{query}")
    expect(page.locator("#to-typing")).to_be_visible()


def paste(page: Page, text: str) -> None:
    page.evaluate(
        """text => { const data = new DataTransfer(); data.setData("text/plain", text);
             document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })); }""",
        text,
    )


def people(page: Page, name: str = "to") -> list[str]:
    return page.locator(f".compose-row:has(#{name}) [data-chip] > span:first-of-type").all_inner_texts()


def test_people_are_added_changed_and_removed_by_keyboard(
    open_browser: OpenBrowser, check_accessibility: Callable[[Page], None]
) -> None:
    page = open_browser(ALICE)
    write(page)
    field, typing = page.locator("#to"), page.get_by_label("À", exact=True)
    expect(typing).to_be_focused()
    page.keyboard.type('a@x.example,"Roux, Claire" <c@x.example>;')
    paste(page, "b@x.example\nZoé <z@x.example>\n")
    page.keyboard.type("d@x.example")
    page.keyboard.press("Enter")  # and the form is not saved for it
    assert people(page) == ["a@x.example", "Roux, Claire", "b@x.example", "Zoé", "d@x.example"]
    expect(field).to_have_value('a@x.example, "Roux, Claire" <c@x.example>, b@x.example, Zoé <z@x.example>, d@x.example, ')
    expect(typing).to_be_focused()
    page.keyboard.press("Backspace")
    expect(page.locator("[data-chip]").last).to_be_focused()
    page.keyboard.press("Backspace")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Delete")
    assert people(page) == ["a@x.example", "Roux, Claire", "Zoé"]
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="Roux, Claire c@x.example", exact=True)).to_be_focused()
    check_accessibility(page)
    page.keyboard.press("Enter")
    expect(typing).to_have_value('"Roux, Claire" <c@x.example>')
    page.keyboard.press("End")
    page.keyboard.press("Backspace")
    page.keyboard.type("x>")
    page.keyboard.press("Tab")
    expect(field).to_have_value('a@x.example, Zoé <z@x.example>, "Roux, Claire" <c@x.examplex>, ')
    page.get_by_role("button", name="Retirer Zoé", exact=True).click()
    expect(field).to_have_value('a@x.example, "Roux, Claire" <c@x.examplex>, ')
    page.reload()  # what is shown was saved as text
    expect(page.locator("[data-chip]")).to_have_count(2)


def test_what_is_no_address_is_marked_and_names_are_not(open_browser: OpenBrowser) -> None:
    page = open_browser(ALICE)
    write(page, "?to=pas bon@, Vie scolaire, Zoé <zoe@>, x@y.example")
    expect(page.locator("[data-chip]")).to_have_count(4)
    expect(page.locator(".person-bad")).to_have_text(
        ["! pas bon@ (n’est pas une adresse e-mail)×", "! Zoé zoe@ (n’est pas une adresse e-mail)×"]
    )


def test_three_people_take_one_line_on_a_telephone(
    open_browser: OpenBrowser, check_accessibility: Callable[[Page], None]
) -> None:
    for width in (320, 360):
        page = open_browser(ALICE, width=width, height=740, dark=width == 320)
        write(page, f"?to={ALICE}&cc={THREE}")
        row = page.locator(".compose-row:has(#cc)")
        expect(row.locator(".people-more")).to_be_visible()
        assert row.bounding_box()["height"] <= 50  # type: ignore[index]
        assert overflow(page) <= 0
        check_accessibility(page)
        send = page.locator("button[value=send]").first
        assert send.bounding_box()["height"] >= 44  # type: ignore[index]
        row.locator(".people-more").click()
        expect(row.locator("[data-chip]:visible")).to_have_count(3)
        expect(page.locator("#cc-typing")).to_be_focused()
        expect(page.locator("#cc")).to_have_value(THREE)


def test_what_the_server_changes_is_shown(open_browser: OpenBrowser) -> None:
    page = open_browser(ALICE)
    write(page, "?to=zoe@gmial.com&subject=s&body=b")
    page.click("button[value=send]")
    page.click("button[value=correct]")
    expect(page.locator("#to")).to_have_value("zoe@gmail.com")
    expect(page.locator("[data-chip]")).to_have_text(["zoe@gmail.com"])


def test_an_address_half_typed_stays_half_typed_when_an_answer_comes(open_browser: OpenBrowser) -> None:
    page = open_browser(ALICE)
    write(page)
    page.wait_for_load_state("networkidle")
    page.keyboard.type("a@x.example,b@x")
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", {
        "offline": False, "latency": 1000, "downloadThroughput": -1, "uploadThroughput": -1,
    })  # fmt: skip
    page.evaluate("document.querySelector('form.compose-form').dataset.old = 'y'")
    page.evaluate("document.querySelector('[name=action][value=save]').click()")
    page.locator("#to-typing").focus()
    page.keyboard.type(".exa")
    expect(page.locator("form.compose-form:not([data-old])")).to_be_visible()
    expect(page.locator("#main.htmx-settling, .htmx-request")).to_have_count(0)
    expect(page.locator("#to-typing")).to_be_focused()
    page.keyboard.type("mple,")
    expect(page.locator("#to")).to_have_value("a@x.example, b@x.example, ")


@pytest.mark.parametrize("where", ["#to-typing", "#editor"])
def test_ctrl_enter_sends_what_is_written_with_the_address_being_typed(open_browser: OpenBrowser, where: str) -> None:
    page = open_browser(ALICE, at="/compose?body=Bonjour")
    expect(page.locator("#editor")).to_be_visible()
    page.fill("[name=subject]", "Par une touche")
    page.locator("#to-typing").focus()
    page.keyboard.type("bob@lycee.example")
    page.locator(where).focus()
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("[data-row]")
    expect(page.locator("#notices")).to_contain_text("Envo")  # on its way, or sent
