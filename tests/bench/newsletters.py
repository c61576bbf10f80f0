"""`python -m tests.bench.newsletters`: how real-looking newsletters are shown, as pictures and as measures.

Puts tests/samples/newsletters into a demo's mailbox, opens each in Chromium (wide and narrow, light and dark, images blocked and
allowed, scripts on and off), writes the pictures and a page that shows them all to instance/newsletters/, and measures that no
page is wider than its window, that the frame is as high as its letter, that what is hidden stays hidden, how small the smallest
words are and that darkness takes no contrast away. Says what is wrong, and returns 1 where something is. LETTER=name looks at
one letter only. The hosts of remote images do not exist: where they are shown, all are one picture that a letter carries.
"""

from __future__ import annotations

import email
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imapclient import IMAPClient
from playwright.sync_api import Browser, Page

from deploy.demo.child import HOST, ServiceFailedError
from deploy.demo.place import PlaceError
from deploy.demo.services import CHECKOUT, Services
from tests.bench.browser import chromium

LETTERS = CHECKOUT / "tests" / "samples" / "newsletters"
FOLDER = CHECKOUT / "instance" / "newsletters"
READER = "alice@lycee.example"
MAILBOX = "Lettres"
HIDDEN = "APERÇU CACHÉ"  # with these words begins what each letter hides
WIDE_ONLY = "SEULEMENT SUR GRAND ÉCRAN"  # and what some hide from phones
SMALLEST = 11.0  # pixels, of words on a phone


@dataclass(frozen=True)
class View:
    width: int
    dark: bool = False
    images: bool = False
    scripts: bool = True

    @property
    def name(self) -> str:
        return f"{self.width}{'-dark' * self.dark}{'-images' * self.images}{'-noscript' * (not self.scripts)}"


VIEWS = (
    View(1280), View(1280, images=True), View(1280, dark=True), View(360), View(360, images=True), View(360, dark=True),
    View(320), View(360, scripts=False),
)  # fmt: skip

# Asked of the page around the frame, whose origin is the same: within the frame no script runs.
MEASURE = """([hidden, wideOnly]) => {
  const frame = document.querySelector("[data-message-body] iframe"), page = frame.contentDocument, win = frame.contentWindow;
  const sums = c => { const n = c.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
  const light = c => { const [r, g, b] = c.map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
    return .2126 * r + .7152 * g + .0722 * b; };
  const behind = e => { for (; e; e = e.parentElement) { const s = win.getComputedStyle(e); if (s.backgroundImage !== "none") return null;
    const b = sums(s.backgroundColor); if (b[3] > .5) return b; } return [255, 255, 255, 1]; };
  const seen = e => { for (let p = e; p; p = p.parentElement) { const s = win.getComputedStyle(p);
    if (s.display === "none" || s.visibility === "hidden" || +s.opacity < .1 || (s.overflow === "hidden" && p.clientHeight < 2)) return false; }
    return e.getClientRects().length > 0; };
  const walk = page.createTreeWalker(page.body, 4), found = { contrast: 21, font: 99, hidden: false, wideOnly: false, words: 0 };
  for (let node; (node = walk.nextNode());) {
    const text = node.data.trim(), e = node.parentElement;
    if (!text || !seen(e)) continue;
    found.words += text.split(/\\s+/).length;
    found.hidden ||= text.includes(hidden);
    found.wideOnly ||= text.includes(wideOnly);
    const style = win.getComputedStyle(e), size = parseFloat(style.fontSize), ground = behind(e);
    if (text.length > 2 && size > 1 && size < found.font) { found.font = size; found.small = text.slice(0, 40); }
    if (!ground || text.length < 3) continue;
    const a = light(sums(style.color)), b = light(ground), contrast = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (contrast < found.contrast) { found.contrast = contrast; found.pale = text.slice(0, 40); }
  }
  const root = document.documentElement;
  return { ...found, over: root.scrollWidth - root.clientWidth, height: frame.clientHeight, needed: page.documentElement.scrollHeight,
    inner: page.documentElement.scrollWidth - page.documentElement.clientWidth, side: page.querySelector(".mail").scrollWidth - page.querySelector(".mail").clientWidth };
}"""


def main() -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        with Services(FOLDER / "servers", web=True) as services, chromium() as browser:
            uids, validity = fill(services)
            faults = list(_all(services, browser, uids, validity))
    except (ServiceFailedError, PlaceError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"\n{len(faults)} faults" + "".join(f"\n  {fault}" for fault in faults) + f"\nPictures: {_index(list(uids))}")
    return 1 if faults else 0


