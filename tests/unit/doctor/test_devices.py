"""What the doctor says of the servers that phones are told, on real sockets, and of who signs Apple's profiles."""

from __future__ import annotations

import ssl
from dataclasses import replace

import pytest

from tests.support import servers
from webmail.config import settings as config
from webmail.config.devices import Devices
from webmail.doctor import devices as doctor_devices
from webmail.doctor import web
from webmail.doctor.result import OK, PROBLEM, WARNING


@pytest.fixture
def settings(tmp_path):
    return config.load(tmp_path / "instance", server_timeout=0.5)


def told(settings) -> dict[str, tuple[str, str]]:
    return {check.name: (check.state, check.words) for check in doctor_devices.examine(settings)}


def test_where_no_name_is_known_it_says_what_to_set(settings):
    state, words = told(settings)["Devices"]
    assert (state, "mail_server" in words) == (WARNING, True)


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_certificates_are_checked_as_phones_check_them(settings, tmp_path, security, monkeypatch):
    context, pem = servers.certificate(tmp_path)
    how = {"tls": context} if security == "tls" else {"upgrade": context}
    with (
        servers.serving(b"* OK ready\r\n", servers.imap, **how) as imap,
        servers.serving(b"220 test\r\n", servers.smtp(b"STARTTLS"), **how) as smtp,
    ):
        devices = Devices("127.0.0.1", imap, security, "127.0.0.1", smtp, security)
        here = replace(settings, devices=devices, ca_file=pem, public_url="https://webmail.lycee.example")
        for name in ("Devices, IMAP", "Devices, SMTP"):  # `ca_file` is of this machine alone
            assert told(here)[name][0] == PROBLEM
            assert "phones do not trust" in told(here)[name][1]
        make = ssl.create_default_context
        monkeypatch.setattr(ssl, "create_default_context", lambda: make(cafile=pem))
        assert {name: state for name, (state, _words) in told(here).items()} == {"Devices, IMAP": OK, "Devices, SMTP": OK}


def test_what_can_not_be_reached_from_here_may_be_from_outside(settings):
    closed = servers.closed_port()
    found = told(
        replace(settings, mail_server="localhost.localdomain.invalid", devices=Devices(smtp_host="127.0.0.1", smtp_port=closed))
    )
    assert found["Devices, IMAP"][0] == found["Devices, SMTP"][0] == WARNING
    assert f"127.0.0.1 port {closed} can’t be reached" in found["Devices, SMTP"][1]


def test_a_certificate_for_profiles_that_is_not_there(settings):
    state, words = told(replace(settings, devices=Devices(certificate="a.pem", key="a.key")))["Apple profiles"]
    assert (state, "a.pem" in words) == (PROBLEM, True)


@pytest.mark.parametrize(("days", "expected"), [(2, "expires in 1 day:"), (3, "expires in 2 days:"), (60, "for 59 more days")])
def test_how_long_profiles_are_signed_yet(settings, tmp_path, days, expected):
    pem = servers.certificate(tmp_path, days=days)[1]
    here = replace(settings, devices=Devices(certificate=pem, key=pem.removesuffix(".pem") + ".key"))
    state, words = told(here)["Apple profiles"]
    assert (state, expected in words) == (OK if days == 60 else WARNING, True)


def test_the_webs_own_certificate(settings, tmp_path, monkeypatch):
    """As browsers check it, with the days that are left; what can’t be reached from here may be from outside."""
    context, pem = servers.certificate(tmp_path, days=3)
    with servers.serving(b"", servers.imap, tls=context) as port:
        here = replace(settings, public_url=f"https://127.0.0.1:{port}")
        [found] = web.examine(here)
        assert (found.state, "do not trust" in found.words) == (PROBLEM, True)
        make = ssl.create_default_context
        monkeypatch.setattr(ssl, "create_default_context", lambda: make(cafile=pem))
        [found] = web.examine(here)
        assert (found.state, found.days) == (WARNING, 2)
    [found] = web.examine(replace(settings, public_url=f"https://127.0.0.1:{servers.closed_port()}"))
    assert (found.state, "can’t be reached" in found.words) == (WARNING, True)
    assert not list(web.examine(replace(settings, public_url="http://127.0.0.1:1")))
