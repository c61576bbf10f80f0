"""Requests to services: fresh tokens, refusals told, and nothing of ours to places that are not the service's."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import request as asked_for

from tests.support.fakes.google import FakeGoogle
from tests.support.web_server import ok, web
from webmail import http_fetch
from webmail.config.settings import Settings
from webmail.http_fetch import AddressForbiddenError, AnswerTooLargeError, NotFetchedError
from webmail.models import ConnectedService, ServiceState, User, now
from webmail.services import connections, providers
from webmail.services.service_errors import ConsentEndedError, ServiceAwayError, TryLaterError
from webmail.services.service_requests import request, stream

SCOPE = "https://www.googleapis.com/auth/drive.file"


@pytest.fixture
def drive(google: FakeGoogle) -> FakeGoogle:
    """Google with an address that wants a token, takes a body and gives one back."""

    def about() -> Any:
        google.allowed(SCOPE)
        return {"got": len(asked_for.get_data())}

    google.app.add_url_rule("/drive/v3/about", view_func=about, methods=["GET", "PUT"])
    return google


@pytest.fixture
def made(odile: User, drive: FakeGoogle, settings: Settings) -> ConnectedService:
    access, refresh = drive.give(SCOPE)
    provider = providers.find("google", settings)
    assert provider is not None
    secret = {"access": access, "refresh": refresh}
    ends = now() + timedelta(hours=1)
    return connections.make(odile, provider, login=drive.login, secret=secret, settings=settings, scopes=SCOPE, expires=ends)[0]


def cloud(odile: User, settings: Settings, address: str) -> ConnectedService:
    provider = providers.find("nextcloud", settings)
    assert provider is not None
    return connections.make(odile, provider, login="odile", secret={"password": "abc def"}, settings=settings, address=address)[0]


def test_a_token_that_is_refused_in_the_middle_is_renewed_once(
    made: ConnectedService, drive: FakeGoogle, settings: Settings
) -> None:
    url = f"{drive.url}/drive/v3/about"
    assert request(made, settings, "GET", url).status == 200
    drive.expire()
    assert request(made, settings, "GET", url).status == 200
    drive.expire()
    with stream(made, settings, "PUT", url, pieces=lambda: [b"a" * 1000] * 3, length=3000, limit=1000) as answer:
        assert answer.status == 200 and b"3000" in answer.read(100)
    assert len(drive.forms) == 2


def test_consent_that_is_taken_back_in_the_middle_is_told(made: ConnectedService, drive: FakeGoogle, settings: Settings) -> None:
    drive.revoke_all()
    with pytest.raises(ConsentEndedError):
        request(made, settings, "GET", f"{drive.url}/drive/v3/about")
    row = ConnectedService.get_by_id(made.id)
    assert (row.state, row.problem) == (ServiceState.REFUSED, "consent")


def test_a_service_that_wants_us_to_wait(made: ConnectedService, drive: FakeGoogle, settings: Settings) -> None:
    path = "/drive/v3/about"
    rate = {"error": {"code": 403, "errors": [{"reason": "userRateLimitExceeded"}]}}
    for status, headers, body, seconds in (
        (429, {"Retry_After": "7"}, {}, 7),
        (503, {"Retry_After": "9"}, {}, 9),
        (429, {"Retry_After": "tomorrow"}, {}, 30),
        (403, {}, rate, 30),
    ):
        drive.fault(path, status, body, **headers)
        with pytest.raises(TryLaterError) as caught:
            request(made, settings, "GET", f"{drive.url}{path}")
        assert caught.value.seconds == seconds
    assert ConnectedService.get_by_id(made.id).state == ServiceState.WORKS


def test_a_service_with_a_fault_is_away_until_it_answers(made: ConnectedService, drive: FakeGoogle, settings: Settings) -> None:
    drive.fault("/drive/v3/about", 502)
    with pytest.raises(ServiceAwayError):
        request(made, settings, "GET", f"{drive.url}/drive/v3/about")
    assert ConnectedService.get_by_id(made.id).state == ServiceState.AWAY
    assert request(made, settings, "GET", f"{drive.url}/drive/v3/about").status == 200
    assert ConnectedService.get_by_id(made.id).state == ServiceState.WORKS


def test_other_refusals_are_answers(made: ConnectedService, drive: FakeGoogle, settings: Settings) -> None:
    for status in (302, 400, 403, 404, 410, 412, 507):
        drive.fault("/drive/v3/about", status, {"error": {"code": status}})
        assert request(made, settings, "GET", f"{drive.url}/drive/v3/about").status == status


# --- where nothing of ours goes --------------------------------------------------------------------------------------


@pytest.fixture
def listener() -> Iterator[tuple[int, list[bytes]]]:
    with web(lambda _got: ok(b"{}", kind="application/json")) as there:
        yield there


def test_a_token_goes_to_its_provider_alone(
    made: ConnectedService, settings: Settings, listener: tuple[int, list[bytes]]
) -> None:
    port, got = listener
    for url in (f"http://127.0.0.1:{port}/", "https://evil.example/", "http://[::1", "gopher://x/", "file:///etc/passwd"):
        for call in (request, lambda *given: stream(*given, limit=10).__enter__()):
            with pytest.raises(AddressForbiddenError):
                call(made, settings, "GET", url)
    assert got == []


def test_an_address_with_a_secret_of_its_own_is_asked_without_ours(
    made: ConnectedService, settings: Settings, listener: tuple[int, list[bytes]]
) -> None:
    port, got = listener
    assert request(made, settings, "PUT", f"http://127.0.0.1:{port}/upload?id=1", body=b"x", signed=False).status == 200
    assert b"uthorization" not in got[0] and got[0].endswith(b"x")


def test_a_password_goes_to_its_host_and_port_alone(odile: User, settings: Settings, listener: tuple[int, list[bytes]]) -> None:
    port, got = listener
    own = cloud(odile, settings, f"http://127.0.0.1:{port}")
    assert request(own, settings, "PROPFIND", f"http://127.0.0.1:{port}/remote.php/dav").status == 200
    assert b"Authorization: Basic b2RpbGU6YWJjIGRlZg==" in got[0]
    for other in (f"http://localhost:{port}/", f"http://127.0.0.1:{port + 1}/", f"https://127.0.0.1:{port}/"):
        with pytest.raises(AddressForbiddenError):
            request(own, settings, "GET", other)
    assert len(got) == 1


def test_a_redirect_is_answered_and_takes_nothing_along(odile: User, settings: Settings) -> None:
    with web(lambda _got: ok(b"")) as (elsewhere, stolen):
        head = f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{elsewhere}/\r\nContent-Length: 0\r\n\r\n".encode()
        with web(lambda _got: head) as (port, _asked):
            own = cloud(odile, settings, f"http://127.0.0.1:{port}")
            answer = request(own, settings, "GET", f"http://127.0.0.1:{port}/")
            assert answer.status == 302 and answer.headers["location"].endswith(f":{elsewhere}/")
    assert stolen == []


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:1/", "https://10.0.0.1/", "https://169.254.169.254/latest/meta-data/", "https://[::ffff:127.0.0.1]/",
        "https://localhost/", "https://2130706433/", "https://0x7f.1/", "http://cloud.example/", "https://cloud.example:8443/",
        "https://user@cloud.example/",
    ],
)  # fmt: skip
def test_a_person_can_t_point_our_server_inside(
    odile: User, settings: Settings, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "create_connection", lambda *_a, **_k: pytest.fail("connected"))
    settings.put({"service_networks": ""})
    own = cloud(odile, settings, address)
    with pytest.raises((AddressForbiddenError, ServiceAwayError)) as caught:
        request(own, settings, "GET", address)
    assert "connected" not in str(caught.value)


def test_own_networks_open_no_others(odile: User, settings: Settings) -> None:
    settings.put({"service_networks": "10.9.0.0/16"})
    for address in ("http://127.0.0.1:1/", "http://192.168.0.1/", "http://8.8.8.8/", "https://8.8.8.8:8443/"):
        own = cloud(odile, settings, address)
        with pytest.raises(AddressForbiddenError):
            request(own, settings, "GET", address)


def test_a_name_that_changes_meanwhile_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: the address that was checked is the one that is connected to."""
    answers = iter([["93.184.215.14"], ["127.0.0.1"]])
    connected: list[str] = []

    def connect(address: tuple[str, int], _timeout: float) -> socket.socket:
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    with (
        pytest.raises(NotFetchedError),
        http_fetch.streamed(
            "GET", "https://cloud.example/", (), {}, limit=10, seconds=5, resolve=lambda _host, _port: next(answers)
        ),
    ):
        pytest.fail("answered")
    assert connected == ["93.184.215.14"]


