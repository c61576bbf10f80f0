"""Files that a browser encrypts: from one browser to another, without the server ever having their names, content or key."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, Route, expect

from deploy.demo import accounts
from deploy.demo.services import Services
from tests.support.messages import message
from tests.support.waiting import eventually
from webmail.config import settings
from webmail.models import StoredContent, Transfer, TransferFile, User
from webmail.transfers import content

PROGRAM = Path(__file__).resolve().parents[3] / "static" / "tools" / "open_sealed.py"
NAME = "Bulletins/Zoé Martin.pdf"


@pytest.fixture
def scripts() -> bool:
    return True


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    folder = tmp_path / "Bulletins"
    folder.mkdir()
    (folder / "Zoé Martin.pdf").write_bytes(os.urandom(3 * 1024 * 1024 + 77))
    return folder


def seal(page: Page, files: Path, count: int = 1) -> str:
    """Send a folder's files, encrypted; the link that is shown."""
    page.goto("/transfers/new")
    page.locator("summary", has_text="Protection renforcée").click()
    page.click("button[name=protection][value=browser]")
    expect(page.locator("[data-seals-say=on]")).to_be_visible()
    page.set_input_files("#choose-folder", files)
    expect(page.locator(".upload-state")).to_have_count(count)
    expect(page.locator("[data-all]")).to_contain_text("arrivé")  # what comes above the button moves it no more
    page.click(".toolbar button[value=link]")
    shown = page.locator("[data-transfer-link]")
    expect(shown).to_contain_text("#")
    return str(shown.get_attribute("href"))


def test_files_are_not_forgotten_that_are_chosen_before_the_script_comes(
    open_browser: Callable[..., Page], newcomer: Callable[..., str], whole: Path
) -> None:
    page = open_browser(newcomer("early", message("Bonjour")))
    held: list[Route] = []
    page.route("**/upload.js*", lambda route: held.append(route))
    page.goto("/transfers/new", wait_until="domcontentloaded")
    page.locator("summary", has_text="Protection renforcée").click()
    page.click("button[name=protection][value=browser]")
    expect(page.locator("[data-seals-say=on]")).to_be_visible()
    page.set_input_files("#choose-folder", whole)
    expect(page.locator("script[src*='upload.js']")).to_have_count(1)
    for route in held:
        route.continue_()
    expect(page.locator(".upload-state")).to_have_count(1)
    page.click(".toolbar button[value=link]")
    expect(page.locator(".file-list [data-sealed-name]")).to_have_text(NAME)


def save(page: Page) -> Path:
    """Press the button; what was saved."""
    with page.expect_download() as download:
        page.click("#files button[value=all]")
    return Path(download.value.path())


