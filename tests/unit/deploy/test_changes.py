"""How the installer changes a machine: once, told, and never over what somebody else wrote."""

from __future__ import annotations

import getpass
import stat

import pytest

from deploy.installer.changes import Changes, InstallError

ME = getpass.getuser()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def changes(tmp_path, said) -> Changes:
    (tmp_path / "etc").mkdir()
    return Changes(tmp_path, said.append)


def write(changes: Changes, text: str, mode: int = 0o640) -> bool:
    return changes.file("/etc/some.conf", text, owner=ME, group=_group(), mode=mode)


def _group() -> str:
    import grp
    import os

    return grp.getgrgid(os.getgid()).gr_name


def test_a_file_is_written_once(changes, tmp_path, said):
    assert write(changes, "one") and (tmp_path / "etc/some.conf").read_text() == "one"
    assert stat.S_IMODE((tmp_path / "etc/some.conf").stat().st_mode) == 0o640
    assert said == ["  wrote /etc/some.conf"]
    assert not write(changes, "one") and len(said) == 1


def test_another_text_of_ours_replaces_it(changes, said):
    write(changes, "one")
    assert write(changes, "two") and said[-1] == "  changed /etc/some.conf"


def test_what_was_edited_is_put_aside(changes, tmp_path, said):
    write(changes, "one")
    (tmp_path / "etc/some.conf").write_text("by hand")
    assert changes.is_edited("/etc/some.conf")
    assert write(changes, "one") and "which was edited" in said[-1]
    kept = said[-1].rpartition(" ")[2]
    with open(kept) as file:
        assert file.read() == "by hand"


def test_what_was_there_before_is_put_aside(changes, tmp_path, said):
    (tmp_path / "etc/some.conf").write_text("of another program")
    assert write(changes, "one") and "the one that was there is" in said[-1]
    with open(said[-1].rpartition(" ")[2]) as file:
        assert file.read() == "of another program"


def test_digests_outlast_the_run(changes, tmp_path, said):
    write(changes, "one")
    later = Changes(tmp_path, said.append)
    assert later.is_ours("/etc/some.conf") and not later.is_edited("/etc/some.conf")
    (tmp_path / "etc/some.conf").write_text("by hand")
    assert later.is_edited("/etc/some.conf")


def test_a_mode_that_was_opened_is_closed_again(changes, tmp_path, said):
    write(changes, "one")
    (tmp_path / "etc/some.conf").chmod(0o666)
    assert not write(changes, "one") and "with mode 640" in said[-1]
    assert stat.S_IMODE((tmp_path / "etc/some.conf").stat().st_mode) == 0o640


def test_a_secret_is_made_once(changes, said):
    made = changes.secret("/etc/secret", lambda: "abc\n", owner=ME)
    assert made == "abc" == changes.secret("/etc/secret", lambda: "xyz", owner=ME) and len(said) == 1


def test_what_is_removed_is_kept_aside(changes, tmp_path, said):
    (tmp_path / "etc/old.conf").write_text("old")
    assert changes.remove("/etc/old.conf") and not (tmp_path / "etc/old.conf").exists()
    with open(said[-1].rpartition(" ")[2]) as file:
        assert file.read() == "old"
    assert not changes.remove("/etc/old.conf")


def test_a_link_is_changed_in_one_step(changes, tmp_path, said):
    for target in ("/a", "/b"):
        assert changes.link("/etc/link", target)
    assert not changes.link("/etc/link", "/b") and len(said) == 2


def test_a_command_that_fails_says_why(changes):
    with pytest.raises(InstallError, match="no such thing"):
        changes.run("sh", "-c", "echo no such thing >&2; exit 3")
    assert changes.tried("there-is-no-such-program").returncode == 127