# --- hostile servers -------------------------------------------------------------------------------------------------


def test_an_answer_that_does_not_end_is_cut(odile: User, settings: Settings) -> None:
    def endless() -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        while True:
            yield b"10000\r\n" + b"a" * 0x10000 + b"\r\n"

    with web(lambda _got: endless()) as (port, _asked):
        own = cloud(odile, settings, f"http://127.0.0.1:{port}")
        with pytest.raises(AnswerTooLargeError):
            request(own, settings, "GET", f"http://127.0.0.1:{port}/", limit=500_000)
        with stream(own, settings, "GET", f"http://127.0.0.1:{port}/", limit=500_000) as answer:
            read = 0
            with pytest.raises(NotFetchedError):
                while piece := answer.read(65536):
                    read += len(piece)
            assert read <= 500_000


def test_an_answer_that_says_it_is_huge_is_not_begun(odile: User, settings: Settings) -> None:
    with web(lambda _got: b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n") as (port, _asked):
        own = cloud(odile, settings, f"http://127.0.0.1:{port}")
        with (
            pytest.raises(AnswerTooLargeError),
            stream(own, settings, "GET", f"http://127.0.0.1:{port}/", limit=500_000),
        ):
            pytest.fail("begun")


def test_an_answer_that_breaks_off_is_no_whole_one(odile: User, settings: Settings) -> None:
    with web(lambda _got: b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc") as (port, _asked):
        own = cloud(odile, settings, f"http://127.0.0.1:{port}")
        with (
            pytest.raises(NotFetchedError),
            stream(own, settings, "GET", f"http://127.0.0.1:{port}/", limit=500_000) as answer,
        ):
            while answer.read(65536):
                pass


def test_a_refused_password_is_told(odile: User, settings: Settings) -> None:
    with web(lambda _got: b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n") as (port, asked):
        own = cloud(odile, settings, f"http://127.0.0.1:{port}")
        with pytest.raises(ConsentEndedError):
            request(own, settings, "GET", f"http://127.0.0.1:{port}/")
        assert len(asked) == 1
    assert ConnectedService.get_by_id(own.id).problem == "password"


def test_what_the_sender_s_disk_says_is_not_the_server_s_fault(odile: User, settings: Settings) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"a"
        raise OSError("disk")

    with web(lambda _got: ok(b"")) as (port, _asked):
        own = cloud(odile, settings, f"http://127.0.0.1:{port}")
        with (
            pytest.raises(OSError, match="disk"),
            stream(own, settings, "PUT", f"http://127.0.0.1:{port}/", pieces=pieces, length=9, limit=10),
        ):
            pytest.fail("answered")
    assert ConnectedService.get_by_id(own.id).state == ServiceState.WORKS
