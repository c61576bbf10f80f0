"""Where the demo settles, and whose its mail is."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack

import pytest

from deploy.demo.place import LONGEST, PlaceError, mail_owner, settle
from deploy.demo.services import CHECKOUT


def test_a_name_too_long_for_a_socket_settles_elsewhere(tmp_path):
    base = tmp_path / ("long-" * 20) / "demo"
    real = settle(base, mail_owner())
    try:
        assert base.is_symlink()
        assert base.resolve() == real
        assert len(str(real)) <= LONGEST
        assert settle(base, mail_owner()) == real
    finally:
        real.rmdir()


def test_a_name_dovecot_would_misread_settles_elsewhere(tmp_path):
    real = settle(tmp_path / "un dossier #1", mail_owner())
    try:
        assert " " not in str(real)
    finally:
        real.rmdir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts the demo for another user")
def test_a_folder_closed_to_the_mail_owner_settles_elsewhere(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    real = settle(closed / "demo", mail_owner())
    try:
        assert not real.is_relative_to(tmp_path)
    finally:
        real.rmdir()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to give a folder away")
def test_a_folder_of_another_user_is_refused(tmp_path):
    base = tmp_path / "demo"
    base.mkdir()
    (base / "file").touch()
    os.chown(base, 65534, 65534)
    with pytest.raises(PlaceError, match="another user"):
        settle(base, mail_owner())


STARTER = """
import sys
from deploy.demo import place
place.SYSTEM_USER = sys.argv[1]
print("ready", flush=True)
input()
owner = place.mail_owner()
print(owner.name, owner.group)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes a system user")
def test_starters_that_come_together_all_get_the_user_that_one_of_them_makes():
    user = f"traboule-test-{os.getpid()}"
    environment = {name: value for name, value in os.environ.items() if name != "SUDO_UID"}
    command = [sys.executable, "-c", STARTER, user]
    with ExitStack() as stack:
        stack.callback(subprocess.run, ["userdel", user], check=False, capture_output=True)
        starters = [
            stack.enter_context(
                subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            for _ in range(6)
        ]
        assert [starter.stdout.readline() for starter in starters] == ["ready\n"] * 6
        for starter in starters:
            starter.stdin.write("\n")
            starter.stdin.flush()
        assert [starter.communicate(timeout=60)[0] for starter in starters] == [f"{user} {user}\n"] * 6
