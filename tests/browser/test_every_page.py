"""Every page and state on narrow and wide screens, light and dark: none is wider than the screen, no checker finds anything in it,
no page is forgotten."""

from __future__ import annotations

import contextlib
import imaplib
import os
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from deploy.demo.child import HOST, free_ports, start
from deploy.demo.services import BIN, CHECKOUT, Services
from tests.support import checkers
from tests.support.browsing import overflow
from tests.support.every_page import ADMIN, ADMIN_PAGES, ALICE, NO_PAGES
from tests.support.messages import message
from tests.support.page_states import STATES, WIDE_ONLY
from tests.support.second_step import walk_second_step
from webmail import create_app
from webmail.database.connection import db

WIDE = 1280
NO_SCRIPTS = {"print"}  # where the page's own policy forbids all scripts, axe's too

_TOO_WIDE = """[...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > innerWidth)
    .map(e => e.outerHTML.slice(0, 80)).slice(-3)"""

OpenBrowser = Callable[..., Page]
Open = Callable[..., Iterator[tuple[str, Page]]]


@pytest.fixture
def scripts() -> bool:
    """axe and the measuring are scripts."""
    return True


@pytest.fixture
def served() -> dict[str, str]:
    """The HTML of each page of a walk as it came, before scripts, by the page's name."""
    return {}


@pytest.fixture
def walk(open_browser: OpenBrowser, every_page: dict[str, str], served: dict[str, str], demo: Services, tmp_path: Path) -> Open:
    """Opens one page after the other, of visitors, of Alice and of an administrator: (name, page)."""

    def each(**screen: int | bool) -> Iterator[tuple[str, Page]]:
        visitor = open_browser(**screen)
        yield "sign-in", visitor
        for address, pages in ((ALICE, every_page), (ADMIN, ADMIN_PAGES)):
            person = open_browser(address, **screen)
            for name, where in pages.items():
                answer = person.goto(where)
                assert answer and answer.status == (404 if name == "no-such-folder" else 200), (
                    f"{name}: {answer and answer.status}"
                )
                served[name] = answer.text()
                yield name, person
        yield from ((name, visitor) for name in walk_second_step(visitor, demo, tmp_path))

    return each


def test_no_page_is_forgotten(every_page: dict[str, str], tmp_path: Path) -> None:
    before = db.obj
    app = create_app(tmp_path)
    if before is not None:
        db.initialize(before)
    here = app.url_map.bind("localhost")
    shown = {here.match(address.partition("?")[0])[0] for address in (*every_page.values(), *ADMIN_PAGES.values(), "/login")}
    there = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    assert there - NO_PAGES == shown, "a page that is new belongs in tests/support/every_page.py"
    assert there >= NO_PAGES


@pytest.fixture
def full(demo: Services) -> str:
    """The address of somebody whose mailbox is almost full."""
    address = f"full-{time.time_ns()}@lycee.example"
    demo.add_account(address, "Zoé", 1_000_000)
    client = imaplib.IMAP4(HOST, demo.ports.imap)
    client.login(address, demo.password)
    assert client.append("INBOX", "", "", bytes(message("Rapport", ("x" * 70 + "\n") * 13_200)))[0] == "OK"
    client.logout()
    return address


def _answers(port: int) -> bool:
    with urllib.request.urlopen(f"http://{HOST}:{port}/login", timeout=5) as answer:
        return bool(answer.status == 200)


@contextlib.contextmanager
def _without_mail(demo: Services) -> Iterator[str]:
    """The address of the same application, whose mail server is away."""
    [port] = free_ports(1, ())
    command = [str(BIN / "granian"), "--interface", "wsgi", "--host", HOST, "--port", str(port), "--no-ws", "wsgi:app"]
    environment = {**os.environ, **demo.settings(), "WEBMAIL_IMAP_PORT": "1"}
    child = start("away", command, demo.base / "log" / "away.log", port, environment, CHECKOUT)
    try:
        child.wait_for(_answers, seconds=60)
        yield f"http://{HOST}:{port}"
    finally:
        child.stop()


