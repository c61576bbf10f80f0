"""A file that is too large for a message goes as a link, in three clicks; the message waits for what is still coming."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from deploy.demo.services import Services
from tests.support.browsing import UPLOADS, Hand, hold_after_the_first_piece, until_held, until_true, wait_for_row
from tests.support.messages import message

OpenBrowser = Callable[..., Page]
SIZE = 20_000_000


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("films") / "film.mp4"
    with path.open("wb") as file:
        file.truncate(SIZE)
    yield path
    path.unlink()


@pytest.fixture
def nora(newcomer: Callable[..., str]) -> str:
    return newcomer("nora", message("Bonjour"))


def picture(page: Page, screenshots: Path | None, name: str) -> None:
    if screenshots:
        page.screenshot(path=screenshots / f"large-files-{name}.png", full_page=True, caret="initial")


def test_a_large_file_takes_three_clicks(
    open_browser: OpenBrowser, nora: str, film: Path, scripts: bool, screenshots: Path | None,
    check_accessibility: Callable[[Page], None],
) -> None:  # fmt: skip
    page = open_browser(nora, at="/compose")
    if scripts:
        page.wait_for_load_state("networkidle")
        page.fill("#to-typing", nora)
    else:
        page.fill("#to", nora)
    page.fill("#subject", "Le film de la sortie")
    hand = Hand(page)
    if scripts:
        hand.choose_file(page.locator(".compose-add label").first, film)
        expect(page.locator("#links li")).to_contain_text("film.mp4")
        expect(page.locator("#uploads li")).to_have_count(0)
        check_accessibility(page)
    else:
        hand.choose_file(page.locator("[name=attachments]"), film)
        page.locator("button[value=attach]").click()  # or another button: what is pressed brings the file along
        expect(page.locator("#attachments-error")).to_contain_text("film.mp4")
        picture(page, screenshots, "held")
        hand.click(page.locator("#links li button").first)
        expect(page.locator("#attachments-error")).to_have_count(0)
    picture(page, screenshots, f"on-form-{scripts}")
    hand.click(page.locator("button[value=send]").first)
    expect(page.locator("main.compose")).to_have_count(0)
    assert hand.clicks <= (3 if scripts else 4)
    wait_for_row(page, "Le film de la sortie")
    page.locator("[data-row]", has_text="Le film").locator(".s a[id]").click()
    body = page.frame_locator("article iframe").locator("body") if scripts else page.locator("article")
    expect(body.first).to_contain_text("film.mp4")


@pytest.mark.parametrize("scripts", [True])
def test_what_is_sent_before_its_file_is_there_waits_for_it(
    open_browser: OpenBrowser, nora: str, film: Path, screenshots: Path | None, demo: Services
) -> None:
    page = open_browser(nora, at="/compose")
    page.wait_for_load_state("networkidle")
    page.fill("#to-typing", nora)
    page.fill("#subject", "Le film qui vient")
    slow = page.context.new_cdp_session(page)
    speed = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 1_000_000}
    slow.send("Network.emulateNetworkConditions", speed)
    with page.expect_file_chooser() as window:
        page.locator(".compose-add label").first.click()
    window.value.set_files(film)
    moved = until_true(page, "() => { const bar = document.querySelector('#uploads progress'); return bar && bar.value; }")
    assert 0 < moved < 1
    picture(page, screenshots, "uploading")
    page.locator("button[value=send]").first.click()
    expect(page.locator("#notices")).to_contain_text("film.mp4")
    page.locator("a[href='/outbox']").first.click()
    expect(page.locator("main.outbox")).to_contain_text(re.compile("Le film qui vient"))
    expect(page.locator("main.outbox")).to_contain_text("En attente de « film.mp4 »")
    picture(page, screenshots, "waiting")
    slow.send("Network.emulateNetworkConditions", {**speed, "uploadThroughput": -1})
    expect(page.locator("main.outbox")).not_to_contain_text("% envoyés")  # the list comes anew once it is here
    wait_for_row(page, "Le film qui vient")


@pytest.mark.parametrize("scripts", [True])
def test_an_upload_goes_on_after_a_reload_when_the_same_file_is_chosen(open_browser: OpenBrowser, nora: str, film: Path) -> None:
    page = open_browser(nora, at="/compose")
    page.wait_for_load_state("networkidle")
    page.fill("#subject", "Reprise")
    held = hold_after_the_first_piece(page)

    def choose() -> None:
        with page.expect_file_chooser() as window:
            page.locator(".compose-add label").first.click()
        window.value.set_files(film)

    choose()
    until_held(page, held)
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    page.unroute(UPLOADS)
    expect(page.locator("#links li[data-name]")).to_contain_text("%")
    page.wait_for_load_state("networkidle")
    sent: list[dict[str, str]] = []
    page.on("request", lambda one: sent.append(one.headers) if one.method == "PATCH" else None)
    choose()
    expect(page.locator("#uploads li")).to_have_count(0)
    expect(page.locator("#links li:not([data-name])")).to_contain_text("film.mp4")
    expect(page.locator("#links li")).to_have_count(1)
    assert int(sent[0]["upload-offset"]) > 0
    assert all(one.get("upload-checksum", "").startswith("sha256 ") for one in sent)
