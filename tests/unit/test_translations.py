"""Catalogues are built, not kept: known as old whatever their date, built by one command, and by an application that finds none."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import force_locale, gettext

from webmail import create_app, translations
from webmail.config.settings import ConfigError, load
from webmail.doctor import machine
from webmail.doctor.result import OK, WARNING
from webmail.translations import __main__ as command

ROOT = Path(__file__).resolve().parents[2]
FRENCH = Path("fr", "LC_MESSAGES", "messages.mo")
SOURCE = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "Sign in"\nmsgstr "{}"\n'


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of catalogues in which none is built, and of which the application thinks that it is its own."""
    folder = tmp_path / "checkout" / "webmail" / "translations"
    (folder / FRENCH).parent.mkdir(parents=True)
    say(folder, "Se connecter")
    monkeypatch.setattr(translations, "FOLDER", folder)
    return folder


def say(folder: Path, french: str) -> None:
    (folder / FRENCH).with_suffix(".po").write_text(SOURCE.format(french), encoding="utf-8")


def started(tmp_path: Path) -> Flask:
    return create_app(tmp_path / "instance")


def in_french(app: Flask) -> str:
    with app.test_request_context(), force_locale("fr"):
        return gettext("Sign in")


def test_what_is_missing_or_old_is_built_and_nothing_else(checkout: Path) -> None:
    built = checkout / FRENCH
    assert translations.build() == [built] and translations.build() == [] and translations.to_build() == []
    say(checkout, "Entrer")
    os.utime(built.with_suffix(".po"), (0, 0))  # unpacked from an archive: older than what was built before
    assert translations.to_build() == [built] == translations.build()
    built.write_bytes(built.read_bytes()[:-100])  # a disk that was full
    assert translations.build() == [built]
    assert list(built.parent.glob("*.mo.*")) == []


def test_an_application_without_any_speaks_french_all_the_same(checkout: Path, tmp_path: Path) -> None:
    """And writes nothing where its code is, which is read-only for services."""
    assert in_french(started(tmp_path)) == "Se connecter"
    kept = tmp_path / "instance" / "translations" / FRENCH
    before = kept.stat().st_mtime_ns
    assert not (checkout / FRENCH).exists()
    assert in_french(started(tmp_path)) == "Se connecter" and kept.stat().st_mtime_ns == before


def test_nor_does_it_say_what_was_said_before_an_update(checkout: Path, tmp_path: Path) -> None:
    translations.build()
    say(checkout, "Entrer")
    assert in_french(started(tmp_path)) == "Entrer"
    say(checkout, "Ouvrir")
    assert in_french(started(tmp_path)) == "Ouvrir"
    translations.build()
    shutil.rmtree(tmp_path / "instance" / "translations")
    assert in_french(started(tmp_path)) == "Ouvrir"
    assert not (tmp_path / "instance" / "translations").exists()


def test_where_none_can_be_built_it_does_not_start(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "instance").mkdir()
    (tmp_path / "instance" / "translations").touch()  # root may write anywhere
    with pytest.raises(ConfigError, match="translations can't be built in .*: build them with .*python -m webmail.translations"):
        started(tmp_path)


def test_several_that_start_together_build_whole_ones(checkout: Path, tmp_path: Path) -> None:
    ready: list[Path] = []
    starts = [threading.Thread(target=lambda: ready.append(translations.ready(tmp_path / "instance"))) for _ in range(4)]
    for one in starts:
        one.start()
    for one in starts:
        one.join()
    assert ready == [tmp_path / "instance" / "translations"] * 4
    assert [file.name for file in (ready[0] / FRENCH).parent.iterdir()] == ["messages.mo"]
    assert translations.to_build(ready[0]) == []


def test_the_command_says_what_it_built(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main() == 0 and capsys.readouterr().out == f"{checkout / FRENCH}\n"
    assert command.main() == 0 and capsys.readouterr().out == "All catalogues are built.\n"
    (checkout / FRENCH).unlink()
    (checkout / FRENCH).mkdir()
    assert command.main() == 1 and "Not built: " in capsys.readouterr().err


def test_the_doctor_says_which_command_builds_it(checkout: Path, tmp_path: Path) -> None:
    settings = load(tmp_path / "instance")
    (missing,) = machine.catalogues(settings)
    assert missing.state == WARNING and f"{checkout / FRENCH} is missing" in missing.words
    assert missing.words.endswith(f"Type in {tmp_path / 'checkout'}: .venv/bin/python -m webmail.translations")
    translations.build()
    assert [one.state for one in machine.catalogues(settings)] == [OK]
    say(checkout, "Entrer")
    (old,) = machine.catalogues(settings)
    assert old.state == WARNING and "is older than its source" in old.words


def test_the_script_of_make_knows_what_is_built(checkout: Path) -> None:
    """deploy/prepare.sh, which starts no Python where nothing is to do, compares the end of one with its source."""
    translations.build()
    built = checkout / FRENCH
    assert built.read_bytes()[-64:].decode() == hashlib.sha256(built.with_suffix(".po").read_bytes()).hexdigest()
    script = (ROOT / "deploy" / "prepare.sh").read_text()
    assert "tail -c 64" in script and "-m webmail.translations" in script
    assert translations.COMMAND.split(" ", 1)[1] == "-m webmail.translations"


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a clone")
def test_git_has_none() -> None:
    listed = subprocess.run(["git", "ls-files", "*.mo"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert listed.stdout == ""


def test_this_checkout_has_its_own() -> None:
    """Built before any test, by make or without."""
    assert translations.to_build() == []
