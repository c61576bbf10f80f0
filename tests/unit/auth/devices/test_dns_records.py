"""DNS records as an administrator copies them: what is there, what is said not to be, and the path of calendars."""

from __future__ import annotations

from dataclasses import replace

import pytest

from webmail.auth.devices.dns_records import records
from webmail.config.devices import Devices
from webmail.config.tables import Domain


@pytest.fixture
def settings(settings):
    return replace(settings, mail_server="mail.lycee.example", public_url="https://webmail.lycee.example/mail")


def test_mail_is_found_over_tls_and_nothing_else_is_there(settings):
    assert records(settings, dav=False) == [
        "_imaps._tcp.lycee.example. 3600 IN SRV 0 1 993 mail.lycee.example.",
        "_imap._tcp.lycee.example. 3600 IN SRV 0 0 0 .",
        "_submissions._tcp.lycee.example. 3600 IN SRV 0 1 465 mail.lycee.example.",
        "_submission._tcp.lycee.example. 3600 IN SRV 0 0 0 .",
        "_pop3._tcp.lycee.example. 3600 IN SRV 0 0 0 .",
        "_pop3s._tcp.lycee.example. 3600 IN SRV 0 0 0 .",
        "autoconfig.lycee.example. 3600 IN CNAME webmail.lycee.example.",
        "_autodiscover._tcp.lycee.example. 3600 IN SRV 0 1 443 webmail.lycee.example.",
    ]


def test_calendars_and_contacts_with_their_path(settings):
    found = records(settings, dav=True)
    for name in ("_caldavs", "_carddavs"):
        assert f"{name}._tcp.lycee.example. 3600 IN SRV 0 1 443 webmail.lycee.example." in found
        assert f'{name}._tcp.lycee.example. 3600 IN TXT "path=/mail/dav/"' in found


def test_starttls_has_the_other_name(settings):
    found = records(replace(settings, devices=Devices(smtp_port=587, smtp_security="starttls")), dav=False)
    assert "_submission._tcp.lycee.example. 3600 IN SRV 0 1 587 mail.lycee.example." in found
    assert "_submissions._tcp.lycee.example. 3600 IN SRV 0 0 0 ." in found


def test_each_domain_in_the_letters_of_dns(settings):
    found = records(replace(settings, domains=(Domain("collège.example"), Domain("lycee.example"))), dav=False)
    assert sum("_imaps._tcp.xn--collge-6ua.example." in line for line in found) == 1
    assert sum("_imaps._tcp.lycee.example." in line for line in found) == 1


def test_nothing_of_servers_that_only_this_machine_knows(settings):
    assert records(replace(settings, mail_server=""), dav=True)[0].startswith("_caldavs")
    assert records(replace(settings, mail_server="", public_url=""), dav=True) == []
