"""A repository of restic: made once, and what is said where its password is another one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from deploy.backups.repository import Repository
from deploy.installer.changes import Changes, InstallError

pytestmark = pytest.mark.skipif(shutil.which("restic") is None, reason="restic is not installed")


def repository(folder: Path, password: str, said: list[str], monkeypatch: pytest.MonkeyPatch) -> Repository:
    file = folder / "password"
    file.write_text(password)
    changes = Changes(Path("/"), said.append)
    monkeypatch.setattr(changes, "secret", lambda *_given: password)
    return Repository(str(folder / "kept"), changes, str(file))


def test_it_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    one = repository(tmp_path, "right", said, monkeypatch)
    one.ready()
    one.ready()
    assert said == [f"  made the repository of backups {tmp_path}/kept"]


def test_a_wrong_password_is_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    repository(tmp_path, "right", said, monkeypatch).ready()
    with pytest.raises(InstallError, match="is not that of the backups in .*Put the copy of it there"):
        repository(tmp_path, "wrong", said, monkeypatch).ready()