def test_what_one_browser_sends_another_opens(
    open_browser: Callable[..., Page], newcomer: Callable[..., str], demo: Services, whole: Path, tmp_path: Path
) -> None:
    page = open_browser(address := newcomer("sealer", message("Bonjour")))
    asked: list[Request] = []
    page.on("request", lambda one: asked.append(one))
    link = seal(page, whole)
    expect(page.locator(".file-list [data-sealed-name]")).to_have_text(NAME)  # the tab that has the key knows it
    key, data = link.partition("#")[2], (whole / "Zoé Martin.pdf").read_bytes()
    assert len(key) == 43
    # neither what it sent nor what is stored has the key, the name or the content
    sent = [f"{one.url} {one.post_data_buffer!r} {one.headers}" for one in asked if "/transfers" in one.url]
    assert not [one for one in sent if key in one or "Martin" in one or base64.b64encode(NAME.encode()).decode() in one]
    with accounts.tables(demo.database):
        [file] = TransferFile.select().join(Transfer).join(User).where(User.address == address)
        stored = b"".join(content.read(StoredContent.get_by_id(file.content_id), settings_of(demo)))
        assert (file.path, file.media_type) == ("1.sealed", "application/octet-stream")
        assert key not in str(Transfer.get_by_id(file.transfer_id).__data__)
    assert stored.startswith(b"TRABOULE\x01") and data[:32] not in stored and b"Martin" not in stored

    visitor = open_browser()
    visitor.add_init_script("delete window.showSaveFilePicker")
    visitor.goto(link)
    expect(visitor.locator("[data-say=on]")).to_be_visible()
    expect(visitor.locator(".sent-files .name")).to_have_text(NAME)
    saved = save(visitor)
    expect(visitor.locator(".sealed-state")).to_contain_text("Enregistré sous « Zoé Martin.pdf »")
    assert hashlib.sha256(saved.read_bytes()).digest() == hashlib.sha256(data).digest()

    def downloads() -> int:
        with accounts.tables(demo.database):
            return int(TransferFile.get_by_id(file.id).downloads)

    eventually(downloads, what="a download that counts")
    assert downloads() == 1

    # the same by the program
    (tmp_path / "1.sealed").write_bytes(stored)
    done = subprocess.run([sys.executable, PROGRAM, link, "1.sealed"], cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert done.stdout == f"1.sealed: Zoé Martin.pdf (its sender called it {NAME})\n", done.stderr
    assert (tmp_path / "Zoé Martin.pdf").read_bytes() == data


def test_a_server_that_gives_one_file_for_another_is_found_out(
    open_browser: Callable[..., Page], newcomer: Callable[..., str], tmp_path: Path
) -> None:
    folder = tmp_path / "Notes"
    for name in ("2025", "2026"):  # equal in size and in their last name
        (folder / name).mkdir(parents=True)
        (folder / name / "notes.txt").write_text(f"{name}: 12")
    link = seal(open_browser(newcomer("sealer", message("Bonjour"))), folder, 2)
    visitor = open_browser()
    # kept in memory: workers are not asked where requests are rewritten
    visitor.add_init_script(
        "delete window.showSaveFilePicker; Object.defineProperty(navigator, 'serviceWorker', { value: undefined })"
    )
    visitor.goto(link)
    expect(visitor.locator("[data-say=on]")).to_be_visible()
    asked = [str(one.get_attribute("value")) for one in visitor.locator("#files button[name=file]").all()]

    def swap(route: Route) -> None:
        body = route.request.post_data or ""
        route.continue_(post_data=f"file={asked[1]}" if body == f"file={asked[0]}" else body)

    visitor.route("**/t/*", lambda route: swap(route) if route.request.method == "POST" else route.continue_())
    visitor.locator("#files button[name=file]").first.click()
    expect(visitor.locator(".sealed-state", has_text="Le serveur a envoyé un autre fichier")).to_have_count(1)
    visitor.locator("#files button[value=all]").click()
    expect(visitor.locator(".sealed-state", has_text="un autre fichier")).to_have_count(2)
    with visitor.expect_download():
        visitor.locator("#files button[name=file]").last.click()  # this one is not given for another


def test_files_chosen_while_encryption_is_on_its_way_never_go_as_they_are(
    open_browser: Callable[..., Page], newcomer: Callable[..., str], tmp_path: Path
) -> None:
    page = open_browser(newcomer("sealer", message("Bonjour")))
    for name in ("one.txt", "two.txt", "three.txt"):
        (tmp_path / name).write_text("a secret of Zoé Martin")
    sent: list[str] = []
    page.on("request", lambda one: sent.append(f"{one.url} {one.headers} {one.post_data_buffer!r}"))
    page.goto("/transfers/new")
    page.locator("summary", has_text="Protection renforcée").click()
    waiting: list[Route] = []
    page.route("**/transfers/new/protection", lambda one: waiting.append(one))
    page.locator("button[name=protection][value=browser]").click(no_wait_after=True)
    eventually(lambda: page.wait_for_timeout(10) or waiting, what="the request for protection")
    page.set_input_files("#choose-files", tmp_path / "one.txt")
    scripts: list[Route] = []
    page.route("**/transfers/sealed.js*", lambda one: scripts.append(one))  # the page is there before what encrypts is
    waiting[0].continue_()
    expect(page.locator("[data-seals]")).to_be_visible()
    expect(page.locator("#choose-files")).to_be_disabled()
    eventually(lambda: page.wait_for_timeout(10) or scripts, what="the script that encrypts")
    scripts[0].continue_()
    expect(page.locator("[data-seals-say=on]")).to_be_visible()
    expect(page.locator(".upload-name")).to_have_text("one.txt")  # what was chosen in between is sent, encrypted
    page.set_input_files("#choose-files", tmp_path / "two.txt")
    expect(page.locator(".upload-state", has_text="arrivé")).to_have_count(2)
    assert not [one for one in sent if "Martin" in one or "b25lLnR4dA" in one]  # nor its name


def test_it_is_written_as_it_comes_where_the_browser_can(
    open_browser: Callable[..., Page], newcomer: Callable[..., str], whole: Path
) -> None:
    link = seal(open_browser(newcomer("sealer", message("Bonjour"))), whole)
    visitor = open_browser()
    # instead of a dialogue that nobody is there to answer: a file of the browser's own
    visitor.add_init_script(
        "window.showSaveFilePicker = async (how) => (await navigator.storage.getDirectory()).getFileHandle(how.suggestedName, { create: true })"
    )
    visitor.goto(link)
    expect(visitor.locator(".sent-files .name")).to_have_text(NAME)
    visitor.click("#files button[value=all]")
    expect(visitor.locator(".sealed-state")).to_contain_text("Enregistré sous")
    found = visitor.evaluate(
        """async () => {
          const file = await (await (await navigator.storage.getDirectory()).getFileHandle("Zoé Martin.pdf")).getFile();
          return Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer())));
        }"""
    )
    assert bytes(found) == hashlib.sha256((whole / "Zoé Martin.pdf").read_bytes()).digest()


def test_a_link_that_was_cut_or_is_another_says_so_and_keeps_nothing(
    open_browser: Callable[..., Page], newcomer: Callable[..., str], whole: Path, check_accessibility: Callable[[Page], None]
) -> None:
    page = open_browser(newcomer("sealer", message("Bonjour")))
    link = seal(page, whole)
    again = page.context.new_page()  # another tab does not know the key
    again.goto(page.url)
    expect(again.locator("[data-seals-say=lost]")).to_be_visible()
    visitor = open_browser()
    visitor.add_init_script("delete window.showSaveFilePicker")
    visitor.goto(link.partition("#")[0])
    expect(visitor.locator("[data-say=cut]")).to_be_visible()
    check_accessibility(visitor)
    visitor.goto("about:blank")
    visitor.goto(link[:-6] + "AAAAA" + "A")
    expect(visitor.locator("[data-say=wrong]")).to_be_visible()
    pressed: list[Request] = []
    visitor.on("request", lambda one: pressed.append(one) if one.method == "POST" else None)
    visitor.click("#files button[value=all]")
    expect(visitor.locator(".sealed-state")).to_contain_text("n’ouvre pas le fichier")
    assert not pressed  # it would count as a download, perhaps the only one allowed


def settings_of(demo: Services) -> settings.Settings:
    values = {name.removeprefix("WEBMAIL_").lower(): value for name, value in demo.settings().items()}
    return settings.load(values.pop("instance"), **values)
