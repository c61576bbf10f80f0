"""`make screenshots`: pictures of every page, to look at: four widths, light and dark, French and English.

`python -m tests.support.screenshots [--language fr] [--width 360] [--sheet] [page ...]` starts a demo of its own and writes
`instance/screenshots/<language>/<light|dark>/<width>/<page>.png`. Pages are named as in `every_page.py`; with names only those
are taken again and all others stay, so a change is looked at in seconds. Each time it also writes `sheets/<language>/<page>.png`
(all widths and themes of a page side by side) and `index.html` (all that is there, as a grid); with `--sheet` also
`sheets/<language>-<theme>-<width>-<n>.png`, the tops of many pages beside each other, to compare them. 320 and 1100 pixels are
taken where they are asked for. A page that can't be photographed
costs its picture alone: it is named at the end, with the reason, and the command fails. The name `readme` makes README's picture anew,
`help-pictures` those of help (`tests/support/help_pictures.py`), which come with all pages too.
"""

from __future__ import annotations

import argparse
import contextlib
import html
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Error, Page, sync_playwright

from deploy.demo.mailboxes import fill
from deploy.demo.services import Services
from tests.support import help_pictures, readme_picture
from tests.support.browsing import CHROMIUM, settled
from tests.support.every_page import ADMIN, ADMIN_PAGES, ALICE, furnish

FOLDER = Path(__file__).resolve().parents[2] / "instance" / "screenshots"
LANGUAGES = ("fr", "en")
THEMES = ("light", "dark")
HEIGHTS = {320: 600, 360: 740, 768: 1024, 1100: 800, 1280: 800, 1920: 1080}  # of the window, by its width
USUAL = (360, 768, 1280, 1920)
TALLEST = 6000  # pixels
VISITOR_PAGES = {"sign-in": "/login"}
README, HELP = "readme", "help-pictures"

_FAULTS = (Error, AssertionError)  # of the browser; of what is waited for
_SHEET_SCALE = 0.4  # of a picture's size
_SHEET_TALLEST = 2400  # pixels of a picture that a sheet shows
_SIDE = 1800  # pixels, about, of a sheet of many pages
_STYLE = """
body { margin: 16px; background: #777; color: #fff; font: 14px system-ui, sans-serif; }
h1 { font-size: 18px; margin: 0 0 12px; } h2 { font-size: 16px; margin: 24px 0 8px; }
.row { display: flex; align-items: flex-start; margin-bottom: 16px; }
figure { margin: 0 16px 0 0; } figcaption { margin-bottom: 4px; }
img { display: block; object-fit: cover; object-position: top; } a { color: #fff; }
"""


@dataclass(frozen=True)
class Picture:
    """One page on one screen."""

    language: str
    theme: str
    width: int
    page: str

    def path(self, folder: Path) -> Path:
        return folder / self.language / self.theme / str(self.width) / f"{self.page}.png"


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    root = ["--no-sandbox"] if os.getuid() == 0 else []
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--disable-gpu", "--hide-scrollbars", *root])
        yield running
        running.close()


def take(
    running: Browser,
    address: str,
    password: str,
    pages: Mapping[str, Mapping[str, str]],
    folder: Path,
    languages: Iterable[str] = LANGUAGES,
    widths: Iterable[int] = USUAL,
) -> list[str]:
    """Photograph pages: by person ("" for a visitor), then by name. Each is opened once per language and width.

    Returns what could not be photographed, with the reasons.
    """
    failed: list[str] = []
    for language in languages:
        for person, theirs in pages.items():
            if not theirs:
                continue
            context = running.new_context(base_url=address, locale=language)
            page = context.new_page()
            try:
                if person:
                    _sign_in(page, person, password)
            except _FAULTS as error:
                failed.append(f"{language}, all pages of {person}: {_reason(error)}")
                theirs = {}
            for name, where in theirs.items():
                for width in widths:
                    try:
                        _photograph(page, where, Picture(language, "light", width, name), folder)
                    except _FAULTS as error:
                        failed.append(f"{language}, {name}, {width}: {_reason(error)}")
                        page.close()  # it may still be on its way to an error page, in the way of the next
                        page = context.new_page()
                print(language, name, flush=True)
            context.close()
    return failed


