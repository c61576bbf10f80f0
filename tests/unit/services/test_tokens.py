"""Tokens are renewed in time, once, and say why they can't be."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.fakes.google import FakeGoogle
from tests.support.fakes.microsoft import FakeMicrosoft
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.models import ConnectedService, ServiceState, User, now
from webmail.services import connections, providers, tokens
from webmail.services.service_errors import (
    ConsentEndedError,
    NotOfferedError,
    ServiceAwayError,
    ServiceSetupError,
    TryLaterError,
)

SCOPES = "Files.Read"


def connected(user: User, fake: FakeGoogle | FakeMicrosoft, settings: Settings, seconds: int = 3600) -> ConnectedService:
    access, refresh = fake.give(SCOPES)
    provider = providers.find("google" if isinstance(fake, FakeGoogle) else "microsoft", settings)
    assert provider is not None
    secret = {"access": access, "refresh": refresh}
    made, new = connections.make(
        user, provider, login=fake.login, secret=secret, settings=settings, scopes=SCOPES,
        expires=now() + timedelta(seconds=seconds),
    )  # fmt: skip
    assert new
    return made


def test_a_good_token_asks_nobody(odile: User, google: FakeGoogle, settings: Settings) -> None:
    made = connected(odile, google, settings)
    assert tokens.access_token(made, settings) in google.access
    assert google.forms == []


def test_one_that_is_over_is_renewed_and_kept(odile: User, google: FakeGoogle, settings: Settings) -> None:
    made = connected(odile, google, settings, seconds=30)
    fresh = tokens.access_token(made, settings)
    assert fresh in google.access and len(google.forms) == 1
    again = connections.find(odile, made.id)
    assert tokens.access_token(again, settings) == fresh and len(google.forms) == 1
    assert (again.state, again.renewing) == (ServiceState.WORKS, None)


def test_another_process_renewed_it_meanwhile(odile: User, google: FakeGoogle, settings: Settings) -> None:
    made = connected(odile, google, settings, seconds=30)
    other = connections.find(odile, made.id)
    assert tokens.access_token(made, settings) == tokens.access_token(other, settings)
    assert len(google.forms) == 1


def test_a_refused_token_is_renewed_though_its_time_is_not_over(odile: User, google: FakeGoogle, settings: Settings) -> None:
    made = connected(odile, google, settings)
    first = tokens.access_token(made, settings)
    assert tokens.access_token(made, settings, refused=first) != first


def test_consent_that_was_taken_back(odile: User, google: FakeGoogle, settings: Settings) -> None:
    made = connected(odile, google, settings, seconds=30)
    google.revoke_all()
    with pytest.raises(ConsentEndedError):
        tokens.access_token(made, settings)
    again = connections.find(odile, made.id)
    assert (again.state, again.problem) == (ServiceState.REFUSED, "consent")
    with pytest.raises(ConsentEndedError):
        tokens.access_token(again, settings)
    assert len(google.forms) == 1, "who is refused is not asked again and again"


def test_a_refresh_token_that_is_good_once_is_replaced(odile: User, microsoft: FakeMicrosoft, settings: Settings) -> None:
    microsoft.rotates = True
    made = connected(odile, microsoft, settings, seconds=30)
    microsoft.life = 30
    for _time in range(3):
        tokens.access_token(made, settings)
    assert len({form["refresh_token"] for form in microsoft.forms}) == 3


def test_an_answer_that_was_never_written_is_told_as_lost(
    odile: User, microsoft: FakeMicrosoft, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that is killed between the answer and its writing."""
    microsoft.rotates = True
    made = connected(odile, microsoft, settings, seconds=30)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(connections, "put_secret", lambda *_a, **_k: (_ for _ in ()).throw(KeyboardInterrupt))
        tokens.access_token(made, settings)
    again = connections.find(odile, made.id)
    with pytest.raises(ConsentEndedError):
        tokens.access_token(again, settings)
    assert connections.find(odile, made.id).problem == "lost"


@pytest.mark.parametrize(
    ("status", "body", "error", "problem"),
    [
        (503, {}, ServiceAwayError, "away"),
        (500, {"error": "server_error"}, ServiceAwayError, "away"),
        (401, {"error": "invalid_client"}, ServiceSetupError, "client"),
        (200, {"nothing": "here"}, ServiceAwayError, "away"),
        (200, [], ServiceAwayError, "away"),
    ],
)
def test_a_provider_that_is_away_or_refuses_us_takes_nothing(
    odile: User, google: FakeGoogle, settings: Settings, status: int, body: object, error: type[Exception], problem: str
) -> None:
    made = connected(odile, google, settings, seconds=30)
    google.fault("/token", status, body)
    with pytest.raises(error):
        tokens.access_token(made, settings)
    again = connections.find(odile, made.id)
    assert (again.state, again.problem) == (ServiceState.AWAY, problem)
    assert tokens.access_token(again, settings) in google.access
    assert connections.find(odile, made.id).state == ServiceState.WORKS


def test_a_provider_that_wants_us_to_wait(odile: User, google: FakeGoogle, settings: Settings) -> None:
    made = connected(odile, google, settings, seconds=30)
    google.fault("/token", 429, Retry_After="17")
    with pytest.raises(TryLaterError) as caught:
        tokens.access_token(made, settings)
    assert caught.value.seconds == 17


def test_who_may_no_longer_use_it_gets_no_token(odile: User, google: FakeGoogle, settings: Settings) -> None:
    made = connected(odile, google, settings)
    settings.put({"services": "microsoft"})
    with pytest.raises(NotOfferedError):
        tokens.access_token(made, settings)
    settings.put({"services": "google"})
    User.update(active=0).execute()
    with pytest.raises(NotOfferedError):
        tokens.access_token(connections.find(odile, made.id), settings)


def test_a_consent_given_while_a_token_is_renewed_counts(odile: User, microsoft: FakeMicrosoft, settings: Settings) -> None:
    """And the renewal uses what it brought."""
    made = connected(odile, microsoft, settings, seconds=30)
    provider = providers.find("microsoft", settings)
    assert provider is not None
    real = microsoft.token

    def meanwhile() -> object:
        access, refresh = microsoft.give("Files.ReadWrite")
        with db.connection_context():
            connections.make(
                odile, provider, login=made.login, secret={"access": access, "refresh": refresh}, settings=settings,
                scopes="Files.ReadWrite", expires=now() + timedelta(hours=1),
            )  # fmt: skip
        newest.append(access)
        return real()

    newest: list[str] = []
    microsoft.app.view_functions["token"] = meanwhile
    assert [tokens.access_token(made, settings)] == newest
    assert connections.find(odile, made.id).scopes == "Files.ReadWrite"


def test_a_clock_that_jumps_costs_a_renewal_and_nothing_else(
    odile: User, google: FakeGoogle, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = connected(odile, google, settings)
    for hours in (30, -30):
        monkeypatch.setattr(tokens, "now", lambda hours=hours: now() + timedelta(hours=hours))
        assert tokens.access_token(connections.find(odile, made.id), settings) in google.access
    assert len(google.forms) == 1


def test_another_secret_key_opens_nothing(odile: User, google: FakeGoogle, settings: Settings) -> None:
    made = connected(odile, google, settings)
    settings.put({"secret_key": "another"})
    with pytest.raises(ConsentEndedError):
        tokens.access_token(made, settings)
    assert connections.find(odile, made.id).problem == "unreadable"
