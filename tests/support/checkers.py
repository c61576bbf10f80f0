"""HTML_CodeSniffer, the Nu HTML Checker (vnu) and acorn, of `tests/checkers`: what looks at pages and scripts beside axe."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

_PLACE = Path(__file__).resolve().parents[2] / ".venv/checkers/node_modules"
_CODESNIFFER = _PLACE / "html_codesniffer/build/HTMLCS.js"
_ACORN = _PLACE / "acorn/dist/acorn.js"
_VNU = _PLACE / "vnu-jar/build/dist/vnu.jar"

# Findings that are the tool's mistake, as patterns, each with the reason. Errors only count: its warnings ask a person to look.
CODESNIFFER_IS_WRONG = {
    r"H43\.HeadersRequired.*class=.table keys": "each row group has one heading of scope=rowgroup: no cell belongs to two of them",
    r"H32\.2.*action=./account/keys": "a key is asked by a script, which then sends the form: its button can't be one that sends",
    r"H64\.1.*<iframe hidden": "a letter fetched ahead is not shown, nor told by screen readers: nobody meets it",
}
VNU_IS_WRONG = {
    r"Attribute “hx-[a-z-]+” not allowed": "htmx's own attributes; as data-hx-... they would cost every page bytes and say the same",
    r"“list” role is unnecessary": "Safari takes the list from a <ul> without bullets, and this role gives it back",
    r"“aria-activedescendant” value": "ARIA 1.2 takes a text box with aria-controls, too",
    r"Consider using the “h1” element": "in panes list and letter stand beside each other, each the page that it is without scripts",
    r"“webkitdirectory” not allowed": "the File and Directory Entries API has it; all browsers choose folders by it",
    r"“field-sizing”: Property .* doesn't exist": "CSS Basic User Interface 4 has it; elsewhere the field scrolls",
}

_SNIFF = """() => new Promise((done, failed) => HTMLCS.process("WCAG2AA", document, () => done(
    HTMLCS.getMessages().filter(one => one.type === HTMLCS.ERROR).map(one =>
        one.code + ": " + one.msg + " " + (one.element.outerHTML || "").replace(/\\s+/g, " ").slice(0, 200))), failed))"""
_PARSE = """([text, version]) => { try { acorn.parse(text, {ecmaVersion: version}); return "" } catch (error) { return String(error) } }"""


def has(checker: str) -> bool:
    """Whether html_codesniffer, vnu or acorn is installed."""
    return {
        "html_codesniffer": _CODESNIFFER.is_file(),
        "vnu": _VNU.is_file() and bool(shutil.which("java")),
        "acorn": _ACORN.is_file(),
    }[checker]


def need(*names: str) -> None:
    """Skip a test where a checker is not installed; in continuous integration that is a failure."""
    if missing := [name for name in names if not has(name)]:
        pytest.skip(f"{', '.join(missing)} not installed: `deploy/prepare.sh test` does it where there are npm and java")


def sniff(page: Page) -> list[str]:
    """What HTML_CodeSniffer finds against WCAG 2 AA on the page as it stands."""
    page.evaluate(_CODESNIFFER.read_text())
    return _without(CODESNIFFER_IS_WRONG, page.evaluate(_SNIFF))


def parses(page: Page, script: str, version: int) -> str:
    """Why a script does not parse as ECMAScript of this version (5, 2018 ...); empty where it does."""
    if not page.evaluate("typeof acorn === 'object'"):
        page.evaluate(_ACORN.read_text())
    return str(page.evaluate(_PARSE, [script, version]))


def validate(folder: Path, pages: Mapping[str, str], styles: Iterable[Path]) -> list[str]:
    """What vnu says of these pages (HTML by a name for each) and style sheets, asked all at once, since it takes long to start."""
    files = []
    for name, html in pages.items():
        files.append(folder / f"{re.sub(r'[^a-z0-9-]', '_', name)}.html")
        files[-1].write_text(html, encoding="utf-8")
    for style in styles:
        files.append(folder / style.name)
        shutil.copy(style, files[-1])
    command = [
        "java",
        "-Xss4m",
        "-XX:TieredStopAtLevel=1",  # to compile better takes longer than it lives
        "-XX:+UseSerialGC",
        "-jar",
        str(_VNU),
        "--also-check-css",
        "--format",
        "json",
        "--exit-zero-always",
        *map(str, files),
    ]
    said = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stderr)
    return _without(VNU_IS_WRONG, [_line(one) for one in said["messages"]])


def _line(one: Mapping[str, Any]) -> str:
    where = f"{Path(one['url']).name}:{one.get('lastLine', 0)}"
    return f"{where}: {one.get('subType', one['type'])}: {one['message']} {' '.join(one.get('extract', '').split())}"


def _without(wrong: Mapping[str, str], found: Iterable[str]) -> list[str]:
    return [one for one in found if not any(re.search(pattern, one) for pattern in wrong)]