def fill(services: Services) -> tuple[dict[str, int], int]:
    """The letters in a mailbox of their own, made anew: their UIDs by name, and the UIDVALIDITY."""
    with IMAPClient(HOST, services.ports.imap, ssl=False) as client:
        client.login(READER, services.password)
        if client.folder_exists(MAILBOX):
            client.delete_folder(MAILBOX)
        client.create_folder(MAILBOX)
        files = sorted(LETTERS.glob("*.eml"))
        for file in files:
            client.append(MAILBOX, file.read_bytes().replace(b"\n", b"\r\n"))
        validity = int(client.select_folder(MAILBOX)[b"UIDVALIDITY"])
        return dict(zip([file.stem for file in files], sorted(client.search()), strict=True)), validity


def _all(services: Services, browser: Browser, uids: dict[str, int], validity: int) -> Iterator[str]:
    chosen = os.environ.get("LETTER", "")
    picture = _a_picture()
    light: dict[tuple[str, int], float] = {}
    for view in VIEWS:
        context = browser.new_context(
            base_url=services.address, viewport={"width": view.width, "height": 800}, java_script_enabled=view.scripts,
            color_scheme="dark" if view.dark else "light", locale="fr-FR",
        )  # fmt: skip
        context.route("**/image/*/*", lambda route: route.fulfill(content_type="image/png", body=picture))
        page = context.new_page()
        _sign_in(page, services.password)
        for name, uid in uids.items():
            if chosen not in name:
                continue
            page.goto(f"/message/{uid}/{MAILBOX}?v={validity}" + ("&images=1" if view.images else ""))
            page.wait_for_load_state("networkidle")
            page.wait_for_timeout(150)
            page.screenshot(path=FOLDER / f"{name}-{view.name}.png", full_page=True)
            seen = page.evaluate(MEASURE, [HIDDEN, WIDE_ONLY])
            if not view.dark:
                light[name, view.width] = seen["contrast"]
            print(
                f"{name:20} {view.name:14} over {seen['over']:4} side {seen['side']:5} frame {seen['height']:6}/{seen['needed']:6} "
                f"font {seen['font']:5.1f} contrast {seen['contrast']:5.2f} words {seen['words']}"
            )
            yield from (f"{name} at {view.name}: {fault}" for fault in _faults(view, seen, light.get((name, view.width), 0)))
        context.close()


def _faults(view: View, seen: dict[str, Any], light: float) -> Iterator[str]:
    if seen["over"] > 0:
        yield f"the page is {seen['over']} px wider than the window"
    if seen["inner"] > 0:
        yield f"the frame's own page scrolls sideways by {seen['inner']} px"
    if view.scripts and not 0 <= seen["height"] - seen["needed"] < 40:
        yield f"the frame is {seen['height']} px high and holds {seen['needed']}"
    if seen["hidden"]:
        yield "what should be hidden is seen"
    if seen["wideOnly"] and view.width < 480:
        yield "what is not for phones is seen"
    if view.width < 480 and seen["font"] < SMALLEST:
        yield f"words of {seen['font']} px: {seen['small']!r}"
    if view.dark and seen["contrast"] < light - 0.01:
        yield f"contrast {seen['contrast']:.2f} in the dark ({light:.2f} in the light): {seen['pale']!r}"


def _a_picture() -> bytes:
    parts = email.message_from_bytes((LETTERS / "fluide-hybride.eml").read_bytes()).walk()
    return next(bytes(part.get_payload(decode=True)) for part in parts if part.get_content_type() == "image/png")


def _sign_in(page: Page, password: str) -> None:
    page.goto("/login")
    page.fill("[name=username]", READER)
    page.fill("[name=password]", password)
    page.click("main button >> nth=0")
    page.wait_for_url("**/mailbox/**")


def _index(names: list[str]) -> Path:
    """A page that shows all the pictures, one letter a row."""
    cells = "".join(
        f"<h2>{name}</h2><div>" + "".join(f'<figure><img src="{name}-{view.name}.png"><figcaption>{view.name}</figcaption></figure>' for view in VIEWS) + "</div>"
        for name in names
    )  # fmt: skip
    style = "body{font:14px sans-serif;background:#888}div{display:flex;gap:8px;align-items:start}figure{margin:0}img{max-width:480px}"
    file = FOLDER / "index.html"
    file.write_text(f"<!doctype html><meta charset=utf-8><style>{style}</style>{cells}", encoding="utf-8")
    return file


if __name__ == "__main__":
    sys.exit(main())
