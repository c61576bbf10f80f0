"""The audit log at the command line: what commands write into it, and how it is printed."""

from __future__ import annotations

import json
import shlex
from datetime import datetime, timedelta

import pytest
from flask import Flask

from webmail import audit
from webmail.cli import main
from webmail.config import settings
from webmail.database.connection import open_database
from webmail.database.migrate import migrate
from webmail.models import AuditAct, AuditEntry, User, now

ALICE, BOB = "alice@lycee.example", "bob@lycee.example"


@pytest.fixture
def run(tmp_path):
    """Types a command; gives (exit code, what was printed)."""
    url = f"sqlite:///{tmp_path / 'test.sqlite'}"
    opened = open_database(url)
    migrate()
    app = Flask("cli-tests")
    app.extensions["settings"] = settings.load(tmp_path / "x", database_url=url, sign_in="accounts", domain="lycee.example")
    main.register(app.cli)

    def typed(line: str, typed: str = "") -> tuple[int, str]:
        result = app.test_cli_runner().invoke(args=shlex.split(line), input=typed)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.output

    yield typed
    opened.close()


def written() -> list[tuple[str, str, dict]]:
    """(act, target, details) of all entries, oldest first; all are the administrator's."""
    entries = audit.search()[0][::-1]
    assert {(entry.actor_id, entry.actor_address, entry.network) for entry in entries} <= {(None, "", "")}
    found = [(entry.act, entry.target, audit.details_of(entry)) for entry in entries]
    assert {details.pop("by") for _act, _target, details in found} <= {"command"}
    return found


def test_what_changes_an_account_is_written_and_no_password(run):
    run("accounts add alice --admin --password-stdin", "the first secret\n")
    run("accounts name alice 'Alice Leroy'")
    run("accounts password alice --password-stdin", "another secret\n")
    run("accounts quota alice 5G")
    run("accounts quota alice 5G")
    run("accounts limits alice --hour 5")
    run("accounts allow alice office@lycee.example")
    run("accounts disallow alice office@lycee.example")
    run("accounts allow alice --name Direction")
    run("accounts disallow alice --name Direction")
    run("accounts add root --admin --password-stdin", "the second secret\n")
    run("accounts disable alice")
    run("accounts enable alice")
    assert written() == [
        ("account-added", ALICE, {"role": "admin"}),
        ("account-named", ALICE, {}),
        ("account-password-set", ALICE, {}),
        ("account-quota-set", ALICE, {"before": "1G", "room": "5G"}),
        ("account-limited", ALICE, {"hour": 5, "day": -1}),
        ("account-allowed", ALICE, {"address": "office@lycee.example"}),
        ("account-disallowed", ALICE, {"address": "office@lycee.example"}),
        ("account-allowed", ALICE, {"name": "Direction"}),
        ("account-disallowed", ALICE, {"name": "Direction"}),
        ("account-added", "root@lycee.example", {"role": "admin"}),
        ("account-disabled", ALICE, {}),
        ("account-enabled", ALICE, {}),
    ]
    assert "secret" not in str(list(AuditEntry.select().dicts()))


def test_what_changes_nothing_is_not_written(run):
    User.create(address=ALICE, local="alice", domain="lycee.example")
    run("accounts allow alice x@lycee.example")
    AuditEntry.delete().execute()
    for line in ("accounts allow alice x@lycee.example", "accounts allow alice alice", "accounts disallow alice y@lycee.example",
                 "accounts disable nobody", "accounts list", "accounts allowed", "audit"):  # fmt: skip
        run(line)
    assert written() == []


def test_who_was_put_into_a_group_and_who_was_taken_out_is_written(run):
    for local in ("alice", "bob"):
        User.create(address=f"{local}@lycee.example", local=local, domain="lycee.example")
    run("groups add Maths alice")
    run("groups add Maths alice bob")
    run("groups rename Maths Physics")
    run("groups remove Physics bob bob")
    run("groups remove Physics bob")
    run("groups delete Physics")
    assert written() == [
        ("group-changed", "Maths", {"change": "made"}),
        ("group-changed", ALICE, {"change": "added", "group": "Maths"}),
        ("group-changed", BOB, {"change": "added", "group": "Maths"}),
        ("group-changed", "Physics", {"change": "renamed", "before": "Maths"}),
        ("group-changed", BOB, {"change": "removed", "group": "Physics"}),
        ("group-changed", "Physics", {"change": "deleted"}),
    ]


def test_a_line_has_columns_newest_first(run):
    alice = User.create(address=ALICE, local="alice", domain="lycee.example")
    AuditEntry.create(
        act="sign-out", at=datetime(2026, 3, 5, 12, 30, 1), actor=alice, actor_address=ALICE, target="Firefox, Linux"
    )
    audit.record(AuditAct.SHARE_GIVEN, actor=alice, target=BOB, network="192.0.2.1", folder='Été"', level="read")
    code, said = run("audit")
    newest, oldest = (line.split("\t") for line in said.splitlines())
    assert (code, oldest) == (0, ["2026-03-05T12:30:01Z", "sign-out", ALICE, "Firefox, Linux", "-", "-"])
    assert newest[1:5] == ["share-given", ALICE, BOB, "192.0.2.1"]
    assert json.loads(newest[5]) == {"folder": 'Été"', "level": "read"}


def test_it_shows_what_was_asked_for(run):
    alice = User.create(address=ALICE, local="alice", domain="lycee.example")
    AuditEntry.create(act="sign-in", at=now() - timedelta(days=8), actor=alice, actor_address=ALICE, target="old")
    audit.record(AuditAct.SIGN_IN, actor=alice, target="new")
    audit.record(AuditAct.ACCOUNT_DISABLED, target=ALICE)
    audit.record(AuditAct.ACCOUNT_DISABLED, target=BOB)

    def shown(options: str) -> list[str]:
        return [line.split("\t")[3] for line in run(f"audit {options}")[1].splitlines() if "\t" in line]

    assert shown("") == [BOB, ALICE, "new", "old"]
    assert shown("--act sign-in") == ["new", "old"]
    assert shown("--who Alice") == [ALICE, "new", "old"]
    assert shown("--since 7d --act sign-in") == shown("--since 2W --act sign-in --limit 1") == ["new"]
    assert "only the last 1" in run("audit --limit 1")[1]
    assert "only the last" not in run("audit --limit 4")[1]


def test_nothing_unprintable_reaches_the_terminal(run):
    AuditEntry.create(act="sign-in\x1b[2J", target="x\r\ny\u202e", network="\x07", details='{"folder": "\\u001b[2J\\u202e"}')
    line = run("audit")[1]
    assert line.isprintable() is False and line.rstrip("\n").replace("\t", "").isprintable()
    assert line.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ("--act nonsense", 2, "is not one of"),
        ("--since yesterday", 1, "is not a period"),
        ("--since 99999d", 1, "is not a period"),
        ("--since ٣d", 1, "is not a period"),
        ("--who 'a@b@c'", 1, "is not an address"),
        ("--limit 0", 2, "limit"),
        ("--limit 1001", 2, "limit"),
    ],
)
def test_what_is_wrong_is_said(run, options, code, words):
    found, said = run(f"audit {options}")
    assert (found, words in said, "Traceback" in said) == (code, True, False)


def test_the_longest_time_is_no_error(run):
    assert run("audit --since 9999w") == (0, "")
