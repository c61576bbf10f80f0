"""The card of an invitation on a telephone, with scripts and without."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from imapclient import IMAPClient
from playwright.sync_api import Page, expect

from deploy.demo.child import HOST
from deploy.demo.services import Services
from tests.support.meetings import invitation_mail

OpenBrowser = Callable[..., Page]
LINES = (
    "DTSTART;TZID=Europe/Paris:20301210T090000|DTEND;TZID=Europe/Paris:20301210T100000|SUMMARY:Conseil de classe|SEQUENCE:{}|{}"
    "ORGANIZER;CN=Zoé Petit:mailto:zoe@x.example|ATTENDEE;RSVP=TRUE:mailto:{}|ATTENDEE;PARTSTAT=ACCEPTED:mailto:cat@x.example"
)


def deliver(demo: Services, address: str, event: str) -> None:
    with IMAPClient(HOST, demo.ports.imap, ssl=False, timeout=20) as client:
        client.login(address, demo.password)
        client.append("INBOX", bytes(invitation_mail("REQUEST", event)))


def test_accept_and_then_an_update_that_nothing_proves(
    newcomer: Callable[..., str], open_browser: OpenBrowser, check_accessibility: Callable[[Page], None], scripts: bool,
    demo: Services, screenshots: Path | None,
) -> None:  # fmt: skip
    person = newcomer("ines")
    deliver(demo, person, LINES.format(1, "", person))
    page = open_browser(person, width=360, language="en")
    page.locator("[data-row] a").first.click()
    card = page.locator("section.card")
    if screenshots:
        page.screenshot(path=screenshots / f"new-{scripts}.png", full_page=True)
    if scripts:
        check_accessibility(page)
    card.get_by_label("Note to the organiser").fill("See you there")
    card.get_by_role("button", name="Accept", exact=True).click()
    expect(card.locator("[data-in-calendar]")).to_contain_text("You accepted")
    expect(page.locator("#notices")).to_contain_text("You accepted.")
    deliver(demo, person, LINES.format(2, "LOCATION:Salle 12|", person))
    page.goto("/mailbox/INBOX")
    page.locator("[data-row] a").first.click()
    expect(card.locator("[data-changes]")).to_contain_text("Salle 12")
    expect(card.get_by_role("button", name="Change anyway")).to_be_visible()
    expect(card.get_by_role("button", name="Accept", exact=True)).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    card.get_by_role("button", name="Change anyway").evaluate(
        "button => button.scrollIntoView({block: 'center'})"
    )  # not under a bar
    if scripts:
        check_accessibility(page)
    if screenshots:
        page.screenshot(path=screenshots / f"card-{scripts}.png", full_page=True)
