"""Compression: pages and static files go out small, and what a browser unpacks is what was written."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import brotli
import pytest
from flask import Flask

from webmail.web.responses import compression

SCRIPT = "var words = 'one two three';\n" * 100
ALL = {"Accept-Encoding": "gzip, deflate, br, zstd"}


@pytest.fixture
def get(tmp_path: Path) -> Callable[..., Any]:
    (tmp_path / "a.js").write_text(SCRIPT)
    (tmp_path / "small.js").write_text("1;")
    app = Flask(__name__, static_folder=str(tmp_path), static_url_path="/static")
    compression.install(app)
    app.add_url_rule("/page", view_func=lambda: "<p>page</p>" * 100)
    app.add_url_rule("/wrong", "wrong", view_func=lambda: ("<p>page</p>" * 100, 502))
    app.add_url_rule("/briefly-wrong", "briefly", view_func=lambda: ("<p>page</p>", 502))
    return app.test_client().get


def test_a_static_file_comes_as_small_as_it_can_be(get: Callable[..., Any]) -> None:
    answer = get("/static/a.js", headers=ALL)
    assert answer.headers["Content-Encoding"] == "br" and "Accept-Encoding" in answer.headers["Vary"]
    assert answer.data == brotli.compress(SCRIPT.encode(), quality=11)
    assert int(answer.headers["Content-Length"]) == len(answer.data)


def test_a_style_sheet_comes_without_its_comments(get: Callable[..., Any], tmp_path: Path) -> None:
    rules = ".row { color: var(--ink); }\n" * 40
    (tmp_path / "a.css").write_text(f"/* of a\n   list */\n{rules}/* the end */\n")
    assert brotli.decompress(get("/static/a.css", headers=ALL).data).decode() == f"\n{rules[:-1]}\n"
    assert "of a\n" in get("/static/a.css").text


def test_a_script_comes_without_its_lines_of_comment_but_a_library_with_its_licence(
    get: Callable[..., Any], tmp_path: Path
) -> None:
    code = "var a = 'http://b.example/*'; // after code\nvar c = 2 /* two */;\n" * 40
    for folder in ("js", "vendor"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.js").write_text(f"/* What it is for,\n   in two lines. */\n{code}  // why\n    // so\n{code}")
    came = brotli.decompress(get("/static/js/a.js", headers=ALL).data).decode()
    assert came == code + code
    assert b"What it is for" in brotli.decompress(get("/static/vendor/a.js", headers=ALL).data)
    assert "// why" in get("/static/js/a.js").text


def test_no_script_has_a_string_of_several_lines() -> None:
    """In one, a line that begins with // would be no comment, and yet be taken out."""
    # strings, patterns, comments
    no_template = re.compile(r'"(?:[^"\\\n]|\\.)*"|/(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/|//.*')
    open_lines = {}
    for path in Path(__file__).resolve().parents[3].joinpath("static/js").rglob("*.js"):
        lines = re.sub(r"^\s*/\*.*?\*/", "", path.read_text(), flags=re.DOTALL | re.MULTILINE).splitlines()
        if found := [line for line in lines if no_template.sub("", line).count("`") % 2 or line.endswith("\\")]:
            open_lines[path.name] = found
    assert open_lines == {}


def test_whoever_has_it_is_told_so(get: Callable[..., Any]) -> None:
    etag = get("/static/a.js", headers=ALL).headers["ETag"]
    assert get("/static/a.js", headers=ALL | {"If-None-Match": etag}).status_code == 304


def test_a_file_that_changed_is_not_the_old_one(get: Callable[..., Any], tmp_path: Path) -> None:
    get("/static/a.js", headers=ALL)
    (tmp_path / "a.js").write_text(SCRIPT + "// more")
    assert brotli.decompress(get("/static/a.js", headers=ALL).data).endswith(b"// more")


@pytest.mark.parametrize("asked", [{}, {"Accept-Encoding": "identity"}])
def test_who_takes_nothing_compressed_gets_the_file(get: Callable[..., Any], asked: dict[str, str]) -> None:
    answer = get("/static/a.js", headers=asked)
    assert answer.text == SCRIPT and "Content-Encoding" not in answer.headers


def test_a_part_is_a_part_of_the_file(get: Callable[..., Any]) -> None:
    answer = get("/static/a.js", headers=ALL | {"Range": "bytes=0-2"})
    assert answer.status_code == 206 and answer.data == b"var"


def test_what_is_tiny_or_missing_is_left_alone(get: Callable[..., Any]) -> None:
    assert get("/static/small.js", headers=ALL).text == "1;"
    assert get("/static/none.js", headers=ALL).status_code == 404


def test_a_page_is_compressed_too(get: Callable[..., Any]) -> None:
    answer = get("/page", headers=ALL)
    assert answer.headers["Content-Encoding"] == "br" and brotli.decompress(answer.data) == b"<p>page</p>" * 100


@pytest.mark.parametrize(
    ("asked", "encoding"), [("gzip, deflate, br, zstd", "br"), ("gzip;q=1.0, br;q=0", "gzip"), ("identity", None)]
)
def test_so_is_an_error_page(get: Callable[..., Any], asked: str, encoding: str | None) -> None:
    answer = get("/wrong", headers={"Accept-Encoding": asked})
    unpack = {"br": brotli.decompress, "gzip": gzip.decompress}.get(encoding or "", bytes)
    assert answer.status_code == 502 and answer.headers.get("Content-Encoding") == encoding
    assert unpack(answer.data) == b"<p>page</p>" * 100
    assert int(answer.headers["Content-Length"]) == len(answer.data) and "Accept-Encoding" in answer.headers["Vary"]
    assert get("/briefly-wrong", headers={"Accept-Encoding": asked}).data == b"<p>page</p>"
