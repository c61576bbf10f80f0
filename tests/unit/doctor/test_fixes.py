"""What `doctor --fix` mends: after asking, one by one; nothing that takes something away."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from webmail import create_app
from webmail.cli.installation import doctor
from webmail.doctor import checks, fixes


@pytest.fixture
def app(tmp_path, monkeypatch):
    monkeypatch.setattr(checks, "examine", lambda *given: iter(()))  # the checks are tried elsewhere
    return create_app(tmp_path / "instance")


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def run(app, *given: str, typed: str = "") -> str:
    return app.test_cli_runner().invoke(args=["doctor", *given], input=typed).output


def test_nothing_to_mend(app):
    assert "nothing that can be mended" in run(app, "--fix", "--yes")


def test_files_that_others_may_read_and_folders_that_are_missing(app):
    settings = app.extensions["settings"]
    key, uploads = Path(settings.instance, "secret_key"), Path(settings.uploads_folder)
    for folder in key.absolute().parents[:2]:
        folder.chmod(0o755)
    key.chmod(0o644)
    uploads.rmdir()
    said = run(app, "--fix")  # nobody is asked without a terminal: nothing is done
    assert f"left: chmod 600 {key}" in said and mode(key) == 0o644 and not uploads.exists()
    said = run(app, "--fix", "--yes")
    assert f"done: chmod 600 {key}" in said and f"done: make the folder {uploads}" in said
    assert mode(key) == 0o600 and mode(uploads) & 0o007 == 0
    assert "nothing that can be mended" in run(app, "--fix", "--yes")


def test_each_is_asked_for(app, monkeypatch):
    done: list[str] = []
    todo = [fixes.Fix(name, lambda name=name: done.append(name)) for name in ("mend a", "mend b")]
    monkeypatch.setattr(fixes, "found", lambda settings: iter(todo))
    monkeypatch.setattr(doctor, "at_a_terminal", lambda: True)
    said = run(app, "--fix", typed="n\ny\n")
    assert done == ["mend b"] and "left: mend a" in said and "done: mend b" in said


def test_what_can_not_be_done_is_told_and_the_others_are_done(app, monkeypatch):
    done: list[str] = []

    def refused() -> None:
        raise PermissionError(1, "Operation not permitted", "/etc/x")

    monkeypatch.setattr(
        fixes, "found", lambda settings: iter([fixes.Fix("a", refused), fixes.Fix("b", lambda: done.append("b"))])
    )
    said = run(app, "--fix", "--yes")
    assert "not done: a: operation not permitted: /etc/x" in said and done == ["b"]


def test_a_migration_that_is_missing(app, monkeypatch):
    asked: list[tuple[str, ...]] = []
    from webmail.database.migrate import MIGRATIONS

    class Missing:
        name, applied = "0999_later", False

    monkeypatch.setattr(fixes, "Runner", lambda *given: type("", (), {"status": lambda self: [Missing]})())
    monkeypatch.setattr(fixes, "_run", lambda folder, *module: asked.append(module))
    assert MIGRATIONS.is_dir() and "bring the database up to date (1 migrations)" in run(app, "--fix", "--yes")
    assert asked == [("flask", "--app", "wsgi", "migrate")]
