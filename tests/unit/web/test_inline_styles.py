"""Styles within the sign-in page, for a browser that comes for the first time."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

import pytest
import tinycss2
from bs4 import BeautifulSoup
from flask import Flask

from webmail import create_app
from webmail.web.frame import critical_css


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return create_app(tmp_path / "instance", secure_cookies=False)


def test_the_first_page_needs_no_request_for_its_styles(app: Flask) -> None:
    answer = app.test_client().get("/login")
    (styles,) = re.findall("<style>(.*?)</style>", answer.text, re.S)
    checksum = base64.b64encode(hashlib.sha256(styles.encode()).digest()).decode()
    assert f"style-src 'self' 'sha256-{checksum}';" in answer.headers["Content-Security-Policy"]
    assert 'rel="stylesheet"' not in answer.text
    assert ".sheet" in styles and ":root" in styles


def test_a_browser_that_was_here_has_them_in_its_cache(app: Flask) -> None:
    client = app.test_client()
    client.get("/login")
    answer = client.get("/login")
    assert "<style>" not in answer.text and answer.text.count('rel="stylesheet"') == 2
    assert "style-src 'self';" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("text", ["a{content:'</style><script>'}", "a{background:url(x.png)}"])
def test_a_sheet_that_would_break_the_page_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.css").write_text(text)
    with pytest.raises(ValueError, match="a.css"):
        critical_css._of_files(str(tmp_path), ("a.css",), frozenset())


SHEET = """/* a */
.used, .unused > a, p:not(.unused, #gone) { color: red } #gone { color: blue }
.notice-danger { top: 0 }
@media print { .unused { top: 0 } }
@media (max-width: 9px) { .used:hover { top: 0 } .unused { top: 1px } }
"""


def test_rules_that_a_page_can_not_use_stay_away() -> None:
    found = critical_css._useful(SHEET, frozenset(["used", "notice-"]))
    assert "".join(found.split()) == (
        ".used,p:not(.unused,#gone){color:red}.notice-danger{top:0}@media(max-width:9px){.used:hover{top:0}}"
    )


def test_a_sheet_with_what_nobody_has_thought_of_is_refused() -> None:
    with pytest.raises(ValueError, match="line 1"):
        critical_css._useful("@font-face { font-family: a }", frozenset())


@pytest.mark.parametrize("failed", [False, True])
def test_every_rule_that_the_page_needs_is_within_it(app: Flask, failed: bool) -> None:
    client = app.test_client(use_cookies=False)
    answer = client.post("/login", data={"username": "a", "password": "b"}) if failed else client.get("/login")
    page = BeautifulSoup(answer.text, "html.parser")
    styles = page.style.extract().text if page.style else ""
    kept, missing = _selectors_of(styles), []
    for sheet in ("base.css", "sheet.css"):
        for selector in _selectors_of(Path(app.static_folder or "", "css", sheet).read_text()) - kept:
            plain = re.sub(
                r"::?(?!not|has|checked|disabled|root|first-child|last-child)[a-z-]+(\([^)]*\))?", "", selector
            )  # states, parts
            missing += [selector] if page.select(plain if plain.strip()[-1:] not in ("", ">", "+", "~") else f"{plain}*") else []
    assert kept and missing == []


def _selectors_of(sheet: str | list[Any]) -> set[str]:
    found: set[str] = set()
    for rule in tinycss2.parse_rule_list(sheet, skip_comments=True, skip_whitespace=True):
        if rule.type == "at-rule":
            found |= _selectors_of(rule.content)
        else:
            found |= {tinycss2.serialize(part).strip() for part in critical_css._selectors(rule.prelude)}
    return found
