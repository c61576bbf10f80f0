"""The administrator's commands, as typed."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace

import pytest
from flask import Flask
from flask_babel import Babel

from tests.support import once
from webmail import create_app
from webmail.auth.passwords import hashing
from webmail.auth.sessions import sessions
from webmail.cli import main
from webmail.cli.administration import passwords
from webmail.config import settings as config
from webmail.database.connection import db, open_database
from webmail.database.fold import folded_names
from webmail.database.migrate import MIGRATIONS, migrate
from webmail.models import Session, User


@pytest.fixture
def database(tmp_path):
    url = f"sqlite:///{tmp_path / 'test.sqlite'}"
    opened = open_database(url)
    yield url
    opened.close()


@pytest.fixture
def settings(tmp_path, database):
    return config.load(
        tmp_path / "instance",
        database_url=database,
        sign_in="accounts",
        domain="lycee.example",
        server_timeout=1,
        imap_port=9,  # nothing listens on the discard port
        smtp_port=9,
    )


@pytest.fixture
def run(settings):
    """Types a command; gives (exit code, what was printed)."""
    migrate()
    return typing(settings)


def typing(settings):
    app = Flask("cli-tests")
    Babel(app)
    app.extensions["settings"] = settings
    main.register(app.cli)

    def run(line: str, typed: str = "") -> tuple[int, str]:
        result = app.test_cli_runner().invoke(args=shlex.split(line), input=typed)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.output

    return run


def test_migrate_says_what_it_did_and_does_it_once(settings, monkeypatch):
    monkeypatch.setattr(once, "told", True)
    run = typing(settings)
    code, said = run("migrate")
    all_of_them = len(list(MIGRATIONS.glob("[0-9]*.py")))
    told = said.splitlines()
    assert (code, told[0]) == (0, f"made all tables of a new database, as {len(folded_names())} migrations do")
    later = all_of_them - len(folded_names())
    assert (len(told), told[-1]) == (later + 2, f"{all_of_them} migrations applied: the database is up to date")
    assert run("migrate") == (0, "nothing to do: the database is up to date\n")


def test_migrate_tells_what_the_start_of_the_application_did(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(once, "told", True)
    app = create_app(tmp_path / "instance")
    try:
        assert "made all tables of a new database" in caplog.text
        said = app.test_cli_runner().invoke(args=["migrate"]).output
        assert re.fullmatch(r"\d{2,} migrations applied: the database is up to date\n", said)
    finally:
        db.obj.close()


def test_add_asks_twice_and_shows_nothing(run, monkeypatch):
    monkeypatch.setattr(passwords, "at_a_terminal", lambda: True)
    code, said = run("accounts add Alice@Lycee.example --name Alice --quota 2G --admin", "correct horse\ncorrect horse\n")
    assert code == 0
    assert "correct horse" not in said
    user = User.get()
    assert (user.address, user.local, user.domain, user.name) == ("alice@lycee.example", "alice", "lycee.example", "Alice")
    assert (user.quota_bytes, user.role, user.active) == (2 * 1024**3, "admin", 1)
    assert hashing.verify(user.password, "correct horse")


def test_add_takes_a_password_from_standard_input_and_the_usual_domain(run):
    assert run("accounts add bob --password-stdin", "with space \n")[0] == 0
    assert hashing.verify(User.get(User.address == "bob@lycee.example").password, "with space ")


@pytest.mark.parametrize(
    ("line", "typed", "word"),
    [
        ("accounts add a@b@c --password-stdin", "x\n", "is not an address"),
        ("accounts add alice --quota much --password-stdin", "x\n", "is not a size"),
        ("accounts add alice --password-stdin", "\n", "no password was given"),
        ("accounts add alice --password-stdin", "seven77\n", "at least 8 characters"),
        ("accounts add alice", "seven77\n", "at least 8 characters"),
        ("accounts add alice --name 'A\x1b[2J' --password-stdin", "long enough\n", "no control characters"),
        ("accounts name nobody Nobody", "", "there is no account"),
        ("accounts add alice --password-stdin", "x" * 2000 + "\n", "1 to 1024"),
        ("accounts password nobody --password-stdin", "x\n", "there is no account"),
        ("accounts disable nobody", "", "there is no account"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_done(run, line, typed, word):
    code, said = run(line, typed)
    assert code == 1
    assert word in said
    assert "Traceback" not in said
    assert User.select().count() == 0


def test_nobody_is_added_twice(run):
    run("accounts add alice --password-stdin", "the first\n")
    code, said = run("accounts add ALICE --password-stdin", "the second\n")
    assert (code, "already exists" in said) == (1, True)
    assert hashing.verify(User.get().password, "the first")


def test_no_account_gets_the_address_of_a_room(run):
    run("rooms add 'Salle 101' --address salle-101@lycee.example")
    run("accounts add alice --password-stdin", "the first\n")
    for line in ("accounts add SALLE-101 --password-stdin", "accounts allow alice salle-101@lycee.example"):
        code, said = run(line, "the second\n")
        assert code == 1 and "salle-101@lycee.example is the address of a room" in said
    assert User.select().count() == 1


def test_list_has_a_line_for_each_and_no_control_characters(run):
    run("accounts add bob --password-stdin", "long enough\n")
    run("accounts add alice --quota 0 --admin --password-stdin", "long enough\n")
    User.update(name="Bob\x1b[2J").where(User.local == "bob").execute()
    run("accounts disable bob")
    assert run("accounts list")[1].splitlines() == [
        "alice@lycee.example\tactive\tadmin\tno limit",
        "bob@lycee.example\tdisabled\tperson\t1G\tBob?[2J",
    ]


@pytest.mark.parametrize("size", ["1M", "500M", "1500M", "1.5G", "1023K", "2G", "3T", "5000001"])
def test_list_shows_a_quota_as_it_was_set(run, size):
    assert run(f"accounts add alice --quota {size} --password-stdin", "long enough\n")[0] == 0
    assert run("accounts list")[1].split("\t")[3].strip() == size


def test_nobody_yet(run):
    assert run("accounts list") == (0, "No accounts yet.\n")


@pytest.mark.parametrize("sign_in", ["accounts", "imap"])
def test_a_person_gets_another_name(settings, sign_in):
    migrate()
    run = typing(replace(settings, sign_in=sign_in))
    run("accounts add alice --password-stdin", "long enough\n")
    assert run("accounts name alice 'Alice  Leroy'") == (0, "alice@lycee.example is now called Alice Leroy\n")
    assert User.get().name == "Alice Leroy"
    assert run("accounts name alice ''") == (0, "alice@lycee.example now has no name\n")
    assert run(f"accounts name alice {'x' * 191}")[0] == 1
    assert User.get().name == ""


def test_a_piped_password_is_read_without_a_question(run):
    run("accounts add alice --password-stdin", "long enough\n")
    code, said = run("doctor --as alice", "secret\n")
    assert (code, said.splitlines()[0].split()[0]) == (1, "problem")
    assert "Mail password" not in said
    assert run("doctor --as alice", "") == (1, "Error: no password was given on standard input\n")


def test_a_new_password_signs_out_everywhere(run, settings):
    run("accounts add alice --password-stdin", "the old one\n")
    sessions.start(User.get(), settings)
    code, said = run("accounts password alice --password-stdin", "the new one\n")
    assert (code, said) == (0, "new password for alice@lycee.example; 1 session ended; mail programs keep what they have open\n")
    assert Session.select().count() == 0
    assert hashing.verify(User.get().password, "the new one")


@pytest.mark.parametrize(("option", "must_change"), [("", 1), (" --lasting", 0)])
def test_a_password_that_is_given_is_a_temporary_one(run, option, must_change):
    run(f"accounts add alice --password-stdin{option}", "long enough\n")
    assert User.get().must_change == must_change
    run(f"accounts password alice --password-stdin{option}", "another one\n")
    assert User.get().must_change == must_change


def test_disable_and_enable(run, settings):
    run("accounts add alice --password-stdin", "long enough\n")
    sessions.start(User.get(), settings)
    assert "1 session ended" in run("accounts disable alice")[1]
    assert (User.get().active, Session.select().count()) == (0, 0)
    assert run("accounts enable alice")[0] == 0
    assert User.get().active == 1


def test_where_the_mail_server_keeps_passwords_none_is_asked_for(tmp_path, database):
    migrate()
    run = typing(config.load(tmp_path / "instance", database_url=database, domain="lycee.example"))
    code, said = run("accounts add alice")
    assert (code, User.get().password) == (0, "")
    assert "mail server keeps passwords" in said
    assert run("accounts password alice --password-stdin", "x\n")[0] == 1


def test_doctor_exits_with_1_when_there_is_a_problem(run):
    code, said = run("doctor")
    assert code == 1
    assert "nothing listens on 127.0.0.1 port 9" in said
    assert "ok       Database" in said
    assert said.splitlines()[-1] == "2 problems"


def test_doctor_blames_no_server_for_an_account_that_is_not_there(run, settings):
    code, said = run("doctor --as nobody", "secret\n")
    assert (code, said) == (1, "Error: there is no account nobody@lycee.example; `accounts list` shows all\n")
    code, said = typing(replace(settings, sign_in="imap"))("doctor --as nobody", "secret\n")
    assert code == 1 and "nothing listens" in said  # the mail server knows who there is


def test_doctor_examines_servers_where_the_database_cannot_say_who_there_is(run):
    open_database("sqlite:////nowhere/at/all.sqlite")
    code, said = run("doctor --as alice", "secret\n")
    assert code == 1 and "nothing listens" in said


def test_doctor_tells_of_its_messages_last(run):
    code, said = run("doctor --mail alice")
    assert (code, said.splitlines()[-1]) == (1, "3 problems")
    assert said.splitlines()[-3].startswith("problem  Test message           was not sent: no sender is set (system_address).")
    assert said.splitlines()[-2].startswith("warning  Forged sender          was not tested: port 25 of 127.0.0.1 ")
    assert run("doctor --mail 'a b'")[1].endswith("is not an address such as alice@lycee.example\n")


def test_a_person_gets_limits_of_their_own(run):
    run("accounts add ann@lycee.example --password-stdin", "a long password\n")
    assert run("accounts limits ann --hour 500")[1].endswith("per hour: 500; per day: the usual limit\n")
    assert run("accounts limits ann --day 0")[0] == 0
    ann = User.get()
    assert (ann.recipients_per_hour, ann.recipients_per_day) == (None, 0)
    assert run("accounts limits ann --hour many")[0] != 0


def test_another_address_is_allowed_listed_and_taken_back(run):
    run("accounts add alice", typed="correct horse battery\n")
    assert run("accounts allow alice Bourses") == (0, "alice@lycee.example can send as bourses@lycee.example\n")
    assert run("accounts allow alice bourses")[0] == 0
    assert run("accounts allowed") == (0, "alice@lycee.example\tbourses@lycee.example\n")
    assert run("accounts disallow alice alice")[0] == 1
    assert run("accounts disallow alice bourses")[0] == 0
    assert run("accounts allowed alice") == (0, "")
    assert run("accounts allow nobody bourses")[0] == 1
    assert run("accounts allow alice 'not an address'")[0] == 1


def test_an_address_and_a_name_that_are_allowed_at_once_are_both_said(run):
    run("accounts add alice --password-stdin", typed="long enough\n")
    both = "bourses@lycee.example and under the name Bureau des bourses"
    for word, said in (("allow", "can"), ("disallow", "can't")):
        answer = run(f"accounts {word} alice bourses --name 'Bureau des bourses'")
        assert answer == (0, f"alice@lycee.example {said} send as {both}\n")
        assert run(f"accounts {word} alice --name Direction") == (
            0,
            f"alice@lycee.example {said} send under the name Direction\n",
        )


@pytest.mark.parametrize(
    ("size", "room", "said"),
    [
        ("5G", 5 * 1024**3, "5G (was 1G)"),
        ("500M", 500 * 1024**2, "500M (was 1G)"),
        ("0", 0, "no limit (was 1G)"),
        ("1536M", 1536 * 1024**2, "1.5G (was 1G)"),
    ],
)
def test_a_quota_is_changed_and_old_and_new_are_said(run, size, room, said):
    run("accounts add alice --password-stdin", "long enough\n")
    assert run(f"accounts quota alice {size}") == (0, f"quota of alice@lycee.example: {said}\n")
    assert User.get().quota_bytes == room


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("alice much", "is not a size"),
        ("alice 999999999999T", "is not a size"),
        ("alice -5G", ""),
        ("nobody 5G", "there is no account nobody"),
    ],
)
def test_a_quota_that_makes_no_sense_changes_nothing(run, line, words):
    run("accounts add alice --password-stdin", "long enough\n")
    code, said = run(f"accounts quota {line}")
    assert code and words in said and User.get().quota_bytes == 1024**3
