"""`python -m tests.bench.slow_line`: how long a person waits on a slow line, in front of a slow computer, in Chromium.

Chromium itself makes the line slow (400 kbit/s both ways, 400 ms before each answer) and the processor (6 times), over the DevTools
protocol; the servers are as in `make run`. Prints a table and writes it to instance/bench/slow_line.md; `docs` as the only argument
puts the last one into docs/benchmarks.md. ROUNDS=9 for another number of rounds. Returns 1 where an aim is missed.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from imapclient import IMAPClient
from playwright.sync_api import Browser, CDPSession, Locator, Page, Request

from deploy.demo.child import HOST, ServiceFailedError
from deploy.demo.place import PlaceError
from deploy.demo.services import Services
from tests.bench import machine
from tests.bench.browser import chromium
from tests.bench.letters import letter
from tests.bench.table import BUSY, OURS, Figure, Table, put_into
from tests.support.passing_folder import passing_folder

CHECKOUT = Path(__file__).resolve().parents[2]
FILE = CHECKOUT / "instance" / "bench" / "slow_line.md"
DOCUMENT = CHECKOUT / "docs" / "benchmarks.md"
READER = "lent@lycee.example"
LETTERS = 120
LATENCY, BYTES, SLOWER = 400, 400_000 // 8, 6  # milliseconds, bytes a second, times
LOOK, REST, PRESS = 1500, 300, 80  # milliseconds that somebody looks at the list, the pointer rests on a row, the button is down
ROW = "[data-row] .s a[id]"

# the moment of each press, and of the first row of a page that is whole on the screen: after a frame was drawn with it
LISTEN = """(() => {
  if (top !== window) return;
  addEventListener("mousedown", () => sessionStorage.setItem("pressed", Date.now()), true);
  window.drawn = (there, then) => {
    const look = () => there() ? requestAnimationFrame(() => setTimeout(() => then(Date.now()))) : requestAnimationFrame(look);
    look();
  };
  drawn(() => document.querySelector("#username, [data-row]"), at => { window.first = at; });
})()"""
WAIT = """([what, words]) => {
  window.at = 0;
  const heading = () => (document.querySelector("article.reading h1") || { textContent: "" }).textContent.trim() === words;
  const body = () => {
    const frame = document.querySelector("[data-message-body] iframe"), page = frame && frame.contentDocument;
    const mail = page && page.readyState !== "loading" && page.querySelector(".mail");
    return mail && mail.getBoundingClientRect().height > 0;
  };
  const row = () => { const first = document.querySelector("[data-row] .s a[id]"); return first && first.id !== words; };
  drawn({ plain: heading, html: () => heading() && body(), page: row }[what], now => { window.at = now; });
}"""
TOOK = "window.at - Number(sessionStorage.getItem('pressed'))"


@dataclass(frozen=True)
class Way:
    """How something is opened."""

    name: str
    rests: bool = False
    script: bool = True


WAYS = (
    Way("the pointer rests 0.3 s", rests=True),
    Way("pressed as the pointer arrives"),
    Way("the same without ahead.js", script=False),
)
AIMS = {"plain message": 0.5, "newsletter, its body": 0.9, "next page": 0.5}  # seconds, with the pointer at rest
COLD = {
    "sign-in page, from its address until it is drawn": None,
    "first list, from the press until it is drawn": None,
    "both": 2.3,
}


@dataclass
class Slow:
    """A new Chromium profile on the slow line, with nothing in its cache."""

    page: Page
    network: CDPSession
    base: str
    times: dict[tuple[str, str], float] = field(default_factory=dict)  # seconds, by section and row
    asked: set[Request] = field(default_factory=set)  # and not yet answered

    def __post_init__(self) -> None:
        self.page.on("request", lambda request: self.asked.add(request))
        self.page.on("requestfinished", lambda request: self.asked.discard(request))
        self.page.on("requestfailed", lambda request: self.asked.discard(request))

    def press(self, target: Locator, rest: bool) -> None:
        box = target.bounding_box()
        if box is None:
            raise RuntimeError("what is to be pressed is not there")
        self.page.mouse.move(box["x"] + min(box["width"] / 2, 60), box["y"] + box["height"] / 2)
        if rest:
            self.page.wait_for_timeout(REST)
        self.page.mouse.down()
        self.page.wait_for_timeout(PRESS)
        self.page.mouse.up()

    def until(self, condition: str) -> None:
        """Asked over the protocol: the page's own policy forbids to do it inside of it (`wait_for_function`)."""
        end = time.monotonic() + 60
        while not self.page.evaluate(f"Boolean({condition})"):
            if time.monotonic() > end:
                raise RuntimeError(f"not within a minute: {condition}")
            self.page.wait_for_timeout(50)

    def settle(self) -> None:
        """Wait until nothing was under way for half a second. Playwright's "networkidle" never comes where a frame is asked for
        twice; an answer of which it does not tell the end either is given up after ten seconds."""
        end, calm = time.monotonic() + 10, 0
        while calm < 10 and time.monotonic() < end:
            self.page.wait_for_timeout(50)
            calm = 0 if self.asked else calm + 1
        self.asked.clear()

    def sign_in(self, password: str) -> None:
        self.page.goto(self.base + "/login")
        self.until("window.first")
        shown = self.page.evaluate("window.first - performance.timeOrigin")
        self.page.fill("[name=username]", READER)
        self.page.fill("[name=password]", password)
        self.settle()  # a person needs longer than that
        self.press(self.page.locator("main form button[type=submit]").first, rest=True)
        self.page.wait_for_url("**/mailbox/**", wait_until="commit")
        self.until("window.first && document.querySelector('[data-row]')")
        listed = self.page.evaluate("window.first - Number(sessionStorage.getItem('pressed'))")
        for name, took in zip(COLD, (shown, listed, shown + listed), strict=True):
            self.times["Cold: nothing in the cache", name] = took / 1000

    def open(self, what: str, name: str, way: Way) -> None:
        """One opening from the inbox, which is loaded anew, with its scripts, before."""
        self.network.send("Network.setBlockedURLs", {"urls": [] if way.script else ["*/ahead.js*"]})
        self.page.mouse.move(2, 2)
        self.page.goto(self.base + "/mailbox/INBOX")
        self.settle()
        self.page.wait_for_timeout(LOOK)
        self.settle()
        if what == "page":
            target, words = self.page.locator("a[rel=next]"), str(self.page.locator(ROW).first.get_attribute("id"))
        else:
            target = self.page.locator(ROW).nth(_others(way)[what])
            words = target.inner_text().strip()
        self.page.evaluate(WAIT, [what, words])
        self.press(target, way.rests)
        self.until("window.at")
        self.times[way.name, name] = self.page.evaluate(TOOK) / 1000
        self.settle()  # what was begun belongs to this one


