"""Pictures of the screen for the pages of help, in both languages, as `make screenshots` takes them into static/help.

They show a demo's Alice, light, as small as WebP makes them. A picture is named as the pages of help name it.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_plus

from PIL import Image
from playwright.sync_api import Browser, Page

from deploy.demo.services import Services
from tests.support.contact_pages import EDIT, add
from tests.support.every_page import ALICE
from tests.support.http_visits import HttpVisitor

FOLDER = Path(__file__).resolve().parents[2] / "static" / "help"
LANGUAGES = ("en", "fr")
HEAVIEST = 15_000  # bytes
_WINDOW = {"width": 940, "height": 620}


def _nothing(page: Page) -> None:
    """The page as it comes."""


def _choose_tags(page: Page) -> None:
    page.locator("[data-row] input[name=uids]").first.check()
    page.keyboard.press("l")
    page.locator(".chooser").first.wait_for()


def _open_first(page: Page) -> None:
    page.locator("[data-row] a[id]").first.click()
    page.locator("[data-verdict]").wait_for(state="attached")


@dataclass(frozen=True, slots=True)
class HelpShot:
    """What is to be seen: a part of the page at an address (in English, and where it differs in French), so many pixels high."""

    where: str
    french: str = ""
    part: str = "#main"
    begins: str = ""  # with this, where that is not the part itself
    high: int = 340
    wide: int = 800
    first: Callable[[Page], None] = _nothing
    person: str = ALICE


SHOTS = {
    "sign-in": HelpShot("/login", part="main", high=420, person=""),
    "inbox": HelpShot("/mailbox/INBOX", part="body", high=400, wide=940),
    "list": HelpShot("/mailbox/INBOX", high=270),
    "message": HelpShot("/mailbox/INBOX", first=_open_first),
    "search": HelpShot("/mailbox/INBOX?query=conseil&scope=all"),
    "tags": HelpShot("/mailbox/INBOX", part=".chooser", first=_choose_tags),
    "compose": HelpShot("/compose", high=420),
    "signatures": HelpShot("/settings/signatures", begins="h1"),
    "filters": HelpShot("/filters", begins="h1", high=420),
    "absence": HelpShot("/absence", begins="h1", high=480),
    "contacts": HelpShot("/contacts"),
    "calendar": HelpShot("/calendar/month/2026-12-08", high=420),
    "new-event": HelpShot("/calendar/events/new?words=staff+meeting+Thursday+5-7pm+room+12", "/calendar/events/new?words=conseil+jeudi+17h-19h+salle+12", high=480),
    "settings": HelpShot("/settings", begins="h1", high=420),
    "connect": HelpShot("/devices/connect", high=420),
    "send-files": HelpShot("/transfers/new", high=420),
}  # fmt: skip


def furnish(demo: Services) -> None:
    """What Alice shows beside her mail: a filter, signatures, tags, contacts, events."""
    alice = HttpVisitor(demo.address, "", ALICE, demo.password, "fr").sign_in()
    for name, words in (("Lettres", "newsletter"), ("Conseils de classe", "conseil de classe")):
        fields = {"name": name, "conditions-0-values": words, "actions-0-value": "Archive", "stop": "1"}
        alice.submit(alice.get("/filters/new"), "form.rule-form", action="save", **fields)
    for name, text in (("Cours", "Alice Leroy\nProfesseure de mathématiques"), ("Brève", "Alice")):
        alice.submit(alice.get("/settings/signatures/new"), EDIT, name=name, text=text)
    for tag in ("À faire", "Parents", "Voyage"):
        alice.submit(alice.get("/tags"), "main form:has([value=add])", name=tag, action="add")
    for name in ("Bob Girard", "Élodie Martin", "Hélène Marchand", "Nora Petit", "Samuel Roche"):
        add(alice, name, f"{name.split()[-1].lower()}@lycee.example")
    for words in ("mardis 8h-10h Maths 2de B", "jeudi 17h-19h conseil salle 12", "vendredi 10h-11h Maths Tle 3"):
        form = alice.get(f"/calendar/events/new?words={quote_plus(words)}")
        alice.submit(form, "main form.form", action="save")
    inbox = alice.get("/mailbox/INBOX")
    odd = [str(row["data-uid"]) for row in inbox.all("[data-row]") if any(ord(letter) > 0xFFFF for letter in row.get_text())]
    alice.submit(inbox, "#messages", action="archive", uids=odd)  # not every machine has the fonts for its subject


def take(
    running: Browser, demo: Services, sign_in: Callable[[Page, str, str], None], names: tuple[str, ...] = tuple(SHOTS)
) -> None:
    """Take these pictures, in both languages."""
    furnish(demo)
    for language in LANGUAGES:
        (FOLDER / language).mkdir(parents=True, exist_ok=True)
        for person in ("", ALICE):
            context = running.new_context(base_url=demo.address, locale=language, color_scheme="light", viewport=_WINDOW)
            page = context.new_page()
            if person:
                sign_in(page, person, demo.password)
            for name in (name for name in names if SHOTS[name].person == person):
                data = _photograph(page, SHOTS[name], language)
                (FOLDER / language / f"{name}.webp").write_bytes(data)
                print("help", language, name, len(data), flush=True)
            context.close()


def _photograph(page: Page, shot: HelpShot, language: str) -> bytes:
    page.goto((language == "fr" and shot.french) or shot.where)
    page.wait_for_load_state("networkidle")
    shot.first(page)
    page.wait_for_load_state("networkidle")
    box = page.locator(shot.part).first.bounding_box()
    assert box, f"nothing to see: {shot}"
    top = page.locator(shot.part).first.locator(shot.begins).first.bounding_box() if shot.begins else box
    assert top, f"nothing to see: {shot}"
    clip = {
        "x": box["x"],
        "y": max(box["y"], top["y"] - 16),
        "width": min(box["width"], shot.wide),
        "height": min(box["height"], shot.high),
    }
    taken = page.screenshot(clip=clip, animations="disabled", full_page=True)  # type: ignore[arg-type]
    return smallest(Image.open(io.BytesIO(taken)).convert("RGB"))


def smallest(picture: Image.Image) -> bytes:
    """As WebP, as good as the limit allows; smaller where that would be hard to read."""
    while True:
        for quality in (75, 60, 50, 40, 30):
            out = io.BytesIO()
            picture.save(out, "WEBP", quality=quality, method=6)
            if out.tell() <= HEAVIEST:
                return out.getvalue()
        picture = picture.resize((picture.width * 9 // 10, picture.height * 9 // 10), Image.Resampling.LANCZOS)
