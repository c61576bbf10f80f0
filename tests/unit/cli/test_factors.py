"""The administrator's commands for ways in, as typed: lost factors, app passwords, roles."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import Babel

from webmail import audit
from webmail.auth.devices import app_passwords
from webmail.auth.factors import authenticator, recovery_codes, second_step, trusted_devices, vouchers
from webmail.auth.sessions import sessions
from webmail.cli import main
from webmail.config import settings as config
from webmail.config.settings import Settings
from webmail.database.connection import open_database
from webmail.database.migrate import migrate
from webmail.models import AppPassword, Authenticator, RecoveryCode, SecurityKey, Session, SystemMessage, TrustedDevice, User, now

Run = Callable[[str], tuple[int, str]]


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    url = f"sqlite:///{tmp_path / 'test.sqlite'}"
    opened = open_database(url)
    migrate()
    plain = config.load(tmp_path / "instance", database_url=url, domain="lycee.example", sign_in="accounts")
    yield replace(plain, system_address="Lycée <info@lycee.example>")
    opened.close()


@pytest.fixture
def run(settings: Settings) -> Run:
    """Types a command; gives (exit code, what was printed)."""
    app = Flask("cli-tests")
    Babel(app)
    app.extensions["settings"] = settings
    main.register(app.cli)

    def typed(line: str) -> tuple[int, str]:
        result = app.test_cli_runner().invoke(args=shlex.split(line))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.output

    return typed


@pytest.fixture
def alice(settings: Settings) -> User:
    return _add("alice", settings)


@pytest.fixture
def bob(settings: Settings) -> User:
    return _add("bob", settings)


def _add(local: str, settings: Settings) -> User:
    """Somebody with two factors, codes, a trusted browser, a session and an app password."""
    user: User = User.create(address=f"{local}@lycee.example", local=local, domain="lycee.example", language="en")
    with second_step.changing(user):
        authenticator.add(user, "Phone\t1", authenticator.new_secret(), 0, settings)
        SecurityKey.create(user=user, name="Blue key", credential_hash=local, credential_id=b"i", public_key=b"k")
        recovery_codes.make(user, settings)
    trusted_devices.trust("", user, settings)
    sessions.start(user, settings)
    app_passwords.add(user, "Tablet", ["imap", "smtp"])
    return user


def _acts() -> list[tuple[str, str, dict[str, str | int]]]:
    return [(entry.act, entry.target, audit.details_of(entry)) for entry in audit.search()[0]]


def test_factors_are_listed(run: Run, alice: User) -> None:
    code, said = run("accounts factors list alice")
    assert code == 0
    first, second, rest = said.splitlines()
    assert first.startswith("app\tPhone?1\t20") and second.startswith("key\tBlue key\t20") and second.endswith("\t-")
    assert rest == "recovery codes left: 10; trusted browsers: 1"


def test_who_has_lost_everything_begins_anew(run: Run, alice: User, bob: User, settings: Settings) -> None:
    wish = vouchers.ask(alice, "bob", "a" * 64, settings)
    code, said = run("accounts factors reset alice@lycee.example")
    assert code == 0
    assert said.startswith("2 second factors of alice@lycee.example removed; 1 session ended")
    for table in (Authenticator, SecurityKey, RecoveryCode, TrustedDevice, Session):
        assert [row.user for row in table.select()] and {row.user for row in table.select()} == {bob}, table
    assert User.get_by_id(alice.id).second_step == 0 and User.get_by_id(bob.id).second_step == 1
    assert vouchers.wishes_for(bob) == [] and wish.giver == bob
    assert AppPassword.select().where(AppPassword.user == alice).exists(), "telephones go on"
    assert ("factors-reset", alice.address, {"by": "command"}) in _acts()
    assert [(row.recipient, row.subject) for row in SystemMessage.select()] == [
        (alice.address, "Two-step verification was reset")
    ]
    assert run("accounts factors list alice") == (0, "alice@lycee.example has no second factor\n")
    assert run("accounts factors reset alice")[1].startswith("0 second factors of")


def test_a_vouch_of_somebody_whose_factors_are_gone_is_worth_nothing(
    run: Run, alice: User, bob: User, settings: Settings
) -> None:
    wish = vouchers.ask(alice, "bob", "a" * 64, settings)
    vouchers.give(wish.id, bob, wish.number, settings)
    run("accounts factors reset bob")
    assert vouchers.use("a" * 64) is None


def test_that_a_factor_is_required_is_said(run: Run, alice: User) -> None:
    User.update(second_step_due=now().replace(year=2020, month=3, day=1, hour=8, minute=0)).execute()
    assert "removed; one is required from 2020-03-01 08:00 on; " in run("accounts factors reset alice")[1]


def test_roles(run: Run, alice: User, settings: Settings) -> None:
    User.create(address="root@lycee.example", local="root", domain="lycee.example", role="admin")
    code, said = run("accounts role alice admin")
    assert code == 0 and said.startswith("alice@lycee.example is now an administrator; 1 session ended")
    assert User.get_by_id(alice.id).role == "admin" and not Session.select().exists()
    assert _acts()[0] == ("account-role-set", alice.address, {"by": "command", "role": "admin", "before": "person"})
    sessions.start(alice, settings)
    assert run("accounts role alice admin") == (0, "alice@lycee.example is an administrator already\n")
    assert Session.select().exists() and len(_acts()) == 1
    assert run("accounts role alice person")[1].startswith("alice@lycee.example is now an ordinary person")
    assert run("accounts role alice king")[0] == 2


def test_app_passwords_are_listed_and_revoked(run: Run, alice: User, bob: User) -> None:
    app_passwords.add(alice, "Old phone", ["caldav"])
    code, said = run("accounts app-passwords list alice")
    old, tablet = said.splitlines()
    assert code == 0 and old.split("\t")[1:3] == ["Old phone", "caldav"] and tablet.split("\t")[1:3] == ["Tablet", "imap,smtp"]
    number, others = old.split("\t")[0], app_passwords.for_user(bob)[0].id
    assert run(f"accounts app-passwords revoke alice {others}") == (
        1,
        f"Error: alice@lycee.example has no app password {others}\n",
    )
    assert run(f"accounts app-passwords revoke alice {number}") == (0, "1 app password of alice@lycee.example revoked\n")
    assert _acts()[0] == ("app-password-revoked", alice.address, {"by": "command", "name": "Old phone"})
    assert "Old phone" in SystemMessage.get().body and SystemMessage.get().recipient == alice.address
    for line in ("", f"{number} --all"):
        assert run(f"accounts app-passwords revoke alice {line}")[0] == 1
    assert run("accounts app-passwords revoke alice --all") == (0, "1 app password of alice@lycee.example revoked\n")
    assert run("accounts app-passwords list alice") == (0, "alice@lycee.example has no app passwords\n")
    assert AppPassword.select().count() == 1


@pytest.mark.parametrize("line", ["factors list", "factors reset", "app-passwords list", "app-passwords revoke --all"])
def test_an_unknown_person_is_said(run: Run, line: str) -> None:
    code, said = run(f"accounts {line} nobody")
    assert code == 1 and "there is no account nobody" in said


def test_codes_by_mail_are_listed_and_reset(run: Run, bob: User) -> None:
    User.update(recovery_address="bob@ailleurs.example").where(User.id == bob.id).execute()
    assert second_step.turn_mail_on(User.get_by_id(bob.id))
    assert "mail\tbob@ailleurs.example\t-\t-" in run("accounts factors list bob")[1].splitlines()
    assert run("accounts factors reset bob")[1].startswith("3 second factors of bob@lycee.example removed")
    fresh = User.get_by_id(bob.id)
    assert (fresh.mailed_step, fresh.second_step, fresh.recovery_address) == (0, 0, "bob@ailleurs.example")
