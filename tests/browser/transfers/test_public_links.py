"""The page of a public link in Chromium and w3m: somebody without an account, and what its sender sees of it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from deploy.demo import accounts
from deploy.demo.services import Services
from tests.support.outside import mailed_code
from tests.support.transfer_ground import published
from tests.support.transfer_pages import link_to, settings_of
from tests.support.waiting import eventually
from webmail.auth.passwords import hashing
from webmail.models import Transfer, TransferEvent, TransferFile, User
from webmail.transfers import store
from webmail.transfers.options import TransferOptions
from webmail.transfers.trail import EventKind

OpenBrowser = Callable[..., Page]
FILES = {"Classe/a.bin": os.urandom(200_000), "b.txt": b"Bonjour\n", "c.bin": b"three"}


@dataclass
class Sent:
    """A transfer of somebody new, for whoever has its link."""

    demo: Services
    owner: str

    def link(self, files: dict[str, bytes] = FILES, password: str = "", **more: object) -> str:
        with accounts.tables(self.demo.database):
            made = published(User.get(User.address == self.owner), files, settings_of(self.demo), **more)
            if password:
                Transfer.update(password=hashing.hash_password(password)).where(Transfer.id == made.id).execute()
            return link_to(made, settings_of(self.demo))

    def downloads(self) -> list[str | None]:
        """What was downloaded, as its owner's page knows it; None for all files in one archive."""
        with accounts.tables(self.demo.database):
            rows = TransferEvent.select(TransferEvent, TransferFile).left_outer_join(TransferFile)
            theirs = rows.switch(TransferEvent).join(Transfer).join(User).where(User.address == self.owner)
            found = theirs.where(TransferEvent.kind == EventKind.DOWNLOADED).order_by(TransferEvent.id)
            return [row.file.path if row.file else None for row in found]


@pytest.fixture
def sent(demo: Services) -> Sent:
    address = f"sends-{os.urandom(4).hex()}@lycee.example"
    demo.add_account(address, "Nora Petit")
    return Sent(demo, address)


def saved(page: Page, button: Locator, folder: Path) -> bytes:
    with page.expect_download() as coming:
        button.click()
    coming.value.save_as(folder / "saved")
    return (folder / "saved").read_bytes()


def test_files_one_by_one_some_or_all(open_browser: OpenBrowser, sent: Sent, scripts: bool, tmp_path: Path) -> None:
    page = open_browser(at=sent.link())
    expect(page.locator(".sent-from")).to_contain_text("Nora Petit")
    row = page.locator("li", has_text="a.bin")
    assert saved(page, row.locator("button"), tmp_path) == FILES["Classe/a.bin"]
    eventually(lambda: sent.downloads() == ["Classe/a.bin"], what="the download of a.bin")
    with page.expect_download() as coming:
        page.locator("a[download]", has_text="b.txt").click()
    assert Path(coming.value.path()).read_bytes() == FILES["b.txt"] and coming.value.suggested_filename == "b.txt"
    known = ["Classe/a.bin", "b.txt"] if scripts else ["Classe/a.bin"]  # without, a name is an address like any other
    eventually(lambda: sent.downloads() == known, what="the download of b.txt")
    for name in ("a.bin", "c.bin"):
        page.locator("li", has_text=name).locator("[type=checkbox]").check()
    saved(page, page.locator("[value=chosen]"), tmp_path)
    assert sorted(zipfile.ZipFile(tmp_path / "saved").namelist()) == ["Classe/a.bin", "c.bin"]
    saved(page, page.locator("[value=all]"), tmp_path)
    assert zipfile.ZipFile(tmp_path / "saved").read("Classe/a.bin") == FILES["Classe/a.bin"]
    eventually(lambda: sent.downloads() == [*known, "Classe/a.bin", "c.bin", None], what="all downloads")
    assert not [one for one in page.context.cookies() if "visitor" not in one["name"]]


def test_a_password_then_the_files(open_browser: OpenBrowser, sent: Sent, tmp_path: Path) -> None:
    page = open_browser(language="en-GB")
    page.context.clear_cookies()
    page.goto(sent.link({"a.bin": b"one"}, password="sésame"))
    page.fill("[name=password]", "nonsense")
    page.click("[value=password]")
    expect(page.get_by_role("alert")).to_contain_text("Wrong password")
    page.fill("[name=password]", "sésame")
    page.click("[value=password]")
    assert saved(page, page.locator("[value=all]"), tmp_path) == b"one"
    assert "~" not in page.url  # what opens the files is in no history
    [kept] = page.context.cookies()
    assert kept["name"].startswith("pass_") and kept["httpOnly"] and kept["path"] == "/t"


def test_a_code_by_mail(open_browser: OpenBrowser, sent: Sent, demo: Services, tmp_path: Path) -> None:
    to = f"reads-{os.urandom(4).hex()}@world.test"
    link = sent.link({"a.bin": b"one"}, recipients=[("Rita", to)], options=TransferOptions(mail_code=True))
    page = open_browser(at=link)
    page.fill("[name=to]", to)
    page.click("[value=ask]")
    page.fill("[name=code]", mailed_code(demo, to))
    page.click("[value=code]")
    assert saved(page, page.locator("[value=all]"), tmp_path) == b"one"


@pytest.fixture
def one_file(sent: Sent) -> str:
    """The address of a file, as it is copied from the page."""
    link = sent.link({"a.bin": FILES["Classe/a.bin"] * 40})
    with accounts.tables(sent.demo.database):
        [file] = store.files(Transfer.select().order_by(Transfer.id.desc()).get())
    return f"{sent.demo.address}{link}/{file.upload}/a.bin"


def test_curl_goes_on_where_it_was_broken_off(one_file: str, sent: Sent, tmp_path: Path) -> None:
    whole = FILES["Classe/a.bin"] * 40
    command = ["curl", "-s", "-C", "-", "-O", one_file]
    (tmp_path / "a.bin").write_bytes(whole[:3_000_001])  # as a line leaves it that breaks
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    assert hashlib.sha256((tmp_path / "a.bin").read_bytes()).digest() == hashlib.sha256(whole).digest()
    assert sent.downloads() == []


def test_a_reader_that_goes_away_leaves_its_turn(one_file: str, demo: Services) -> None:
    """More of them than there are turns, one after the other: each turn comes back when its reader hangs up."""
    for _ in range(20):
        with httpx.stream("GET", one_file) as answer:
            assert answer.status_code == 200
            next(answer.iter_raw(1000))
    assert eventually(lambda: httpx.get(one_file).status_code == 200, what="a turn")


def test_in_w3m(sent: Sent, tmp_path: Path) -> None:
    if not shutil.which("w3m"):
        pytest.skip("no w3m")
    link = f"{sent.demo.address}{sent.link()}"
    command = ["w3m", "-o", "use_cookie=0", "-o", "accept_language=en", "-dump", link]
    shown = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout
    for words in ("Nora Petit", "Verified: an account at Lycée Ampère", "Download all", "a.bin", "SHA-256", "Report abuse"):
        assert words in shown, words
    form = "action=all"  # what pressing the button sends
    (tmp_path / "form").write_text(form)
    command = ["w3m", "-o", "use_cookie=0", "-post", str(tmp_path / "form"), "-dump_source", link]
    got = subprocess.run(command, check=True, capture_output=True, timeout=30).stdout
    (tmp_path / "all.zip").write_bytes(got)
    assert zipfile.ZipFile(tmp_path / "all.zip").read("b.txt") == FILES["b.txt"]
    eventually(lambda: sent.downloads() == [None], what="the download")
