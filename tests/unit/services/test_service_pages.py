"""Connected services as a person without scripts meets them: consent at the provider, and its end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.fakes.google import FakeGoogle
from tests.support.fakes.microsoft import FakeMicrosoft
from tests.support.visits import Page, Visitor
from webmail.errors import LimitReachedError
from webmail.models import AuditEntry, ConnectedService, Session, SystemMessage, User, now
from webmail.people import policies
from webmail.people.policies import Policy
from webmail.services import connections, disconnection

DRIVE, CALENDAR = "https://www.googleapis.com/auth/drive.file", "https://www.googleapis.com/auth/calendar"


@pytest.fixture
def app(tmp_path: Path, google: FakeGoogle, microsoft: FakeMicrosoft) -> Iterator[Flask]:
    values = {
        "services": "google, microsoft", "public_url": "https://mail.lycee.example", "system_address": "noreply@lycee.example",
        "smtp_security": "none", **google.settings(), **microsoft.settings(),
    }  # fmt: skip
    with ground.application(tmp_path / "instance", **values) as made:
        yield made


@pytest.fixture
def alice(app: Flask) -> Visitor:
    return person(app)


def person(app: Flask, local: str = "alice") -> Visitor:
    """Signed in, with the password typed again a moment ago."""
    visitor = ground.person(app, local)
    Session.update(confirmed=now()).execute()
    return visitor


def begin(visitor: Visitor, provider: str = "google", *purposes: str, where: str = "") -> str:
    """The form of connecting, sent: the address of the consent page."""
    form = visitor.get(where or f"/services/{provider}/connect")
    sent = visitor.submit(form, f"form[action='/services/{provider}/connect']", purpose=list(purposes or ("drive",)))
    return str(sent.one("main a.btn-primary")["href"])


def connect(visitor: Visitor, fake: FakeGoogle | FakeMicrosoft, *purposes: str, without: tuple[str, ...] = ()) -> Page:
    provider = "google" if isinstance(fake, FakeGoogle) else "microsoft"
    return visitor.get(fake.agree(begin(visitor, provider, *purposes), without=without))


def test_the_page_lists_every_service_and_what_is_not_set_up(alice: Visitor) -> None:
    page = alice.get("/services")
    assert [one["data-service"] for one in page.all("[data-service]")] == ["google", "microsoft", "nextcloud", "filesender"]
    assert "Not set up here" in page.one("[data-service=nextcloud]").text
    assert "Connect Google" in page.one("[data-service=google]").text


def test_google_is_connected_with_consent_and_nothing_more_than_was_ticked(alice: Visitor, google: FakeGoogle) -> None:
    page = connect(alice, google, "calendar")
    assert "Google is connected." in page.notices
    assert "Google Calendar" in page.text and "Google Drive" not in page.one("main").text
    made = ConnectedService.get()
    assert (made.login, made.state) == ("marie.dupont@example.org", "works")
    assert CALENDAR in made.scopes and DRIVE not in made.scopes
    assert alice.get("/services").one("[data-connection]").text.split()[0] == "Google"
    assert "Google" in alice.get("/account").one("#services").text


def test_it_is_told_by_mail_and_audited(alice: Visitor, google: FakeGoogle) -> None:
    connect(alice, google)
    assert "A service was connected" in [one.subject for one in SystemMessage.select()]
    assert [one.target for one in AuditEntry.select().where(AuditEntry.act == "service-connected")] == [
        "google marie.dupont@example.org"
    ]


def test_who_does_not_agree_connects_nothing(alice: Visitor, google: FakeGoogle) -> None:
    page = alice.get(google.agree(begin(alice), refuse=True))
    assert "You did not agree at Google" in page.notices
    assert not ConnectedService.select().exists()


def test_what_was_unticked_there_is_said(alice: Visitor, google: FakeGoogle) -> None:
    page = connect(alice, google, "drive", "calendar", without=(CALENDAR,))
    assert "but without this: Google Calendar" in page.notices
    assert ConnectedService.get().scopes.endswith("drive.file")


def test_nothing_ticked_there_connects_nothing_and_is_revoked(alice: Visitor, google: FakeGoogle) -> None:
    page = connect(alice, google, without=(DRIVE,))
    assert "did not allow what you asked for" in page.notices
    assert not ConnectedService.select().exists() and google.grants[0].ended


def test_rights_are_added_to_the_same_connection(alice: Visitor, microsoft: FakeMicrosoft) -> None:
    connect(alice, microsoft, "drive")
    made = ConnectedService.get()
    form = alice.get(f"/services/microsoft/connect?purpose=drive-write&connection={made.id}&next=/calendar/year")
    assert "also save files there" in form.one("main").text
    sent = alice.submit(form, "form[action='/services/microsoft/connect']")
    address = str(sent.one("main a.btn-primary")["href"])
    assert "Files.ReadWrite+Files.Read&" in address
    back = alice.get(microsoft.agree(address), follow=False)
    assert back.location == "/calendar/year"
    assert ConnectedService.select().count() == 1
    assert "Files.ReadWrite" in ConnectedService.get().scopes


def test_another_account_there_does_not_take_the_place_of_one(alice: Visitor, google: FakeGoogle) -> None:
    connect(alice, google)
    made = ConnectedService.get()
    address = begin(alice, where=f"/services/google/connect?connection={made.id}")
    google.login = "someone.else@example.org"
    page = alice.get(google.agree(address.replace("login_hint=marie.dupont%40example.org", "x=y")))
    assert "You chose someone.else@example.org" in page.notices
    assert ConnectedService.get().version == made.version


def test_two_accounts_are_two_connections(alice: Visitor, google: FakeGoogle) -> None:
    connect(alice, google)
    google.login = "class@example.org"
    connect(alice, google)
    assert [one.title for one in ConnectedService.select()] == ["Google", "Google 2"]
    page = alice.get(f"/services/{ConnectedService.select()[1].id}")
    page = alice.submit(page, ".form", title="Class")
    assert page.one("h1").text == "Class"


# --- attacks ---------------------------------------------------------------------------------------------------------


def test_an_answer_is_good_once(alice: Visitor, google: FakeGoogle) -> None:
    back = google.agree(begin(alice))
    alice.get(back)
    asked = len(google.forms)
    assert "did not begin here" in alice.get(back).notices
    assert len(google.forms) == asked, "the code is not even sent"


def test_the_answer_of_another_session_is_refused(app: Flask, alice: Visitor, google: FakeGoogle) -> None:
    """Somebody who would have Bob use their own account there."""
    bob = person(app, "bob")
    page = bob.get(google.agree(begin(alice)))
    assert "did not begin here" in page.notices
    assert not ConnectedService.select().exists()


def test_an_answer_without_state_or_with_an_error_of_another_provider(alice: Visitor, google: FakeGoogle) -> None:
    begin(alice)
    for answer in ("code=x", "code=x&state=", "error=access_denied", "code=x&state=" + "a" * 5000, "state=%00&code=%ff"):
        assert "did not begin here" in alice.get(f"/services/google/back?{answer}").notices
    back = google.agree(begin(alice)).replace("/google/", "/microsoft/")
    assert "did not begin here" in alice.get(back).notices
    assert google.forms == [] and not ConnectedService.select().exists()


def test_a_stolen_code_is_worth_nothing_without_the_verifier(alice: Visitor, google: FakeGoogle) -> None:
    """Of another attempt of the same person: the provider refuses it, by PKCE."""
    first, second = begin(alice), begin(alice)
    code = google.agree(first).partition("code=")[2].partition("&")[0]
    theirs = google.agree(second)
    mine = theirs.partition("code=")[2].partition("&")[0]
    page = alice.get(theirs.replace(mine, code))
    assert "came too late or was used already" in page.notices
    assert not ConnectedService.select().exists()


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil.example"])
def test_nobody_is_led_elsewhere_afterwards(alice: Visitor, google: FakeGoogle, target: str) -> None:
    form = alice.get("/services/google/connect")
    sent = alice.submit(form, "form[action='/services/google/connect']", purpose=["drive"], next=target)
    back = alice.get(google.agree(str(sent.one("main a.btn-primary")["href"])), follow=False)
    assert back.location.startswith("/services/")


def test_the_way_back_does_not_follow_the_host_of_a_request(alice: Visitor) -> None:
    form = alice.get("/services/google/connect")
    alice.client.environ_base["HTTP_HOST"] = "evil.example"
    assert "redirect_uri=https%3A%2F%2Fmail.lycee.example%2Fservices%2Fgoogle%2Fback" in begin(alice)
    assert form is not None


def test_the_connections_of_others_are_not_there(app: Flask, alice: Visitor, google: FakeGoogle) -> None:
    connect(alice, google)
    number, bob = ConnectedService.get().id, person(app, "bob")
    for way in ("", "/disconnect"):
        assert bob.get(f"/services/{number}{way}").status == 404
    assert bob.get(f"/services/google/connect?connection={number}").status == 404
    token = bob.get("/services/google/connect").all("input[name=csrf_token]")[0]["value"]
    assert bob.post(f"/services/{number}/disconnect", {"action": "remove", "csrf_token": token}).status == 404
    assert ConnectedService.select().count() == 1


def test_tokens_stand_nowhere_in_the_database(alice: Visitor, google: FakeGoogle, tmp_path: Path) -> None:
    connect(alice, google)
    secrets = [*google.access, *google.grants[0].refresh]
    assert len(secrets) == 2
    stored = b"".join(file.read_bytes() for file in (tmp_path / "instance").rglob("*") if file.is_file())
    assert [one for one in secrets if one.encode() in stored] == []


def test_a_token_that_was_put_into_another_row_opens_nothing(app: Flask, alice: Visitor, google: FakeGoogle) -> None:
    """Somebody who can write the database would have it sent to a server of theirs."""
    connect(alice, google)
    row = ConnectedService.get()
    ConnectedService.update(provider="nextcloud", address="https://evil.example").execute()
    with pytest.raises(connections.ConsentEndedError):
        connections.secret_of(ConnectedService.get_by_id(row.id), app.extensions["settings"])


# --- the end ---------------------------------------------------------------------------------------------------------


def test_disconnecting_ends_the_consent_there_too(alice: Visitor, google: FakeGoogle) -> None:
    connect(alice, google)
    page = alice.get(f"/services/{ConnectedService.get().id}/disconnect")
    page = alice.submit(page, "form.toolbar", action="keep")
    assert "Google is disconnected." in page.notices
    assert google.grants[0].ended and not ConnectedService.select().exists()
    assert AuditEntry.select().where(AuditEntry.act == "service-disconnected").count() == 1


def test_a_provider_that_is_away_is_no_reason_to_stay_connected(alice: Visitor, google: FakeGoogle) -> None:
    connect(alice, google)
    google.fault("/revoke", 503)
    page = alice.submit(alice.get(f"/services/{ConnectedService.get().id}/disconnect"), "form.toolbar", action="keep")
    assert "could not be told" in page.notices and not ConnectedService.select().exists()


def test_what_was_taken_over_stays_or_goes(alice: Visitor, google: FakeGoogle, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[tuple[str, bool]] = []
    monkeypatch.setattr(disconnection, "REMOVED", [lambda one, keep, _settings: called.append((one.provider, keep))])
    for action in ("keep", "remove"):
        connect(alice, google, "calendar")
        alice.submit(alice.get(f"/services/{ConnectedService.get().id}/disconnect"), "form.toolbar", action=action)
    assert called == [("google", True), ("google", False)]


@pytest.mark.parametrize(
    ("error", "words"),
    [(LimitReachedError("tasks"), "too many tasks"), (ValueError("kept by 1"), "Other people count on events")],
)
def test_what_can_t_be_removed_now_keeps_the_connection(
    alice: Visitor, google: FakeGoogle, monkeypatch: pytest.MonkeyPatch, error: ValueError, words: str
) -> None:
    def refuse(*_given: object) -> None:
        raise error

    connect(alice, google, "calendar")
    monkeypatch.setattr(disconnection, "REMOVED", [refuse])
    page = alice.submit(alice.get(f"/services/{ConnectedService.get().id}/disconnect"), "form.toolbar", action="remove")
    assert words in page.notices and page.address.endswith("/disconnect")
    assert ConnectedService.select().exists() and not google.grants[0].ended


def test_a_group_may_have_fewer(alice: Visitor) -> None:
    policies.set_own(User.get(), Policy(services=("microsoft",)))
    page = alice.get("/services")
    assert "does not offer it to you" in page.one("[data-service=google]").text
    assert "Connect Microsoft" in page.one("[data-service=microsoft]").text
    assert alice.get("/services/google/connect").status == 404


def test_consent_that_was_taken_back_is_told_and_mended(app: Flask, alice: Visitor, google: FakeGoogle) -> None:
    connect(alice, google)
    made = ConnectedService.get()
    connections.refused(made, connections.ServiceProblem.CONSENT)
    page = alice.get("/services")
    assert "Connect it again" in page.one("[data-connection]").text
    address = begin(alice, where=alice.get(f"/services/{made.id}").link("Connect it again"))
    alice.get(google.agree(address))
    assert ConnectedService.get().state == "works"
