"""Programs that keep passwords on their makers' servers: told apart by network, told to the person once, refused by choice."""

from __future__ import annotations

import base64
import ipaddress
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from webmail.auth.devices import app_passwords, cloud_programs
from webmail.auth.notifications import cloud_programs as notices
from webmail.config import settings as config
from webmail.config.cloud_programs import END, CloudProgram
from webmail.database.connection import db
from webmail.models import AuditAct, AuditEntry, CloudProgramUse, RefusedNetwork, SystemMessage, User

TOLD = {"name": "Outlook (new)", "networks": "203.0.113.0/24"}
BLOCKED = {"name": "Spark", "networks": "198.51.100.0/25, 2001:db8::/32", "block": True}
NETWORKS = [
    "203.0.113.0/24", "40.96.0.0/13", "192.0.2.1/32", "10.0.0.0/8", "192.0.2.64/26", "2603:1026:c00::/40", "2001:db8::/32",
    "2603:0:0:1::/64", "2001:db8:0:1::/64", "2a01:111:0:0::/64", "2a01::/16", "2603:1030:20c:9::5/128", "2001:db8:0:0:1::/80",
]  # fmt: skip


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    settings = {"cloud_programs": [TOLD, BLOCKED], "system_address": "noreply@lycee.example", "smtp_security": "none"}
    with ground.application(tmp_path / "instance", recovery_address="off", language="en", **settings) as made:
        yield made


@pytest.fixture
def alice(app: Flask) -> User:
    ground.add("alice@lycee.example")
    return User.get(User.address == "alice@lycee.example")


@pytest.mark.parametrize("text", NETWORKS)
def test_what_addresses_begin_with_says_whether_they_are_in_a_network(text):
    network, chance = ipaddress.ip_network(text), random.Random(text)
    beginnings = tuple(CloudProgram("x", text).beginnings())
    free = network.max_prefixlen - network.prefixlen
    kind = type(network.network_address)
    for _ in range(300):
        inside = kind(
            int(network.network_address)
            + (chance.choice([chance.getrandbits(free), chance.getrandbits(16) % 2**free, 0]) if free else 0)
        )
        assert f"{inside}{END}".startswith(beginnings), inside
        outside = kind(int(inside) ^ (1 << chance.randrange(free, network.max_prefixlen)))
        assert not f"{outside}{END}".startswith(beginnings), outside


@pytest.mark.parametrize("wrong", ["outlook.com", "203.0.113.1/24", "2001:db8::/33", "0.0.0.0/0", ""])
def test_what_is_no_network_is_refused(tmp_path, wrong):
    with pytest.raises(config.ConfigError):
        config.load(tmp_path / "x", cloud_programs=[{"name": "x", "networks": wrong}])


def test_the_person_is_told_once_by_mail_on_their_page_and_in_the_log(app, alice):
    settings = app.extensions["settings"]
    for _ in range(3):
        assert cloud_programs.note(alice, "203.0.113.7", settings).name == "Outlook (new)"
    assert cloud_programs.note(alice, "192.0.2.1", settings) is None
    with app.test_request_context():
        for _ in range(2):
            cloud_programs.tell_each(lambda use: notices.tell(use, settings))
    (mail,) = SystemMessage.select().where(SystemMessage.recipient == alice.address)
    assert mail.subject == "Outlook (new) keeps your password" and alice.address in mail.body
    assert AuditEntry.select().where(AuditEntry.act == AuditAct.CLOUD_PROGRAM_USED).count() == 1
    page = ground.signed_in(app).get("/devices")
    assert [tag.strong.get_text() for tag in page.all("[data-cloud-program]")] == ["Outlook (new)"]


def test_nobody_else_sees_anything_of_it(app, alice):
    assert not ground.signed_in(app).get("/devices").all("#cloud")


def test_calendars_are_refused_to_one_that_is_blocked_and_the_other_is_noted(app, alice):
    letters, _row = app_passwords.add(alice, "Phone", ["caldav"])
    given = "Basic " + base64.b64encode(f"{alice.address}:{letters}".encode()).decode()

    def ask(address: str) -> int:
        place = {"REMOTE_ADDR": address}
        return (
            app.test_client().open("/dav/", method="PROPFIND", headers={"Authorization": given}, environ_base=place).status_code
        )

    assert (ask("192.0.2.1"), ask("198.51.100.9"), ask("2001:db8:1::5"), ask("203.0.113.9")) == (207, 401, 401, 207)
    db.connect(reuse_if_open=True)
    assert [use.program for use in CloudProgramUse.select()] == ["Outlook (new)"]


def test_the_table_that_dovecot_asks_follows_the_setting(app, alice):
    cloud_programs.write_refused(app.extensions["settings"])
    assert {row.beginning for row in RefusedNetwork.select()} >= {"198.51.100.0|", "198.51.100.127|", "2001:db8:"}
    assert {row.program for row in RefusedNetwork.select()} == {"Spark"}
    cloud_programs.write_refused(config.load(app.instance_path + "-2"))
    assert not RefusedNetwork.select().exists()


def test_a_refusal_is_told_on_the_page_and_by_no_mail(app, alice):
    settings = app.extensions["settings"]
    cloud_programs.note(alice, "198.51.100.9", settings, refused=True)
    cloud_programs.tell_each(lambda use: pytest.fail(use.program))
    assert "refused by your administrator" in ground.signed_in(app).get("/devices").text
    assert not AuditEntry.select().where(AuditEntry.act == AuditAct.CLOUD_PROGRAM_USED).exists()
