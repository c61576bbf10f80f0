"""A whole demo and a real Chromium, with scripts on and off."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from email.message import EmailMessage
from http.client import HTTPConnection, HTTPResponse
from http.cookies import Morsel, SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from imapclient import IMAPClient
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from deploy.demo import accounts
from deploy.demo.child import HOST
from deploy.demo.services import Services
from tests.support import clock
from tests.support.browsing import CHROMIUM, styled
from tests.support.every_page import ADMIN, confirm_administrator, furnish
from webmail.models import User, WritingIdentity

PATIENCE = 30_000  # milliseconds, on a busy machine; it costs nothing where all is well
# pages live for a moment: what V8 would optimise, axe above all, costs more than it gains
ARGUMENTS = [
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync", "--js-flags=--no-opt --no-maglev",
]  # fmt: skip
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Everything that `make run` starts, with its mail."""
    from deploy.demo.mailboxes import fill

    base = tmp_path_factory.mktemp("demo") / "demo"
    with Services(base, web=True) as running:
        if not clock.is_moved():  # what runs on other days has people of its own
            fill(running)
        yield running
    shutil.rmtree(base.resolve())


@pytest.fixture(scope="session")
def every_page(demo: Services) -> dict[str, str]:
    """The addresses of all of Alice's pages, by name, with something on them."""
    return furnish(demo)


@pytest.fixture
def as_on_the_first_day(demo: Services) -> Iterator[None]:
    """Settings of Alice and Bob as at first, whatever another test left behind: a language, a time to undo, a signature, keys.

    The keys are there again afterwards: the pages of all of Alice's things show them.
    """
    with accounts.tables(demo.database):
        people = list(User.select().where(User.address.in_([accounts.ALICE.address, accounts.BOB.address])))
        User.update(language="", preferences=accounts.GREETED, has_keys=None).where(User.id.in_(people)).execute()
        WritingIdentity.update(signature=None).where(WritingIdentity.user.in_(people)).execute()
    yield
    with accounts.tables(demo.database):
        for person in people:
            User.update(has_keys=person.has_keys).where(User.id == person.id).execute()


@pytest.fixture(scope="session")
def newcomer(demo: Services) -> Callable[..., str]:
    """`newcomer("nora", message("Bonjour"))`: the address of somebody new with this mail in the inbox, the last one the newest.

    Whoever changes a language, tags, settings or folders does it as somebody new: Alice and Bob are everybody's.
    """

    def make(word: str, *inbox: EmailMessage, name: str = "Nora Petit", quota: int = 10**8) -> str:
        address = f"{word}-{time.time_ns()}@lycee.example"
        demo.add_account(address, name, quota)
        with IMAPClient(HOST, demo.ports.imap, ssl=False, timeout=20) as client:
            client.login(address, demo.password)
            if inbox:
                client.multiappend("INBOX", [bytes(one) for one in inbox])
        return address

    return make


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        root = ["--no-sandbox"] if os.getuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS + root, env=clock.real())
        yield browser
        browser.close()


@pytest.fixture(params=["scripts", "no-scripts"])
def scripts(request: pytest.FixtureRequest) -> bool:
    """Each journey is walked twice."""
    return request.param == "scripts"


@pytest.fixture(scope="session")
def agent(chromium: Browser) -> str:
    """What the browser calls itself."""
    context = chromium.new_context()
    name: str = context.new_page().evaluate("navigator.userAgent")
    context.close()
    return name


