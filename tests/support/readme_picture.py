"""The picture of README.md, docs/traboule.webp: `make screenshots PAGES=readme` makes it anew, of the demo.

A list on a computer, and a message on a telephone in front of it. Fonts are this machine's: subjects with emoji want one that has them
(fonts-noto-color-emoji).
"""

from __future__ import annotations

import base64
import io
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser

from deploy.demo.services import Services
from tests.support.browsing import settled

FILE = Path(__file__).resolve().parents[2] / "docs" / "traboule.webp"
LARGEST = 75 * 1024  # bytes: a README is read on slow lines too
MESSAGE = "Invitation : conseil pédagogique"
_STYLE = """
body { margin: 0; width: 1280px; position: relative; padding: 0 0 56px; background: transparent; }
img { display: block; border: 1px solid #8884; border-radius: 12px; box-shadow: 0 4px 18px #0005; }
.computer { width: 1200px; margin: 12px; }
.telephone { width: 300px; position: absolute; right: 16px; bottom: 12px; border: 8px solid #222; border-radius: 28px; }
"""


def take(running: Browser, demo: Services, person: str, file: Path = FILE) -> None:
    """Photograph the demo as this person sees it, and write the picture. Raises AssertionError if it is too large."""
    computer = _screen(running, demo, person, 1280, 800, "light")
    telephone = _screen(running, demo, person, 360, 700, "dark", opens=MESSAGE)
    page = running.new_page(viewport={"width": 1280, "height": 400})
    images = "".join(
        f'<img class="{name}" src="data:image/png;base64,{base64.b64encode(picture).decode()}">'
        for name, picture in (("computer", computer), ("telephone", telephone))
    )
    page.set_content(f"<!doctype html><style>{_STYLE}</style>{images}")
    settled(page)
    together = page.locator("body").screenshot(omit_background=True)
    page.close()
    content = io.BytesIO()
    Image.open(io.BytesIO(together)).save(content, "WEBP", quality=50, method=6)
    assert len(content.getvalue()) <= LARGEST, f"{len(content.getvalue())} bytes are more than {LARGEST}"
    file.write_bytes(content.getvalue())


def _screen(running: Browser, demo: Services, person: str, width: int, height: int, theme: str, opens: str = "") -> bytes:
    context = running.new_context(
        base_url=demo.address, locale="en", color_scheme="dark" if theme == "dark" else "light",
        viewport={"width": width, "height": height},
    )  # fmt: skip
    page = context.new_page()
    page.goto("/login")
    page.fill("[name=username]", person)
    page.fill("[name=password]", demo.password)
    page.click("main button >> nth=0")
    page.wait_for_selector("[data-row]")
    if opens:
        page.locator("[data-row] a", has_text=opens).first.click()
        page.wait_for_selector("[data-message-body]")
    settled(page)
    picture = page.screenshot(animations="disabled")
    context.close()
    return picture
