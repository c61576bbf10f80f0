"""Where data is and how long it is kept: the page and the register say what the settings and the areas really do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import timedelta
from importlib import import_module

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.visits import Visitor
from webmail.accounts import data_places, data_register, notices
from webmail.config.presentation import Presentation, Texts
from webmail.config.providers import Oidc
from webmail.config.settings import Settings
from webmail.config.storage import S3
from webmail.config.transfers import Transfers
from webmail.web.formatting import written_in

# settings that are times, and say nothing of how long data of people is kept
NOT_KEPT = {
    "second_step_grace_days",  # to set up a second factor
    "archive_spread_minutes",  # in a night
}


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance", language="en") as made:
        yield made


@pytest.fixture
def words(app: Flask) -> Iterator[None]:
    with app.test_request_context(), written_in("en"):
        yield


def times_of(kind: type, before: str = "") -> set[str]:
    return {before + one.name for one in fields(kind) if re.search(r"(^|_)(days|hours|minutes)$", one.name)}


def test_every_setting_that_says_how_long_is_in_it(words):
    named = {name for time in data_register.kept_times(Settings()) for name in time.settings}
    assert named == (times_of(Settings) | times_of(Transfers, "transfers.")) - NOT_KEPT


def test_it_tells_the_real_values(words):
    here = replace(Settings(), audit_days=400, trust_days=0, session_idle_hours=6.0, transfers=Transfers(days=3, most_days=9))
    told = {name: time.long for time in data_register.kept_times(here) for name in time.settings}
    assert (told["audit_days"], told["trust_days"], told["session_idle_hours"]) == ("400 days", "not offered", "6 hours")
    assert (told["transfers.days"], told["transfers.most_days"]) == ("3 days", "9 days")
    assert (
        next(t for t in data_register.kept_times(replace(here, audit_days=0)) if t.settings == ("audit_days",)).long
        == "without limit"
    )


@pytest.mark.parametrize("name", data_register.OF_AREAS)
def test_what_areas_forget_by_themselves_is_what_they_say(name):
    module, _colon, constant = name.partition(":")
    real = getattr(import_module(module), constant)
    assert (real.days if isinstance(real, timedelta) else real) == data_register.OF_AREAS[name]


def test_places_name_other_services_and_no_secret(words):
    here = replace(
        Settings(), imap_host="imap.host.example", database_url="postgresql://user:secret@db.host.example/x", storage="s3",
        s3=S3("bucket", "key", secret="hidden", endpoint="https://s3.cloud.example", region="fr-1"), remote_images="never",
        oidc=(Oidc("ent", "ENT Lyon", "https://ent.example", "id", "hidden"),), forwarding="off",
        presentation=Presentation(other_services=Texts(en="Relay at Example SARL\n\n")),
    )  # fmt: skip
    text = str([*data_places.kept_at(here), *data_places.sent_to(here, "en")])
    for told in ("imap.host.example", "db.host.example", "s3.cloud.example", "fr-1", "ENT Lyon", "Relay at Example SARL"):
        assert told in text
    assert "secret" not in text and "hidden" not in text and "key" not in text and "Images of messages" not in text
    alone = [place.where for place in data_places.kept_at(Settings(database_url="sqlite:////x"))]
    assert alone == ["this machine"] * 3


def test_everybody_may_read_it_and_it_asks_nothing_of_others(app):
    for path in ("/privacy", "/legal", "/accessibility"):
        page = Visitor(app).get(path)
        assert page.status == 200 and page.one("main h1")
        assert not [tag for tag in page.all("[src]") if "//" in tag["src"]]
        policy = page.response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "http" not in policy
    signed_in = ground.signed_in(app, ground.add("alice@lycee.example").local)
    assert signed_in.get("/privacy").one("#top")


def test_a_fact_that_is_not_known_leaves_its_paragraph_out(app):
    known = {
        "name": "Lycée *Ampère*",
        "help": "/support",
        "privacy": "/privacy",
        "controller": "Rue <b>",
        "contact": "",
        "host": "",
    }
    text = notices.text("legal", Texts(), "fr", known)
    assert "## Hébergement" not in text and "{" not in text and "## Éditeur" in text
    html = notices.to_html(text)
    assert "Lycée *Ampère*" in html and "Rue &lt;b&gt;" in html and "<b>" not in html
