"""Asking for files and sending them, in Chromium and w3m: a teacher, and people without an account."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from deploy.demo import accounts
from deploy.demo.services import Services
from tests.support.messages import message
from tests.support.transfer_ground import form_body
from tests.support.transfer_pages import settings_of
from tests.support.waiting import eventually
from webmail.models import Transfer, User
from webmail.transfers import content, store
from webmail.transfers.requests import requests
from webmail.transfers.requests.requests import Wishes

OpenBrowser = Callable[..., Page]
ESSAY = os.urandom(300_000)


@dataclass
class Asks:
    """Somebody new who asks for files."""

    demo: Services
    owner: str

    def link(self, **wishes: object) -> str:
        with accounts.tables(self.demo.database):
            user, settings = User.get(User.address == self.owner), settings_of(self.demo)
            made, _asked = requests.make(user, Wishes("Devoirs de 4e B", **wishes), "fr", settings)  # type: ignore[arg-type]
            return f"/g/{requests.token(made, settings)}"

    def arrived(self) -> dict[str, dict[str, bytes]]:
        """What came: by the name of who sent it, the bytes of each file."""
        with accounts.tables(self.demo.database):
            settings = settings_of(self.demo)
            rows = Transfer.select().join(User).where((User.address == self.owner) & Transfer.published.is_null(False))
            return {
                row.guest_name: {file.path: b"".join(content.read(file.content, settings)) for file in store.files(row)}
                for row in rows
            }


@pytest.fixture
def asks(demo: Services, newcomer: Callable[..., str]) -> Asks:
    return Asks(demo, newcomer("asks", message("Bonjour")))


def fill(page: Page, name: str, *files: tuple[str, bytes]) -> None:
    page.fill("#name", name)
    page.set_input_files("#choose-files", [{"name": path, "mimeType": "application/pdf", "buffer": data} for path, data in files])


def test_files_are_sent_by_a_link_and_a_receipt_says_so(open_browser: OpenBrowser, asks: Asks) -> None:
    page = open_browser(at=asks.link())
    expect(page.locator(".sent-from")).to_contain_text("Nora Petit")
    fill(page, "Zoé Durand", ("essai.pdf", ESSAY), ("notes.pdf", b"notes"))
    page.click("[value=send]")
    expect(page.locator("h1")).to_have_text("Vos fichiers sont envoyés")
    expect(page.locator(".guest-files li")).to_have_count(2)
    assert asks.arrived() == {"Zoé Durand": {"essai.pdf": ESSAY, "notes.pdf": b"notes"}}
    page.locator(".guest-files li", has_text="notes.pdf").get_by_role("link").click()
    expect(page.locator("#sure")).to_contain_text("Retirer ce fichier")  # nothing brings it back
    page.locator("[name=withdraw]").click()
    expect(page.locator("[role=status]")).to_contain_text("retiré")
    assert asks.arrived() == {"Zoé Durand": {"essai.pdf": ESSAY}}
    assert not [one for one in page.context.cookies() if "visitor" not in one["name"]]


def test_what_was_broken_off_is_gone_on_with_at_its_address(
    open_browser: OpenBrowser, asks: Asks, scripts: bool, tmp_path: Path
) -> None:
    if not scripts:
        pytest.skip("without scripts a form is sent again")
    page = open_browser(at=asks.link())
    stopped = [True]

    def hold(route: Route) -> None:
        if stopped[0] and route.request.method == "PATCH":
            route.fulfill(status=423, headers={"Retry-After": "60"})
        else:
            route.continue_()

    (tmp_path / "essai.pdf").write_bytes(ESSAY)
    page.route("**/uploads/**", hold)
    page.set_input_files("#choose-files", tmp_path / "essai.pdf")
    page.wait_for_url("**/g/*?of=*")
    page.reload()
    stopped[0] = False
    expect(page.locator("[data-upload]")).to_have_count(1)
    assert "?of=" not in page.url  # at an address of its own, to be kept
    page.fill("#name", "Max")
    page.set_input_files("#choose-files", tmp_path / "essai.pdf")
    page.click("[value=send]")
    expect(page.locator("h1")).to_have_text("Vos fichiers sont envoyés")
    assert asks.arrived() == {"Max": {"essai.pdf": ESSAY}}


def test_whoever_is_not_next_waits_and_goes_on(open_browser: OpenBrowser, asks: Asks, scripts: bool) -> None:
    if not scripts:
        pytest.skip("a form is not sent again by itself")
    page, asked = open_browser(), []
    page.goto(asks.link())

    def hold(route: Route) -> None:
        asked.append(route.request.method)
        if asked == ["PATCH"]:
            route.fulfill(status=423, headers={"Retry-After": "1"})
        elif asked == ["PATCH", "HEAD"]:
            route.fulfill(status=200, headers={"Retry-After": "1", "Upload-Offset": "0"})
        else:
            route.continue_()

    page.route("**/uploads/*", hold)
    fill(page, "Zoé", ("essai.pdf", ESSAY))
    expect(page.locator(".upload-state")).to_contain_text("en attente")
    page.click("[value=send]")
    expect(page.locator("h1")).to_have_text("Vos fichiers sont envoyés")
    assert asked == ["PATCH", "HEAD", "HEAD", "PATCH"]  # no piece in vain
    assert asks.arrived() == {"Zoé": {"essai.pdf": ESSAY}}


def test_a_teacher_asks_and_sees_what_came(open_browser: OpenBrowser, asks: Asks) -> None:
    teacher = open_browser(asks.owner, at="/transfers/requests")
    teacher.click("main a.btn-primary")
    teacher.fill("#title", "Photos")
    teacher.click("main .btn-primary")
    link = teacher.locator("[data-transfer-link]").get_attribute("data-transfer-link") or ""
    here = teacher.url
    guest = open_browser(at=link[link.index("/g/") :])
    fill(guest, "Zoé <b>", ("photo.jpg", ESSAY))
    guest.click("[value=send]")
    expect(guest.locator("h1")).to_have_text("Vos fichiers sont envoyés")
    teacher.goto(here)
    row = teacher.locator(".asked-list li")
    expect(row).to_contain_text("Zoé <b>")
    expect(row).to_contain_text("non vérifié")
    teacher.click(".page-end [value=close]")
    expect(teacher.locator("#notices")).to_contain_text("fermée")
    guest.goto(link[link.index("/g/") :])
    expect(guest.locator("h1")).to_have_text("Ce lien est fermé")


def test_in_w3m(asks: Asks, tmp_path: Path) -> None:
    if not shutil.which("w3m"):
        pytest.skip("no w3m")
    link = f"{asks.demo.address}{asks.link(message='En PDF.')}"
    w3m = ["w3m", "-o", "use_cookie=0", "-o", "accept_language=en"]
    shown = subprocess.run([*w3m, "-dump", link], check=True, capture_output=True, text=True, timeout=30).stdout
    for words in ("Nora Petit", "Devoirs de 4e B", "En PDF.", "Your name", "Send"):
        assert words in shown, words
    body, content_type = form_body([("name", "Zoé"), ("action", "send")], [("essai.pdf", ESSAY)])  # as w3m sends it
    (tmp_path / "form").write_bytes(body)
    post = ["-header", f"Content-Type: {content_type}", "-post", str(tmp_path / "form")]
    receipt = subprocess.run([*w3m, *post, "-dump", link], check=True, capture_output=True, text=True, timeout=30).stdout
    assert "Your files were sent" in receipt and "essai.pdf" in receipt and "SHA-256" in receipt
    eventually(lambda: asks.arrived() == {"Zoé": {"essai.pdf": ESSAY}}, what="the essay")