def main(arguments: list[str]) -> int:
    if arguments == ["docs"]:
        put_into(DOCUMENT, FILE.read_text(), "slow line")
        return 0
    rounds = int(os.environ.get("ROUNDS", "5"))
    table = Table(datetime.now().astimezone(), machine.describe())
    try:
        with passing_folder() as folder, Services(folder / "slow", web=True) as services, chromium() as browser:
            fill(services)
            _measure(table, services, browser, rounds)
    except (ServiceFailedError, PlaceError) as error:
        print(error)
        return 1
    table.notes.append(
        f"Medians of {rounds} rounds, each in a new profile; {BYTES * 8 // 1000} kbit/s, {LATENCY} ms, processor {SLOWER} times slower."
    )
    table.notes.append(f"\\* The processors were more than {BUSY:.0%} busy with other things when some round began.")
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(table.markdown(others=()))
    print(table.markdown(others=()))
    return 1 if table.missed else 0


def fill(services: Services) -> None:
    """An inbox of LETTERS: plain ones, with newsletters of 100 KB in the places that `_others` names."""
    services.add_account(READER, "Lent", 10**9)
    with IMAPClient(HOST, services.ports.imap, ssl=False) as client:
        client.login(READER, services.password)
        for back in reversed(range(LETTERS)):
            made = letter(back, READER)
            client.append("INBOX", made.content, ["\\Seen"] if made.seen else [], made.when)


def _measure(table: Table, services: Services, browser: Browser, rounds: int) -> None:
    _round(services, browser)  # the servers warm up: nobody is the first of the morning
    busy, found = [], []
    for _ in range(rounds):
        busy.append(machine.settle())
        found.append(_round(services, browser))
    for section, name in found[0]:
        values = [times[section, name] for times in found]
        most = COLD.get(name) or (AIMS[name] if section == WAYS[0].name else None)
        detail = " ".join(f"{value:.2f}" for value in values)
        table.add(OURS, section, name, Figure(statistics.median(values), detail, {"busy": max(busy)}), "s", most)


def _others(way: Way) -> dict[str, int]:
    """The places of a plain message and of a newsletter in the list, others for each way: the browser keeps what it was shown."""
    place = WAYS.index(way)
    return {"plain": (0, 3, 4)[place], "html": (1, 6, 11)[place]}


def _round(services: Services, browser: Browser) -> dict[tuple[str, str], float]:
    context = browser.new_context(locale="fr-FR", viewport={"width": 1280, "height": 800})
    try:
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.add_init_script(LISTEN)
        network = context.new_cdp_session(page)
        network.send("Network.enable")
        line = {"offline": False, "latency": LATENCY, "downloadThroughput": BYTES, "uploadThroughput": BYTES}
        network.send("Network.emulateNetworkConditions", line)
        network.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        slow = Slow(page, network, services.address)
        slow.sign_in(services.password)
        slow.settle()
        for way in WAYS:
            for what, name in zip(("plain", "html", "page"), AIMS, strict=True):
                slow.open(what, name, way)
        return slow.times
    finally:
        context.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
