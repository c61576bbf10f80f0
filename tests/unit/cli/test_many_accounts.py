"""Commands for many accounts at once: by the same functions as the pages, told line by line."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from click.testing import Result
from flask import Flask

from tests.support import calendar_ground as ground
from webmail.auth import account_management
from webmail.auth.passwords import hashing
from webmail.models import AuditAct, AuditEntry, User


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance", language="en") as made:
        ground.add("alice@lycee.example")
        ground.add("root@lycee.example")
        account_management.set_role(User.get(User.local == "root"), "admin")
        yield made


def run(app: Flask, *words: str, typed: str = "") -> Result:
    return app.test_cli_runner().invoke(args=["accounts", *words], input=typed)


def test_many_are_made_from_lines_and_what_can_not_be_is_told(app):
    typed = "bob\tBob Girard\nalice\tAgain\ncarol@lycee.example\nbob\tTwice\n"
    done = run(app, "add-many", "--quota", "2G", typed=typed)
    assert done.exit_code == 1 and "alice: not made (taken)" in done.output and "bob: not made (twice)" in done.output
    letters = dict(line.split("\t") for line in done.output.splitlines() if "\t" in line)
    bob = User.get(User.local == "bob")
    assert (bob.name, bob.quota_bytes, bob.must_change) == ("Bob Girard", 2 * 1024**3, 1)
    assert hashing.verify(bob.password, letters["bob@lycee.example"]) and "carol@lycee.example" in letters
    assert AuditEntry.select().where(AuditEntry.act == AuditAct.ACCOUNT_ADDED).count() == 2


def test_many_are_changed_and_the_last_administrator_stays(app):
    done = run(app, "change", "disable", "alice", "root")
    assert done.exit_code == 1 and "1 changed, 1 refused, of 2" in done.output
    assert (User.get(User.local == "alice").active, User.get(User.local == "root").active) == (0, 1)
    assert run(app, "change", "enable", typed="alice\n").exit_code == 0
    assert run(app, "change", "end", "alice", "--until", "2027-07-31").exit_code == 0
    assert User.get(User.local == "alice").ends_on.isoformat() == "2027-07-31T22:00:00"
    assert "is not a day" in run(app, "change", "end", "alice", "--until", "July").output


def test_another_address_and_the_folders_that_nobody_has(app):
    assert "alice@lycee.example is now anne@lycee.example" in run(app, "rename", "alice", "anne").output
    assert "can't be given (taken)" in run(app, "rename", "anne", "root").output
    assert run(app, "homes").output == ""
    run(app, "delete", "anne", "--yes")
    assert run(app, "homes").output == "lycee.example/alice\n"