@pytest.fixture
def walk_states(open_browser: OpenBrowser, every_page: dict[str, str], demo: Services, full: str) -> Open:
    """Brings one state after the other about: (name, page)."""

    def each(width: int, dark: bool) -> Iterator[tuple[str, Page]]:
        alice = open_browser(ALICE, width=width, dark=dark)
        for name, bring_about in STATES.items():
            if name in WIDE_ONLY and width < WIDE:
                continue
            bring_about(alice, every_page)
            yield name, alice
        with _without_mail(demo) as base:
            # a page of 502 would stand in the console as a fault of its own
            alice.route(f"{base}/**", lambda route: route.fulfill(response=route.fetch(), status=200))
            for name in ("inbox", "message-files", "compose", "settings-reading"):
                alice.goto(base + every_page[name])
                yield f"away-{name}", alice
        zoe = open_browser(full, width=width, dark=dark)
        assert zoe.locator("#room-low").count() == 1
        yield "full-inbox", zoe
        zoe.goto("/room")
        yield "full-room", zoe

    return each


def test_the_checkers_are_installed() -> None:
    """Without them the next test has only axe."""
    checkers.need("html_codesniffer", "vnu")


def _size(page: Page, width: int, dark: bool | None = None) -> None:
    """`dark`: where it changes, since the page is then styled anew."""
    page.set_viewport_size({"width": width, "height": 800})
    if dark is not None:
        page.emulate_media(color_scheme="dark" if dark else "light")


class Findings:
    """What the checkers find, by page. `pictures`: where to keep screenshots."""

    def __init__(self, axe: Callable[[Page], None], pictures: Path | None) -> None:
        self.axe, self.pictures = axe, pictures
        self.problems: dict[str, str] = {}

    def look(self, name: str, page: Page, width: int, dark: bool) -> None:
        """axe; in wide and light pages HTML_CodeSniffer too."""
        where = f"{name}, {width}, {'dark' if dark else 'light'}"
        if self.pictures:
            page.screenshot(path=self.pictures / f"{name}-{width}-{'dark' if dark else 'light'}.png", full_page=True)
        if name in NO_SCRIPTS:
            return
        try:
            self.axe(page)
        except AssertionError as error:
            self.problems[where] = str(error)
        if not dark and checkers.has("html_codesniffer") and (found := checkers.sniff(page)):
            self.problems[f"{where}, by HTML_CodeSniffer"] = "; ".join(found)

    def validate(self, folder: Path, served: dict[str, str]) -> None:
        """vnu, over all pages at once."""
        if checkers.has("vnu"):
            found = checkers.validate(folder, served, (CHECKOUT / "static/css").glob("*.css"))
            self.problems.update({f"vnu {number}": words for number, words in enumerate(found)})

    def none(self) -> None:
        assert self.problems == {}, "\n".join(f"{where}: {words}" for where, words in self.problems.items())


@pytest.fixture
def findings(check_accessibility: Callable[[Page], None], screenshots: Path | None) -> Findings:
    return Findings(check_accessibility, screenshots)


@pytest.mark.timeout(900)
def test_no_page_is_wider_than_the_screen_and_no_checker_finds_anything(
    walk: Open, findings: Findings, tmp_path: Path, served: dict[str, str]
) -> None:
    """Each page is opened once, narrow and dark, and then made wider, and light."""
    for name, page in walk(width=320, dark=True):
        for width, dark in ((320, True), (360, True), (768, True), (WIDE, False)):
            if width > 320:
                _size(page, width, None if dark else False)
            if overflow(page) > 0:
                findings.problems[f"{name} is wider than {width}"] = str(page.evaluate(_TOO_WIDE))
            if width in (360, WIDE):
                findings.look(name, page, width, dark)
        _size(page, 320, True)
    findings.validate(tmp_path, served)
    findings.none()


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("width", "dark"), [(360, True), (WIDE, False)], ids=["narrow and dark", "wide and light"])
def test_no_checker_finds_anything_in_states(
    walk_states: Open, findings: Findings, dark: bool, width: int, tmp_path: Path
) -> None:
    served: dict[str, str] = {}
    for name, page in walk_states(width=width, dark=dark):
        served[name] = page.content()
        findings.look(name, page, width, dark)
    if not dark:
        findings.validate(tmp_path, served)
    findings.none()
