"""Large files from a browser: with scripts one by one, gone on with after a pause, a reload, a killed server; without, by one form."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from deploy.demo import accounts
from deploy.demo.services import Services
from tests.support.auth_app import PASSWORD
from tests.support.browsing import UPLOADS, hold_after_the_first_piece, until_held
from tests.support.messages import message
from tests.support.transfer_web import TransferWeb, transfer_web
from webmail.models import StoredContent, TransferFile

OpenBrowser = Callable[..., Page]
MB = 1024 * 1024
FORM, LINK = "#transfer", "[data-transfer-link]"
DROP = """() => {
  const data = new DataTransfer();
  data.items.add(new File(["tombé"], "lâché.txt"));
  for (const kind of ["dragover", "drop"])
    document.getElementById("message").dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


@pytest.fixture
def sender(newcomer: Callable[..., str]) -> str:
    return newcomer("sender", message("Bonjour"))


@pytest.fixture
def big(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(os.urandom(18 * MB))
    return path


def press(page: Page, action: str) -> None:
    page.click(f"{FORM} .toolbar button[value={action}]")


def kept(demo: Services, number: str) -> dict[str, str]:
    """SHA-256 of each file of a transfer, by its path."""
    with accounts.tables(demo.database):
        rows = TransferFile.select(TransferFile, StoredContent).join(StoredContent)
        return {row.path: row.content.sha256 for row in rows.where(TransferFile.transfer == int(number))}


def test_files_and_a_folder_are_sent(
    open_browser: OpenBrowser, demo: Services, sender: str, tmp_path: Path, scripts: bool, check_accessibility: Callable[[Page], None],
    screenshots: Path | None,
) -> None:  # fmt: skip
    (tmp_path / "Classe" / "photos").mkdir(parents=True)
    (tmp_path / "Classe" / "photos" / "a.txt").write_text("a")
    (tmp_path / "notes été.txt").write_text("notes")
    page = open_browser(sender, at="/transfers/new")
    page.set_input_files("#choose-files", tmp_path / "notes été.txt")
    page.set_input_files("#choose-folder", tmp_path / "Classe")
    if scripts:
        page.wait_for_load_state("networkidle")
        page.evaluate(DROP)
        expect(page.locator("[data-all]")).to_have_text("Tous les fichiers sont arrivés.")
        check_accessibility(page)
        if screenshots:
            page.screenshot(path=screenshots / "upload-done.png", full_page=True)
    page.fill("#message", "Les photos")
    press(page, "link")
    expect(page.locator(LINK)).to_be_attached()
    number = page.url.rpartition("/")[2].partition("?")[0]
    found = kept(demo, number)
    expected = {"notes été.txt": b"notes", "Classe/photos/a.txt": b"a", **({"lâché.txt": "tombé".encode()} if scripts else {})}
    assert found == {path: hashlib.sha256(data).hexdigest() for path, data in expected.items()}


@pytest.mark.parametrize("scripts", [True])
def test_what_is_there_already_is_not_uploaded_twice(open_browser: OpenBrowser, sender: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "b.txt").write_text("b")
    page = open_browser(sender, at="/transfers/new")
    page.wait_for_load_state("networkidle")
    page.set_input_files("#choose-files", tmp_path / "a.txt")
    expect(page.locator(".upload-state")).to_contain_text("arrivé")
    page.reload()
    page.wait_for_load_state("networkidle")
    page.set_input_files("#choose-files", [tmp_path / "a.txt", tmp_path / "b.txt"])
    expect(page.locator(".upload")).to_have_count(2)
    expect(page.locator(".upload-state").last).to_contain_text("arrivé")
    page.reload()
    expect(page.locator(".upload")).to_have_count(2)
    assert [row.get_attribute("data-path") for row in page.locator(".upload").all()] == ["a.txt", "b.txt"]


@pytest.mark.parametrize("scripts", [True])
def test_what_the_browser_remembers_of_uploads_is_bounded(open_browser: OpenBrowser, sender: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    page = open_browser(sender, at="/transfers/new")
    page.wait_for_load_state("networkidle")
    page.evaluate("localStorage.uploads = (crypto.randomUUID().replaceAll('-', '') + '1764300000000 ').repeat(2000)")
    page.set_input_files("#choose-files", tmp_path / "a.txt")
    expect(page.locator(".upload-state")).to_contain_text("arrivé")
    assert page.evaluate("[localStorage.length, localStorage.uploads.length]") == [1, 48000]
    page.reload()
    page.wait_for_load_state("networkidle")
    page.set_input_files("#choose-files", tmp_path / "a.txt")  # is known, by its date too
    expect(page.locator("[data-all]")).to_be_hidden()
    expect(page.locator(".upload")).to_have_count(1)


@pytest.mark.parametrize("scripts", [True])
def test_an_upload_is_paused_and_gone_on_with_after_a_reload(
    open_browser: OpenBrowser,
    demo: Services,
    sender: str,
    big: Path,
    check_accessibility: Callable[[Page], None],
    screenshots: Path | None,
) -> None:
    page = open_browser(sender, width=360, at="/transfers/new")
    page.wait_for_load_state("networkidle")
    held = hold_after_the_first_piece(page)
    page.set_input_files("#choose-files", big)
    until_held(page, held)
    asked_first: list[str] = []
    page.once("dialog", lambda dialog: (asked_first.append(dialog.type), dialog.dismiss()))
    page.click(".way-back a")
    page.locator(".upload button").first.click()
    expect(page.locator(".upload-state")).to_contain_text("En pause")
    assert asked_first == ["beforeunload"]
    check_accessibility(page)
    if screenshots:
        page.screenshot(path=screenshots / "upload-paused.png", full_page=True)
    with page.expect_response(lambda answer: answer.status == 204 and "/transfers/new" in answer.url):
        page.fill("[name=message]", "Voici le film.")
    held.clear()
    page.reload()
    expect(page.locator(".upload-part")).to_contain_text("Choisissez de nouveau le même fichier")
    expect(page.locator("[name=message]")).to_have_value("Voici le film.")
    page.wait_for_load_state("networkidle")
    asked: list[tuple[str, str]] = []
    page.on("request", lambda request: asked.append((request.method, request.headers.get("upload-offset", ""))))
    page.set_input_files("#choose-files", big)
    until_held(page, held)
    press(page, "link")
    expect(page.locator("[data-note]")).to_contain_text("encore en cours d’envoi")
    page.unroute(UPLOADS)
    expect(page.locator(LINK)).to_be_attached()
    pieces = [int(offset) for method, offset in asked if method == "PATCH"]  # smaller ones, and more, where the server is busy
    assert ("HEAD", "") in asked and pieces and min(pieces) > 0, asked
    number = page.url.rpartition("/")[2].partition("?")[0]
    assert kept(demo, number) == {"film.mp4": hashlib.sha256(big.read_bytes()).hexdigest()}


@pytest.mark.parametrize("scripts", [True])
def test_what_is_refused_is_told_and_can_be_removed(open_browser: OpenBrowser, demo: Services, sender: str) -> None:
    page = open_browser(sender, at="/transfers/new")
    page.wait_for_load_state("networkidle")
    page.route("**/transfers/uploads", lambda route: route.fulfill(status=413, content_type="text/plain", body="Trop gros"))
    page.set_input_files("#choose-files", {"name": "x.bin", "mimeType": "", "buffer": b"x"})
    expect(page.locator(".upload-bad")).to_contain_text("Trop gros")
    press(page, "link")
    expect(page.locator("[data-note]")).to_contain_text("ne sont pas arrivés")
    page.unroute("**/transfers/uploads")
    page.get_by_role("button", name="Reprendre x.bin").click()
    expect(page.locator(".upload-state")).to_contain_text("arrivé")
    page.get_by_role("button", name="Retirer x.bin").click()
    expect(page.locator(".upload")).to_have_count(0)
    press(page, "link")
    expect(page.locator("#files-error")).to_be_visible()
    with accounts.tables(demo.database):
        number = page.url.partition("of=")[2].partition("&")[0]
        assert not TransferFile.select().where(TransferFile.transfer == int(number)).exists()


@pytest.mark.parametrize("scripts", [True])
def test_others_go_on_when_the_first_is_removed_before_it_is_known(open_browser: OpenBrowser, sender: str) -> None:
    page = open_browser(sender, at="/transfers/new")
    page.wait_for_load_state("networkidle")
    held: list[Route] = []
    page.route("**/transfers/uploads", lambda route: held.append(route))
    page.set_input_files("#choose-files", [{"name": name, "mimeType": "", "buffer": b"x"} for name in ("a.bin", "b.bin")])
    expect(page.locator(".upload")).to_have_count(2)
    until_held(page, held)
    page.unroute("**/transfers/uploads")
    page.get_by_role("button", name="Retirer a.bin").click()
    expect(page.locator("[data-all]")).to_have_text("Tous les fichiers sont arrivés.")
    assert len(held) == 1


@pytest.fixture
def web(tmp_path: Path) -> Iterator[TransferWeb]:
    with transfer_web(tmp_path / "instance", "alice", transfers={"reserve_mb": 0}) as running:
        yield running


def test_a_killed_server_and_a_lost_session_do_not_end_an_upload(chromium: Browser, web: TransferWeb, big: Path) -> None:
    context = chromium.new_context(base_url=web.address, locale="fr")
    page = context.new_page()
    _sign_in(page)
    page.goto("/transfers/new")
    page.wait_for_load_state("networkidle")
    arrived: list[str] = []  # pieces; what follows the first is held
    held: list[Route] = []
    page.on("response", lambda answer: arrived.append(answer.url) if answer.request.method == "PATCH" and answer.ok else None)
    page.route(UPLOADS, lambda route: held.append(route) if arrived else route.continue_())
    page.set_input_files("#choose-files", big)
    web.kill()
    expect(page.locator(".upload-state")).to_contain_text("Nouvel essai")
    web.start()
    until_held(page, held)
    context.clear_cookies()
    for route in held:
        route.continue_()
    page.unroute(UPLOADS)
    expect(page.locator(".upload-state")).to_contain_text("Connectez-vous dans un autre onglet")
    other = context.new_page()
    _sign_in(other)
    page.get_by_role("button", name="Reprendre film.mp4").click()
    expect(page.locator("[data-all]")).to_have_text("Tous les fichiers sont arrivés.")
    press(page, "link")
    expect(page.locator(LINK)).to_be_attached()
    context.close()


def _sign_in(page: Page) -> None:
    page.goto("/login")
    page.fill("[name=username]", "alice@lycee.example")
    page.fill("[name=password]", PASSWORD)
    page.click("main button >> nth=0")
    page.wait_for_url(lambda url: "/login" not in url)
