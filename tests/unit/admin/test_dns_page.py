"""The page of DNS: what is noted of each record, ready to paste; *Check now* is done by the worker, of which there may be several."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

import dns.resolver
import pytest
from flask import Flask
from flask_babel import force_locale

from tests.support import calendar_ground as ground
from tests.support.dns_zone import Zone
from tests.support.visits import Visitor
from webmail import jobs
from webmail.admin.watching import check_requests, dns_notes, dns_texts
from webmail.auth import account_management
from webmail.database.connection import db
from webmail.doctor import rounds
from webmail.doctor.zone import comparing
from webmail.models import CheckNote, CheckRequest, User


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    more = {"mail_server": "mail.school.fr", "public_url": "http://localhost", "language": "en"}
    with ground.application(tmp_path / "instance", recovery_address="off", **more) as made:
        ground.add("root@lycee.example")
        account_management.set_role(User.get(User.address == "root@lycee.example"), "admin")
        made.extensions["settings"].put({"domain": "school.fr"})  # people's stay names that nobody has
        yield made


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Zone]:
    with Zone() as zone:
        monkeypatch.setattr(dns.resolver, "default_resolver", zone.resolver())
        zone["school.fr", "MX"], zone["mail.school.fr", "A"] = ["10 mail.school.fr."], ["192.0.2.10"]
        yield zone


@pytest.fixture
def root(app: Flask) -> Visitor:
    visitor = ground.signed_in(app, "root")
    visitor.submit(visitor.get("/account/confirm"), "form[action='/account/confirm']", follow=False, password=ground.PASSWORD)
    return visitor


def work(app: Flask) -> None:
    """What the worker does of what was asked for."""
    made = jobs.build(app.extensions["settings"])
    made.context = app.app_context
    db.close()
    made.do("checks asked for")
    db.connect(reuse_if_open=True)


def test_check_now_is_done_by_the_worker_and_stored(app, root, zone):
    page = root.get("/admin/dns")
    assert "Not checked yet" in page.text and zone.asked == []
    page = root.submit(page, "form[action='/admin/dns']")
    assert "Being checked" in page.text and "traboule-jobs" in page.text  # which does not run here
    assert root.get("/admin/dns").all("form[action='/admin/dns']") == []
    check_requests.ask(check_requests.DNS)  # by another administrator at the same moment
    assert CheckRequest.select().count() == 1 and zone.asked == []
    work(app)
    asked = len(zone.asked)
    page = root.get("/admin/dns")
    states = {one["data-record"]: one["data-state"] for one in page.all("[data-record]")}
    assert states["MX school.fr."] == "ok" and states["TXT school.fr."] == "warning"
    assert "Being checked" not in page.text and len(zone.asked) == asked  # a page asks nobody
    lines = page.all("details.zone pre")[0].text
    assert 'school.fr. 3600 IN TXT "v=spf1 mx -all"' in lines and "IN MX" not in lines
    text = page.all("[data-record='TXT school.fr.']")[0]
    assert "Paste the line below" in text.text and text.pre.text == 'school.fr. 3600 IN TXT "v=spf1 mx -all"'


def test_it_is_in_the_readers_language(app, zone):
    dns_notes.replace(comparing.look(app.extensions["settings"]))
    with app.app_context(), force_locale("fr"):
        said = [dns_texts.card(one) for one in dns_notes.listed()]
    assert "Où arrive le courrier (MX)" in [one.title for one in said]
    assert any("Collez la ligne ci-dessous" in one.words for one in said)


def test_the_hourly_round_tells_what_is_noted_and_asks_no_dns(app, zone, monkeypatch):
    dns_notes.replace(comparing.look(app.extensions["settings"]))
    monkeypatch.setattr(comparing, "look", lambda settings: pytest.fail("asked DNS"))
    settings = app.extensions["settings"]
    db.close()
    rounds.note_checks(jobs.PeriodicRun(settings, app.app_context, print, print, lambda: None))
    db.connect(reuse_if_open=True)
    notes = {note.name: note.text for note in CheckNote.select()}
    assert "Paste the line below" in notes["DNS, TXT school.fr"]


def test_a_round_that_breaks_leaves_no_request(app, monkeypatch):
    def broken(run):
        raise RuntimeError("broken")

    monkeypatch.setitem(rounds._ROUNDS, check_requests.DNS, broken)
    check_requests.ask(check_requests.DNS)
    db.close()
    with pytest.raises(RuntimeError):
        rounds.note_requested(jobs.PeriodicRun(app.extensions["settings"], nullcontext, print, print, lambda: None))
    db.connect(reuse_if_open=True)
    assert not check_requests.is_open(check_requests.DNS)


def test_it_is_for_administrators_of_all(app):
    ground.add("alice@lycee.example")
    alice = ground.signed_in(app, "alice")
    assert alice.get("/admin/dns").status == 403
