"""What a real browser fetches: headless Chromium, an empty cache, the sizes as they came over the wire."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.browsing import settled

_PATIENCE = 30  # seconds
_PAUSE = 500  # ms in which a page that has all it wants asks for nothing


@dataclass
class Fetched:
    """One request of a page."""

    url: str
    kind: str  # Document, Stylesheet, Script, Image, Font, XHR ...
    wire: int = 0  # bytes: compressed body and answer's headers
    headers: int = 0  # of which headers
    encoding: str = ""
    failed: bool = False
    whole: bool = False

    @property
    def waited(self) -> bool:
        return not self.whole and not self.failed and self.kind != "EventSource" and not self.url.startswith(("data:", "blob:"))


@dataclass
class View:
    """All that one page fetched until the network was quiet."""

    fetched: list[Fetched] = field(default_factory=list)

    @property
    def requests(self) -> int:
        return len(self.fetched)

    def wire(self, *kinds: str) -> int:
        """Bytes on the wire of these kinds, of all where none is named."""
        return sum(one.wire for one in self.fetched if not kinds or one.kind in kinds)

    def body(self, *kinds: str) -> int:
        """The same without the answers' headers."""
        return sum(one.wire - one.headers for one in self.fetched if not kinds or one.kind in kinds)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-headless-shell")
    if path is None:
        raise RuntimeError("Debian's chromium is not installed")
    with sync_playwright() as playwright:
        # root, as in a container, may not use Chromium's own sandbox
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-sync"])
        try:
            yield browser
        finally:
            browser.close()


def view(browser: Browser, base: str, path: str, cookies: Mapping[str, str], row: str, scripts: bool = True) -> View:
    """Visit a page with a cold cache, signed in by `cookies`. `row`: a CSS selector that must match what one came for."""
    context = browser.new_context(java_script_enabled=scripts, locale="fr-FR", viewport={"width": 1280, "height": 800})
    context.add_cookies([{"name": name, "value": value, "url": base} for name, value in cookies.items()])
    try:
        page = context.new_page()
        seen = _listen(context.new_cdp_session(page))
        page.goto(base + path)
        page.locator(row).first.wait_for(timeout=15_000)
        _quiet(page, seen)
    finally:
        context.close()
    found = View([one for one in seen.values() if not one.url.startswith(("data:", "blob:"))])
    if wrong := [one.url for one in found.fetched if one.failed]:
        raise RuntimeError(f"not fetched: {wrong}")
    return found


def _quiet(page: Page, seen: Mapping[str, Fetched]) -> None:
    """Once nothing but a stream, which never ends, is on its way and nothing new is asked for. Raises RuntimeError."""
    settled(page)
    end = time.monotonic() + _PATIENCE
    asked = -1
    while asked < len(seen) or any(one.waited for one in seen.values()):
        if time.monotonic() > end:
            raise RuntimeError(f"not fetched in {_PATIENCE} s: {[one.url for one in seen.values() if one.waited]}")
        asked = len(seen)
        page.wait_for_timeout(_PAUSE)


def _listen(session: Any) -> dict[str, Fetched]:
    """Chrome DevTools Protocol, domain Network. `encodedDataLength` counts headers and body as received."""
    seen: dict[str, Fetched] = {}

    def sent(event: dict[str, Any]) -> None:
        if earlier := event.get("redirectResponse"):
            seen[event["requestId"] + earlier["url"]] = Fetched(
                earlier["url"], "Redirect", earlier["encodedDataLength"], earlier["encodedDataLength"], whole=True
            )
        seen[event["requestId"]] = Fetched(event["request"]["url"], event.get("type", "Other"))

    def answered(event: dict[str, Any]) -> None:
        one = seen[event["requestId"]]
        one.kind = event.get("type", one.kind)
        one.headers = int(event["response"]["encodedDataLength"])
        headers = {name.lower(): value for name, value in event["response"]["headers"].items()}
        one.encoding = headers.get("content-encoding", "")

    def finished(event: dict[str, Any]) -> None:
        seen[event["requestId"]].wire = int(event["encodedDataLength"])
        seen[event["requestId"]].whole = True

    def failed(event: dict[str, Any]) -> None:
        seen[event["requestId"]].failed = True

    session.on("Network.requestWillBeSent", sent)
    session.on("Network.responseReceived", answered)
    session.on("Network.loadingFinished", finished)
    session.on("Network.loadingFailed", failed)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": False})
    return seen
