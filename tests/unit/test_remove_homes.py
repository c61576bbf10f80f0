"""deploy/remove-homes.sh, which root runs each night: it removes the mailboxes that are listed, and nothing beside them."""

from __future__ import annotations

import configparser
import subprocess
from pathlib import Path

import pytest

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
SCRIPT = DEPLOY / "remove-homes.sh"


@pytest.fixture
def mail(tmp_path: Path) -> Path:
    folder = tmp_path / "vmail"
    for home in ("lycee.example/alice", "lycee.example/bob", "lycee.example/-rf", "lycee.example/two words"):
        (folder / home / "Maildir" / "cur").mkdir(parents=True)
        (folder / home / "Maildir" / "cur" / "1").write_text("mail")
    return folder


def run(mail: Path, listed: str, *, code: int = 0) -> subprocess.CompletedProcess[str]:
    names = mail.parent / "names"
    names.write_text(listed)
    command = ["sh", str(SCRIPT), str(mail), "sh", "-c", f'cat "$0"; exit {code}', str(names)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30)


def there(mail: Path) -> set[str]:
    return {home.name for home in (mail / "lycee.example").iterdir()}


def test_only_what_is_listed_goes(mail):
    done = run(mail, "lycee.example/alice\nlycee.example/-rf\nlycee.example/two words\nlycee.example/gone-already\n")
    assert done.returncode == 0 and done.stdout.count("removed ") == 3 and there(mail) == {"bob"}
    assert (mail / "lycee.example/bob/Maildir/cur/1").read_text() == "mail"
    assert run(mail, "").returncode == 0 and there(mail) == {"bob"}


@pytest.mark.parametrize(
    "home",
    ["/etc", "lycee.example", "lycee.example/", "../outside/x", "lycee.example/..", "lycee.example/alice/Maildir", ".", "*/*"],
)
def test_nothing_elsewhere_goes(mail, home):
    outside = mail.parent / "outside" / "x"
    outside.mkdir(parents=True)
    assert run(mail, home + "\n").returncode == 0
    assert outside.exists() and len(there(mail)) == 4 and (mail / "lycee.example/alice/Maildir/cur/1").exists()


def test_no_link_is_followed(mail):
    outside = mail.parent / "outside"
    (outside / "x").mkdir(parents=True)
    (mail / "lycee.example" / "link").symlink_to(outside)
    (mail / "linked.example").symlink_to(outside)
    run(mail, "lycee.example/link\nlinked.example/x\n")
    assert (outside / "x").exists()


def test_a_list_that_breaks_off_removes_nothing(mail):
    assert run(mail, "lycee.example/alice\n", code=3).returncode == 3 and len(there(mail)) == 4
    assert run(mail.parent / "nowhere", "lycee.example/alice\n").returncode == 1


def test_the_timer_runs_it_each_night():
    def unit(name: str) -> configparser.ConfigParser:
        found = configparser.ConfigParser(strict=False, interpolation=None)
        found.optionxform = str  # type: ignore[assignment,method-assign]
        found.read(DEPLOY / name)
        return found

    words = unit("traboule-homes.service")["Service"]["ExecStart"].split()
    assert [Path(words[0]).name, *words[2:]] == [SCRIPT.name, "/opt/traboule/deploy/flask", "accounts", "homes"]
    timer = unit("traboule-homes.timer")
    assert timer["Timer"]["Persistent"] == "yes" and timer["Install"]["WantedBy"] == "timers.target"