def _reason(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _sign_in(page: Page, person: str, password: str) -> None:
    page.goto("/login")
    page.fill("[name=username]", person)
    page.fill("[name=password]", password)
    page.click("main button >> nth=0")
    page.wait_for_selector("[data-row]")
    if person == ADMIN:
        page.goto("/account/confirm?next=/admin")
        page.fill("[name=password]", password)
        page.click("main form.form button >> nth=0")
        page.wait_for_url("**/admin")


def _photograph(page: Page, where: str, picture: Picture, folder: Path) -> None:
    """A picture as high as the page, as if the window were: what is fixed to its edges lies over nothing."""
    page.set_viewport_size({"width": picture.width, "height": HEIGHTS[picture.width]})
    page.goto(where)
    settled(page)
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": picture.width, "height": min(height, TALLEST)})
    settled(page)  # with the pictures that come into the window now
    for theme in THEMES:
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        path = Picture(picture.language, theme, picture.width, picture.page).path(folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=path, animations="disabled")


def sheets(running: Browser, folder: Path, names: Iterable[str] | None = None) -> None:
    """A contact sheet for each page that has pictures (or only those named), and the index of all."""
    page = running.new_page(viewport={"width": 1200, "height": 400})
    for name in _taken(folder) if names is None else names:
        for language in LANGUAGES:
            body = "".join(_row(folder, folder, name, language, theme) for theme in THEMES)
            if not body:
                continue
            with tempfile.NamedTemporaryFile("w", suffix=".html", dir=folder) as file:  # pictures are read beside it alone
                file.write(_document(f"{name} ({language})", body))
                file.flush()
                page.goto(f"file://{file.name}")
                path = folder / "sheets" / language / f"{name}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                page.locator("body").screenshot(path=path)
    page.close()
    write_index(folder)


def side_by_side(folder: Path, names: Iterable[str] | None = None) -> list[Path]:
    """Contact sheets of many pages, for each language, theme and width that was taken: no taller than twice a window each."""
    made = []
    wanted = None if names is None else set(names)
    for place in sorted(folder.glob("[a-z][a-z]/*/*")):
        taken = [one for one in sorted(place.glob("*.png")) if wanted is None or one.stem in wanted]
        width = int(place.name)
        scale = 1.0 if width < min(USUAL[1:]) else _SIDE / 2 / width
        row = max(1, _SIDE // round(width * scale))
        some = row if scale == 1 else 2 * row
        for number, first in enumerate(range(0, len(taken), some), 1):
            path = folder / "sheets" / f"{'-'.join(place.parts[-3:])}-{number:02}.png"
            path.parent.mkdir(exist_ok=True)
            _lay_out(taken[first : first + some], row, width, scale).save(path)
            made.append(path)
    return made


def _lay_out(pictures: list[Path], row: int, width: int, scale: float) -> Image.Image:
    """These pictures, so many in a row, each below its name."""
    wide, gap = round(width * scale), 16
    found = []
    for path in pictures:
        with Image.open(path) as picture:
            top = picture.convert("RGB").crop((0, 0, picture.width, min(picture.height, 2 * HEIGHTS[width])))
        found.append(top.resize((wide, max(1, round(top.height * scale)))))
    rows = [found[at : at + row] for at in range(0, len(found), row)]
    heights = [max(one.height for one in line) + gap for line in rows]
    sheet = Image.new("RGB", (min(row, len(found)) * (wide + gap), sum(heights)), "#777")
    draw = ImageDraw.Draw(sheet)
    for number, one in enumerate(found):
        x, y = number % row * (wide + gap), sum(heights[: number // row])
        draw.text((x, y + 2), pictures[number].stem, fill="#fff")
        sheet.paste(one, (x, y + gap))
    return sheet


def write_index(folder: Path) -> None:
    """All pictures there are, by page, at `index.html` of their folder."""
    parts = []
    for name in _taken(folder):
        rows = "".join(_row(folder, Path(), name, language, theme) for language in LANGUAGES for theme in THEMES)
        parts.append(f'<h2 id="{html.escape(name)}">{html.escape(name)}</h2>{rows}')
    (folder / "index.html").write_text(_document("Every page", "".join(parts)), encoding="utf-8")


def _taken(folder: Path) -> list[str]:
    return sorted({path.stem for language in LANGUAGES for path in (folder / language).glob("*/*/*.png")})


def _row(folder: Path, base: Path, name: str, language: str, theme: str) -> str:
    """The pictures of a page in one theme, narrow to wide; "" when there are none. Addresses begin at `base`."""
    figures = []
    for width in HEIGHTS:
        picture = Picture(language, theme, width, name)
        if not picture.path(folder).exists():
            continue
        source = html.escape(str(picture.path(base)))
        size = f"width:{width * _SHEET_SCALE:.0f}px;max-height:{_SHEET_TALLEST * _SHEET_SCALE:.0f}px"
        figures.append(
            f'<figure><figcaption>{language}, {theme}, {width}</figcaption><a href="{source}">'
            f'<img loading="{"lazy" if base == Path() else "eager"}" style="{size}" src="{source}" alt=""></a></figure>'
        )
    return f'<div class="row">{"".join(figures)}</div>' if figures else ""


def _document(title: str, body: str) -> str:
    style = _STYLE + "body { width: max-content; }"
    return f'<!doctype html><meta charset="utf-8"><title>{html.escape(title)}</title><style>{style}</style><h1>{html.escape(title)}</h1>{body}'


def chosen(pages: Mapping[str, Mapping[str, str]], names: list[str]) -> dict[str, dict[str, str]]:
    """These pages alone, of each person; all where none is named. Raises SystemExit for a name that no page has."""
    unknown = set(names) - {name for theirs in pages.values() for name in theirs}
    if unknown:
        raise SystemExit(f"no page has this name: {', '.join(sorted(unknown))}")
    return {
        person: {name: where for name, where in theirs.items() if not names or name in names} for person, theirs in pages.items()
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.support.screenshots", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("pages", nargs="*", metavar="page", help="names of every_page.py; all where none is given")
    parser.add_argument("--language", choices=LANGUAGES, action="append")
    parser.add_argument("--width", type=int, choices=tuple(HEIGHTS), action="append")
    parser.add_argument("--sheet", action="store_true", help="many pages beside each other too")
    wanted = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    base = Path(tempfile.mkdtemp()) / "demo"
    try:
        with Services(base) as demo:
            fill(demo)
            with browser() as running:
                if wanted.pages == [README]:
                    readme_picture.take(running, demo, ALICE)
                    print(readme_picture.FILE)
                    return 0
                if wanted.pages in ([], [HELP]):
                    help_pictures.take(running, demo, _sign_in)
                    if wanted.pages:
                        return 0
                pages = chosen({"": VISITOR_PAGES, ALICE: furnish(demo), ADMIN: ADMIN_PAGES}, wanted.pages)
                failed = take(
                    running, demo.address, demo.password, pages, FOLDER, wanted.language or LANGUAGES, wanted.width or USUAL
                )  # fmt: skip
                sheets(running, FOLDER, wanted.pages or None)
                if wanted.sheet:
                    side_by_side(FOLDER, wanted.pages or None)
    finally:
        shutil.rmtree(base.parent.resolve(), ignore_errors=True)
    print(FOLDER / "index.html")
    for one in failed:
        print(f"FAILED: {one}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
