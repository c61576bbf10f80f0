"""Saving files that a browser decrypts, where pages can't write files: through a worker, as large as they are, or not at all."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Download, Page, Route, expect

from tests.browser.transfers.test_sealed import seal
from tests.support.browsing import until_true
from tests.support.messages import message

MIB = 1024 * 1024
HOSTILE = 'Zoé\'s (1); filename="x".exe\u202e%0d.bin'
SHOWN = "Zoé's (1); filename=_x_.exe_%0d.bin"
NO_PICKER = "delete window.showSaveFilePicker;"
NO_WORKER = NO_PICKER + "Object.defineProperty(Navigator.prototype, 'serviceWorker', { value: undefined });"
# the file's bytes stop in the middle: then they go on, or the line breaks
HELD = (
    NO_PICKER
    + """
(() => {
  const real = window.fetch;
  const goes = new Promise((done) => { window.goOn = done; });
  window.fetch = (...asked) => real(...asked).then((answer) => {
    const reader = answer.body.getReader();
    let count = 0;
    return new Response(new ReadableStream({ async pull(control) {
      if (count > 6000000) {
        window.isHeld = true;
        if ((await goes) === "break") return control.error(new TypeError("network error"));
      }
      const { done, value } = await reader.read();
      if (done) return control.close();
      count += value.length;
      control.enqueue(value);
    } }), { headers: answer.headers });
  });
})();
"""
)


@pytest.fixture
def scripts() -> bool:
    return True


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A folder with one file, larger than what is kept in memory."""
    folder = tmp_path / "Films"
    folder.mkdir()
    (folder / HOSTILE).write_bytes(os.urandom(9 * MIB + 77))
    return folder


def visit(open_browser: Callable[..., Page], link: str, script: str) -> Page:
    visitor = open_browser()
    visitor.add_init_script(script)
    visitor.goto(link)
    expect(visitor.locator("[data-say=on]")).to_be_visible()
    expect(visitor.locator(".sent-files .name").first).not_to_contain_text("sealed")
    return visitor


def begin(visitor: Page, button: str = "button[value=all]") -> Download:
    with visitor.expect_download() as download:
        visitor.click(f"#files {button}")
    return download.value


@pytest.mark.parametrize("script", [NO_PICKER, NO_WORKER], ids=["worker", "memory"])
def test_a_large_file_is_saved_whole_under_its_own_name(
    open_browser: Callable[..., Page], newcomer: Callable[..., str], large: Path, script: str
) -> None:
    link = seal(open_browser(newcomer("sealer", message("Bonjour"))), large)
    visitor = visit(open_browser, link, script)
    asked: list[str] = []
    visitor.context.on("request", lambda one: asked.append(f"{one.url} {one.post_data}"))
    download = begin(visitor)
    assert download.failure() is None
    assert download.suggested_filename == SHOWN
    assert digest(Path(download.path())) == digest(large / HOSTILE)
    words = "dans les téléchargements" if script == NO_PICKER else "Enregistré sous"
    expect(visitor.locator(".sealed-state", has_text=words)).to_be_visible()
    key = link.partition("#")[2]
    assert asked and not [one for one in asked if key in one]
    if script == NO_PICKER:
        places = "navigator.serviceWorker.getRegistrations().then((all) => all.map((one) => new URL(one.scope).pathname))"
        assert visitor.evaluate(places) == ["/t/save/"]
        assert visitor.evaluate("navigator.serviceWorker.controller") is None
        assert visitor.evaluate("caches.keys()") == []


def test_several_are_saved_as_an_archive_in_their_folders(
    open_browser: Callable[..., Page], newcomer: Callable[..., str], tmp_path: Path
) -> None:
    folder = tmp_path / "Devoirs"
    for name in ("a/Zoé.txt", "a/empty", "b/Zoé.txt", "b/ZOÉ.TXT", "film.bin"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(os.urandom({"film.bin": 9 * MIB}.get(name, 100)) if name != "a/empty" else b"")
    page = open_browser(newcomer("sealer", message("Bonjour")))
    link = seal(page, folder, count=5)
    visitor = visit(open_browser, link, NO_PICKER)
    download = begin(visitor)
    assert (download.failure(), download.suggested_filename) == (None, "Fichiers.zip")
    with zipfile.ZipFile(download.path()) as archive:
        assert archive.testzip() is None
        found = {name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()}
    given = {f"Devoirs/{one.relative_to(folder)}": digest(one) for one in folder.rglob("*") if one.is_file()}
    assert len({name.lower() for name in found}) == 5 and sorted(found.values()) == sorted(given.values())
    assert {name: found[name] for name in ("Devoirs/a/Zoé.txt", "Devoirs/film.bin", "Devoirs/a/empty")}.items() <= given.items()
    # and some of them
    visitor.locator(".sent-files li", has_text="film.bin").locator("[name=files]").check()
    visitor.locator(".sent-files li", has_text="empty").locator("[name=files]").check()
    with zipfile.ZipFile(begin(visitor, "button[value=chosen]").path()) as archive:
        assert sorted(archive.namelist()) == ["Devoirs/a/empty", "Devoirs/film.bin"]


def test_what_is_not_whole_never_looks_whole(
    open_browser: Callable[..., Page], newcomer: Callable[..., str], large: Path
) -> None:
    link = seal(open_browser(newcomer("sealer", message("Bonjour"))), large)

    def changed(route: Route) -> None:
        if route.request.method != "POST":
            return route.continue_()
        answer = route.fetch()
        body = bytearray(answer.body())
        body[-2 * MIB] ^= 1
        return route.fulfill(status=200, body=bytes(body), content_type="application/octet-stream")

    visitor = open_browser()
    visitor.route("**/t/*", changed)
    visitor.add_init_script(NO_PICKER)
    visitor.goto(link)
    expect(visitor.locator("[data-say=on]")).to_be_visible()
    assert begin(visitor).failure()
    expect(visitor.locator(".sealed-state", has_text="modifié")).to_be_visible()

    for ends, words in (("line", "n’est pas arrivé"), ("person", "annulé"), ("worker", "supprimez-le"), ("page", "")):
        visitor = visit(open_browser, link, HELD)
        download = begin(visitor)
        until_true(visitor, "window.isHeld")
        if ends == "line":
            visitor.evaluate("goOn('break')")
        elif ends == "person":
            download.cancel()
        elif ends == "worker":
            tools = visitor.context.new_cdp_session(visitor)
            tools.send("ServiceWorker.enable")
            tools.send("ServiceWorker.stopAllWorkers")
        else:
            visitor.goto("about:blank")
        assert download.failure(), ends
        if words:
            expect(visitor.locator(".sealed-state", has_text=words)).to_be_visible()


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
