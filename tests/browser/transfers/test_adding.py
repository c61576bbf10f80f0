"""Adding files to what was sent, in Chromium: uploaded one by one and seen together; encrypted with the key of the link."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from deploy.demo import accounts
from deploy.demo.services import Services
from tests.browser.transfers.test_sealed import seal
from tests.support.messages import message
from tests.support.transfer_ground import published
from tests.support.transfer_pages import settings_of
from webmail.models import User

OpenBrowser = Callable[..., Page]


_SLOW_NAMES = """() => { const seal = sealed.sealText;
  sealed.sealText = (...all) => new Promise(done => setTimeout(done, 300)).then(() => seal(...all)); }"""


@pytest.fixture
def scripts() -> bool:
    return True


def test_files_are_added_to_what_was_sent(
    open_browser: OpenBrowser, demo: Services, newcomer: Callable[..., str], check_accessibility: Callable[[Page], None]
) -> None:
    owner = newcomer("adds", message("Bonjour"))
    with accounts.tables(demo.database):
        transfer = published(User.get(User.address == owner), {"plan.pdf": b"%PDF"}, settings_of(demo))
    page = open_browser(owner, language="en-GB", at=f"/transfers/{transfer.id}")
    page.get_by_role("button", name="Add files").click()
    expect(page.get_by_role("heading", name="Add files")).to_be_visible()
    check_accessibility(page)
    page.set_input_files("#choose-files", [{"name": f"{name}.txt", "mimeType": "text/plain", "buffer": b"1"} for name in "ab"])
    expect(page.locator(".upload-state")).to_have_count(2)
    page.get_by_role("button", name="Add", exact=True).click()  # waits for what is still on its way
    expect(page.get_by_role("status").filter(has_text="2 files were added.")).to_be_visible()
    expect(page.locator(".file-list > li")).to_have_count(3)
    expect(page.locator(".trail")).to_contain_text("2 files added:")


def test_a_tab_that_is_given_the_link_encrypts_what_it_adds(
    open_browser: OpenBrowser, newcomer: Callable[..., str], tmp_path: Path
) -> None:
    (folder := tmp_path / "Bulletins").mkdir()
    (folder / "Zoé.txt").write_bytes(b"Zoe")
    page = open_browser(newcomer("adds", message("Bonjour")))
    link, address = seal(page, folder), page.url
    page = page.context.new_page()  # which does not know the key
    page.goto(address)
    page.get_by_role("button", name="Ajouter des fichiers").click()
    expect(page.locator("[data-seals-say=lost]")).to_be_visible()
    new = {"name": "Tom.txt", "mimeType": "text/plain", "buffer": b"Tom's"}
    page.set_input_files("#choose-files", new)
    expect(page.locator(".upload")).to_have_count(0)  # nothing leaves it unencrypted
    page.get_by_label("Le lien entier").fill(link[:-4] + "AAAA")
    expect(page.locator("[data-seals] [role=alert]").last).to_contain_text("n’ouvre pas")
    page.get_by_label("Le lien entier").fill(link)
    expect(page.locator("[data-seals-say=on]")).to_be_visible()
    page.evaluate(_SLOW_NAMES)
    page.set_input_files("#choose-files", new)
    expect(page.locator(".upload-state")).to_have_count(1)
    page.get_by_role("button", name="Ajouter", exact=True).click()
    expect(page.locator(".file-list > li")).to_have_count(2)

    visitor = open_browser()
    visitor.add_init_script("delete window.showSaveFilePicker")
    visitor.goto(link)
    expect(visitor.locator(".sent-files .name").last).to_have_text("Tom.txt")
    expect(visitor.locator(".sent-files .name").first).to_have_text("Bulletins/Zoé.txt")
    with visitor.expect_download() as download:
        visitor.get_by_role("button", name="Tom.txt").click()
    assert Path(download.value.path()).read_bytes() == b"Tom's"
