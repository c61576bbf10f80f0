"""Styles within the sign-in page, for a browser that comes for the first time."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest
from flask import Flask

from webmail import create_app
from webmail.web import inline_styles


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


@pytest.mark.parametrize("text", ["a{}</style><script>", "a{background:url(x.png)}"])
def test_a_sheet_that_would_break_the_page_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.css").write_text(text)
    with pytest.raises(ValueError, match="a.css"):
        inline_styles._of_files(str(tmp_path), ("a.css",))
