"""What was typed is there again after "Back", without scripts: after a link, after a line that broke, after a form that is too large."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from playwright.sync_api import Browser

from deploy.demo.services import Services
from tests.support.firefox import FIREFOX, Firefox
from tests.support.messages import message
from tests.support.relay import Relay
from tests.support.waiting import eventually

TEXT = "Bonjour à tous,\n\nune longue lettre.\nNora"


class Hand(Protocol):
    """What a person does in a browser, whichever it is."""

    def goto(self, url: str) -> None: ...
    def back(self) -> None: ...
    def fill(self, selector: str, text: str) -> None: ...
    def click(self, selector: str) -> None: ...
    def click_in_vain(self, selector: str) -> None: ...
    def value(self, selector: str) -> str: ...
    def attach(self, selector: str, file: Path) -> None: ...
    def title(self) -> str: ...


class Chromium:
    def __init__(self, chromium: Browser, folder: Path) -> None:
        self._chromium = chromium

    def __enter__(self) -> Chromium:
        self._context = self._chromium.new_context(java_script_enabled=False, locale="fr")
        self._page = self._context.new_page()
        return self

    def __exit__(self, *_error: object) -> None:
        self._context.close()

    def goto(self, url: str) -> None:
        self._page.goto(url)

    def back(self) -> None:
        self._page.go_back()

    def fill(self, selector: str, text: str) -> None:
        self._page.fill(selector, text)

    def click(self, selector: str) -> None:
        self._page.click(selector)
        self._page.wait_for_load_state()

    def click_in_vain(self, selector: str) -> None:
        """The line is broken: once the browser says so."""
        self._page.locator(selector).first.click(no_wait_after=True)
        eventually(self._is_error, what="an error page", sleep=lambda _s: self._page.wait_for_timeout(20))
        self._page.wait_for_load_state()

    def _is_error(self) -> bool:
        return self._page.url.startswith("chrome-error://")

    def value(self, selector: str) -> str:
        return self._page.locator(selector).input_value()

    def attach(self, selector: str, file: Path) -> None:
        self._page.set_input_files(selector, file)

    def title(self) -> str:
        return self._page.title()


# where one writes, and what is typed there: its button is the first of the form but where it is named
PAGES: dict[str, tuple[str, dict[str, str], str]] = {
    "message": ("/compose", {"[name=to]": "bob@lycee.example", "[name=subject]": "Sortie", "[name=body]": TEXT}, "[value=save]"),
    "reply": ("/reply/1/INBOX", {"[name=body]": TEXT}, "[value=save]"),
    "forward": ("/forward/1/INBOX", {"[name=to]": "bob@lycee.example", "[name=body]": TEXT}, "[value=save]"),
    "event": ("/calendar/events/new", {"[name=title]": "Réunion", "[name=notes]": TEXT}, ""),
    "absence": ("/absence", {"[name=text]": TEXT}, ""),
    "signature": ("/settings/signatures/new", {"[name=name]": "Longue", "[name=text]": TEXT}, ""),
    "template": ("/settings/templates/new", {"[name=name]": "Lettre", "[name=body]": TEXT}, ""),
    "contact": ("/contacts/new", {"[name=note]": TEXT}, ""),
    "group": ("/contacts/groups/new", {"[name=name]": "Chorale", "[name=people]": "bob@lycee.example\nann@lycee.example"}, ""),
    "filter": ("/filters/new?action=reply", {"textarea[name$=text]": TEXT}, ""),
    "script": ("/filters/script", {"[name=name]": "tri", "[name=text]": "keep;\nstop;"}, ""),
    "support": ("/support", {"[name=contact]": "06 12 34 56 78", "[name=text]": TEXT}, ""),
    "transfer": ("/transfers/new", {"[name=message]": TEXT}, ""),
    "file request": ("/transfers/requests/new", {"[name=title]": "Photos", "[name=message]": TEXT}, ""),
    "calendar": ("/collections/new?kind=calendar", {"[name=name]": "Salles", "[name=description]": TEXT}, ""),
    "deletion": ("/account/delete", {"[name=reason]": TEXT}, ""),
}
_FIRST = ":not([tabindex])"  # not the hidden one, which the Enter key presses
ENGINES = {"chromium": Chromium, "firefox": Firefox}


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    if request.param == "firefox" and not FIREFOX:
        pytest.skip("not asked for: make firefox, once firefox-esr is installed")
    return str(request.param)


@pytest.fixture(scope="module")
def line(demo: Services) -> Iterator[Relay]:
    """The line to the server, which breaks when a test says so."""
    with Relay(int(demo.address.rpartition(":")[2])) as relay:
        yield relay


@pytest.fixture(scope="module")
def hand(
    engine: str,
    chromium: Browser,
    line: Relay,
    newcomer: Callable[..., str],
    demo: Services,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Hand]:
    """Nora's browser, signed in."""
    line.mode = "ok"
    address = newcomer("nora", message("Bonjour"))
    folder = tmp_path_factory.mktemp("profile")
    with Firefox(folder) if engine == "firefox" else Chromium(chromium, folder) as browser:
        browser.goto(f"http://127.0.0.1:{line.port}/login")
        browser.fill("[name=username]", address)
        browser.fill("[name=password]", demo.password)
        browser.click("[action='/login'] button")
        yield browser


@pytest.fixture(autouse=True)
def _whole_line(line: Relay) -> None:
    line.mode = "ok"


@pytest.mark.parametrize("name", PAGES)
def test_what_was_typed_is_there_again(hand: Hand, line: Relay, name: str) -> None:
    address, typed, button = PAGES[name]
    field = list(typed)[-1]
    site = f"http://127.0.0.1:{line.port}"
    hand.goto(site + address)
    for selector, text in typed.items():
        hand.fill(selector, text)
    if name == "support":
        hand.click("[name=kind]")
    hand.goto(f"{site}/mailbox/INBOX")
    hand.back()
    assert _is_typed(hand, typed), f"after a link, {_shown(hand, typed)}"
    for _try in range(3):  # Chromium notes what a form holds a moment later: it forgets one that is left at once
        line.mode = "refuse"
        line.hang_up()
        hand.click_in_vain(f"form:has({field}) button{button or _FIRST}")
        line.mode = "ok"
        hand.back()
        if _is_typed(hand, typed):
            return
        for selector, text in typed.items():
            hand.fill(selector, text)
    pytest.fail(f"after the line broke three times, {_shown(hand, typed)}")


def _shown(hand: Hand, typed: dict[str, str]) -> dict[str, str]:
    return {selector: hand.value(selector) for selector in typed}


def _is_typed(hand: Hand, typed: dict[str, str]) -> bool:
    """The browser fills a form in a moment after it shows the page."""
    with contextlib.suppress(AssertionError):
        eventually(lambda: _shown(hand, typed) == typed, seconds=3)
        return True
    return False


def test_it_is_there_after_a_file_that_is_too_large(hand: Hand, demo: Services, tmp_path: Path) -> None:
    """Even too large to be read at all: the answer says to go back, or the server, where no nginx is before it, hangs up."""
    with open(tmp_path / "film.mov", "wb") as film:
        film.truncate(110_000_000)
    hand.goto(f"{demo.address}/compose")
    hand.fill("[name=body]", TEXT)
    hand.attach("[name=attachments]", tmp_path / "film.mov")
    hand.click("[value=send]")
    assert "Nouveau message" not in hand.title()
    hand.back()
    assert hand.value("[name=body]") == TEXT