def sign_in(context: BrowserContext, demo: Services, address: str, agent: str, language: str) -> None:
    """Without drawing the page, nor the browser's own requests, which take longer: what people do there is tried in test_clicks.py,
    test_w3m.py and auth."""
    said = {"User-Agent": agent, "Accept-Language": language}
    with closing(HTTPConnection(HOST, demo.ports.web, timeout=PATIENCE / 1000)) as server:
        server.request("GET", "/login", headers=said)
        page = server.getresponse()
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.read().decode())
        assert token
        form = urlencode({"csrf_token": token[1], "username": address, "password": demo.password})
        kept = "; ".join(f"{one.key}={one.value}" for one in _cookies(page))
        said |= {"Cookie": kept, "Origin": demo.address, "Content-Type": "application/x-www-form-urlencoded"}
        server.request("POST", "/login", form, said)
        answer = server.getresponse()
        answer.read()
    assert answer.status == 303, f"{address}: {answer.status}"
    context.add_cookies(
        [{"name": one.key, "value": one.value, "url": demo.address} for one in [*_cookies(page), *_cookies(answer)]]
    )


def _cookies(answer: HTTPResponse) -> list[Morsel[str]]:
    return [one for header in answer.headers.get_all("Set-Cookie", []) for one in SimpleCookie(header).values()]


# what htmx writes of a request that another overtook: a save by itself, by a click. One that failed says htmx:sendError too.
_GIVEN_UP = ("htmx:afterRequest,", "htmx:sendAbort,")


def _is_a_fault(said: ConsoleMessage) -> bool:
    return said.type == "error" and "status of 4" not in said.text and not said.text.startswith(_GIVEN_UP)


@pytest.fixture
def open_browser(chromium: Browser, demo: Services, agent: str, scripts: bool) -> Iterator[Callable[..., Page]]:
    """`open_browser("alice@lycee.example")`: a browser of one's own, signed in, at the inbox; "" for a visitor, at the page to sign in.
    `at` is another address to begin at. Fails on script errors."""
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def open_one(
        address: str = "", width: int = 1280, height: int = 800, dark: bool = False, language: str = "fr", at: str = ""
    ) -> Page:
        context = chromium.new_context(
            base_url=demo.address, viewport={"width": width, "height": height}, locale=language,
            java_script_enabled=scripts, color_scheme="dark" if dark else "light",
        )  # fmt: skip
        contexts.append(context)
        if clock.is_moved():
            context.add_init_script(clock.script())
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))
        page.on("console", lambda said: problems.append(f"{page.url}: {said.text}") if _is_a_fault(said) else None)
        if address:
            sign_in(context, demo, address, agent, language)
        if address == ADMIN:
            confirm_administrator(demo)
        page.goto(at or ("/mailbox/INBOX" if address else "/login"))  # scripts too: a key pressed before them is nobody's
        if address and not at:
            page.wait_for_selector("[data-row]")
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert problems == []


@pytest.fixture
def check_accessibility() -> Callable[[Page], None]:
    """axe over the page as it stands, WCAG 2.2 A and AA; needs scripts."""
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

    def run(page: Page, options: dict[str, object]) -> list[str]:
        return [
            f"{v['id']}: {v['help']}: " + "; ".join(str(n["target"]) + " " + n["html"][:120] for n in v["nodes"][:5])
            for v in page.evaluate("options => axe.run(document, options).then(result => result.violations)", options)
        ]

    def without_scrolling(page: Page, look: Callable[[], list[str]]) -> list[str]:
        size = page.viewport_size
        assert size is not None
        page.set_viewport_size({"width": size["width"], "height": page.evaluate("document.documentElement.scrollHeight")})
        try:
            return look()
        finally:
            page.set_viewport_size(size)

    def check(page: Page) -> None:
        styled(page)
        if not page.evaluate("typeof axe === 'object'"):  # half a megabyte: once for a page, however often it is looked at
            page.evaluate(AXE_SCRIPT)
        options = {"runOnly": {"type": "tag", "values": tags}, "resultTypes": ["violations"]}
        found = run(page, options)
        if any(one.startswith("target-size") for one in found):  # what a bar at the bottom covers, until one scrolls, looks small
            found = without_scrolling(page, lambda: run(page, options))
        assert found == [], "\n".join(found)

    return check


@pytest.fixture(scope="session")
def screenshots() -> Path | None:
    """Where to keep pictures to look at: SCREENSHOTS=folder."""
    folder = os.environ.get("SCREENSHOTS")
    return Path(folder) if folder else None
