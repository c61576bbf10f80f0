"""App passwords of people whose provider has not vouched for them in a long time: told, paused a week later, back at a sign-in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.postgresql import fresh_database, server_url
from webmail.auth.devices import app_passwords
from webmail.auth.providers import accounts, app_password_pause
from webmail.auth.providers.accounts import Claims
from webmail.auth.providers.app_password_pause import Unvouched
from webmail.auth.sessions import mail_sessions
from webmail.config.providers import Cas
from webmail.config.settings import Settings
from webmail.database.connection import db, open_database
from webmail.database.migrate import migrate
from webmail.dav.sign_in import _by_app_password
from webmail.models import AppPassword, AuditAct, AuditEntry, LinkedAccount, User, now

CLAIMS = Claims("cas", "nina", "nina@lycee.example", proven=True)
DAY = timedelta(days=1)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with ExitStack() as made:
        if request.param == "postgresql" and not server_url():
            pytest.skip("no PostgreSQL server: TRABOULE_TEST_POSTGRESQL is not set")
        url = made.enter_context(fresh_database()) if request.param == "postgresql" else f"sqlite:///{tmp_path / 'x.sqlite'}"
        opened = open_database(url)
        with db.connection_context():
            migrate()
            yield url
        opened.close()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, provider_app_password_days=180)


@pytest.fixture
def told() -> list[tuple[str, Unvouched]]:
    return []


@pytest.fixture
def sweep(settings: Settings, told: list[tuple[str, Unvouched]]) -> Callable[..., tuple[int, int]]:
    def run(**changed: int) -> tuple[int, int]:
        note = {word: lambda found, word=word: told.append((word, found)) for word in ("warned", "paused")}
        return app_password_pause.sweep(replace(settings, **changed), note["warned"], note["paused"])

    return run


@pytest.fixture
def nina(database: str) -> User:
    """Somebody whom a CAS server vouches for, with a telephone."""
    user = User.create(address="nina@lycee.example", local="nina", domain="lycee.example", provider="cas")
    LinkedAccount.create(user=user, provider="cas", subject="nina")
    return user


@pytest.fixture
def phone(nina: User) -> str:
    """The password of her telephone."""
    return app_passwords.add(nina, "Phone", ["imap", "caldav"])[0]


def opens(user: User, secret: str) -> bool:
    """Whether it opens calendars. Dovecot asks the same column: `expires`."""
    return _by_app_password(user.address, secret, "192.0.2.1") is not None


def last_seen(user: User, ago: timedelta, *, warned: timedelta | None = None) -> None:
    at = now() - warned if warned is not None else None
    LinkedAccount.update(used=now() - ago, warned=at).where(LinkedAccount.user == user).execute()


def test_a_week_before_they_are_told_once(nina: User, phone: str, sweep, told) -> None:
    last_seen(nina, 172 * DAY)
    assert sweep() == (0, 0)
    last_seen(nina, 174 * DAY)
    assert sweep() == (1, 0) and sweep() == (0, 0)
    [(word, found)] = told
    assert (word, found.user) == ("warned", nina)
    assert timedelta(days=6.9) < found.ends - now() <= 7 * DAY
    assert opens(nina, phone)


def test_then_app_passwords_pause_and_what_is_open_ends(nina: User, phone: str, sweep, told, monkeypatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr(mail_sessions, "end_app_password", lambda number, _address, _settings: ended.append(number))
    last_seen(nina, 181 * DAY, warned=8 * DAY)
    assert sweep() == (0, 1) and sweep() == (0, 0)
    assert not opens(nina, phone) and ended == [AppPassword.get().id]
    assert [word for word, _found in told] == ["paused"]
    assert AuditEntry.get(AuditEntry.act == AuditAct.APP_PASSWORDS_PAUSED).target == nina.address


def test_nobody_is_paused_who_was_not_told_a_week_before(nina: User, phone: str, sweep) -> None:
    """As on the day of the update that brings it."""
    last_seen(nina, 1000 * DAY)
    assert sweep() == (1, 0) and sweep() == (0, 0) and opens(nina, phone)
    LinkedAccount.update(warned=now() - 7 * DAY).execute()
    assert sweep() == (0, 1) and not opens(nina, phone)


def test_signing_in_brings_them_back(nina: User, phone: str, settings: Settings, sweep) -> None:
    last_seen(nina, 181 * DAY, warned=8 * DAY)
    sweep()
    accounts.account_for(CLAIMS, Cas("CAS", "https://cas.lycee.example"), settings)
    assert opens(nina, phone) and AppPassword.get().expires is None
    assert sweep() == (0, 0), "and a week's notice is given anew"
    last_seen(nina, 181 * DAY)
    assert sweep() == (1, 0)


def test_a_day_that_was_chosen_still_holds(nina: User, sweep) -> None:
    until = now() + 30 * DAY
    secret, row = app_passwords.add(nina, "Laptop", ["caldav"], until)
    over = app_passwords.add(nina, "Old", ["caldav"], now() - DAY)[0]
    chosen = row.expires
    last_seen(nina, 181 * DAY, warned=8 * DAY)
    sweep()
    assert not opens(nina, secret)
    app_password_pause.is_back(nina)
    assert opens(nina, secret) and AppPassword.get_by_id(row.id).expires == chosen
    assert not opens(nina, over), "what was over stays over"


def test_one_whose_day_comes_while_it_is_paused_does_not_come_back(nina: User, phone: str, sweep) -> None:
    last_seen(nina, 181 * DAY, warned=8 * DAY)
    sweep()
    AppPassword.update(before_pause=int(time.time()) - 60).execute()
    app_password_pause.is_back(nina)
    assert not opens(nina, phone)


@pytest.mark.parametrize("case", ["password", "other provider", "directory", "disabled", "never"])
def test_who_is_left_alone(nina: User, phone: str, sweep, case: str) -> None:
    last_seen(nina, 181 * DAY, warned=8 * DAY)
    changed = {}
    match case:
        case "password":
            User.update(password="$argon2id$").execute()
        case "other provider":
            LinkedAccount.create(user=nina, provider="oidc:ent", subject="n")
        case "directory":
            LinkedAccount.create(user=nina, provider="ldap", subject="n", used=now() - 500 * DAY)
        case "disabled":
            User.update(active=0).execute()
        case "never":
            changed["provider_app_password_days"] = 0
    assert sweep(**changed) == (0, 0)
    assert AppPassword.get().before_pause is None


def test_where_the_setting_is_taken_back_all_work_again(nina: User, phone: str, sweep) -> None:
    last_seen(nina, 181 * DAY, warned=8 * DAY)
    sweep()
    sweep(provider_app_password_days=0)
    assert opens(nina, phone)


def test_what_cannot_be_told_does_not_count_as_told(nina: User, phone: str, settings: Settings) -> None:
    def fail(_found: Unvouched) -> None:
        raise RuntimeError

    last_seen(nina, 181 * DAY)
    with pytest.raises(RuntimeError):
        app_password_pause.sweep(settings, fail, fail)
    assert LinkedAccount.get().warned is None
