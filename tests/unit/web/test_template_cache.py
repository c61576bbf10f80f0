"""Compiled templates: kept for the next process, and never a reason for a page to fail."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from flask import Flask, render_template

from webmail.web.templates import template_cache


@pytest.fixture
def make_app(tmp_path: Path):
    """`make_app()` is a new process with these templates, to all intents."""
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "a.html").write_text("one {{ word }}")

    def make() -> Flask:
        app = Flask("pages", root_path=str(tmp_path), template_folder="pages", instance_path=str(tmp_path))
        template_cache.install(app)
        return app

    return make


def shown(app: Flask) -> str:
    with app.app_context():
        return render_template("a.html", word="x")


def kept(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "templates").iterdir())


def test_a_second_process_compiles_nothing(make_app, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert template_cache.fill(make_app()) == 1 == len(kept(tmp_path))
    second = make_app()
    monkeypatch.setattr(second.jinja_env, "_generate", lambda *_given, **_named: pytest.fail("compiled"))
    assert shown(second) == "one x"


def test_a_template_that_changed_is_compiled_anew(make_app, tmp_path: Path) -> None:
    assert shown(make_app()) == "one x"
    (tmp_path / "pages" / "a.html").write_text("two {{ word }}")
    assert shown(make_app()) == "two x"
    assert len(kept(tmp_path)) == 1


def test_other_options_are_another_compiler(make_app, tmp_path: Path) -> None:
    (tmp_path / "pages" / "a.html").write_text("{% if 1 %}\n{{ word }}{% endif %}")
    assert shown(make_app()) == "\nx"
    other = Flask("pages", root_path=str(tmp_path), template_folder="pages", instance_path=str(tmp_path))
    other.jinja_env.trim_blocks = True
    template_cache.install(other)
    assert shown(other) == "x"
    assert len(kept(tmp_path)) == 2
    assert template_cache.fill(other) == 1 == len(kept(tmp_path))


@pytest.mark.parametrize("damaged", [b"", b"j2", b"\x80\x05garbage" * 99, None])
def test_a_damaged_file_is_made_anew(make_app, tmp_path: Path, damaged: bytes | None) -> None:
    shown(make_app())
    (file,) = kept(tmp_path)
    file.write_bytes(file.read_bytes()[:-20] if damaged is None else damaged)
    assert shown(make_app()) == "one x"
    assert shown(make_app()) == "one x"


def test_a_full_disk_fails_no_page(make_app, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_given: object, **_named: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(template_cache.tempfile, "mkstemp", full)
    assert shown(make_app()) == "one x"
    assert kept(tmp_path) == []


def test_what_others_may_write_is_not_run(make_app, tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    os.chmod(tmp_path / "templates", 0o777)
    app = make_app()
    assert shown(app) == "one x" and template_cache.fill(app) == 0 and kept(tmp_path) == []


def test_without_a_folder_it_works_all_the_same(make_app, tmp_path: Path) -> None:
    (tmp_path / "templates").write_text("a file")
    assert shown(make_app()) == "one x"
