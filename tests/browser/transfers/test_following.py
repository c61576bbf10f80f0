"""Following what one sent as large files, in Chromium: found from anywhere, changed, closed and taken back; an administrator's page."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from deploy.demo import accounts
from deploy.demo.services import Services
from tests.support.browsing import overflow
from tests.support.messages import message
from tests.support.transfer_ground import published
from tests.support.transfer_pages import settings_of
from tests.support.waiting import eventually
from webmail.models import Transfer, TransferRecipient, User
from webmail.transfers import store

OpenBrowser = Callable[..., Page]


@pytest.fixture
def owner(demo: Services, newcomer: Callable[..., str]) -> str:
    return newcomer("follows", message("Bonjour"))


@pytest.fixture
def transfer(demo: Services, owner: str) -> Transfer:
    """Sent to two people by somebody new; not mailed yet: the demo's worker does that."""
    with accounts.tables(demo.database):
        user = User.get(User.address == owner)
        people = [("Zoé", f"zoe-{time.time_ns()}@world.test"), ("", f"tom-{time.time_ns()}@world.test")]
        made = published(user, {"Photos/a.jpg": b"a" * 3000, "b.txt": b"b"}, settings_of(demo), recipients=people)
        Transfer.update(subject="Sortie").where(Transfer.id == made.id).execute()
        return Transfer.get_by_id(made.id)


def test_what_was_sent_is_found_changed_closed_and_taken_back(
    open_browser: OpenBrowser, demo: Services, owner: str, transfer: Transfer, scripts: bool,
    check_accessibility: Callable[[Page], None],
) -> None:  # fmt: skip
    page = open_browser(owner, language="en-GB")
    page.get_by_role("navigation", name="Main menu").get_by_role("link", name="Files").click()
    page.get_by_role("navigation", name="Files").get_by_role("link", name="Sent").click()
    expect(page.locator(".transfer-list")).to_contain_text("2 files, 2.9 KB")
    if scripts:
        check_accessibility(page)
    page.get_by_role("link", name="Sortie").click()
    expect(page.locator("[data-transfer-link]")).to_contain_text("/t/")
    expect(page.get_by_role("button", name="Copy")).to_have_count(int(scripts))
    if scripts:
        check_accessibility(page)

    first = page.locator("[data-recipient]").first
    first.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("status").filter(has_text="no longer works")).to_be_visible()
    expect(page.locator("[data-recipient]")).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("[data-recipient]")).to_have_count(2)

    page.locator(".file-list .sure summary").first.click()
    page.get_by_role("button", name="Remove this file").click()
    expect(page.get_by_role("status").filter(has_text="“a.jpg” was removed")).to_be_visible()

    page.get_by_role("button", name="Close this transfer").click()
    expect(page.get_by_role("status").filter(has_text="The transfer is closed")).to_be_visible()
    expect(page.locator("[data-transfer-link]")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("[data-transfer-link]")).to_contain_text("/t/")
    with accounts.tables(demo.database):
        assert store.is_offered(Transfer.get_by_id(transfer.id))
    page.get_by_role("link", name="Show everything").click()
    expect(page.locator(".trail")).to_contain_text("Reopened")
    with page.expect_download() as coming:
        page.get_by_role("link", name="Save as a table (CSV)").click()
    assert coming.value.suggested_filename == f"trail-{transfer.id}.csv"


def test_on_a_telephone_what_can_be_done_stands_in_line_with_its_person(
    open_browser: OpenBrowser, owner: str, transfer: Transfer, scripts: bool
) -> None:
    page = open_browser(owner, width=360, at=f"/transfers/{transfer.id}")
    assert overflow(page) == 0
    row = page.locator("[data-recipient]").first
    edge = "at => { const style = getComputedStyle(at); return at.getBoundingClientRect().left + parseFloat(style.paddingLeft); }"
    name, button = (row.locator(what).first.evaluate(edge) for what in (".what", "button"))
    assert abs(name - button) < 1


def test_the_worker_mails_the_links(demo: Services, transfer: Transfer) -> None:
    def mailed() -> bool:
        with accounts.tables(demo.database):
            waiting = (TransferRecipient.transfer == transfer) & TransferRecipient.notified.is_null()
            return not TransferRecipient.select().where(waiting).exists()

    eventually(mailed, seconds=60, what="the worker's letters")


def test_an_administrator_closes_one_with_a_reason(
    open_browser: OpenBrowser, demo: Services, transfer: Transfer, owner: str, scripts: bool,
    check_accessibility: Callable[[Page], None],
) -> None:  # fmt: skip
    page = open_browser(accounts.ADMIN.address, language="en-GB", at="/admin/transfers")
    row = page.locator(f"[data-transfer='{transfer.id}']")
    expect(row).to_contain_text(owner)
    if scripts:
        check_accessibility(page)
    row.locator("summary").click()
    row.get_by_label("Reason").fill("Not ours")
    row.get_by_role("button", name="Close and delete").click()
    expect(page.get_by_role("status").filter(has_text="is told why")).to_be_visible()
    with accounts.tables(demo.database):
        assert Transfer.get_by_id(transfer.id).closed_reason == "Not ours"
