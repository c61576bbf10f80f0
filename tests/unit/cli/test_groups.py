"""The administrator's commands for groups, as typed."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from webmail.cli import main
from webmail.config import settings
from webmail.database.connection import open_database
from webmail.database.migrate import migrate
from webmail.models import PeopleGroup, User

Run = Callable[[str], tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Types a command; gives (exit code, what was printed)."""
    url = f"sqlite:///{tmp_path / 'test.sqlite'}"
    opened = open_database(url)
    migrate()
    app = Flask("cli-tests")
    app.extensions["settings"] = settings.load(tmp_path / "instance", database_url=url, domain="lycee.example")
    main.register(app.cli)
    for local in ("alice", "bob"):
        User.create(address=f"{local}@lycee.example", local=local, domain="lycee.example", name=local.title())
    User.create(address="charlie@autre.example", local="charlie", domain="autre.example")

    def typed(line: str) -> tuple[int, str]:
        result = app.test_cli_runner().invoke(args=shlex.split(line))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.output

    yield typed
    opened.close()


def test_a_group_is_made_filled_shown_renamed_and_deleted(run: Run) -> None:
    assert run("groups list") == (0, "No groups yet.\n")
    assert run("groups add '4e B' alice") == (0, "4e B: created, 1 added\n")
    assert run("groups add '4e b' alice bob@lycee.example") == (0, "4e B: 1 added, 1 already in it\n")
    run("accounts disable bob")
    assert run("groups list '4e B'")[1] == "alice@lycee.example\tactive\tAlice\nbob@lycee.example\tdisabled\tBob\n"
    assert run("groups list alice@lycee.example") == (0, "4e B\n")
    assert run("groups remove '4e B' bob alice alice") == (0, "4e B: 2 removed\n")
    assert run("groups rename '4e B' '4e C'") == (0, "the group is now called 4e C\n")
    assert run("groups list")[1].startswith("4e C\t0\t4e-b.")
    assert run("groups delete '4e C'") == (0, "deleted the group 4e C\n")
    assert PeopleGroup.select().count() == 0 and User.select().count() == 3


def test_another_domain_is_said(run: Run) -> None:
    assert run("groups add Maths charlie@autre.example --domain Autre.example")[0] == 0
    assert run("groups add Maths alice")[0] == 0
    assert run("groups list Maths --domain autre.example")[1] == "charlie@autre.example\tactive\n"
    assert run("groups delete Maths --domain autre.example")[0] == 0
    assert run("groups list Maths")[1] == "alice@lycee.example\tactive\tAlice\n"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("groups add Maths nobody", "there is no account"),
        ("groups add Maths alice charlie@autre.example", "charlie@autre.example is not in lycee.example"),
        ("groups add alice@lycee.example bob", "a group name can have at most 100"),
        ("groups add ''", "a group name can have at most 100"),
        ("groups add 'A\x1b[2J'", "a group name can have at most 100"),
        ("groups remove Maths alice", "there is no group 'Maths'"),
        ("groups remove 'A\x1b[2J' alice", "there is no group 'A\\x1b[2J'"),
        ("groups rename Maths Lettres", "there is no group"),
        ("groups delete Maths", "there is no group"),
        ("groups list Maths", "there is no group"),
        ("groups list nobody@lycee.example", "there is no account"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_done(run: Run, line: str, words: str) -> None:
    code, said = run(line)
    assert (code, words in said) == (1, True), said
    assert PeopleGroup.select().count() == 0


def test_two_groups_never_have_one_name(run: Run) -> None:
    run("groups add Maths")
    run("groups add Lettres")
    code, said = run("groups rename Lettres MATHS")
    assert (code, "already a group called 'MATHS', or nearly so" in said) == (1, True)
    assert sorted(group.name for group in PeopleGroup.select()) == ["Lettres", "Maths"]


def test_without_a_domain_one_is_asked_for(run: Run, tmp_path: Path) -> None:
    app = Flask("cli-tests")
    app.extensions["settings"] = settings.load(tmp_path / "instance", database_url=f"sqlite:///{tmp_path / 'test.sqlite'}")
    main.register(app.cli)
    result = app.test_cli_runner().invoke(args=["groups", "list"])
    assert result.exit_code == 1 and "--domain lycee.example" in result.output
